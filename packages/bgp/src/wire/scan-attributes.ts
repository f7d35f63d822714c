import { AttributeFlag } from './attribute/codec.js'
import { SegmentType } from './attribute/as-path.js'
import { WellKnownCommunity } from './attribute/communities.js'
import { readUint16, readUint32 } from './octets.js'

/** Bits of {@link AttributeFacts.flags}. */
export const FactFlag = {
  LocalPref: 0x01,
  MultiExitDisc: 0x02,
  OriginatorId: 0x04,
  /** AIGP (RFC 7311) is there; its value is to be read from the octets. */
  Aigp: 0x08,
  NoExport: 0x10,
  NoAdvertise: 0x20,
  NoExportSubconfed: 0x40,
  GracefulShutdown: 0x80,
  LongLivedStale: 0x100,
  NoLongLived: 0x200,
  /** ONLY_TO_CUSTOMER (RFC 9234) is there. */
  OnlyToCustomer: 0x400,
  /** Confederation segments (RFC 5065) are in AS_PATH. */
  Confederation: 0x800,
  /** Attributes that the quick way from one peer to the next does not know are there. */
  Unusual: 0x1000,
  /** Non-transitive extended communities (RFC 4360) are there. */
  NonTransitive: 0x2000,
} as const

/** Well-known communities that decide something, RFC 1997, RFC 8326 and RFC 9494. */
const COMMUNITY_FLAGS: ReadonlyMap<number, number> = new Map<number, number>([
  [WellKnownCommunity.GracefulShutdown, FactFlag.GracefulShutdown],
  [WellKnownCommunity.LlgrStale, FactFlag.LongLivedStale],
  [WellKnownCommunity.NoLlgr, FactFlag.NoLongLived],
  [WellKnownCommunity.NoExport, FactFlag.NoExport],
  [WellKnownCommunity.NoAdvertise, FactFlag.NoAdvertise],
  [WellKnownCommunity.NoExportSubconfed, FactFlag.NoExportSubconfed],
])

/** What decisions are made by, of one set of path attributes. Made once and filled again for each set. */
export interface AttributeFacts {
  /** {@link FactFlag}s. */
  flags: number
  origin: number
  localPref: number
  multiExitDisc: number
  /** As RFC 4271 section 9.1.2.2 (a) counts. */
  asPathLength: number
  /** First AS of the AS_PATH; 0 when there is none or it stands in a set. */
  neighborAs: number
  originatorId: number
  /** Members of CLUSTER_LIST. */
  clusterLength: number
  /** Where the value of NEXT_HOP starts, from the start of the scanned octets; -1 without. */
  nextHopAt: number
  /** How often {@link ScanRules.asn} stands in AS_PATH. */
  ownAs: number
  /** {@link ScanRules.bgpIdentifier} or {@link ScanRules.clusterId} has been here: RFC 4456 section 8. */
  reflected: boolean
  /** MP_REACH_NLRI: where the attribute starts, its value, and both end; -1 without. */
  reachAt: number
  reachValueAt: number
  reachEnd: number
  /** The same of MP_UNREACH_NLRI. */
  unreachAt: number
  unreachValueAt: number
  unreachEnd: number
  /** Type Codes up to 32 that are there, a bit each; the lowest bit is that of 32. */
  seen: number
}

/** By what a set is scanned. */
export interface ScanRules {
  /** The sender is in our AS or confederation: LOCAL_PREF, ORIGINATOR_ID and CLUSTER_LIST are meant for us. */
  readonly internal: boolean
  /** Our AS number; 0 looks for none. */
  readonly asn: number
  readonly bgpIdentifier: number
  readonly clusterId: number
}

/** For octets of our own, which need no questions. */
export const NO_RULES: ScanRules = { internal: true, asn: 0, bgpIdentifier: 0, clusterId: 0 }

export const createFacts = (): AttributeFacts => ({
  flags: 0,
  origin: 2,
  localPref: 0,
  multiExitDisc: 0,
  asPathLength: 0,
  neighborAs: 0,
  originatorId: 0,
  clusterLength: 0,
  nextHopAt: -1,
  ownAs: 0,
  reflected: false,
  reachAt: -1,
  reachValueAt: -1,
  reachEnd: -1,
  unreachAt: -1,
  unreachValueAt: -1,
  unreachEnd: -1,
  seen: 0,
})

function clearFacts(facts: AttributeFacts): void {
  facts.flags = 0
  facts.origin = 2
  facts.localPref = 0
  facts.multiExitDisc = 0
  facts.asPathLength = 0
  facts.neighborAs = 0
  facts.originatorId = 0
  facts.clusterLength = 0
  facts.nextHopAt = -1
  facts.ownAs = 0
  facts.reflected = false
  facts.reachAt = -1
  facts.unreachAt = -1
  facts.seen = 0
}

const WELL_KNOWN: number = AttributeFlag.Transitive
const OPTIONAL: number = AttributeFlag.Optional
const OPTIONAL_TRANSITIVE: number = AttributeFlag.Optional | AttributeFlag.Transitive
/** All flags but Extended Length: a Partial bit is left to the full decoder. */
const CHECKED_FLAGS = 0xef

/** Category of the attributes that are read here, by Type Code; 0 for all others. */
const CATEGORY = new Uint8Array(256)
for (const code of [1, 2, 3, 5, 6]) CATEGORY[code] = WELL_KNOWN
for (const code of [4, 9, 10, 14, 15]) CATEGORY[code] = OPTIONAL
for (const code of [7, 8, 16, 32]) CATEGORY[code] = OPTIONAL_TRANSITIVE

/**
 * Reads the facts off a Path Attributes field with AS numbers of 4 octets, without making values of it.
 *
 * @param trusted octets that we have written: attributes not known here are passed over
 * @returns whether all is well. `false` says nothing about what is wrong, if anything is: the full decoder knows
 */
export function scanAttributes(
  octets: Uint8Array,
  start: number,
  end: number,
  rules: ScanRules,
  facts: AttributeFacts,
  trusted = false,
): boolean {
  clearFacts(facts)
  for (let at = start; at < end;) {
    if (at + 3 > end) return false
    const flags = octets[at]!
    const code = octets[at + 1]!
    let valueAt = at + 3
    let length = octets[at + 2]!
    if (flags & AttributeFlag.ExtendedLength) {
      if (at + 4 > end) return false
      length = readUint16(octets, at + 2)
      valueAt++
    }
    const next = valueAt + length
    if (next > end) return false
    // RFC 7606 section 3 (g). LARGE_COMMUNITY, the highest that is read here, has the place of 0, which is nobody's.
    if (code !== 0 && code <= 32) {
      const bit = 1 << (code & 31)
      if (facts.seen & bit) return false
      facts.seen |= bit
    }
    const usual = CATEGORY[code] !== 0 && (flags & CHECKED_FLAGS) === CATEGORY[code]
    if (usual) {
      if (!scanValue(octets, code, at, valueAt, length, start, rules, facts)) return false
    } else if (!trusted) return false
    else scanTrusted(octets, code, at, valueAt, length, start, rules, facts)
    at = next
  }
  return true
}

/** An attribute of our own making that is not of the usual ones, or has its Partial bit set. */
function scanTrusted(
  octets: Uint8Array,
  code: number,
  at: number,
  valueAt: number,
  length: number,
  start: number,
  rules: ScanRules,
  facts: AttributeFacts,
): void {
  facts.flags |= FactFlag.Unusual
  if (code === 26) facts.flags |= FactFlag.Aigp
  else if (code === 35) facts.flags |= FactFlag.OnlyToCustomer
  else if (CATEGORY[code] !== 0) scanValue(octets, code, at, valueAt, length, start, rules, facts)
}

function scanValue(
  octets: Uint8Array,
  code: number,
  at: number,
  valueAt: number,
  length: number,
  start: number,
  rules: ScanRules,
  facts: AttributeFacts,
): boolean {
  switch (code) {
    case 1: // ORIGIN
      facts.origin = octets[valueAt]!
      return length === 1 && facts.origin <= 2
    case 2:
      return scanAsPath(octets, valueAt, valueAt + length, rules, facts)
    case 3: // NEXT_HOP, that of a host (RFC 4271 section 6.3)
      facts.nextHopAt = valueAt - start
      return length === 4 && octets[valueAt] !== 0 && octets[valueAt]! < 224
    case 4: // MULTI_EXIT_DISC
      facts.flags |= FactFlag.MultiExitDisc
      facts.multiExitDisc = length === 4 ? readUint32(octets, valueAt) : 0
      return length === 4
    case 5: // LOCAL_PREF
      facts.flags |= FactFlag.LocalPref
      facts.localPref = length === 4 ? readUint32(octets, valueAt) : 0
      return length === 4 && rules.internal
    case 6: // ATOMIC_AGGREGATE
      return length === 0
    case 7: // AGGREGATOR; AS 0 is for the full decoder to judge (RFC 7607)
      return length === 8 && readUint32(octets, valueAt) !== 0
    case 8:
      return scanCommunities(octets, valueAt, length, facts)
    case 9: // ORIGINATOR_ID
      if (length !== 4 || !rules.internal) return false
      facts.flags |= FactFlag.OriginatorId
      facts.originatorId = readUint32(octets, valueAt)
      if (rules.bgpIdentifier !== 0 && facts.originatorId === rules.bgpIdentifier) facts.reflected = true
      return true
    case 10: // CLUSTER_LIST
      if (length === 0 || length % 4 !== 0 || !rules.internal) return false
      facts.clusterLength = length / 4
      for (let i = valueAt; i < valueAt + length; i += 4) {
        if (rules.clusterId !== 0 && readUint32(octets, i) === rules.clusterId) facts.reflected = true
      }
      return true
    case 14: // MP_REACH_NLRI
      facts.reachAt = at
      facts.reachValueAt = valueAt
      facts.reachEnd = valueAt + length
      return true
    case 15: // MP_UNREACH_NLRI
      facts.unreachAt = at
      facts.unreachValueAt = valueAt
      facts.unreachEnd = valueAt + length
      return true
    case 16:
      return scanExtendedCommunities(octets, valueAt, length, facts)
    default: // 32, LARGE_COMMUNITY
      if (length === 0 || length % 12 !== 0) return false
      return rules === NO_RULES || isUniqueList(octets, valueAt, valueAt + length)
  }
}

/** RFC 4360 section 2: the second bit of the type says that the community ends with the AS. */
function scanExtendedCommunities(octets: Uint8Array, at: number, length: number, facts: AttributeFacts): boolean {
  for (const end = at + length; at < end; at += 8) if (octets[at]! & 0x40) facts.flags |= FactFlag.NonTransitive
  return length !== 0 && length % 8 === 0
}

/** More are left to the full decoder, for each is compared with all others. */
const MOST_LARGE_COMMUNITIES = 64

/** RFC 8092 section 5: no large community twice. */
function isUniqueList(octets: Uint8Array, start: number, end: number): boolean {
  if (end - start > 12 * MOST_LARGE_COMMUNITIES) return false
  for (let at = start + 12; at < end; at += 12) {
    const last = readUint32(octets, at + 8)
    for (let other = start; other < at; other += 12) {
      if (
        readUint32(octets, other + 8) === last &&
        readUint32(octets, other + 4) === readUint32(octets, at + 4) &&
        readUint32(octets, other) === readUint32(octets, at)
      ) {
        return false
      }
    }
  }
  return true
}

function scanAsPath(octets: Uint8Array, at: number, end: number, rules: ScanRules, facts: AttributeFacts): boolean {
  const confederations = rules === NO_RULES
  let first = true
  while (at < end) {
    const type = octets[at]!
    const count = octets[at + 1]!
    const next = at + 2 + 4 * count
    if (at + 2 > end || next > end || count === 0) return false
    if (type === SegmentType.AsSequence) {
      facts.asPathLength += count
      if (first) facts.neighborAs = readUint32(octets, at + 2)
      first = false
    } else if (type === SegmentType.AsSet) {
      facts.asPathLength++
      first = false
    } else if (confederations && (type === SegmentType.AsConfedSequence || type === SegmentType.AsConfedSet)) {
      facts.flags |= FactFlag.Confederation
    } else return false
    for (at += 2; at < next; at += 4) {
      const asn = readUint32(octets, at)
      if (asn === 0) return false
      if (asn === rules.asn) facts.ownAs++
    }
  }
  return true
}

function scanCommunities(octets: Uint8Array, at: number, length: number, facts: AttributeFacts): boolean {
  if (length === 0 || length % 4 !== 0) return false
  for (const end = at + length; at < end; at += 4) {
    if (octets[at] === 0xff && octets[at + 1] === 0xff) {
      facts.flags |= COMMUNITY_FLAGS.get(readUint32(octets, at)) ?? 0
    }
  }
  return true
}
