import { Address4, Address6 } from 'ip-address'
import { wrongType, wrongValue, type Kind } from '@typemetal/options'

const IPV4_LENGTH = 4
const IPV6_LENGTH = 16
const IPV6_GROUPS = 8
const MAPPED_PREFIX = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff)
const DECIMAL = String.raw`(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)`
const DOTTED_DECIMAL = new RegExp(String.raw`^(?:${DECIMAL}\.){3}${DECIMAL}$`)
const GROUP = /^[0-9a-f]{1,4}$/i

/** An address in its two forms. */
export interface ParsedAddress {
  /** Dotted decimal, or RFC 5952. */
  readonly text: string
  /** 4 or 16 octets. */
  readonly octets: Uint8Array
}

/** 4 or 16 octets as dotted decimal or as RFC 5952 says. */
export const formatAddress = (octets: Uint8Array): string =>
  octets.length === IPV4_LENGTH ? octets.join('.') : formatIpv6(octets)

/** RFC 5952 section 4: lower case, no leading zeros, the first of the longest runs of two or more zero groups shortened. */
function formatIpv6(octets: Uint8Array): string {
  let start = 0
  let length = 1
  let run = 0
  const groups: string[] = []
  for (let i = 0; i < IPV6_GROUPS; i++) {
    const group = (octets[2 * i]! << 8) | octets[2 * i + 1]!
    groups.push(group.toString(16))
    run = group === 0 ? run + 1 : 0
    if (run <= length) continue
    length = run
    start = i + 1 - run
  }
  if (length === 1) return groups.join(':')
  return `${groups.slice(0, start).join(':')}::${groups.slice(start + length).join(':')}`
}

/**
 * Reads an IPv4 or IPv6 address; an IPv4-mapped IPv6 address is the IPv4 address.
 * @throws {TypeError} not an address, or one with a zone or a prefix length
 */
export function parseAddress(text: string): ParsedAddress {
  const octets = withoutMapping(parseOctets(text))
  return { text: formatAddress(octets), octets }
}

/** The usual notations are read here, because thousands of them come at once; the rare ones by ip-address. */
function parseOctets(text: string): Uint8Array {
  if (DOTTED_DECIMAL.test(text)) return Uint8Array.from(text.split('.'), Number)
  const octets = readGroups(text)
  if (octets !== undefined) return octets
  if (!/[/%]/.test(text)) {
    if (Address4.isValid(text)) return Uint8Array.from(new Address4(text).toArray())
    if (Address6.isValid(text)) return Uint8Array.from(new Address6(text).toByteArray())
  }
  throw new TypeError(`not an IP address: ${JSON.stringify(text)}`)
}

/** RFC 4291 section 2.2, forms 1 and 2; `undefined` for any other text. */
function readGroups(text: string): Uint8Array | undefined {
  const halves = text.split('::')
  const head = halves[0] === '' ? [] : (halves[0] ?? '').split(':')
  const tail = halves[1] === undefined || halves[1] === '' ? [] : halves[1].split(':')
  const count = head.length + tail.length
  if (halves.length > 2 || (halves.length === 2 ? count >= IPV6_GROUPS : count !== IPV6_GROUPS)) return undefined
  const octets = new Uint8Array(IPV6_LENGTH)
  const isRead = writeGroups(octets, 0, head) && writeGroups(octets, IPV6_GROUPS - tail.length, tail)
  return isRead ? octets : undefined
}

/** @returns whether all of them are groups */
function writeGroups(octets: Uint8Array, first: number, groups: readonly string[]): boolean {
  for (const [index, text] of groups.entries()) {
    if (!GROUP.test(text)) return false
    const group = Number.parseInt(text, 16)
    octets[2 * (first + index)] = group >> 8
    octets[2 * (first + index) + 1] = group
  }
  return true
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

/** Text that one of the functions above reads; what it cannot read is of a wrong type, as it is to them. */
const readable =
  (wanted: string, read: (value: string) => unknown): Kind<string> =>
  (name, value) => {
    if (typeof value !== 'string') throw wrongType(name, wanted, value)
    try {
      read(value)
    } catch (error) {
      throw (error instanceof RangeError ? wrongValue : wrongType)(name, wanted, value)
    }
    return value
  }

/** An IP address. */
export const ipAddress = readable('an IP address', parseAddress)
/** An IP address that a host can own. */
export const hostAddress = readable('the IP address of one host', parseHostAddress)
