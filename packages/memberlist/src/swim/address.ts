import { Address4, Address6 } from 'ip-address'
import { sameOctets } from '../wire/index.js'

const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff] as const

/** 4 octets for an IPv4 address in either of its forms: to compare, dial and print. */
export function normalizeAddress(octets: Uint8Array): Uint8Array {
  const mapped = octets.length === 16 && MAPPED.every((octet, i) => octets[i] === octet)
  return mapped ? octets.subarray(12) : octets
}

/** Whether two addresses are the same, in whichever form. */
export const sameAddress = (a: Uint8Array, b: Uint8Array): boolean =>
  sameOctets(normalizeAddress(a), normalizeAddress(b))

/** Whether an address from the wire has a length that an address can have. */
export const isAddress = (octets: Uint8Array | undefined): octets is Uint8Array =>
  octets !== undefined && (octets.length === 4 || octets.length === 16)

/** Whether one host can have an address: it is not unspecified, not multicast and not the limited broadcast. */
export function isUnicast(octets: Uint8Array): boolean {
  const plain = normalizeAddress(octets)
  if (plain.every(octet => octet === 0)) return false
  if (plain.length === 16) return plain[0] !== 0xff
  return (plain[0]! & 0xf0) !== 0xe0 && !plain.every(octet => octet === 0xff)
}

/** Text of an address of 4 or 16 octets. */
export function formatAddress(octets: Uint8Array): string {
  const plain = normalizeAddress(octets)
  return plain.length === 4
    ? `${plain[0]}.${plain[1]}.${plain[2]}.${plain[3]}`
    : Address6.fromByteArray([...plain]).correctForm()
}

/** Octets of an address in text, 4 or 16. @throws {RangeError} when it is none */
export function parseAddress(text: string): Uint8Array {
  if (Address4.isValid(text)) return Uint8Array.from(new Address4(text).toArray())
  const bare = text.split('%', 1)[0]!
  if (!Address6.isValid(bare)) throw new RangeError(`not an IP address: ${text}`)
  return normalizeAddress(Uint8Array.from(new Address6(bare).toUnsignedByteArray()))
}
