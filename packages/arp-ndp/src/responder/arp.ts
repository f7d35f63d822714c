import { ArpOperation, ARP_LENGTH, encodeArp } from '../wire/arp.js'
import { ETHERNET_HEADER_LENGTH, EtherType, MINIMUM_PAYLOAD, writeEthernetHeader } from '../wire/ethernet.js'
import { BROADCAST_MAC, MAC_LENGTH } from '../wire/mac.js'
import { uint16At } from '../wire/octets.js'
import { copyAt, isStationMacAt, matchesAt } from './in-place.js'
import { isSelected, type OwnedAddresses } from './owned-addresses.js'
import type { Decision } from './verdict.js'

/** Octets of an Ethernet frame with an ARP packet, padded, without Frame Check Sequence. */
export const ARP_FRAME_LENGTH = ETHERNET_HEADER_LENGTH + MINIMUM_PAYLOAD

/** ar$hrd Ethernet, ar$pro IPv4, ar$hln 6, ar$pln 4. */
const IPV4_OVER_ETHERNET = Uint8Array.of(0, 1, 8, 0, 6, 4)
const IPV4_LENGTH = 4
// octets from the start of the frame
const SOURCE = 6
const ADDRESS_SPACES = 14
const OPERATION = 20
const SHA = 22
const SPA = 28
const THA = 32
const TPA = 38
const END = 42

/** Who answers: one interface. */
export interface ArpIdentity {
  /** Name that {@link OwnedAddress.interfaces} is matched with. */
  readonly interface: string
  /** 6 octets. */
  readonly mac: Uint8Array
}

/** An untagged Ethernet frame with an ARP packet for IPv4, padded to the minimum; MACs of 6, addresses of 4 octets. */
export function arpFrame(
  operation: ArpOperation,
  destination: Uint8Array,
  sender: { readonly mac: Uint8Array; readonly address: Uint8Array },
  target: { readonly mac: Uint8Array; readonly address: Uint8Array },
): Uint8Array {
  const frame = new Uint8Array(ARP_FRAME_LENGTH)
  writeEthernetHeader(frame, destination, sender.mac, EtherType.ARP)
  const packet = {
    operation,
    senderHardwareAddress: sender.mac,
    senderProtocolAddress: sender.address,
    targetHardwareAddress: target.mac,
    targetProtocolAddress: target.address,
  }
  encodeArp(packet, frame.subarray(ETHERNET_HEADER_LENGTH, ETHERNET_HEADER_LENGTH + ARP_LENGTH))
  return frame
}

const ANYBODY = { mac: new Uint8Array(MAC_LENGTH), address: new Uint8Array(IPV4_LENGTH) }

/** Decides about ARP frames of one interface. */
export class ArpAnswers {
  readonly #mac: Uint8Array
  readonly #interface: string
  readonly #table: OwnedAddresses
  /** A reply from us to nobody about no address. */
  readonly #template: Uint8Array
  /** The frames of a round about no address. */
  readonly #round: readonly Uint8Array[]

  constructor(me: ArpIdentity, table: OwnedAddresses) {
    this.#mac = me.mac
    this.#interface = me.interface
    this.#table = table
    this.#template = arpFrame(ArpOperation.Reply, ANYBODY.mac, { mac: me.mac, address: ANYBODY.address }, ANYBODY)
    this.#round = gratuitousArp(me.mac, ANYBODY.address)
  }

  /** Frames of a gratuitous round. */
  get roundLength(): number {
    return this.#round.length
  }

  /**
   * Writes one frame of a gratuitous round, see {@link gratuitousArp}.
   * @param address 4 octets
   * @param index less than {@link roundLength}
   */
  writeRound(address: Uint8Array, index: number, into: Uint8Array): void {
    into.set(this.#round[index]!)
    copyAt(address, 0, into, SPA, IPV4_LENGTH)
    copyAt(address, 0, into, TPA, IPV4_LENGTH)
  }

  /**
   * Decides about one untagged frame with the EtherType of ARP. Probes from 0.0.0.0 are answered (RFC 5227 §2.1.1: the address is
   * in use).
   * @param into the answer, if there is one: {@link ARP_FRAME_LENGTH} octets
   */
  answer(frame: Uint8Array, into: Uint8Array): Decision {
    const reason = this.#refuse(frame)
    if (reason !== undefined) return reason
    const owned = this.#table.findAt(frame, TPA, 4)
    if (owned === undefined) return 'not-owned'
    if (!isSelected(owned, this.#interface)) return 'interface-not-selected'
    into.set(this.#template)
    // To the requester that the packet names, which behind a bridge or proxy is not the frame's source.
    copyAt(frame, SHA, into, 0, MAC_LENGTH)
    copyAt(frame, TPA, into, SPA, IPV4_LENGTH)
    copyAt(frame, SHA, into, THA, MAC_LENGTH + IPV4_LENGTH)
    return owned
  }

  #refuse(frame: Uint8Array): Exclude<Decision, object> | undefined {
    if (frame.length < END) return 'truncated'
    if (!matchesAt(frame, ADDRESS_SPACES, IPV4_OVER_ETHERNET)) return 'bad-field'
    if (uint16At(frame, OPERATION) !== ArpOperation.Request) return 'not-a-request'
    if (!matchesAt(frame, 0, BROADCAST_MAC) && !matchesAt(frame, 0, this.#mac)) return 'not-for-us'
    if (matchesAt(frame, SOURCE, this.#mac) || matchesAt(frame, SHA, this.#mac)) return 'own-frame'
    return isStationMacAt(frame, SHA) ? undefined : 'bad-sender'
  }
}

/**
 * The two broadcast frames that tell every neighbour where an address is: first a request (RFC 5227 §3), then a reply,
 * because some systems learn from only one of them. In both the target hardware address is broadcast, as MetalLB has it.
 * @param mac 6 octets, the new owner
 * @param address 4 octets
 */
export function gratuitousArp(mac: Uint8Array, address: Uint8Array): readonly [request: Uint8Array, reply: Uint8Array] {
  const sender = { mac, address }
  const target = { mac: BROADCAST_MAC, address }
  return [
    arpFrame(ArpOperation.Request, BROADCAST_MAC, sender, target),
    arpFrame(ArpOperation.Reply, BROADCAST_MAC, sender, target),
  ]
}

/**
 * A broadcast question who has an address. From 0.0.0.0 it is an ARP Probe (RFC 5227 §2.1.1), which changes nobody's table.
 * @param mac 6 octets, where answers go
 * @param source 4 octets
 * @param address 4 octets
 */
export function arpRequest(mac: Uint8Array, source: Uint8Array, address: Uint8Array): Uint8Array {
  const target = { mac: new Uint8Array(mac.length), address }
  return arpFrame(ArpOperation.Request, BROADCAST_MAC, { mac, address: source }, target)
}
