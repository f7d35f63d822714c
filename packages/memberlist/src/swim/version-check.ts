import { decodeVersions, NO_VERSIONS, NodeStateCode, type PushNodeState, type Versions } from '../wire/index.js'
import type { NodeRecord } from './node-table.js'

/**
 * Whether all nodes of a push/pull and all that we know can understand each other: what every node speaks must lie in
 * what every living node understands, for the protocol and for the delegates' protocol.
 *
 * @returns why not, in the reference's words; `undefined` when they can
 */
export function findIncompatible(remote: readonly PushNodeState[], local: readonly NodeRecord[]): string | undefined {
  const range = new VersionRange()
  for (const { state, vsn } of remote) if (state === NodeStateCode.Alive) range.narrow(understood(vsn))
  for (const { state, versions } of local) if (state === 'alive') range.narrow(versions)
  for (const { name, vsn } of remote) {
    const fault = range.refuse(decodeVersions(vsn) ?? NO_VERSIONS)
    if (fault !== undefined) return `Node '${name}' ${fault}`
  }
  for (const { name, versions } of local) {
    const fault = range.refuse(versions)
    if (fault !== undefined) return `Node '${name}' ${fault}`
  }
  return undefined
}

type Understood = Pick<Versions, 'pMin' | 'pMax' | 'dMin' | 'dMax'>

/** What a node understands; five octets are enough to say so, and fewer say nothing. */
function understood(vsn: Uint8Array | undefined): Understood | undefined {
  if (vsn?.length === 5) return { pMin: vsn[0]!, pMax: vsn[1]!, dMin: vsn[3]!, dMax: vsn[4]! }
  return decodeVersions(vsn)
}

/** The versions that all living nodes understand. */
class VersionRange {
  readonly #p = { min: 0, max: 255 }
  readonly #d = { min: 0, max: 255 }
  /** Nearly all nodes share one object, which need not be looked at twice. */
  #narrowed: Understood | undefined
  #fine: Versions | undefined

  narrow(v: Understood | undefined): void {
    if (v === undefined || v === this.#narrowed) return
    this.#narrowed = v
    this.#p.min = Math.max(this.#p.min, v.pMin)
    this.#p.max = Math.min(this.#p.max, v.pMax)
    this.#d.min = Math.max(this.#d.min, v.dMin)
    this.#d.max = Math.min(this.#d.max, v.dMax)
  }

  refuse(v: Versions): string | undefined {
    if (v === this.#fine) return undefined
    const outside = (current: number, { min, max }: { min: number; max: number }): boolean =>
      current < min || current > max
    if (outside(v.pCur, this.#p))
      return `protocol version (${v.pCur}) is incompatible: [${this.#p.min}, ${this.#p.max}]`
    if (outside(v.dCur, this.#d))
      return `delegate protocol version (${v.dCur}) is incompatible: [${this.#d.min}, ${this.#d.max}]`
    this.#fine = v
    return undefined
  }
}
