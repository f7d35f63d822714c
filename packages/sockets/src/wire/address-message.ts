import { formatAddress } from './address.js'
import { LITTLE_ENDIAN, viewOf } from './endian.js'
import { decodeAttributes } from './netlink.js'
import { scopeName } from './scope.js'
import { AddressFamily, familyNumber } from './socket-address.js'

/** An interface's address as RTM_NEWADDR tells it (rtnetlink(7)). */
export interface AddressMessage {
  readonly interfaceIndex: number
  readonly address: string
  readonly prefixLength: number
  readonly family: 4 | 6
  /** Address of the other end of a point-to-point link; `''` elsewhere. */
  readonly peer: string
  /** `'global'`, `'site'`, `'link'`, `'host'`, `'nowhere'` or a number, as in `/etc/iproute2/rt_scopes`. */
  readonly scope: string
  /** Duplicate address detection has not finished (RFC 4862 section 5.4): not usable yet. */
  readonly tentative: boolean
  /** Duplicate address detection found somebody else who has it. */
  readonly dadFailed: boolean
  /** Not for new communication any more (RFC 4862 section 5.5.4). */
  readonly deprecated: boolean
  /** IPv4: there is an earlier address of the same network; IPv6: a temporary address (RFC 8981). */
  readonly secondary: boolean
  /** Seconds until it is taken away; `Infinity` when nobody will. */
  readonly validLifetime: number
  /** Seconds until it is deprecated; `Infinity` when nobody will. */
  readonly preferredLifetime: number
}

/** What of the addresses a dump asks for. */
export interface AddressFilter {
  readonly family?: 4 | 6
  readonly interfaceIndex?: number
}

const FIXED_LENGTH = 8 // struct ifaddrmsg
const Attribute = { address: 1, local: 2, cacheInfo: 6, flags: 8 } as const
const AddressFlag = { secondary: 0x01, dadFailed: 0x08, deprecated: 0x20, tentative: 0x40 } as const
const FOREVER = 0xffffffff

/**
 * @param payload of an RTM_NEWADDR or RTM_DELADDR message
 * @returns undefined when it is cut short, has no address, or is of another family
 */
export function decodeInterfaceAddress(payload: Uint8Array): AddressMessage | undefined {
  if (payload.length < FIXED_LENGTH) return undefined
  const length = payload[0] === AddressFamily.inet ? 4 : payload[0] === AddressFamily.inet6 ? 16 : undefined
  const view = viewOf(payload)
  let flags: number = payload[2]!
  let peer: Uint8Array | undefined
  let local: Uint8Array | undefined
  let lifetimes = { preferredLifetime: Infinity, validLifetime: Infinity }
  for (const { type, data } of decodeAttributes(payload.subarray(FIXED_LENGTH))) {
    if (type === Attribute.local) local = data
    else if (type === Attribute.address) peer = data
    else if (type === Attribute.flags && data.length >= 4) flags = viewOf(data).getUint32(0, LITTLE_ENDIAN)
    else if (type === Attribute.cacheInfo && data.length >= 8) lifetimes = decodeLifetimes(data)
  }
  // On a point-to-point link `address` is the other end's and `local` ours; elsewhere only one may be there, or both alike.
  const own = local ?? peer
  if (own === undefined || own.length !== length) return undefined
  const address = formatAddress(own)
  const other = peer?.length === length ? formatAddress(peer) : address
  return {
    interfaceIndex: view.getUint32(4, LITTLE_ENDIAN),
    address,
    prefixLength: payload[1]!,
    family: length === 4 ? 4 : 6,
    peer: other === address ? '' : other,
    scope: scopeName(payload[3]!),
    tentative: (flags & AddressFlag.tentative) !== 0,
    dadFailed: (flags & AddressFlag.dadFailed) !== 0,
    deprecated: (flags & AddressFlag.deprecated) !== 0,
    secondary: (flags & AddressFlag.secondary) !== 0,
    ...lifetimes,
  }
}

/** `struct ifa_cacheinfo`. */
function decodeLifetimes(data: Uint8Array): { preferredLifetime: number; validLifetime: number } {
  const read = (at: number): number => {
    const seconds = viewOf(data).getUint32(at, LITTLE_ENDIAN)
    return seconds === FOREVER ? Infinity : seconds
  }
  return { preferredLifetime: read(0), validLifetime: read(4) }
}

/** Payload of an RTM_GETADDR request. */
export function encodeAddressRequest({ family, interfaceIndex = 0 }: AddressFilter = {}): Uint8Array {
  const result = new Uint8Array(FIXED_LENGTH)
  result[0] = familyNumber(family)
  viewOf(result).setUint32(4, interfaceIndex, LITTLE_ENDIAN)
  return result
}
