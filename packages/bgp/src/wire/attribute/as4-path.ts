import {
  decodeSegments,
  encodeSegments,
  isConfederationSegment,
  segmentsLength,
  SegmentType,
  type AsPath,
  type AsPathSegment,
} from './as-path.js'
import { MalformedValue, OPTIONAL_TRANSITIVE, ValueFault, type AttributeCodec } from './codec.js'

/** AS4_PATH, RFC 6793 section 3: the AS_PATH with its 4-octet AS numbers, through speakers that know only 2 octets. */
export const as4Path: AttributeCodec<AsPath> = {
  code: 17,
  name: 'AS4_PATH',
  flags: OPTIONAL_TRANSITIVE,
  disposition: 'attribute-discard', // RFC 6793 section 6
  decode(value) {
    const path = decodeSegments(value, 4)
    if (path.length === 0) throw new MalformedValue('no segment', ValueFault.OptionalAttribute)
    // RFC 6793 section 6: confederation segments are dropped, the rest is used
    const used = path.filter(segment => !isConfederationSegment(segment))
    return used.length > 0 ? used : undefined
  },
  length: path => segmentsLength(path, 4),
  encode(path, into) {
    encodeSegments(path, into, 4)
  },
}

function countOfSegment(segment: AsPathSegment): number {
  if (segment.type === SegmentType.AsSequence) return segment.asns.length
  return isConfederationSegment(segment) ? 0 : 1
}

/** Number of ASes as RFC 6793 section 4.2.3 counts them: a set is one, whatever it holds. */
const countOf = (path: AsPath): number => path.reduce((sum, segment) => sum + countOfSegment(segment), 0)

/** The first `count` ASes of a path, with the confederation segments among them. */
function leading(path: AsPath, count: number): AsPath {
  const head: AsPath[number][] = []
  for (const segment of path) {
    if (isConfederationSegment(segment)) {
      head.push(segment)
      continue
    }
    if (count <= 0) break
    const asns = segment.type === SegmentType.AsSequence ? segment.asns.slice(0, count) : segment.asns
    head.push({ type: segment.type, asns })
    count -= segment.type === SegmentType.AsSequence ? segment.asns.length : 1
  }
  return head
}

/** Puts `tail` behind `head` and joins two sequences that meet, as long as a segment has room. */
function join(head: AsPath, tail: AsPath): AsPath {
  const last = head.at(-1)
  const first = tail[0]
  const joins =
    last?.type === SegmentType.AsSequence &&
    first?.type === SegmentType.AsSequence &&
    last.asns.length + first.asns.length <= 255
  if (!last || !first || !joins) return [...head, ...tail]
  return [...head.slice(0, -1), { type: SegmentType.AsSequence, asns: [...last.asns, ...first.asns] }, ...tail.slice(1)]
}

/**
 * The AS path of a route from a speaker without 4-octet AS numbers, RFC 6793 section 4.2.3: AS4_PATH, with the ASes that
 * AS_PATH has more of in front. An AS4_PATH longer than AS_PATH is ignored.
 */
export function mergeAs4Path(path: AsPath, as4: AsPath | undefined): AsPath {
  if (!as4) return path
  const missing = countOf(path) - countOf(as4)
  return missing < 0 ? path : join(leading(path, missing), as4)
}
