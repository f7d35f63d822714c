import { Address4, Address6 } from 'ip-address'

const IPV4_LENGTH = 4
const IPV6_LENGTH = 16
const IPV6_BITS = 128
const MAPPED_PREFIX = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff)

const DECIMAL = String.raw`(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)`
const DOTTED_DECIMAL = new RegExp(String.raw`^(?:${DECIMAL}\.){3}${DECIMAL}$`)

/** An address in its two forms. */
export interface ParsedAddress {
  /** Dotted decimal, or RFC 5952. */
  readonly text: string
  /** 4 or 16 octets. */
  readonly octets: Uint8Array
}

/** 4 or 16 octets as dotted decimal or as RFC 5952 says. */
export const formatAddress = (octets: Uint8Array): string =>
  octets.length === IPV4_LENGTH ? octets.join('.') : Address6.fromByteArray([...octets]).correctForm()

/**
 * Reads an IPv4 or IPv6 address; an IPv4-mapped IPv6 address is the IPv4 address.
 * @throws {TypeError} not an address, or one with a zone or a prefix length
 */
export function parseAddress(text: string): ParsedAddress {
  // What is canonical already, as most texts are: thousands come at once.
  if (DOTTED_DECIMAL.test(text)) return { text, octets: Uint8Array.from(text.split('.'), Number) }
  const octets = withoutMapping(parseOctets(text))
  return { text: formatAddress(octets), octets }
}

function parseOctets(text: string): Uint8Array {
  if (!/[/%]/.test(text)) {
    if (Address4.isValid(text)) return Uint8Array.from(new Address4(text).toArray())
    if (Address6.isValid(text)) return octetsOf(new Address6(text).bigInt())
  }
  throw new TypeError(`not an IP address: ${JSON.stringify(text)}`)
}

function octetsOf(value: bigint): Uint8Array {
  const digits = value.toString(16).padStart(IPV6_BITS / 4, '0')
  return Uint8Array.from({ length: IPV6_LENGTH }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16))
}

function withoutMapping(octets: Uint8Array): Uint8Array {
  const mapped = octets.length === IPV6_LENGTH && MAPPED_PREFIX.every((octet, i) => octets[i] === octet)
  return mapped ? octets.subarray(MAPPED_PREFIX.length) : octets
}

/**
 * Reads an address that a host can own: not unspecified, not multicast, not the IPv4 broadcast.
 * @throws {TypeError} not an address
 * @throws {RangeError} an address no single host owns
 */
export function parseHostAddress(text: string): ParsedAddress {
  const address = parseAddress(text)
  const { octets } = address
  const multicast = octets.length === IPV4_LENGTH ? octets[0]! >= 0xe0 : octets[0] === 0xff
  if (multicast || octets.every(octet => octet === 0)) {
    throw new RangeError(`${address.text} is not the address of one host`)
  }
  return address
}
