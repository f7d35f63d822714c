import { ETHERNET_HEADER_LENGTH, EtherType, isVlanTag } from '../wire/ethernet.js'
import { uint16At } from '../wire/octets.js'
import { ArpAnswers, ARP_FRAME_LENGTH, type ArpIdentity } from './arp.js'
import { NdpAnswers, NDP_FRAME_LENGTH, type NdpIdentity } from './ndp.js'
import { isSelected, type OwnedAddress, type OwnedAddresses } from './owned-addresses.js'
import type { Decision, DropReason, Verdict } from './verdict.js'

/** How addresses of one family are resolved: ARP for IPv4, NDP for IPv6. */
export type Protocol = 'arp' | 'ndp'

/** For one protocol on one interface. */
export type ResponderIdentity =
  ({ readonly protocol: 'arp' } & ArpIdentity) | ({ readonly protocol: 'ndp' } & NdpIdentity)

const ADDRESS_LENGTH = { arp: 4, ndp: 16 } as const
const REPLY_LENGTH = { arp: ARP_FRAME_LENGTH, ndp: NDP_FRAME_LENGTH } as const
const ETHER_TYPE = { arp: EtherType.ARP, ndp: EtherType.IPv6 } as const
/** Where the EtherType is in a frame. */
const TYPE = 12
const TAG_LENGTH = 4
/** Smaller values are an 802.3 length (IEEE 802.3 §3.2.6). */
const FIRST_ETHER_TYPE = 0x0600

/**
 * Answers one protocol's requests on one interface. Reads no clock and opens no socket: frame in, frame or reason out.
 *
 * @example
 * ```ts
 * import { arpRequest, OwnedAddresses, Responder } from '@typemetal/arp-ndp/responder'
 * import { formatMac, parseMac } from '@typemetal/arp-ndp/wire'
 *
 * const table = new OwnedAddresses()
 * table.set('192.0.2.200', Uint8Array.of(192, 0, 2, 200), 'all')
 * const responder = new Responder({ protocol: 'arp', interface: 'eth0', mac: parseMac('02:00:00:00:00:01') }, table)
 *
 * const asker = [parseMac('02:00:00:00:00:02'), Uint8Array.of(192, 0, 2, 9)] as const
 * const verdict = responder.handle(arpRequest(...asker, Uint8Array.of(192, 0, 2, 200)))
 * console.log(typeof verdict === 'string' ? verdict : formatMac(verdict.frame.subarray(0, 6))) // 02:00:00:00:00:02
 * console.log(responder.handle(arpRequest(...asker, Uint8Array.of(192, 0, 2, 7)))) // not-owned
 * ```
 */
export class Responder {
  /** Octets of every answer, and of every frame of a gratuitous round. */
  readonly replyLength: number
  readonly #identity: ResponderIdentity
  readonly #answers: ArpAnswers | NdpAnswers
  readonly #etherType: EtherType
  readonly #drops = new Map<DropReason, number>()
  readonly #reply: Uint8Array

  /** @param table shared and owned by the caller; what it holds at the time of a frame counts */
  constructor(identity: ResponderIdentity, table: OwnedAddresses) {
    this.#identity = identity
    this.#answers = identity.protocol === 'arp' ? new ArpAnswers(identity, table) : new NdpAnswers(identity, table)
    this.#etherType = ETHER_TYPE[identity.protocol]
    this.replyLength = REPLY_LENGTH[identity.protocol]
    this.#reply = new Uint8Array(this.replyLength)
  }

  /** Who answers. */
  get identity(): ResponderIdentity {
    return this.#identity
  }

  /** Frames that got no answer, by reason. */
  get drops(): ReadonlyMap<DropReason, number> {
    return this.#drops
  }

  /** Decides about a frame and counts it: `requestsReceived` of the address, or the reason of the drop. */
  handle(frame: Uint8Array): Verdict {
    const decision = this.answer(frame, this.#reply)
    return typeof decision === 'string' ? decision : { frame: this.#reply.slice(), owned: decision }
  }

  /**
   * The same as {@link handle} without allocating anything, for whoever has thousands of frames a second.
   * @param into the answer, if there is one: as many octets as {@link replyLength} says, which are no part of `frame`
   */
  answer(frame: Uint8Array, into: Uint8Array): Decision {
    const isExpected = frame.length >= ETHERNET_HEADER_LENGTH && uint16At(frame, TYPE) === this.#etherType
    const decision = isExpected ? this.#answers.answer(frame, into) : unexpected(frame)
    if (typeof decision === 'string') this.#drops.set(decision, (this.#drops.get(decision) ?? 0) + 1)
    else decision.counters.requestsReceived++
    return decision
  }

  /** Whether this responder speaks for the address: right family, right interface. */
  speaksFor(owned: OwnedAddress): boolean {
    return (
      owned.octets.length === ADDRESS_LENGTH[this.#identity.protocol] && isSelected(owned, this.#identity.interface)
    )
  }

  /** Frames of a gratuitous round: two for ARP, one for NDP. */
  get roundLength(): number {
    return this.#answers.roundLength
  }

  /** The frames of one gratuitous round for an address; none for one it does not speak for. */
  gratuitous(owned: OwnedAddress): readonly Uint8Array[] {
    if (!this.speaksFor(owned)) return []
    return Array.from({ length: this.roundLength }, (_, index) => {
      const frame = new Uint8Array(this.replyLength)
      this.writeGratuitous(owned, index, frame)
      return frame
    })
  }

  /**
   * One frame of {@link gratuitous}, without allocating anything.
   * @param owned an address that this responder speaks for
   * @param index less than {@link roundLength}
   * @param into as many octets as {@link replyLength} says
   */
  writeGratuitous(owned: OwnedAddress, index: number, into: Uint8Array): void {
    this.#answers.writeRound(owned.octets, index, into)
  }
}

/** Why a frame of another EtherType is dropped. */
function unexpected(frame: Uint8Array): DropReason {
  if (frame.length < ETHERNET_HEADER_LENGTH) return 'truncated'
  let at = TYPE
  while (isVlanTag(uint16At(frame, at))) {
    if (frame.length < at + TAG_LENGTH + 2) return 'truncated'
    at += TAG_LENGTH
  }
  if (uint16At(frame, at) < FIRST_ETHER_TYPE) return 'bad-field'
  return at > TYPE ? 'vlan-tagged' : 'other-protocol'
}
