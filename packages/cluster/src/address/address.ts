import { Address4, Address6 } from 'ip-address'
import type { IPFamily } from '../config/config.js'

/** An IP address as an integer and as text. */
export interface Address {
  readonly family: IPFamily
  /** Unsigned, 32 bits for IPv4 and 128 for IPv6. */
  readonly value: bigint
  /** Canonical: dotted quad, or RFC 5952 for IPv6. */
  readonly text: string
}

/** Address length in bits of each family. */
export const ADDRESS_BITS = { IPv4: 32, IPv6: 128 } as const

const MAPPED_PREFIX = 0xffffn
const LOW_32 = 0xffff_ffffn

/**
 * Reads an IP literal with the strictness of Go's `net.ParseIP`: no leading zeros, no zone, no prefix length, no
 * blanks. An IPv4-mapped IPv6 literal (`::ffff:192.0.2.1`) is the IPv4 address (RFC 4291 §2.5.5.2).
 *
 * @returns `undefined` when `text` is no address
 */
export function parseAddress(text: string): Address | undefined {
  const raw = parseLiteral(text)
  return raw && addressOf(raw.family, raw.value)
}

/** An {@link Address} of an integer; an IPv4-mapped IPv6 integer becomes IPv4. */
export function addressOf(family: IPFamily, value: bigint): Address {
  if (family === 'IPv6' && isMapped(value)) return addressOf('IPv4', value & LOW_32)
  return { family, value, text: formatAddress(family, value) }
}

/**
 * Canonical text of an address, as Go prints it: dotted quad or RFC 5952.
 *
 * @throws {RangeError} `value` is negative or too large for the family
 */
export function formatAddress(family: IPFamily, value: bigint): string {
  if (value < 0n || value >> BigInt(ADDRESS_BITS[family]) !== 0n)
    throw new RangeError(`${value} is no ${family} address`)
  return family === 'IPv4' ? Address4.fromBigInt(value).correctForm() : Address6.fromBigInt(value).correctForm()
}

/** Whether an IPv6 integer is IPv4-mapped (`::ffff:0:0/96`). */
export const isMapped = (value: bigint): boolean => value >> 32n === MAPPED_PREFIX

/** As {@link parseAddress}, but an IPv4-mapped literal stays IPv6: a CIDR's prefix length counts in the family it was written in. */
export function parseLiteral(text: string): { readonly family: IPFamily; readonly value: bigint } | undefined {
  // The library also takes a prefix length and a zone here; Go's ParseIP takes neither.
  if (text.includes('/') || text.includes('%')) return undefined
  try {
    return text.includes(':')
      ? { family: 'IPv6', value: new Address6(text).bigInt() }
      : { family: 'IPv4', value: new Address4(text).bigInt() }
  } catch {
    return undefined
  }
}
