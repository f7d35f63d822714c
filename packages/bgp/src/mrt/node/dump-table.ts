import { checkOptions, flag, optional, text, whole, type Kinds } from '@typemetal/options'
import { parseAddress, parseIdentifier, parsePrefix } from '../../address.js'
import { speakerKind, type MonitoredPeer, type MonitoredRoute, type MonitoredSpeaker } from '../../monitored-speaker.js'
import { familyOf, type PathAttributes } from '../../wire/index.js'
import type { MrtPeer } from '../wire/peer-index-table.js'
import type { MrtRecord } from '../wire/record.js'
import { encodeRibAttributes } from '../wire/rib-attributes.js'
import type { MrtRibEntry } from '../wire/rib.js'

/** Options of {@link dumpTable}. */
export interface DumpTableOptions {
  /** Seconds since 1970 UTC, for all records. @default now */
  readonly timestamp?: number
  /** View Name, for collectors that have several. @default none */
  readonly viewName?: string
  /** See `EncodeRibAttributesForm`. @default false */
  readonly wholeMpReachNlri?: boolean
}

const KINDS: Kinds<DumpTableOptions> = {
  timestamp: optional(whole(0, 0xffff_ffff)),
  viewName: optional(text),
  wholeMpReachNlri: optional(flag),
}

/** A route with the place of its peer in the index. */
interface Held {
  readonly peerIndex: number
  readonly route: MonitoredRoute
}

const MAX_PEERS = 0xffff

function indexed(peer: MonitoredPeer): MrtPeer | undefined {
  const { negotiated, address } = peer
  if (!negotiated) return undefined
  const { peerBgpIdentifier: bgpIdentifier, peerAsn: asn } = negotiated
  return { bgpIdentifier, address: parseAddress(address), asn, fourOctetAs: true }
}

/** Encodes attributes once for all routes that share the object and the next hop. */
class Encoder {
  readonly #whole: boolean
  readonly #known = new WeakMap<PathAttributes, Map<string, Uint8Array>>()

  constructor(wholeMpReachNlri: boolean) {
    this.#whole = wholeMpReachNlri
  }

  encode({ prefix, nextHop, attributes }: MonitoredRoute): Uint8Array {
    const byNextHop = this.#known.get(attributes) ?? new Map<string, Uint8Array>()
    this.#known.set(attributes, byNextHop)
    const { family, nlri } = parsePrefix(prefix)
    const key = `${family} ${nextHop}`
    const known = byNextHop.get(key)
    if (known) return known
    const hop = parseAddress(nextHop)
    if (this.#whole && family === 'ipv6-unicast') {
      const mpReachNlri = { ...familyOf(family), nextHop: hop, nlri: [nlri] }
      return encodeRibAttributes({ ...attributes, mpReachNlri }, { wholeMpReachNlri: true })
    }
    const plain = family === 'ipv4-unicast' && hop.length === 4
    const hops: PathAttributes = plain
      ? { nextHop: hop }
      : { mpReachNlri: { ...familyOf(family), nextHop: hop, nlri: [] } }
    const octets = encodeRibAttributes({ ...attributes, ...hops })
    byNextHop.set(key, octets)
    return octets
  }
}

function byPrefix(peers: readonly MonitoredPeer[]): ReadonlyMap<string, readonly Held[]> {
  const held = new Map<string, Held[]>()
  for (const [peerIndex, peer] of peers.entries()) {
    for (const route of peer.adjRibIn()) {
      const others = held.get(route.prefix)
      if (others) others.push({ peerIndex, route })
      else held.set(route.prefix, [{ peerIndex, route }])
    }
  }
  return held
}

function toEntry({ peerIndex, route }: Held, addPath: boolean, originatedTime: number, encoder: Encoder): MrtRibEntry {
  const attributes = encoder.encode(route)
  return { peerIndex, originatedTime, ...(addPath && { pathId: route.pathId ?? 0 }), attributes }
}

/**
 * The Adj-RIBs-In of all Established peers as a TABLE_DUMP_V2 (RFC 6396 section 4.3): the peer index, then one record for each
 * prefix, with Path Identifiers (RFC 8050) where a route has one. The routes are collected before the first record comes out.
 *
 * @throws {TypeError | RangeError} an option that cannot work, or an unknown one; the message begins with its name
 * @throws {RangeError} more than 65,535 peers, when the first record is asked for
 */
export function dumpTable(
  speaker: MonitoredSpeaker,
  options: DumpTableOptions = {},
): Generator<MrtRecord, void, undefined> {
  speakerKind('speaker', speaker)
  checkOptions(options, KINDS)
  return recordsOf(speaker, options)
}

function* recordsOf(
  speaker: MonitoredSpeaker,
  { timestamp = Math.floor(Date.now() / 1000), viewName = '', wholeMpReachNlri = false }: DumpTableOptions,
): Generator<MrtRecord, void, undefined> {
  const established = [...speaker.peers].filter(({ state }) => state === 'Established')
  const index = established.map(indexed).filter(peer => peer !== undefined)
  if (index.length > MAX_PEERS) throw new RangeError(`more than ${MAX_PEERS} peers`)
  yield {
    type: 'peer-index-table',
    timestamp,
    collectorBgpIdentifier: parseIdentifier(speaker.bgpIdentifier),
    viewName: new TextEncoder().encode(viewName),
    peers: index,
  }
  const encoder = new Encoder(wholeMpReachNlri)
  let sequenceNumber = 0
  for (const [prefix, held] of byPrefix(established.filter(({ negotiated }) => negotiated))) {
    const { family, nlri } = parsePrefix(prefix)
    const addPath = held.some(({ route }) => route.pathId !== undefined)
    const entries = held.map(one => toEntry(one, addPath, timestamp, encoder))
    yield { type: 'rib', timestamp, ...familyOf(family), addPath, sequenceNumber, nlri, entries }
    sequenceNumber = (sequenceNumber + 1) >>> 0
  }
}
