import { Address4 } from 'ip-address'

/** An IP address as octets, from text. */
export interface ParsedAddress {
  readonly family: 4 | 6
  /** 4 or 16 octets, network order. */
  readonly octets: Uint8Array
  /** What stood behind `%` in an IPv6 address: an interface name or index. */
  readonly zone: string | undefined
}

const OCTETS = 16
const GROUP = /^[0-9a-f]{1,4}$/i

/**
 * Reads an IPv4 or IPv6 address, the latter with an optional zone (`fe80::1%eth0`, RFC 4007 section 11).
 *
 * @throws {TypeError} when it is none, or a prefix
 */
export function parseAddress(text: string): ParsedAddress {
  const parsed = text.includes('/') ? undefined : text.includes(':') ? parseIpv6(text) : parseIpv4(text)
  if (!parsed) throw new TypeError(`not an IP address: ${JSON.stringify(text)}`)
  return parsed
}

function parseIpv4(text: string): ParsedAddress | undefined {
  if (!Address4.isValid(text)) return undefined
  return { family: 4, octets: Uint8Array.from(new Address4(text).toArray()), zone: undefined }
}

function parseIpv6(text: string): ParsedAddress | undefined {
  const zoneAt = text.indexOf('%')
  const zone = zoneAt < 0 ? undefined : text.slice(zoneAt + 1)
  const octets = zone === '' ? undefined : readIpv6(zoneAt < 0 ? text : text.slice(0, zoneAt))
  return octets && { family: 6, octets, zone }
}

/** By hand: the library takes 30 microseconds for an address, and a responder has thousands (RFC 4291 section 2.2). */
function readIpv6(text: string): Uint8Array | undefined {
  const [head = '', tail, ...more] = text.split('::')
  const front = readGroups(head, tail === undefined)
  const back = tail === undefined ? [] : readGroups(tail, true)
  if (more.length > 0 || !front || !back) return undefined
  const zeros = OCTETS - front.length - back.length
  if (tail === undefined ? zeros !== 0 : zeros < 2) return undefined // "::" stands for one group at least
  const octets = new Uint8Array(OCTETS)
  octets.set(front)
  octets.set(back, OCTETS - back.length)
  return octets
}

/** The octets of groups with colons between them; the last one of the address may be an IPv4 address. */
function readGroups(text: string, isEnd: boolean): number[] | undefined {
  const octets: number[] = []
  if (text === '') return octets
  const groups = text.split(':')
  for (const [index, group] of groups.entries()) {
    if (GROUP.test(group)) {
      const value = Number.parseInt(group, 16)
      octets.push(value >> 8, value & 255)
    } else {
      const ipv4 = isEnd && index === groups.length - 1 ? parseIpv4(group) : undefined
      if (!ipv4) return undefined
      octets.push(...ipv4.octets)
    }
  }
  return octets.length > OCTETS ? undefined : octets
}

/** Whether an IPv6 address needs an interface to mean anything: `fe80::/10` and multicast of link or interface scope. */
export const needsScope = (octets: Uint8Array): boolean =>
  octets.length === 16 &&
  ((octets[0] === 0xfe && (octets[1]! & 0xc0) === 0x80) || (octets[0] === 0xff && (octets[1]! & 0x0f) <= 2))

/** The text of 4 octets (dotted decimal) or 16 octets (RFC 5952, without the mixed notation). Made for per-packet use. */
export function formatAddress(octets: Uint8Array): string {
  return octets.length === 4 ? octets.join('.') : formatIpv6(octets)
}

function formatIpv6(octets: Uint8Array): string {
  const groups: number[] = []
  for (let i = 0; i < 16; i += 2) groups.push((octets[i]! << 8) | octets[i + 1]!)
  const { start, length } = longestZeroRun(groups)
  if (length < 2) return groups.map(toHex).join(':')
  return `${groups.slice(0, start).map(toHex).join(':')}::${groups
    .slice(start + length)
    .map(toHex)
    .join(':')}`
}

const toHex = (group: number): string => group.toString(16)

/** RFC 5952 section 4.2.3: the longest run of zero groups, the first one of equals. */
function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 }
  for (let i = 0; i < groups.length; i++) {
    let end = i
    while (groups[end] === 0) end++
    if (end - i > best.length) best = { start: i, length: end - i }
    i = Math.max(i, end - 1)
  }
  return best
}

/** The text of a link-layer address: `02:00:00:00:00:01`. */
export function formatMac(octets: Uint8Array): string {
  return Array.from(octets, octet => octet.toString(16).padStart(2, '0')).join(':')
}
