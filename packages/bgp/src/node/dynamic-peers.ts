import { addressFamily } from '../address.js'
import type { FamilyName, Nlri } from '../wire/index.js'
import type { Peer } from './peer.js'
import type { CommonPeerOptions } from './peer-options.js'

/** A prefix that peers may connect from. */
export interface DynamicRange {
  readonly family: FamilyName
  readonly nlri: Nlri
  readonly options: CommonPeerOptions
  /** Those that are connected. */
  readonly peers: Set<Peer>
}

/** Whether an address lies in a prefix of its family. */
function contains({ length, prefix }: Nlri, address: Uint8Array): boolean {
  return prefix.every((octet, i) => {
    const bits = Math.min(8, length - 8 * i)
    return octet === (address[i]! & (0xff << (8 - bits)) & 0xff)
  })
}

/** The prefixes that peers may connect from. */
export class DynamicPeers {
  readonly #ranges = new Set<DynamicRange>()

  add(family: FamilyName, nlri: Nlri, options: CommonPeerOptions): DynamicRange {
    const range: DynamicRange = { family, nlri, options, peers: new Set() }
    this.#ranges.add(range)
    return range
  }

  delete(range: DynamicRange): void {
    this.#ranges.delete(range)
  }

  /** The range with the longest prefix that has the address. */
  find(address: Uint8Array): DynamicRange | undefined {
    let best: DynamicRange | undefined
    for (const range of this.#ranges) {
      if (range.family !== addressFamily(address) || !contains(range.nlri, address)) continue
      if (!best || range.nlri.length > best.nlri.length) best = range
    }
    return best
  }
}
