import { addressFamily, formatAddress, isHost, parseAddress } from '../address.js'
import type { Negotiated } from '../fsm/index.js'
import { isFeasible, resolveAs4, type ImportSession } from '../import.js'
import { AdjRibIn, prefixKey, type LocRib, type Path, type PathSource, type PrefixKey } from '../rib/index.js'
import { familyName, updateChanges, type Family, type FamilyChanges, type UpdateMessage } from '../wire/index.js'

/** A peer's session as the Loc-RIB knows it. */
export interface PeerSource<P> extends PathSource {
  readonly peer: P
}

export interface InboundOptions<P> {
  readonly peer: P
  readonly address: string
  /** Ours on the session. */
  readonly localAddress: string
  readonly local: Pick<ImportSession, 'asn' | 'bgpIdentifier'>
  readonly negotiated: Negotiated
  readonly locRib: LocRib<PeerSource<P>>
  /** The selected paths of a prefix have changed. */
  readonly changed: (key: PrefixKey) => void
}

/** What one session receives: its Adj-RIB-In, and the way from there into the Loc-RIB. */
export class Inbound<P> {
  readonly #adjRibIn = new AdjRibIn()
  readonly #options: InboundOptions<P>
  readonly #session: ImportSession
  readonly #source: PeerSource<P>

  constructor(options: InboundOptions<P>) {
    const { peer, address, local, negotiated } = options
    this.#options = options
    this.#session = { ...local, fourOctetAs: negotiated.fourOctetAs }
    this.#source = {
      peer,
      internal: negotiated.internal,
      bgpIdentifier: negotiated.peerBgpIdentifier,
      address: parseAddress(address),
    }
  }

  /** Prefixes in the Adj-RIB-In. */
  get size(): number {
    return this.#adjRibIn.size
  }

  /** Takes what an UPDATE changes in the families that were negotiated. */
  handle(update: UpdateMessage): void {
    for (const changes of updateChanges(update)) {
      const family = familyName(changes.family)
      if (!family || !this.#options.negotiated.families.includes(family)) continue
      for (const nlri of changes.withdrawn) this.#withdraw(prefixKey(family, nlri))
      if (changes.reachable.length > 0) {
        const keys = changes.reachable.map(nlri => prefixKey(family, nlri))
        this.#announce(keys, changes, update)
      }
    }
  }

  /** Takes everything back out of the Loc-RIB; the session has ended. */
  end(): void {
    for (const key of this.#adjRibIn.keys()) this.#offer(key, undefined)
  }

  #announce(keys: readonly PrefixKey[], { family, nextHop }: FamilyChanges, update: UpdateMessage): void {
    const attributes = resolveAs4(update.pathAttributes, this.#session.fourOctetAs)
    if (!nextHop || !this.#isUsable(nextHop, family)) {
      for (const key of keys) this.#withdraw(key)
      return
    }
    const set = this.#adjRibIn.announce(keys, attributes, nextHop)
    const path = isFeasible(attributes, this.#session) ? { source: this.#source, attributes: set } : undefined
    for (const key of keys) this.#offer(key, path)
  }

  /**
   * RFC 4271 section 6.3: a host, and not ourselves. And of the prefix's family: an IPv4 prefix with an IPv6 next hop is only
   * for those who have agreed on it (RFC 8950).
   */
  #isUsable(nextHop: Uint8Array, family: Family): boolean {
    if (addressFamily(nextHop) !== familyName(family) || !isHost(nextHop)) return false
    const { address, localAddress } = this.#options
    // Two speakers of one machine may well share an address.
    return address === localAddress || formatAddress(nextHop) !== localAddress
  }

  #withdraw(key: PrefixKey): void {
    if (this.#adjRibIn.withdraw(key)) this.#offer(key, undefined)
  }

  #offer(key: PrefixKey, path: Path<PeerSource<P>> | undefined): void {
    if (this.#options.locRib.update(key, this.#source, path)) this.#options.changed(key)
  }
}
