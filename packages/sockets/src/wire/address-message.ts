import { formatAddress } from './address.js'
import { LITTLE_ENDIAN, viewOf } from './endian.js'
import { decodeAttributes } from './netlink.js'
import { AddressFamily } from './socket-address.js'

/** An interface's address as RTM_NEWADDR tells it (rtnetlink(7)). */
export interface AddressMessage {
  readonly interfaceIndex: number
  readonly address: string
  readonly prefixLength: number
  readonly family: 4 | 6
  /** `'global'`, `'site'`, `'link'`, `'host'`, `'nowhere'` or a number, as in `/etc/iproute2/rt_scopes`. */
  readonly scope: string
  /** Duplicate address detection has not finished (RFC 4862 section 5.4): not usable yet. */
  readonly tentative: boolean
  /** Duplicate address detection found somebody else who has it. */
  readonly dadFailed: boolean
}

const FIXED_LENGTH = 8 // struct ifaddrmsg
const Attribute = { address: 1, local: 2, flags: 8 } as const
const AddressFlag = { dadFailed: 0x08, tentative: 0x40 } as const
const SCOPES: Readonly<Record<number, string>> = { 0: 'global', 200: 'site', 253: 'link', 254: 'host', 255: 'nowhere' }

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
  for (const { type, data } of decodeAttributes(payload.subarray(FIXED_LENGTH))) {
    if (type === Attribute.local) local = data
    else if (type === Attribute.address) peer = data
    else if (type === Attribute.flags && data.length >= 4) flags = viewOf(data).getUint32(0, LITTLE_ENDIAN)
  }
  // On a point-to-point link `address` is the other end's and `local` ours; elsewhere only one may be there.
  const own = local ?? peer
  if (own === undefined || own.length !== length) return undefined
  return {
    interfaceIndex: view.getUint32(4, LITTLE_ENDIAN),
    address: formatAddress(own),
    prefixLength: payload[1]!,
    family: length === 4 ? 4 : 6,
    scope: SCOPES[payload[3]!] ?? String(payload[3]),
    tentative: (flags & AddressFlag.tentative) !== 0,
    dadFailed: (flags & AddressFlag.dadFailed) !== 0,
  }
}

/** Payload of an RTM_GETADDR request for all addresses of both families. */
export const encodeAddressRequest = (): Uint8Array => new Uint8Array(FIXED_LENGTH)
