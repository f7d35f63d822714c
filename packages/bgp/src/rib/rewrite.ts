import { AttributeFlag } from '../wire/attribute/codec.js'
import { SegmentType } from '../wire/attribute/as-path.js'
import { readUint16, writeUint16, writeUint32, type Octets } from '../wire/octets.js'

/** What changes in a set of attributes on its way to a peer. */
export interface Rewrite {
  /** AS number to put in front of AS_PATH; 0 for none. */
  readonly prepend: number
  /** LOCAL_PREF goes along as it is, is left out, or is 100 because there is none. */
  readonly localPref: 'keep' | 'drop' | 'add'
  /** MULTI_EXIT_DISC goes along; else it is left out. */
  readonly multiExitDisc: boolean
  /** NEXT_HOP goes along as it is, is left out, or has this value. */
  readonly nextHop: 'keep' | 'drop' | Uint8Array
}

const EXTENDED: number = AttributeFlag.ExtendedLength
const MAX_SEGMENT = 255
const DEFAULT_LOCAL_PREF = 100
/** Type Codes. */
const AS_PATH = 2
const NEXT_HOP = 3
const MULTI_EXIT_DISC = 4
const LOCAL_PREF = 5
const ORIGINATOR_ID = 9
const CLUSTER_LIST = 10

function writeHeader(into: Uint8Array, at: number, flags: number, code: number, length: Octets): number {
  into[at + 1] = code
  if (length > 255) {
    into[at] = flags | EXTENDED
    return writeUint16(into, at + 2, length)
  }
  into[at] = flags & ~EXTENDED
  into[at + 2] = length
  return at + 3
}

function copy(from: Uint8Array, start: number, end: number, into: Uint8Array, at: number): number {
  if (end - start > 48) into.set(from.subarray(start, end), at)
  else for (let i = start; i < end; i++) into[at + i - start] = from[i]!
  return at + end - start
}

/** RFC 4271 section 5.1.2: into the first sequence where it has room, else as a segment of its own. */
function writeAsPath(from: Uint8Array, start: number, end: number, asn: number, into: Uint8Array, at: number): number {
  if (asn === 0) {
    at = writeHeader(into, at, AttributeFlag.Transitive, AS_PATH, end - start)
    return copy(from, start, end, into, at)
  }
  const joins = start < end && from[start] === SegmentType.AsSequence && from[start + 1]! < MAX_SEGMENT
  at = writeHeader(into, at, AttributeFlag.Transitive, AS_PATH, end - start + (joins ? 4 : 6))
  into[at] = SegmentType.AsSequence
  into[at + 1] = joins ? from[start + 1]! + 1 : 1
  at = writeUint32(into, at + 2, asn)
  return copy(from, joins ? start + 2 : start, end, into, at)
}

function writeNextHop(nextHop: Uint8Array, into: Uint8Array, at: number): number {
  at = writeHeader(into, at, AttributeFlag.Transitive, NEXT_HOP, 4)
  return copy(nextHop, 0, 4, into, at)
}

function writeLocalPref(value: number, into: Uint8Array, at: number): number {
  at = writeHeader(into, at, AttributeFlag.Transitive, LOCAL_PREF, 4)
  return writeUint32(into, at, value)
}

/**
 * Writes attributes as a peer is told them, from octets to octets. They must be of the usual kinds, each well-formed, with AS numbers of 4
 * octets, and without MP_REACH_NLRI and MP_UNREACH_NLRI: what the scanner of UPDATEs (`scan-attributes.ts`) finds nothing unusual in.
 * ORIGINATOR_ID and CLUSTER_LIST are left out.
 *
 * @param octets the attributes are those from `from` up to `behind`
 * @param into has room for as many octets as the attributes have, and 32 more
 * @returns the octet after the written ones
 */
export function rewriteAttributes(
  octets: Uint8Array,
  from: number,
  behind: number,
  rewrite: Rewrite,
  into: Uint8Array,
  at: number,
): number {
  let nextHop = typeof rewrite.nextHop === 'string' ? undefined : rewrite.nextHop
  let adds = rewrite.localPref === 'add'
  while (from < behind) {
    const flags = octets[from]!
    const code = octets[from + 1]!
    const extended = (flags & EXTENDED) !== 0
    const start = from + (extended ? 4 : 3)
    const end = start + (extended ? readUint16(octets, from + 2) : octets[from + 2]!)
    // What is added stands where its Type Code belongs (RFC 4271 section 5), in sets that are in order.
    if (nextHop && code > NEXT_HOP) {
      at = writeNextHop(nextHop, into, at)
      nextHop = undefined
    }
    if (adds && code > LOCAL_PREF) {
      at = writeLocalPref(DEFAULT_LOCAL_PREF, into, at)
      adds = false
    }
    if (code === AS_PATH) at = writeAsPath(octets, start, end, rewrite.prepend, into, at)
    else if (isKept(code, rewrite)) at = copy(octets, from, end, into, at)
    from = end
  }
  if (nextHop) at = writeNextHop(nextHop, into, at)
  return adds ? writeLocalPref(DEFAULT_LOCAL_PREF, into, at) : at
}

function isKept(code: number, rewrite: Rewrite): boolean {
  switch (code) {
    case NEXT_HOP:
      return rewrite.nextHop === 'keep'
    case MULTI_EXIT_DISC:
      return rewrite.multiExitDisc
    case LOCAL_PREF:
      return rewrite.localPref === 'keep'
    case ORIGINATOR_ID:
    case CLUSTER_LIST:
      return false
    default:
      return true
  }
}
