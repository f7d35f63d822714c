import { WireError } from '../errors.js'
import { decodeEthernet, EtherType } from '../wire/ethernet.js'
import { answerArp, gratuitousArp, type ArpIdentity } from './arp.js'
import { answerNdp, unsolicitedAdvertisement, type NdpIdentity } from './ndp.js'
import { isSelected, type OwnedAddress, type OwnedAddresses } from './owned-addresses.js'
import type { DropReason, Verdict } from './verdict.js'

/** How addresses of one family are resolved: ARP for IPv4, NDP for IPv6. */
export type Protocol = 'arp' | 'ndp'

/** For one protocol on one interface. */
export type ResponderIdentity =
  ({ readonly protocol: 'arp' } & ArpIdentity) | ({ readonly protocol: 'ndp' } & NdpIdentity)

const ADDRESS_LENGTH = { arp: 4, ndp: 16 } as const

/** Answers one protocol's requests on one interface. Reads no clock and opens no socket: frame in, frame or reason out. */
export class Responder {
  readonly #identity: ResponderIdentity
  readonly #table: OwnedAddresses
  readonly #drops = new Map<DropReason, number>()

  /** @param table shared and owned by the caller; what it holds at the time of a frame counts */
  constructor(identity: ResponderIdentity, table: OwnedAddresses) {
    this.#identity = identity
    this.#table = table
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
    const verdict = this.#judge(frame)
    if (typeof verdict === 'string') this.#drops.set(verdict, (this.#drops.get(verdict) ?? 0) + 1)
    else verdict.owned.counters.requestsReceived++
    return verdict
  }

  /** Whether this responder speaks for the address: right family, right interface. */
  speaksFor(owned: OwnedAddress): boolean {
    return (
      owned.octets.length === ADDRESS_LENGTH[this.#identity.protocol] && isSelected(owned, this.#identity.interface)
    )
  }

  /** The frames of one gratuitous round for an address: two for ARP, one for NDP; none for one it does not speak for. */
  gratuitous(owned: OwnedAddress): readonly Uint8Array[] {
    if (!this.speaksFor(owned)) return []
    const identity = this.#identity
    return identity.protocol === 'arp'
      ? gratuitousArp(identity.mac, owned.octets)
      : [unsolicitedAdvertisement(identity, owned.octets)]
  }

  #judge(octets: Uint8Array): Verdict {
    const identity = this.#identity
    try {
      const frame = decodeEthernet(octets)
      if (frame.tags.length > 0) return 'vlan-tagged'
      if (identity.protocol === 'arp') {
        return frame.etherType === EtherType.ARP ? answerArp(frame, identity, this.#table) : 'other-protocol'
      }
      return frame.etherType === EtherType.IPv6 ? answerNdp(frame, identity, this.#table) : 'other-protocol'
    } catch (error) {
      if (error instanceof WireError) return error.fault
      throw error
    }
  }
}
