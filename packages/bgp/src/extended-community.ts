import { formatAddress, parseAddress } from './address.js'
import type { ExtendedCommunity, Ipv6ExtendedCommunity } from './wire/index.js'

/** Types of RFC 4360 section 3 and RFC 5668 section 2, by what the administrator is. */
const Type = { TwoOctetAs: 0x00, Ipv4Address: 0x01, FourOctetAs: 0x02, NonTransitiveTwoOctetAs: 0x40 } as const
/** Subtypes with a name of their own; `ro` is another name of `soo`. */
const SUBTYPES: ReadonlyMap<string, number> = new Map([
  ['rt', 0x02],
  ['soo', 0x03],
  ['ro', 0x03],
])
const SUBTYPE_NAMES: ReadonlyMap<number, string> = new Map([
  [0x02, 'rt'],
  [0x03, 'soo'],
])
const LINK_BANDWIDTH = 0x04 // draft-ietf-idr-link-bandwidth section 3
const MAX_UINT16 = 0xffff
const MAX_UINT32 = 0xffff_ffff

const TARGET = /^(rt|soo|ro):(?:(\d{1,10})(L?)|([\d.]{7,15})|\[([\da-f:.]{2,45})\]):(\d{1,10})$/i
const BANDWIDTH = /^link-bandwidth:(\d{1,5}):(\d+(?:\.\d+)?(?:e[+-]?\d{1,3})?)$/i
const GENERIC = /^generic:0x([\da-f]{16}|[\da-f]{40})$/i

/** An extended community of either width. */
export type AnyExtendedCommunity = ExtendedCommunity | Ipv6ExtendedCommunity

const viewOf = (octets: Uint8Array): DataView => new DataView(octets.buffer, octets.byteOffset, octets.length)

function number(text: string, most: number, whole: string): number {
  const value = Number(text)
  if (value > most) throw new RangeError(`not a community: ${whole}`)
  return value
}

/** Value of 2 and 4 octets, or of 4 and 2. */
function valueOf(administrator: number, local: number, administratorWidth: 2 | 4): Uint8Array {
  const value = new Uint8Array(6)
  const view = viewOf(value)
  if (administratorWidth === 2) {
    view.setUint16(0, administrator)
    view.setUint32(2, local)
  } else {
    view.setUint32(0, administrator)
    view.setUint16(4, local)
  }
  return value
}

function parseAs(
  text: string,
  subtype: number,
  [asn = '', wide = '', local = '']: readonly string[],
): ExtendedCommunity {
  const administrator = number(asn, MAX_UINT32, text)
  if (wide === '' && administrator <= MAX_UINT16) {
    return { type: Type.TwoOctetAs, subtype, value: valueOf(administrator, number(local, MAX_UINT32, text), 2) }
  }
  return { type: Type.FourOctetAs, subtype, value: valueOf(administrator, number(local, MAX_UINT16, text), 4) }
}

function parseTarget(text: string, match: RegExpExecArray): AnyExtendedCommunity {
  const [, name = '', asn, wide = '', ipv4, ipv6, local = ''] = match
  const subtype = SUBTYPES.get(name.toLowerCase())!
  if (asn !== undefined) return parseAs(text, subtype, [asn, wide, local])
  const localAdministrator = number(local, MAX_UINT16, text)
  if (ipv6 !== undefined) {
    const globalAdministrator = parseAddress(ipv6)
    if (globalAdministrator.length !== 16) throw new RangeError(`not a community: ${text}`)
    return { type: 0, subtype, globalAdministrator, localAdministrator }
  }
  const value = new Uint8Array(6)
  value.set(parseAddress(ipv4!))
  viewOf(value).setUint16(4, localAdministrator)
  return { type: Type.Ipv4Address, subtype, value }
}

function parseBandwidth(text: string, asn: string, octetsPerSecond: string): ExtendedCommunity {
  const value = new Uint8Array(6)
  const view = viewOf(value)
  view.setUint16(0, number(asn, MAX_UINT16, text))
  view.setFloat32(2, Number(octetsPerSecond))
  if (!Number.isFinite(view.getFloat32(2))) throw new RangeError(`not a community: ${text}`)
  return { type: Type.NonTransitiveTwoOctetAs, subtype: LINK_BANDWIDTH, value }
}

function parseGeneric(digits: string): AnyExtendedCommunity {
  const octets = Uint8Array.from(digits.match(/../g)!, pair => Number.parseInt(pair, 16))
  const [type = 0, subtype = 0] = octets
  if (octets.length === 8) return { type, subtype, value: octets.subarray(2) }
  const localAdministrator = viewOf(octets).getUint16(18)
  return { type, subtype, globalAdministrator: octets.subarray(2, 18), localAdministrator }
}

/** Whether a text is of the forms that {@link parseExtendedCommunity} reads, right or wrong. */
export const isExtendedCommunityText = (text: string): boolean => /^(?:rt|soo|ro|link-bandwidth|generic):/i.test(text)

/**
 * Reads an extended community, see {@link formatExtendedCommunity}.
 *
 * @throws {RangeError} not an extended community
 */
export function parseExtendedCommunity(text: string): AnyExtendedCommunity {
  const target = TARGET.exec(text)
  if (target) return parseTarget(text, target)
  const bandwidth = BANDWIDTH.exec(text)
  if (bandwidth) return parseBandwidth(text, bandwidth[1]!, bandwidth[2]!)
  const generic = GENERIC.exec(text)
  if (generic) return parseGeneric(generic[1]!)
  throw new RangeError(`not a community: ${text}`)
}

const hex = (octets: Iterable<number>): string =>
  Array.from(octets, octet => octet.toString(16).padStart(2, '0')).join('')

/** Administrator and value of a route target or an origin, `64512:100`; `undefined` for another type. */
function formatTarget({ type, value }: ExtendedCommunity): string | undefined {
  const view = viewOf(value)
  if (type === Type.TwoOctetAs) return `${view.getUint16(0)}:${view.getUint32(2)}`
  if (type === Type.Ipv4Address) return `${value.subarray(0, 4).join('.')}:${view.getUint16(4)}`
  if (type !== Type.FourOctetAs) return undefined
  const asn = view.getUint32(0)
  return `${asn}${asn <= MAX_UINT16 ? 'L' : ''}:${view.getUint16(4)}`
}

function formatBandwidth({ type, subtype, value }: ExtendedCommunity): string | undefined {
  if (type !== Type.NonTransitiveTwoOctetAs || subtype !== LINK_BANDWIDTH) return undefined
  const view = viewOf(value)
  const octetsPerSecond = view.getFloat32(2)
  if (!Number.isFinite(octetsPerSecond) || octetsPerSecond < 0 || Object.is(octetsPerSecond, -0)) return undefined
  return `link-bandwidth:${view.getUint16(0)}:${octetsPerSecond}`
}

function formatWide({ type, subtype, globalAdministrator, localAdministrator }: Ipv6ExtendedCommunity): string {
  const name = type === 0 ? SUBTYPE_NAMES.get(subtype) : undefined
  if (name) return `${name}:[${formatAddress(globalAdministrator)}]:${localAdministrator}`
  return `generic:0x${hex([type, subtype, ...globalAdministrator, localAdministrator >>> 8, localAdministrator & 0xff])}`
}

/**
 * Text of an extended community: `rt:64512:100`, `soo:64512:100` (`ro` is read too), with an AS number, an IPv4 address or, in
 * brackets, an IPv6 address (RFC 5701) in front; a 4-octet AS number (RFC 5668) that would fit 2 octets is marked, `64512L`.
 * `link-bandwidth:64512:125000` in octets a second. All others are `generic:0x` and 16 or 40 hexadecimal digits.
 */
export function formatExtendedCommunity(community: AnyExtendedCommunity): string {
  if ('globalAdministrator' in community) return formatWide(community)
  const name = SUBTYPE_NAMES.get(community.subtype)
  const target = name && formatTarget(community)
  if (target) return `${name}:${target}`
  const { type, subtype, value } = community
  return formatBandwidth(community) ?? `generic:0x${hex([type, subtype, ...value])}`
}
