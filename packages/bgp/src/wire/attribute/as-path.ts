import { AS_TRANS } from '../capability/four-octet-as.js'
import type { MessageContext } from '../context.js'
import { readUint16, readUint32, writeUint16, writeUint32, type Octets } from '../octets.js'
import { MalformedValue, ValueFault, WELL_KNOWN, type AttributeCodec } from './codec.js'

/** Path segment types of RFC 4271 section 4.3 and RFC 5065 section 3. */
export const SegmentType = { AsSet: 1, AsSequence: 2, AsConfedSequence: 3, AsConfedSet: 4 } as const
export type SegmentType = (typeof SegmentType)[keyof typeof SegmentType]

/** A path segment: 1 to 255 AS numbers. */
export interface AsPathSegment {
  readonly type: SegmentType
  readonly asns: readonly number[]
}

/** The path segments of an AS_PATH; empty for a route of our own AS. */
export type AsPath = readonly AsPathSegment[]

const SEGMENT_HEADER = 2 // type, and number of ASes

/** Path segments in AS numbers of `width` octets. @throws {MalformedValue} RFC 7606 section 7.2, RFC 7607 section 2 */
export function decodeSegments(value: Uint8Array, width: 2 | 4): AsPathSegment[] {
  const read = width === 4 ? readUint32 : readUint16
  const segments: AsPathSegment[] = []
  for (let at = 0; at < value.length;) {
    const type = value[at]!
    const count = value[at + 1] ?? 0
    const end = at + SEGMENT_HEADER + count * width
    if (type < SegmentType.AsSet || type > SegmentType.AsConfedSet) {
      throw new MalformedValue(`segment type ${type}`, ValueFault.AsPath)
    }
    if (count === 0 || end > value.length) {
      throw new MalformedValue(`segment of ${count} ASes in ${value.length - at} octets`, ValueFault.AsPath)
    }
    const asns: number[] = []
    for (at += SEGMENT_HEADER; at < end; at += width) asns.push(read(value, at))
    if (asns.includes(0)) throw new MalformedValue('AS 0', ValueFault.AsPath)
    segments.push({ type: type as SegmentType, asns })
  }
  return segments
}

/** Octets of the segments in AS numbers of `width` octets. */
export const segmentsLength = (path: AsPath, width: 2 | 4): Octets =>
  path.reduce((sum, segment) => sum + SEGMENT_HEADER + segment.asns.length * width, 0)

/** @throws {RangeError} caller's fault: a segment without, or with more than 255 ASes; AS 0 (RFC 7607 section 2) */
export function encodeSegments(path: AsPath, into: Uint8Array, width: 2 | 4): void {
  let at = 0
  for (const { type, asns } of path) {
    if (asns.length === 0 || asns.length > 255) throw new RangeError(`a segment has 1 to 255 ASes, not ${asns.length}`)
    into[at] = type
    into[at + 1] = asns.length
    at += SEGMENT_HEADER
    for (const asn of asns) {
      if (asn === 0) throw new RangeError('AS 0 must not be sent')
      at = width === 4 ? writeUint32(into, at, asn) : writeUint16(into, at, asn > 0xffff ? AS_TRANS : asn)
    }
  }
}

const width = (context: MessageContext): 2 | 4 => (context.fourOctetAs ? 4 : 2)

/** Whether the segment is of the confederation's own ASes, RFC 5065 section 3. */
export const isConfederationSegment = ({ type }: AsPathSegment): boolean =>
  type === SegmentType.AsConfedSequence || type === SegmentType.AsConfedSet

/** RFC 5065 section 5: such segments come from within the confederation only, and from its other member ASes always. */
function checkConfederation(path: AsPath, { internal, confederation = false }: MessageContext): void {
  if (internal) return
  if (!confederation && path.some(isConfederationSegment)) {
    throw new MalformedValue('confederation segment from outside of it', ValueFault.AsPath)
  }
  if (confederation && path[0]?.type !== SegmentType.AsConfedSequence) {
    throw new MalformedValue('no AS_CONFED_SEQUENCE in front', ValueFault.AsPath)
  }
}

/** AS_PATH, RFC 4271 section 5.1.2; 4 octets an AS between speakers of RFC 6793. */
export const asPath: AttributeCodec<AsPath> = {
  code: 2,
  name: 'AS_PATH',
  flags: WELL_KNOWN,
  disposition: 'treat-as-withdraw',
  decode(value, context) {
    const path = decodeSegments(value, width(context))
    checkConfederation(path, context)
    return path
  },
  length: (path, context) => segmentsLength(path, width(context)),
  encode(path, into, context) {
    encodeSegments(path, into, width(context))
  },
}

/** Length of an AS_PATH in the decision process: a set counts 1, confederation segments 0 (RFC 4271 section 9.1.2.2, RFC 5065). */
export function asPathLength(path: AsPath): number {
  let length = 0
  for (const { type, asns } of path) {
    if (type === SegmentType.AsSequence) length += asns.length
    else if (type === SegmentType.AsSet) length += 1
  }
  return length
}
