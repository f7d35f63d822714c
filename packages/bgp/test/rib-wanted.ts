/** An Adj-RIB-Out whose peer should know what the test says, and a peer that reads its UPDATEs. */
import { formatPrefix, parsePrefix } from '../dist/address.js'
import {
  AdjRibOut,
  LocRib,
  UpdatePacker,
  type Exporter,
  type PackedAttributes,
  type Row,
  type PathTaker,
} from '@typemetal/bgp/rib'
import type { FamilyName, PathAttributes, UpdateMessage } from '@typemetal/bgp/wire'
import type { RouteSource } from '../dist/route-source.js'
import { FAMILIES, HOP4, HOP6, Mirror } from './rib-scene.js'

/** Attributes of a route, told apart by LOCAL_PREF. */
export const withPref = (localPref: number, other: PathAttributes = {}): PathAttributes => ({
  origin: 0,
  asPath: [],
  localPref,
  ...other,
})

export interface WantedOptions {
  readonly addPath?: readonly FamilyName[]
  readonly limit?: number
  /** Families that are told from the start. */
  readonly started?: readonly FamilyName[]
  readonly packer?: UpdatePacker
}

/** Routes by prefix and Path Identifier; tells each change to the Adj-RIB-Out. */
export class Wanted implements Exporter {
  readonly rib = new LocRib<RouteSource>()
  readonly out: AdjRibOut<RouteSource>
  readonly mirror: Mirror
  readonly oversized: string[] = []
  readonly #routes: { readonly [F in FamilyName]: Map<Row, Map<number, Row>> } = {
    'ipv4-unicast': new Map(),
    'ipv6-unicast': new Map(),
  }

  constructor({ addPath = [], limit = 4096, started = FAMILIES, packer = new UpdatePacker() }: WantedOptions = {}) {
    this.mirror = new Mirror({ fourOctetAs: true, internal: true, addPath, extendedMessage: limit > 4096 })
    this.out = new AdjRibOut({
      rib: this.rib,
      exporter: this,
      families: FAMILIES,
      addPath,
      limit,
      packer,
      oversized: (family, prefix) => this.oversized.push(this.#text(family, prefix)),
    })
    for (const family of started) this.out.start(family)
  }

  begin(): void {}

  alike(): number {
    return 0
  }

  hasRoute(family: FamilyName, prefix: Row): boolean {
    return this.#routes[family].has(prefix)
  }

  decide(family: FamilyName, prefix: Row, all: boolean, taker: PathTaker): void {
    const [first, ...others] = this.#routes[family].get(prefix) ?? []
    if (first) taker.tell(first[0], first[1], 0)
    if (all) for (const [pathId, set] of others) taker.tell(pathId, set, 0)
  }

  write(family: FamilyName, set: Row): PackedAttributes {
    const { attributes } = this.rib
    const nextHop = family === 'ipv4-unicast' ? undefined : attributes.nextHop(set)
    const octets = attributes.octets(set)
    return { octets, length: octets.length, nextHop }
  }

  set(text: string, attributes: PathAttributes, pathId = 0): void {
    const { family, nlri } = parsePrefix(text)
    const set = this.rib.attributes.internValues(attributes, family === 'ipv4-unicast' ? HOP4 : HOP6)
    const { prefixes } = this.rib.family(family)
    const prefix = prefixes.intern(nlri.prefix, 0, nlri.length)
    const paths = this.#routes[family].get(prefix) ?? new Map<number, Row>()
    const before = paths.get(pathId)
    this.rib.attributes.retain(set)
    if (before !== undefined) this.rib.attributes.release(before)
    else prefixes.retain(prefix)
    paths.set(pathId, set)
    this.#routes[family].set(prefix, paths)
    this.out.changed(family, prefix)
  }

  delete(text: string, pathId = 0): void {
    const { family, nlri } = parsePrefix(text)
    const { prefixes } = this.rib.family(family)
    const prefix = prefixes.find(nlri)
    const paths = this.#routes[family].get(prefix)
    const set = paths?.get(pathId)
    if (!paths || set === undefined) return
    paths.delete(pathId)
    if (paths.size === 0) this.#routes[family].delete(prefix)
    this.out.changed(family, prefix)
    this.rib.attributes.release(set)
    prefixes.release(prefix)
  }

  /** Takes all routes out. */
  clear(): void {
    for (const family of FAMILIES) {
      for (const [prefix, paths] of this.#routes[family]) {
        for (const pathId of paths.keys()) this.delete(this.#text(family, prefix), pathId)
      }
    }
  }

  /** Lets the peer read all that waits. */
  drain(): readonly UpdateMessage[] {
    return this.mirror.drain(this.out)
  }

  #text(family: FamilyName, prefix: Row): string {
    return formatPrefix(family, this.rib.family(family).prefixes.nlri(prefix))
  }
}

/** LOCAL_PREF by prefix and Path Identifier, as the peer knows it. */
export const known = ({ mirror }: Wanted): Map<string, number> =>
  new Map([...mirror.routes].map(([key, value]) => [key, Number(/"localPref":(\d+)/.exec(value)?.[1])]))
