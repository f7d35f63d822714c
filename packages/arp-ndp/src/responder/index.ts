/**
 * Decisions of the layer-2 responder and announcer: frames, links and time in; frames, reasons and actions out.
 * @packageDocumentation
 */
export { answeredBy } from './answer.js'
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
export {
  isSelected,
  OwnedAddresses,
  type AddressCounters,
  type InterfaceSelection,
  type OwnedAddress,
} from './owned-addresses.js'
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
export type { DropReason, Reply, Verdict } from './verdict.js'
