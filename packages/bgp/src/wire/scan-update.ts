import { Afi, Safi } from './family.js'
import { HEADER_LENGTH } from './header.js'
import { readUint16 } from './octets.js'
import { createFacts, scanAttributes, type AttributeFacts, type ScanRules } from './scan-attributes.js'

/** By what an UPDATE is scanned. */
export interface UpdateScanRules extends ScanRules {
  /** The session carries this family. */
  readonly ipv4: boolean
  readonly ipv6: boolean
  /** The family's prefixes come with a Path Identifier (RFC 7911). */
  readonly ipv4AddPath: boolean
  readonly ipv6AddPath: boolean
}

/** Where the parts of an UPDATE stand. Made once and filled again for each message; positions are those of the scanned octets. */
export interface UpdateScan {
  /** Withdrawn Routes, IPv4 unicast. */
  withdrawnAt: number
  withdrawnEnd: number
  /** Path Attributes. */
  attributesAt: number
  attributesEnd: number
  /** NLRI, IPv4 unicast. */
  nlriAt: number
  nlriEnd: number
  readonly facts: AttributeFacts
  /** Prefixes in MP_REACH_NLRI: Afi.IPv6, 0 without. */
  reachAfi: number
  reachNextHopAt: number
  reachNextHopLength: number
  reachNlriAt: number
  reachNlriEnd: number
  /** Prefixes in MP_UNREACH_NLRI: Afi.IPv4 or Afi.IPv6, 0 without. */
  unreachAfi: number
  unreachNlriAt: number
  unreachNlriEnd: number
}

export const createUpdateScan = (): UpdateScan => ({
  withdrawnAt: 0,
  withdrawnEnd: 0,
  attributesAt: 0,
  attributesEnd: 0,
  nlriAt: 0,
  nlriEnd: 0,
  facts: createFacts(),
  reachAfi: 0,
  reachNextHopAt: 0,
  reachNextHopLength: 0,
  reachNlriAt: 0,
  reachNlriEnd: 0,
  unreachAfi: 0,
  unreachNlriAt: 0,
  unreachNlriEnd: 0,
})

/** ORIGIN and AS_PATH, a bit each: what reachable prefixes must come with. */
const MANDATORY = 0b110
const NEXT_HOP = 0b1000

/** Whether prefixes fill the octets, each within the family's width. */
function areWhole(octets: Uint8Array, at: number, end: number, bits: number, addPath: boolean): boolean {
  while (at < end) {
    if (addPath) at += 4
    const length = octets[at]!
    if (at >= end || length > bits) return false
    at += 1 + ((length + 7) >>> 3)
  }
  return at === end
}

/**
 * Finds the parts of one well-formed UPDATE of a session with 4-octet AS numbers. It knows what almost all UPDATEs have, and leaves the
 * others to {@link decodeUpdate}: what is malformed, End-of-RIB, attributes it does not know, families that were not negotiated.
 *
 * @param octets hold a whole message from `at` to `end`, header and all
 * @returns whether `scan` is filled and the message may be taken as it says
 */
export function scanUpdate(
  octets: Uint8Array,
  at: number,
  end: number,
  rules: UpdateScanRules,
  scan: UpdateScan,
): boolean {
  scan.withdrawnAt = at + HEADER_LENGTH + 2
  if (scan.withdrawnAt + 2 > end) return false
  scan.withdrawnEnd = scan.withdrawnAt + readUint16(octets, scan.withdrawnAt - 2)
  scan.attributesAt = scan.withdrawnEnd + 2
  if (scan.attributesAt > end) return false
  scan.attributesEnd = scan.attributesAt + readUint16(octets, scan.withdrawnEnd)
  scan.nlriAt = scan.attributesEnd
  scan.nlriEnd = end
  if (scan.attributesEnd > end) return false
  const { facts } = scan
  if (!scanAttributes(octets, scan.attributesAt, scan.attributesEnd, rules, facts)) return false
  if (!scanReach(octets, rules, scan) || !scanUnreach(octets, rules, scan)) return false
  const hasNlri = scan.nlriAt < scan.nlriEnd
  const hasWithdrawn = scan.withdrawnAt < scan.withdrawnEnd
  if ((hasNlri || hasWithdrawn) && !rules.ipv4) return false
  // Nothing at all in it is an End-of-RIB, or a curiosity.
  if (
    !hasNlri &&
    !hasWithdrawn &&
    scan.reachNlriAt === scan.reachNlriEnd &&
    scan.unreachNlriAt === scan.unreachNlriEnd
  ) {
    return false
  }
  if ((hasNlri || scan.reachAfi !== 0) && (facts.seen & MANDATORY) !== MANDATORY) return false
  if (hasNlri && !(facts.seen & NEXT_HOP)) return false
  return (
    areWhole(octets, scan.withdrawnAt, scan.withdrawnEnd, 32, rules.ipv4AddPath) &&
    areWhole(octets, scan.nlriAt, scan.nlriEnd, 32, rules.ipv4AddPath)
  )
}

/** Whether the session carries a family of unicast prefixes. */
const carries = (rules: UpdateScanRules, afi: number): boolean =>
  (afi === Afi.IPv4 && rules.ipv4) || (afi === Afi.IPv6 && rules.ipv6)

function scanReach(octets: Uint8Array, rules: UpdateScanRules, scan: UpdateScan): boolean {
  const { facts } = scan
  scan.reachAfi = 0
  scan.reachNlriAt = scan.reachNlriEnd = 0
  if (facts.reachAt < 0) return true
  const at = facts.reachValueAt
  if (at + 5 > facts.reachEnd) return false
  const afi = readUint16(octets, at)
  const nextHopLength = octets[at + 3]!
  // IPv4 has its own fields, and next hops of the other family (RFC 8950) are for the full decoder, which knows what was negotiated.
  if (afi !== Afi.IPv6 || octets[at + 2] !== Safi.Unicast || !rules.ipv6) return false
  if (nextHopLength !== 16 && nextHopLength !== 32) return false
  scan.reachAfi = afi
  scan.reachNextHopAt = at + 4
  scan.reachNextHopLength = nextHopLength
  scan.reachNlriAt = at + 4 + nextHopLength + 1
  scan.reachNlriEnd = facts.reachEnd
  if (scan.reachNlriAt > facts.reachEnd) return false
  return areWhole(octets, scan.reachNlriAt, scan.reachNlriEnd, 128, rules.ipv6AddPath)
}

function scanUnreach(octets: Uint8Array, rules: UpdateScanRules, scan: UpdateScan): boolean {
  const { facts } = scan
  scan.unreachAfi = 0
  scan.unreachNlriAt = scan.unreachNlriEnd = 0
  if (facts.unreachAt < 0) return true
  const at = facts.unreachValueAt
  if (at + 3 > facts.unreachEnd) return false
  const afi = readUint16(octets, at)
  if (octets[at + 2] !== Safi.Unicast || !carries(rules, afi)) return false
  scan.unreachAfi = afi
  scan.unreachNlriAt = at + 3
  scan.unreachNlriEnd = facts.unreachEnd
  return afi === Afi.IPv4
    ? areWhole(octets, scan.unreachNlriAt, scan.unreachNlriEnd, 32, rules.ipv4AddPath)
    : areWhole(octets, scan.unreachNlriAt, scan.unreachNlriEnd, 128, rules.ipv6AddPath)
}
