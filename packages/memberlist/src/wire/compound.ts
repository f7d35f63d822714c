import { WireError } from './error.js'
import { MessageType } from './message-type.js'

/** Most messages in one compound. */
export const MAX_PARTS = 255
/** Octets that a compound costs, besides {@link PART_OVERHEAD} for each message in it. */
export const COMPOUND_OVERHEAD = 2
/** Octets that each message in a compound costs. */
export const PART_OVERHEAD = 2

/** Messages found in a compound; views into the input. */
export interface Compound {
  readonly parts: readonly Uint8Array[]
  /** Parts that the input was too short for. */
  readonly truncated: number
}

/**
 * @param message type octet, count, lengths, parts
 * @throws {WireError} `truncated` when the count or the lengths are not all there
 */
export function decodeCompound(message: Uint8Array): Compound {
  const count = message[1]
  if (count === undefined) throw new WireError('truncated', 'compound without a count', 1)
  let offset = 2 + 2 * count
  if (message.length < offset) throw new WireError('truncated', 'compound without all lengths', 2)
  const parts: Uint8Array[] = []
  for (let i = 0; i < count; i++) {
    const length = (message[2 + 2 * i]! << 8) | message[3 + 2 * i]!
    if (offset + length > message.length) return { parts, truncated: count - i }
    parts.push(message.subarray(offset, offset + length))
    offset += length
  }
  return { parts, truncated: 0 }
}

/** @throws {RangeError} more than 255 parts, or one longer than 65535 octets */
export function encodeCompound(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length > MAX_PARTS) throw new RangeError(`compound of ${parts.length} parts`)
  const head = 2 + 2 * parts.length
  const message = new Uint8Array(parts.reduce((sum, part) => sum + part.length, head))
  message[0] = MessageType.Compound
  message[1] = parts.length
  let offset = head
  parts.forEach((part, i) => {
    if (part.length > 0xffff) throw new RangeError(`compound part of ${part.length} octets`)
    message[2 + 2 * i] = part.length >>> 8
    message[3 + 2 * i] = part.length & 0xff
    message.set(part, offset)
    offset += part.length
  })
  return message
}
