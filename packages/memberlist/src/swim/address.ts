import { Address4, Address6 } from 'ip-address'

const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff] as const

/** 4 octets for an IPv4 address in either of its forms, since peers compare addresses octet by octet. */
export function normalizeAddress(octets: Uint8Array): Uint8Array {
  const mapped = octets.length === 16 && MAPPED.every((octet, i) => octets[i] === octet)
  return mapped ? octets.subarray(12) : octets
}

/** Whether an address from the wire has a length that an address can have. */
export const isAddress = (octets: Uint8Array | undefined): octets is Uint8Array =>
  octets !== undefined && (octets.length === 4 || octets.length === 16)

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
