import type { WireFault } from '../errors.js'
import type { OwnedAddress } from './owned-addresses.js'

/**
 * Why a frame got no answer: a fault of its octets, or
 *
 * - `vlan-tagged`: it belongs to another network, whose own interface has its own responder
 * - `other-protocol`: another EtherType than the responder's
 * - `not-a-request`: no ARP request, no Neighbor Solicitation
 * - `not-for-us`: its Ethernet destination is neither ours nor a group that requests go to
 * - `own-frame`: sent by ourselves, by its source or by its sender address
 * - `bad-sender`: the requester's MAC address is broadcast, multicast or zero, so that an answer would not reach it alone
 * - `hop-limit`: not 255, so a router has forwarded it (RFC 4861 §7.1.1)
 * - `checksum`: the ICMPv6 checksum is wrong
 * - `no-source-link-layer-address`: the solicitation has no such option: a DAD probe from `::` (RFC 4862 §5.4.2)
 * - `not-owned`: the address is not in the table
 * - `interface-not-selected`: the address is in the table, for other interfaces
 */
export type DropReason =
  | WireFault
  | 'vlan-tagged'
  | 'other-protocol'
  | 'not-a-request'
  | 'not-for-us'
  | 'own-frame'
  | 'bad-sender'
  | 'hop-limit'
  | 'checksum'
  | 'no-source-link-layer-address'
  | 'not-owned'
  | 'interface-not-selected'

/** An answer to send. */
export interface Reply {
  /** Whole Ethernet frame, freshly allocated. */
  readonly frame: Uint8Array
  /** Whose counters go up: `responsesSent` is the sender's to count. */
  readonly owned: OwnedAddress
}

/** What a frame leads to: exactly one of an answer or the reason for silence. */
export type Verdict = Reply | DropReason

/** The same when the answer has been written where the caller wanted it: whose it is, or the reason for silence. */
export type Decision = OwnedAddress | DropReason
