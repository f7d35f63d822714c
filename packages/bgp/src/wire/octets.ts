/** Number of octets. */
export type Octets = number

/** No octets. */
export const EMPTY: Uint8Array = new Uint8Array(0)

/** Big-endian 16-bit number at `at`; the caller has checked the length. */
export const readUint16 = (from: Uint8Array, at: number): number => (from[at]! << 8) | from[at + 1]!

/** Big-endian unsigned 32-bit number at `at`; the caller has checked the length. */
export const readUint32 = (from: Uint8Array, at: number): number =>
  ((from[at]! << 24) | (from[at + 1]! << 16) | (from[at + 2]! << 8) | from[at + 3]!) >>> 0

/** @returns the octet after the written ones */
export function writeUint16(into: Uint8Array, at: number, value: number): number {
  into[at] = value >>> 8
  into[at + 1] = value
  return at + 2
}

/** @returns the octet after the written ones */
export function writeUint32(into: Uint8Array, at: number, value: number): number {
  into[at] = value >>> 24
  into[at + 1] = value >>> 16
  into[at + 2] = value >>> 8
  into[at + 3] = value
  return at + 4
}

/** Big-endian unsigned 32-bit numbers that fill `from` (a multiple of 4 octets). */
export function readUint32List(from: Uint8Array): number[] {
  const list: number[] = []
  for (let at = 0; at < from.length; at += 4) list.push(readUint32(from, at))
  return list
}

/** Writes each number in 4 octets, from the start of `into`. */
export function writeUint32List(into: Uint8Array, list: readonly number[]): void {
  let at = 0
  for (const value of list) at = writeUint32(into, at, value)
}
