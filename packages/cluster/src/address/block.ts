import type { AddressBlock, IPFamily } from '../config/config.js'
import { ADDRESS_BITS, type Address, formatAddress, isMapped, parseAddress, parseLiteral } from './address.js'

/**
 * Reads one item of `spec.addresses`: a CIDR (host bits are cleared) or `start-end`, which becomes the minimal ascending
 * list of CIDRs that covers it exactly.
 *
 * @throws {RangeError} with the reason: `invalid CIDR "…"` or `invalid IP range "…": …`
 *
 * @example
 * ```ts
 * import { parseBlocks } from '@typemetal/cluster'
 *
 * console.log(parseBlocks('192.0.2.7-192.0.2.9').map(({ cidr }) => cidr)) // [ '192.0.2.7/32', '192.0.2.8/31' ]
 * console.log(parseBlocks('2001:db8::1/64').map(({ cidr }) => cidr)) // [ '2001:db8::/64' ]
 * ```
 */
export function parseBlocks(item: string): readonly AddressBlock[] {
  return item.includes('-') ? parseRange(item) : [parseCIDR(item)]
}

/**
 * Reads a CIDR as Go's `net.ParseCIDR`; host bits are cleared.
 *
 * @throws {RangeError} `invalid CIDR "…"`
 */
export function parseCIDR(text: string): AddressBlock {
  const [literal = '', length, ...rest] = text.split('/')
  const base = parseLiteral(literal)
  if (!base || length === undefined || rest.length > 0 || !/^\d{1,3}$/.test(length)) throw invalidCIDR(text)
  const prefixLength = Number(length)
  const bits = ADDRESS_BITS[base.family]
  if (prefixLength > bits) throw invalidCIDR(text)
  const first = (base.value >> BigInt(bits - prefixLength)) << BigInt(bits - prefixLength)
  // ::ffff:192.0.2.0/120 is 192.0.2.0/24, as Go's IPNet treats it.
  if (base.family === 'IPv6' && prefixLength >= 96 && isMapped(first)) {
    return blockOf('IPv4', first & 0xffff_ffffn, prefixLength - 96)
  }
  return blockOf(base.family, first, prefixLength)
}

/** The block of `prefixLength` that starts at `first`. */
export function blockOf(family: IPFamily, first: bigint, prefixLength: number): AddressBlock {
  const size = 1n << BigInt(ADDRESS_BITS[family] - prefixLength)
  const cidr = `${formatAddress(family, first)}/${prefixLength}`
  return Object.freeze({ family, first, last: first + size - 1n, cidr, prefixLength })
}

/** Minimal ascending list of CIDRs that covers `first` to `last` exactly, both inclusive. */
export function coveringBlocks(family: IPFamily, first: bigint, last: bigint): readonly AddressBlock[] {
  const bits = ADDRESS_BITS[family]
  const blocks: AddressBlock[] = []
  for (let at = first; at <= last;) {
    let hostBits = 0
    // Grow while the block stays aligned on its own size and inside the range.
    while (hostBits < bits && fits(at, hostBits + 1, last)) hostBits++
    blocks.push(blockOf(family, at, bits - hostBits))
    at += 1n << BigInt(hostBits)
  }
  return blocks
}

/** Whether `block` contains the address. */
export function blockContains(block: AddressBlock, address: Pick<Address, 'family' | 'value'>): boolean {
  return block.family === address.family && block.first <= address.value && address.value <= block.last
}

/** Whether two blocks have an address in common. */
export function blocksOverlap(a: AddressBlock, b: AddressBlock): boolean {
  return a.family === b.family && a.first <= b.last && b.first <= a.last
}

function parseRange(item: string): readonly AddressBlock[] {
  const dash = item.indexOf('-')
  const startText = item.slice(0, dash).trim()
  const endText = item.slice(dash + 1).trim()
  const start = parseAddress(startText)
  if (!start) throw new RangeError(`invalid IP range "${item}": invalid start IP "${startText}"`)
  const end = parseAddress(endText)
  if (!end) throw new RangeError(`invalid IP range "${item}": invalid end IP "${endText}"`)
  if (start.family !== end.family) {
    throw new RangeError(`invalid IP range "${item}": start IP and end IP are of different families`)
  }
  if (start.value > end.value) {
    throw new RangeError(`invalid IP range "${item}": start IP "${start.text}" is after the end IP "${end.text}"`)
  }
  return coveringBlocks(start.family, start.value, end.value)
}

function fits(at: bigint, hostBits: number, last: bigint): boolean {
  const size = 1n << BigInt(hostBits)
  return at % size === 0n && at + size - 1n <= last
}

const invalidCIDR = (text: string): RangeError => new RangeError(`invalid CIDR "${text}"`)
