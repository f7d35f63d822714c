import type { Octets } from '../../octets.js'
import { OPTION_HEADER_LENGTH, OPTION_UNIT, type OptionType } from './header.js'

/** Octets of the option at `offset` by its Length field: 0 when that says zero, `undefined` when the option is cut off. */
function lengthAt(message: Uint8Array, offset: Octets): Octets | undefined {
  if (message.length < offset + OPTION_HEADER_LENGTH) return undefined
  const length = message[offset + 1]! * OPTION_UNIT
  return message.length < offset + length ? undefined : length
}

/** Where options stop to make sense. */
export interface OptionsFault {
  readonly fault: 'truncated' | 'bad-length'
  readonly rule: string
  /** Octet of the message; its length when it ends too early. */
  readonly offset: number
}

/**
 * Looks for what spoils a whole message: an option of length 0 (RFC 4861 §4.6), or one that goes on behind the message.
 * @param offset where the options begin; they fill the rest of `message`
 */
export function optionsFault(message: Uint8Array, offset: Octets): OptionsFault | undefined {
  for (let at = offset; at < message.length;) {
    const length = lengthAt(message, at)
    if (length === undefined) return { fault: 'truncated', rule: 'option cut off', offset: message.length }
    if (length === 0) return { fault: 'bad-length', rule: 'option of length 0', offset: at + 1 }
    at += length
  }
  return undefined
}

/**
 * The first option of a type, without making values of any.
 * @param offset where the options begin
 * @returns the whole option, a view into `message`; `undefined` when there is none before the end or the first fault
 */
export function findOption(message: Uint8Array, offset: Octets, type: OptionType): Uint8Array | undefined {
  for (let at = offset; at < message.length;) {
    const length = lengthAt(message, at)
    if (length === undefined || length === 0) return undefined
    if (message[at] === type) return message.subarray(at, at + length)
    at += length
  }
  return undefined
}
