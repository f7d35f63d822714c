import { WireError } from '../errors.js'

/** Number of octets. */
export type Octets = number

/** Big-endian 16-bit integer at `offset`, which the caller has checked. */
export const uint16At = (octets: Uint8Array, offset: number): number => (octets[offset]! << 8) | octets[offset + 1]!

/** Big-endian unsigned 32-bit integer at `offset`, which the caller has checked. */
export const uint32At = (octets: Uint8Array, offset: number): number =>
  uint16At(octets, offset) * 0x1_0000 + uint16At(octets, offset + 2)

/** Writes the low 16 bits of `value` big-endian. */
export function putUint16(into: Uint8Array, offset: number, value: number): void {
  into[offset] = value >>> 8
  into[offset + 1] = value
}

/** Writes an unsigned 32-bit integer big-endian. */
export function putUint32(into: Uint8Array, offset: number, value: number): void {
  putUint16(into, offset, value >>> 16)
  putUint16(into, offset + 2, value)
}

/** Whether two addresses (or any short octet strings) are equal in length and content. */
export function sameOctets(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** @throws {WireError} `truncated` when `octets` has fewer than `length` octets */
export function checkLength(octets: Uint8Array, length: Octets, what: string): void {
  if (octets.length < length) throw new WireError(`${what} shorter than ${length} octets`, octets.length, 'truncated')
}

/** @throws {RangeError} the caller's buffer cannot hold `length` octets */
export function checkRoom(into: Uint8Array, length: Octets): void {
  if (into.length < length) throw new RangeError(`into has ${into.length} octets, wants ${length}`)
}

/** @throws {RangeError} the caller's address has not `length` octets */
export function checkAddress(address: Uint8Array, length: Octets, name: string): void {
  if (address.length !== length) throw new RangeError(`${name} has ${address.length} octets, wants ${length}`)
}

/** @throws {RangeError} the caller's number is not a whole one from 0 to `most` */
export function checkInteger(value: number, most: number, name: string): void {
  if (!(value >= 0 && value <= most && Number.isInteger(value))) {
    throw new RangeError(`${name} ${value} is not a whole number from 0 to ${most}`)
  }
}
