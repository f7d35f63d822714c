import { ETHERNET_HEADER_LENGTH, EtherType, writeEthernetHeader } from '../wire/ethernet.js'
import { ICMPV6_HEADER_LENGTH, Icmpv6Type, writeChecksum } from '../wire/icmpv6.js'
import { encodeIpv6, IPV6_HEADER_LENGTH, IPV6_LENGTH, NEXT_HEADER_ICMPV6 } from '../wire/ipv6.js'
import { MAC_LENGTH } from '../wire/mac.js'
import { ALL_NODES, multicastMac, solicitedNodeMulticast } from '../wire/multicast.js'
import { encodeNeighborAdvertisement } from '../wire/ndp/neighbor-advertisement.js'
import { encodeNeighborSolicitation } from '../wire/ndp/neighbor-solicitation.js'
import { OptionType } from '../wire/ndp/option/index.js'
import { putUint16, uint16At } from '../wire/octets.js'
import type { ArpIdentity } from './arp.js'
import { copyAt, fold, isStationMacAt, matchesAt, sumAt } from './in-place.js'
import { isSelected, type OwnedAddresses } from './owned-addresses.js'
import type { Decision, DropReason } from './verdict.js'

/** RFC 4861 §7.1: senders set it, receivers check it, so that no router can have forwarded the message. */
export const NDP_HOP_LIMIT = 255

/** Octets of an Ethernet frame with a Neighbor Advertisement that has our link-layer address, without Frame Check Sequence. */
export const NDP_FRAME_LENGTH = 86

// octets from the start of the frame
const SOURCE = 6
const VERSION = 14
const PAYLOAD_LENGTH = 18
const NEXT_HEADER = 20
const HOP_LIMIT = 21
const IPV6_SOURCE = 22
const IPV6_DESTINATION = 38
const TYPE = 54
const CODE = 55
const CHECKSUM = 56
const TARGET = 62
const OPTIONS = 78
/** Type and Length of an option, in units of 8 octets. */
const OPTION_HEADER_LENGTH = 2
const UNSPECIFIED = new Uint8Array(IPV6_LENGTH)

/** Who answers: one interface with a link-local address. */
export interface NdpIdentity extends ArpIdentity {
  /** 16 octets, source of everything we send. */
  readonly linkLocal: Uint8Array
}

/** Puts an ICMPv6 message into an IPv6 packet and an Ethernet frame, and its checksum into the message. */
export function ndpFrame(me: NdpIdentity, mac: Uint8Array, destination: Uint8Array, message: Uint8Array): Uint8Array {
  const frame = new Uint8Array(ETHERNET_HEADER_LENGTH + IPV6_HEADER_LENGTH + message.length)
  writeChecksum(me.linkLocal, destination, message)
  writeEthernetHeader(frame, mac, me.mac, EtherType.IPv6)
  const packet = {
    trafficClass: 0,
    flowLabel: 0,
    nextHeader: NEXT_HEADER_ICMPV6,
    hopLimit: NDP_HOP_LIMIT,
    source: me.linkLocal,
    destination,
    payload: message,
  }
  encodeIpv6(packet, frame.subarray(ETHERNET_HEADER_LENGTH))
  return frame
}

const advertisement = (me: NdpIdentity, targetAddress: Uint8Array, solicited: boolean): Uint8Array =>
  encodeNeighborAdvertisement({
    router: false,
    solicited,
    override: !solicited,
    targetAddress,
    options: [{ kind: 'target-link-layer-address', address: me.mac }],
  })

/** Decides about Neighbor Discovery frames of one interface. */
export class NdpAnswers {
  readonly #me: NdpIdentity
  readonly #table: OwnedAddresses
  /** A solicited advertisement from us to `::` about `::`; its checksum is the sum that their octets are added to. */
  readonly #template: Uint8Array
  readonly #templateSum: number
  /** The same of an unsolicited advertisement to all nodes. */
  readonly #round: Uint8Array
  readonly #roundSum: number

  constructor(me: NdpIdentity, table: OwnedAddresses) {
    this.#me = me
    this.#table = table
    this.#template = ndpFrame(me, new Uint8Array(MAC_LENGTH), UNSPECIFIED, advertisement(me, UNSPECIFIED, true))
    this.#templateSum = ~uint16At(this.#template, CHECKSUM) & 0xffff
    this.#round = unsolicitedAdvertisement(me, UNSPECIFIED)
    this.#roundSum = ~uint16At(this.#round, CHECKSUM) & 0xffff
  }

  /** Frames of a gratuitous round. */
  get roundLength(): number {
    return 1
  }

  /**
   * Writes the frame of a gratuitous round, see {@link unsolicitedAdvertisement}.
   * @param address 16 octets
   * @param _index 0
   */
  writeRound(address: Uint8Array, _index: number, into: Uint8Array): void {
    into.set(this.#round)
    copyAt(address, 0, into, TARGET, IPV6_LENGTH)
    putUint16(into, CHECKSUM, ~fold(this.#roundSum + sumAt(into, TARGET, OPTIONS)))
  }

  /**
   * Decides about one untagged frame with the EtherType of IPv6; only Neighbor Solicitations with a Source Link-Layer Address are
   * answered.
   * @param into the answer, if there is one: {@link NDP_FRAME_LENGTH} octets
   */
  answer(frame: Uint8Array, into: Uint8Array): Decision {
    const reason = this.#refusePacket(frame) ?? refuseSolicitation(frame)
    if (reason !== undefined) return reason
    const requester = sourceLinkLayerAddress(frame)
    if (typeof requester === 'string') return requester
    // Brought back by a loop, or made up: an answer would go to ourselves.
    if (matchesAt(frame, requester, this.#me.mac)) return 'own-frame'
    // RFC 4861 §7.1.1: from `::` that option is forbidden. An answer to a group would reach everybody.
    if (!isStationMacAt(frame, requester) || !isUnicastAt(frame, IPV6_SOURCE)) return 'bad-sender'
    const owned = this.#table.findAt(frame, TARGET, 16)
    if (owned === undefined) return 'not-owned'
    if (!isSelected(owned, this.#me.interface)) return 'interface-not-selected'
    this.#write(frame, requester, into)
    return owned
  }

  #write(frame: Uint8Array, requester: number, into: Uint8Array): void {
    into.set(this.#template)
    copyAt(frame, requester, into, 0, MAC_LENGTH)
    copyAt(frame, IPV6_SOURCE, into, IPV6_DESTINATION, IPV6_LENGTH)
    copyAt(frame, TARGET, into, TARGET, IPV6_LENGTH)
    const sum = this.#templateSum + sumAt(into, IPV6_DESTINATION, TYPE) + sumAt(into, TARGET, OPTIONS)
    putUint16(into, CHECKSUM, ~fold(sum))
  }

  #refusePacket(frame: Uint8Array): DropReason | undefined {
    if (frame.length < TYPE) return 'truncated'
    if (frame[VERSION]! >>> 4 !== 6) return 'bad-field'
    const end = TYPE + uint16At(frame, PAYLOAD_LENGTH)
    if (frame.length < end) return 'truncated'
    if (frame[NEXT_HEADER] !== NEXT_HEADER_ICMPV6) return 'not-a-request'
    if (end === TYPE || frame[TYPE] !== Icmpv6Type.NeighborSolicitation) return 'not-a-request'
    const { mac, linkLocal } = this.#me
    // RFC 2464 §7: 33:33 begins the address of every IPv6 group.
    if (!(frame[0] === 0x33 && frame[1] === 0x33) && !matchesAt(frame, 0, mac)) return 'not-for-us'
    return matchesAt(frame, SOURCE, mac) || matchesAt(frame, IPV6_SOURCE, linkLocal) ? 'own-frame' : undefined
  }
}

/** What RFC 4861 §7.1.1 asks of a solicitation, but for its options. */
function refuseSolicitation(frame: Uint8Array): DropReason | undefined {
  if (frame[HOP_LIMIT] !== NDP_HOP_LIMIT) return 'hop-limit'
  const length = uint16At(frame, PAYLOAD_LENGTH)
  const sum = length + NEXT_HEADER_ICMPV6 + sumAt(frame, IPV6_SOURCE, TYPE + length)
  if (length < ICMPV6_HEADER_LENGTH || fold(sum) !== 0xffff) return 'checksum'
  if (length < OPTIONS - TYPE) return 'truncated'
  if (frame[CODE] !== 0) return 'bad-field'
  return frame[TARGET] === 0xff ? 'multicast-target' : undefined
}

/** Where the first Source Link-Layer Address of a solicitation begins, or why there is none. */
function sourceLinkLayerAddress(frame: Uint8Array): number | DropReason {
  const end = TYPE + uint16At(frame, PAYLOAD_LENGTH)
  let found: number | DropReason = 'no-source-link-layer-address'
  for (let at = OPTIONS; at < end;) {
    if (end < at + OPTION_HEADER_LENGTH) return 'truncated'
    const units = frame[at + 1]!
    // RFC 4861 §4.6: nodes MUST silently discard a packet with an option of length zero.
    if (units === 0) return 'bad-length'
    if (end < at + 8 * units) return 'truncated'
    if (frame[at] === OptionType.SourceLinkLayerAddress && found === 'no-source-link-layer-address') {
      // RFC 2464 §6: on Ethernet it has 6 octets.
      found = units === 1 ? at + OPTION_HEADER_LENGTH : 'bad-sender'
    }
    at += 8 * units
  }
  return found
}

const isUnicastAt = (frame: Uint8Array, offset: number): boolean =>
  frame[offset] !== 0xff && !matchesAt(frame, offset, UNSPECIFIED)

/**
 * Unsolicited Neighbor Advertisement to all nodes of the link, S=0 and O=1 (RFC 4861 §7.2.6).
 * @param address 16 octets
 */
export const unsolicitedAdvertisement = (me: NdpIdentity, address: Uint8Array): Uint8Array =>
  ndpFrame(me, multicastMac(ALL_NODES), ALL_NODES, advertisement(me, address, false))

/**
 * A Neighbor Solicitation to the address's solicited-node group: a question who has it (RFC 4861 §7.2.2).
 * @param address 16 octets
 */
export function neighborSolicitation(me: NdpIdentity, address: Uint8Array): Uint8Array {
  const group = solicitedNodeMulticast(address)
  const message = encodeNeighborSolicitation({
    targetAddress: address,
    options: [{ kind: 'source-link-layer-address', address: me.mac }],
  })
  return ndpFrame(me, multicastMac(group), group, message)
}
