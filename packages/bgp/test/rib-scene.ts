/** RIBs and sessions for tests: sources of paths, sets of attributes, and a peer that does what UPDATEs say. */
import assert from 'node:assert/strict'
import type { ExportSession } from '../dist/export.js'
import type { RouteSource } from '../dist/route-source.js'
import { formatPrefix, parseAddress, parsePrefix } from '../dist/address.js'
import { TABLE_CONTEXT, withoutNextHops } from '../dist/rib/attribute-table.js'
import { AdjRibIn, type AdjRibOut, type FamilyPaths, type LocRib, type PathSource, type Row } from '@typemetal/bgp/rib'
import {
  decodeMessage,
  encodePathAttributes,
  familyName,
  updateChanges,
  type FamilyName,
  type MessageContext,
  type PathAttributes,
  type UpdateMessage,
} from '@typemetal/bgp/wire'
import { toHex } from './octets.js'

export const FAMILIES: readonly FamilyName[] = ['ipv4-unicast', 'ipv6-unicast']
export const HOP4 = parseAddress('10.0.0.9')
export const HOP6 = parseAddress('2001:db8::9')
/** Our addresses, for next hop self. */
export const SELF: { readonly [F in FamilyName]: Uint8Array } = {
  'ipv4-unicast': parseAddress('192.0.2.1'),
  'ipv6-unicast': parseAddress('2001:db8::1'),
}

/** An external peer, unless told otherwise. */
export const source = (number: number, other: Partial<RouteSource> = {}): RouteSource => ({
  internal: false,
  bgpIdentifier: number,
  address: Uint8Array.of(10, 0, 0, number),
  policyPeer: undefined,
  ...other,
})

/** AS_PATH of one sequence. */
export const sequence = (...asns: number[]): PathAttributes => ({ asPath: [{ type: 2, asns }] })

/** A session with an external peer, AS 64512 to AS 64513, that passes on what is learned, unless told otherwise. */
export const session = (other: Partial<ExportSession> = {}): ExportSession => ({
  asn: 64512,
  peerAsn: 64513,
  bgpIdentifier: 0x0a0000ff,
  internal: false,
  confederation: false,
  fourOctetAs: true,
  propagate: true,
  reflectorClient: false,
  clusterId: 0x0a0000ff,
  routeServerClient: false,
  removePrivateAs: false,
  aigp: false,
  gracefulShutdown: false,
  longLived: false,
  nextHopSelf: family => SELF[family],
  ...other,
})

/** The row of a prefix in text, made if there is none. */
export function rowOf<S extends PathSource>(rib: LocRib<S>, text: string): { paths: FamilyPaths<S>; prefix: Row } {
  const { family, nlri } = parsePrefix(text)
  const paths = rib.family(family)
  return { paths, prefix: paths.prefixes.intern(nlri.prefix, 0, nlri.length) }
}

/** A peer that announces in text and values. */
export class Announcer<S extends PathSource> {
  readonly adjRibIn: AdjRibIn<S>
  readonly #rib: LocRib<S>

  constructor(rib: LocRib<S>, from: S) {
    this.#rib = rib
    this.adjRibIn = new AdjRibIn(rib, from)
  }

  /** @param used `false`: policy rejects it */
  announce(text: string, attributes: PathAttributes = {}, pathId = 0, nextHop?: Uint8Array, used = true): void {
    const { paths, prefix } = rowOf(this.#rib, text)
    const hop = nextHop ?? (paths.prefixes.family === 'ipv4-unicast' ? HOP4 : HOP6)
    const set = this.#rib.attributes.internValues({ origin: 0, asPath: [], ...attributes }, hop)
    this.adjRibIn.announce(paths, prefix, pathId, set, used ? set : 0)
  }

  withdraw(text: string, pathId = 0): void {
    const { family, nlri } = parsePrefix(text)
    const paths = this.#rib.family(family)
    const prefix = paths.prefixes.find(nlri)
    if (prefix !== 0) this.adjRibIn.withdraw(paths, prefix, pathId)
  }
}

/** Everything is given back: nothing is left in any table. */
export function assertEmpty<S extends PathSource>(rib: LocRib<S>): void {
  for (const family of FAMILIES) {
    assert.equal(rib.family(family).size, 0, `paths of ${family}`)
    assert.equal(rib.family(family).prefixes.size, 0, `prefixes of ${family}`)
  }
  assert.equal(rib.attributes.size, 0, 'sets of attributes')
}

/** UPDATEs that lie back to back, one by one. */
export function split(octets: Uint8Array): Uint8Array[] {
  const messages: Uint8Array[] = []
  for (let at = 0; at < octets.length;) {
    const end = at + ((octets[at + 16]! << 8) | octets[at + 17]!)
    messages.push(octets.subarray(at, end))
    at = end
  }
  return messages
}

/** What an UPDATE says of a path, without what it stands with in the message. */
const describe = (attributes: PathAttributes): string =>
  JSON.stringify(withoutNextHops(attributes), (_key, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value instanceof Uint8Array ? toHex(value) : value,
  )

/** A peer that does what UPDATEs say, and takes none that it could complain of. */
export class Mirror {
  /** Next hop and attributes by prefix and Path Identifier. */
  readonly routes = new Map<string, string>()
  /** All UPDATEs in the order they came. */
  readonly updates: UpdateMessage[] = []
  /** Octets of each. */
  readonly lengths: number[] = []
  readonly #attributes = new Map<string, PathAttributes>()
  readonly #context: MessageContext

  constructor(context: MessageContext) {
    this.#context = context
  }

  take(octets: Uint8Array, count: number): void {
    const messages = split(octets)
    assert.equal(messages.length, count, 'as many as said')
    for (const message of messages) this.#takeOne(message)
  }

  #takeOne(octets: Uint8Array): void {
    const update = decodeMessage(octets, this.#context) as UpdateMessage
    assert.equal(update.faults, undefined, String(update.faults))
    this.updates.push(update)
    this.lengths.push(octets.length)
    for (const { family, withdrawn, reachable, nextHop } of updateChanges(update)) {
      const name = familyName(family)!
      for (const nlri of withdrawn) {
        assert.ok(this.routes.delete(`${formatPrefix(name, nlri)} ${nlri.pathId ?? 0}`), 'withdrawn is what was there')
      }
      for (const nlri of reachable) {
        const value = `${toHex(nextHop!)} ${describe(update.pathAttributes)}`
        this.routes.set(`${formatPrefix(name, nlri)} ${nlri.pathId ?? 0}`, value)
        this.#attributes.set(`${formatPrefix(name, nlri)} ${nlri.pathId ?? 0}`, update.pathAttributes)
      }
    }
  }

  /** As {@link routes}, with the attributes in octets, for 4-octet AS numbers. */
  octets(): Map<string, string> {
    const found = new Map<string, string>()
    for (const [key, value] of this.routes) {
      const octets = encodePathAttributes(withoutNextHops(this.#attributes.get(key)!), TABLE_CONTEXT)
      found.set(key, `${value.split(' ')[0]} ${toHex(octets)}`)
    }
    return found
  }

  /** Takes all that waits. @returns the UPDATEs of this time */
  drain<S extends PathSource>(out: AdjRibOut<S>): readonly UpdateMessage[] {
    const before = this.updates.length
    while (out.next((octets, count) => this.take(octets, count))) continue
    return this.updates.slice(before)
  }
}
