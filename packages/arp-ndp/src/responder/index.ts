/**
 * Decisions of the layer-2 responder and announcer: frames, links and time in; frames, reasons and actions out.
 * @packageDocumentation
 */
export { answeredBy } from './answer.js'
export type { ParsedAddress } from '../address.js'
export { addressRefusal, isInterfaceName, parseAnswerable } from './answerable.js'
export { arpRequest, gratuitousArp, type ArpIdentity } from './arp.js'
export {
  Announcer,
  BURST_LENGTH,
  ROUND_INTERVAL,
  type AnnouncerAction,
  type AnnouncerEvent,
  type Instant,
} from './announcer.js'
export { GroupMembership, type GroupAction } from './groups.js'
export { NDP_HOP_LIMIT, neighborSolicitation, unsolicitedAdvertisement, type NdpIdentity } from './ndp.js'
export { neighborRefresh, type Neighbor } from './neighbor-refresh.js'
export {
  isSelected,
  OwnedAddresses,
  type AddressCounters,
  type AddressLength,
  type InterfaceSelection,
  type OwnedAddress,
} from './owned-addresses.js'
export { Pacer } from './pacer.js'
export { RefreshSchedule, type RefreshOptions } from './refresh.js'
export { Responder, type Protocol, type ResponderIdentity } from './responder.js'
export {
  compareScan,
  DEFAULT_EXCLUDED_INTERFACES,
  excludes,
  scan,
  type Scan,
  type ScanDifference,
  type ScannedLink,
  type WantedResponder,
} from './scan.js'
export { UnmatchedAddresses, type MatchChange } from './unmatched.js'
export type { Decision, DropReason, Reply, Verdict } from './verdict.js'
