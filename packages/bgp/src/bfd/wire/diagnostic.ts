/** Why the session changed its state last, RFC 5880 section 4.1. The field has 5 bits; 9 to 31 are reserved and carried as they are. */
export const Diagnostic = {
  NoDiagnostic: 0,
  ControlDetectionTimeExpired: 1,
  EchoFunctionFailed: 2,
  NeighborSignaledSessionDown: 3,
  ForwardingPlaneReset: 4,
  PathDown: 5,
  ConcatenatedPathDown: 6,
  AdministrativelyDown: 7,
  ReverseConcatenatedPathDown: 8,
} as const

const NAMES = [
  'No Diagnostic',
  'Control Detection Time Expired',
  'Echo Function Failed',
  'Neighbor Signaled Session Down',
  'Forwarding Plane Reset',
  'Path Down',
  'Concatenated Path Down',
  'Administratively Down',
  'Reverse Concatenated Path Down',
] as const

/** The RFC's words for a diagnostic, such as `Path Down`; `Diagnostic 9` for one that it does not name. */
export const diagnosticName = (diagnostic: number): string => NAMES[diagnostic] ?? `Diagnostic ${diagnostic}`
