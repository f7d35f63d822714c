/**
 * Reading and writing frames where they lie: on the path that every request takes, views of their parts would cost more than
 * all the rest. Offsets count octets from the frame's start, and the caller has checked that they are inside.
 */

import { MAC_LENGTH } from '../wire/mac.js'

/** Whether the octets at `offset` are those of `expected`. */
export function matchesAt(frame: Uint8Array, offset: number, expected: Uint8Array): boolean {
  for (let i = 0; i < expected.length; i++) if (frame[offset + i] !== expected[i]) return false
  return true
}

/** Copies `length` octets from one frame into another. */
export function copyAt(from: Uint8Array, offset: number, into: Uint8Array, at: number, length: number): void {
  for (let i = 0; i < length; i++) into[at + i] = from[offset + i]!
}

/** Whether a frame sent to the MAC address at `offset` reaches one station; see `isStationMac`. */
export function isStationMacAt(frame: Uint8Array, offset: number): boolean {
  if ((frame[offset]! & 1) === 1) return false
  for (let i = 0; i < MAC_LENGTH; i++) if (frame[offset + i] !== 0) return true
  return false
}

/** One's complement sum of the 16-bit words from `start` to `end`, not folded; an odd last octet is its word's high half. */
export function sumAt(frame: Uint8Array, start: number, end: number): number {
  let sum = 0
  let at = start
  for (; at + 1 < end; at += 2) sum += (frame[at]! << 8) | frame[at + 1]!
  return at < end ? sum + (frame[at]! << 8) : sum
}

/** Adds the carries back in until 16 bits are left (RFC 1071 §1). */
export function fold(sum: number): number {
  const once = (sum >>> 16) + (sum & 0xffff)
  return (once >>> 16) + (once & 0xffff)
}
