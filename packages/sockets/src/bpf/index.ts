/**
 * Classic BPF socket filters: a small assembler, and the programs a responder needs. Pure.
 *
 * @packageDocumentation
 */
export {
  assemble,
  bpf,
  type AncillaryField,
  type BpfInstruction,
  type BpfStatement,
  type JumpTargets,
  type JumpTest,
  type LoadSize,
} from './assembler.js'
export {
  arpRequests,
  arpRequestsOrClaims,
  neighborSolicitations,
  neighborSolicitationsOrAdvertisements,
  type BpfTableOptions,
  type BpfTarget,
} from './programs.js'
export { encodeProgram } from './encode.js'
