import { hardResetCause } from './hard-reset.js'
import type { NotificationMessage } from './notification.js'

/** Error Codes of RFC 4271 section 4.5, RFC 7313 section 5 and RFC 9687 section 3. */
export const ErrorCode = {
  MessageHeader: 1,
  OpenMessage: 2,
  UpdateMessage: 3,
  HoldTimerExpired: 4,
  FiniteStateMachine: 5,
  Cease: 6,
  RouteRefreshMessage: 7,
  SendHoldTimerExpired: 8,
} as const

/** Subcodes of Message Header Error, RFC 4271 section 6.1. */
export const MessageHeaderSubcode = {
  ConnectionNotSynchronized: 1,
  BadMessageLength: 2,
  BadMessageType: 3,
} as const

/** Subcodes of OPEN Message Error, RFC 4271 section 6.2, RFC 5492 section 5 and RFC 9234 section 4.2. */
export const OpenMessageSubcode = {
  UnsupportedVersionNumber: 1,
  BadPeerAs: 2,
  BadBgpIdentifier: 3,
  UnsupportedOptionalParameter: 4,
  UnacceptableHoldTime: 6,
  UnsupportedCapability: 7,
  RoleMismatch: 11,
} as const

/** Subcodes of UPDATE Message Error, RFC 4271 section 6.3. */
export const UpdateMessageSubcode = {
  MalformedAttributeList: 1,
  UnrecognizedWellKnownAttribute: 2,
  MissingWellKnownAttribute: 3,
  AttributeFlagsError: 4,
  AttributeLengthError: 5,
  InvalidOriginAttribute: 6,
  InvalidNextHopAttribute: 8,
  OptionalAttributeError: 9,
  InvalidNetworkField: 10,
  MalformedAsPath: 11,
} as const

/** Subcodes of Finite State Machine Error: a message that the state does not expect, RFC 6608 section 3. */
export const FiniteStateMachineSubcode = { OpenSent: 1, OpenConfirm: 2, Established: 3 } as const

/** Subcodes of Cease, RFC 4486 section 3, RFC 8538 section 3 and RFC 9384 section 3. */
export const CeaseSubcode = {
  MaximumNumberOfPrefixesReached: 1,
  AdministrativeShutdown: 2,
  PeerDeconfigured: 3,
  AdministrativeReset: 4,
  ConnectionRejected: 5,
  OtherConfigurationChange: 6,
  ConnectionCollisionResolution: 7,
  OutOfResources: 8,
  HardReset: 9,
  BfdDown: 10,
} as const

/** Subcodes of ROUTE-REFRESH Message Error, RFC 7313 section 5. */
export const RouteRefreshMessageSubcode = { InvalidMessageLength: 1 } as const

/** Names as the registry "BGP Error (Notification) Codes" of IANA has them, by Error Code. */
const NAMES: {
  readonly [code: number]: { readonly name: string; readonly subcodes: readonly (string | undefined)[] }
} = {
  1: {
    name: 'Message Header Error',
    subcodes: [undefined, 'Connection Not Synchronized', 'Bad Message Length', 'Bad Message Type'],
  },
  2: {
    name: 'OPEN Message Error',
    subcodes: [
      undefined,
      'Unsupported Version Number',
      'Bad Peer AS',
      'Bad BGP Identifier',
      'Unsupported Optional Parameter',
      'Authentication Failure',
      'Unacceptable Hold Time',
      'Unsupported Capability',
      undefined,
      undefined,
      undefined,
      'Role Mismatch',
    ],
  },
  3: {
    name: 'UPDATE Message Error',
    subcodes: [
      undefined,
      'Malformed Attribute List',
      'Unrecognized Well-known Attribute',
      'Missing Well-known Attribute',
      'Attribute Flags Error',
      'Attribute Length Error',
      'Invalid ORIGIN Attribute',
      'AS Routing Loop',
      'Invalid NEXT_HOP Attribute',
      'Optional Attribute Error',
      'Invalid Network Field',
      'Malformed AS_PATH',
    ],
  },
  4: { name: 'Hold Timer Expired', subcodes: [] },
  5: {
    name: 'Finite State Machine Error',
    subcodes: [
      undefined,
      'Receive Unexpected Message in OpenSent State',
      'Receive Unexpected Message in OpenConfirm State',
      'Receive Unexpected Message in Established State',
    ],
  },
  6: {
    name: 'Cease',
    subcodes: [
      undefined,
      'Maximum Number of Prefixes Reached',
      'Administrative Shutdown',
      'Peer De-configured',
      'Administrative Reset',
      'Connection Rejected',
      'Other Configuration Change',
      'Connection Collision Resolution',
      'Out of Resources',
      'Hard Reset',
      'BFD Down',
    ],
  },
  7: { name: 'ROUTE-REFRESH Message Error', subcodes: [undefined, 'Invalid Message Length'] },
  8: { name: 'Send Hold Timer Expired', subcodes: [] },
}

function nameOf(errorCode: number, errorSubcode: number): string {
  const error = NAMES[errorCode]
  if (!error) return `Error ${errorCode}/${errorSubcode}`
  const subcode = error.subcodes[errorSubcode]
  if (subcode) return `${error.name}: ${subcode}`
  return errorSubcode === 0 ? error.name : `${error.name}: subcode ${errorSubcode}`
}

/**
 * What a NOTIFICATION says, for people: `Cease: Administrative Shutdown`. A Hard Reset tells its cause too (RFC 8538 section 3.1);
 * numbers without a name stand as numbers.
 */
export function notificationName(message: Pick<NotificationMessage, 'errorCode' | 'errorSubcode' | 'data'>): string {
  const name = nameOf(message.errorCode, message.errorSubcode)
  const cause = hardResetCause(message)
  return cause ? `${name} (${nameOf(cause.errorCode, cause.errorSubcode)})` : name
}
