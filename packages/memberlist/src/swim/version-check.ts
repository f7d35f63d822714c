import { decodeVersions, NO_VERSIONS, type PushNodeState, NodeStateCode, type Versions } from '../wire/index.js'
import type { NodeRecord } from './node-table.js'

/**
 * Whether all nodes of a push/pull and all that we know can understand each other: what every node speaks must lie in
 * what every living node understands, for the protocol and for the delegates' protocol.
 *
 * @returns why not, in the reference's words; `undefined` when they can
 */
export function findIncompatible(remote: readonly PushNodeState[], local: readonly NodeRecord[]): string | undefined {
  const all = [
    ...remote.map(n => ({
      name: n.name,
      versions: decodeVersions(n.vsn),
      alive: n.state === NodeStateCode.Alive,
      vsn: n.vsn,
    })),
    ...local.map(n => ({ name: n.name, versions: n.versions, alive: n.state === 'alive', vsn: undefined })),
  ]
  const range = new VersionRange()
  for (const { versions, alive, vsn } of all) {
    if (alive && versions) range.narrow(versions)
    else if (alive && vsn?.length === 5) range.narrow({ pMin: vsn[0]!, pMax: vsn[1]!, dMin: vsn[3]!, dMax: vsn[4]! })
  }
  for (const { name, versions = NO_VERSIONS } of all) {
    const fault = range.refuse(versions)
    if (fault !== undefined) return `Node '${name}' ${fault}`
  }
  return undefined
}

/** The versions that all living nodes understand. */
class VersionRange {
  #p = { min: 0, max: 255 }
  #d = { min: 0, max: 255 }

  narrow(v: Pick<Versions, 'pMin' | 'pMax' | 'dMin' | 'dMax'>): void {
    this.#p = { min: Math.max(this.#p.min, v.pMin), max: Math.min(this.#p.max, v.pMax) }
    this.#d = { min: Math.max(this.#d.min, v.dMin), max: Math.min(this.#d.max, v.dMax) }
  }

  refuse({ pCur, dCur }: Versions): string | undefined {
    const outside = (current: number, { min, max }: { min: number; max: number }): boolean =>
      current < min || current > max
    if (outside(pCur, this.#p)) return `protocol version (${pCur}) is incompatible: [${this.#p.min}, ${this.#p.max}]`
    if (outside(dCur, this.#d))
      return `delegate protocol version (${dCur}) is incompatible: [${this.#d.min}, ${this.#d.max}]`
    return undefined
  }
}
