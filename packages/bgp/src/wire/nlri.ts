import type { MessageContext } from './context.js'
import { WireError } from './error.js'
import type { FamilyName } from './family.js'
import { readUint32, writeUint32, type Octets } from './octets.js'

/** Network Layer Reachability Information, RFC 4271 section 4.3: an IP prefix. */
export interface Nlri {
  /** Bits of the prefix. */
  readonly length: number
  /** The prefix in as few octets as hold `length` bits, the bits behind zero. May be a view into the input: copy to keep. */
  readonly prefix: Uint8Array
  /** Path Identifier, RFC 7911 section 3: there exactly when the session carries the family with ADD-PATH. */
  readonly pathId?: number
}

/** How the prefixes of a family stand in a message. */
export interface NlriFormat {
  /** Width of the family's addresses: 32 or 128. */
  readonly bits: number
  /** A Path Identifier of 4 octets stands before each, RFC 7911 section 3. */
  readonly pathIds: boolean
}

const PLAIN: { readonly [F in FamilyName]: NlriFormat } = {
  'ipv4-unicast': { bits: 32, pathIds: false },
  'ipv6-unicast': { bits: 128, pathIds: false },
}
const WITH_PATH_IDS: { readonly [F in FamilyName]: NlriFormat } = {
  'ipv4-unicast': { bits: 32, pathIds: true },
  'ipv6-unicast': { bits: 128, pathIds: true },
}

/** How the session with this context writes a family's prefixes. */
export const nlriFormat = (name: FamilyName, { addPath }: MessageContext): NlriFormat =>
  (addPath?.includes(name) ? WITH_PATH_IDS : PLAIN)[name]

/** Makes the error of a malformed prefix at an octet of the message. */
export type NlriFault = (text: string, offset: number) => WireError

/** RFC 7606 section 5.3: a fault in the message's own fields resets the session. */
const networkFault: NlriFault = (text, offset) => new WireError(text, offset, [3, 10])

const PATH_ID_LENGTH = 4
const octetsOf = (bits: number): Octets => (bits + 7) >>> 3

/** The octets with the bits behind `length` cleared; the same array when they are clear already. */
function masked(prefix: Uint8Array, length: number): Uint8Array {
  const spare = prefix.length * 8 - length
  const last = prefix.length - 1
  if (spare === 0 || (prefix[last]! & ((1 << spare) - 1)) === 0) return prefix
  const copy = prefix.slice()
  copy[last] = copy[last]! & (0xff << spare)
  return copy
}

/**
 * Prefixes that fill `octets`. Bits behind a prefix are irrelevant (RFC 4271 section 4.3) and come out zero.
 *
 * @param offset where `octets` starts in the message, for errors
 * @param fault the error to throw; 3/10 and a session reset when left out
 * @throws {WireError} a prefix longer than an address, or cut off (RFC 7606 section 5.3)
 */
export const decodeNlri = (octets: Uint8Array, format: NlriFormat, offset = 0, fault = networkFault): Nlri[] =>
  readNlri(octets, 0, octets.length, format, offset, fault)

/** {@link decodeNlri} of the octets between `at` and `end`; `offset` is that of the first of all octets. */
export function readNlri(
  octets: Uint8Array,
  at: number,
  end: number,
  format: NlriFormat,
  offset: number,
  fault = networkFault,
): Nlri[] {
  const { bits, pathIds } = format
  const list: Nlri[] = []
  while (at < end) {
    const start = pathIds ? at + PATH_ID_LENGTH : at
    if (start >= end) throw fault('Path Identifier cut off', offset + end)
    const length = octets[start]!
    const next = start + 1 + octetsOf(length)
    if (length > bits) throw fault(`prefix length ${length}`, offset + start)
    if (next > end) throw fault('prefix cut off', offset + end)
    const prefix = masked(octets.subarray(start + 1, next), length)
    list.push(pathIds ? { length, prefix, pathId: readUint32(octets, at) } : { length, prefix })
    at = next
  }
  return list
}

/** Octets that {@link encodeNlri} writes. */
export function nlriLength(list: readonly Nlri[]): Octets {
  let length = 0
  for (const nlri of list) length += 1 + nlri.prefix.length + (nlri.pathId === undefined ? 0 : PATH_ID_LENGTH)
  return length
}

/** @throws {RangeError} caller's fault: a Path Identifier where the format has none, or none where it has one */
export function checkPathIds(list: readonly Nlri[], { pathIds }: NlriFormat): void {
  for (const { pathId } of list) {
    if ((pathId !== undefined) !== pathIds) {
      throw new RangeError(
        pathIds ? 'prefix without Path Identifier' : 'prefix with Path Identifier, which was not negotiated',
      )
    }
  }
}

/**
 * Writes the prefixes from `at` on, each with its Path Identifier where it has one.
 *
 * @returns the octet after the written ones
 * @throws {RangeError} caller's fault: `prefix` does not have the octets that `length` asks for
 */
export function encodeNlri(list: readonly Nlri[], into: Uint8Array, at: number): number {
  for (const { length, prefix, pathId } of list) {
    if (prefix.length !== octetsOf(length)) throw new RangeError(`prefix of ${length} bits in ${prefix.length} octets`)
    if (pathId !== undefined) at = writeUint32(into, at, pathId)
    into[at] = length
    into.set(prefix, at + 1)
    at += 1 + prefix.length
  }
  return at
}
