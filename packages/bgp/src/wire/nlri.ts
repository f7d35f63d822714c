import { WireError, type NotificationCode } from './error.js'
import type { Octets } from './octets.js'

/** Network Layer Reachability Information, RFC 4271 section 4.3: an IP prefix. */
export interface Nlri {
  /** Bits of the prefix. */
  readonly length: number
  /** The prefix in as few octets as hold `length` bits, the bits behind zero. May be a view into the input: copy to keep. */
  readonly prefix: Uint8Array
}

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
 * @param bits width of the family's addresses, 32 or 128
 * @param offset where `octets` starts in the message, for errors
 * @throws {WireError} a prefix longer than `bits`, or cut off; always a session reset (RFC 7606 section 5.3)
 */
export function decodeNlri(octets: Uint8Array, bits: number, offset: number, code: NotificationCode): Nlri[] {
  const list: Nlri[] = []
  for (let at = 0; at < octets.length;) {
    const length = octets[at]!
    const end = at + 1 + octetsOf(length)
    if (length > bits) throw new WireError(`prefix length ${length}`, offset + at, code)
    if (end > octets.length) throw new WireError('prefix cut off', offset + octets.length, code)
    list.push({ length, prefix: masked(octets.subarray(at + 1, end), length) })
    at = end
  }
  return list
}

/** Octets that {@link encodeNlri} writes. */
export function nlriLength(list: readonly Nlri[]): Octets {
  let length = 0
  for (const nlri of list) length += 1 + nlri.prefix.length
  return length
}

/**
 * Writes the prefixes from `at` on.
 *
 * @returns the octet after the written ones
 * @throws {RangeError} caller's fault: `prefix` does not have the octets that `length` asks for
 */
export function encodeNlri(list: readonly Nlri[], into: Uint8Array, at: number): number {
  for (const { length, prefix } of list) {
    if (prefix.length !== octetsOf(length)) throw new RangeError(`prefix of ${length} bits in ${prefix.length} octets`)
    into[at] = length
    into.set(prefix, at + 1)
    at += 1 + prefix.length
  }
  return at
}
