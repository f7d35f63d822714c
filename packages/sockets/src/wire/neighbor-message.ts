import { formatAddress, formatMac } from './address.js'
import { LITTLE_ENDIAN, viewOf } from './endian.js'
import { decodeAttributes, encodeAttributes, writeWord } from './netlink.js'
import { AddressFamily, familyNumber } from './socket-address.js'

/** What the kernel thinks of a neighbour (RFC 4861 section 7.3.2; ARP entries have the same states). */
export type NeighborState =
  'none' | 'incomplete' | 'reachable' | 'stale' | 'delay' | 'probe' | 'failed' | 'noarp' | 'permanent'

/** An entry of the neighbour cache (ARP, NDP) as RTM_NEWNEIGH tells it (rtnetlink(7)). */
export interface NeighborMessage {
  readonly interfaceIndex: number
  readonly family: 4 | 6
  readonly address: string
  /** Link-layer address, `''` while it is not known. */
  readonly mac: string
  readonly state: NeighborState
  /** It said that it is a router (RFC 4861 section 4.4). */
  readonly router: boolean
  /** Answered for by this host on behalf of another (proxy ARP, proxy NDP). */
  readonly proxy: boolean
  /** Put there by a control plane, such as a routing daemon, not by ARP or NDP. */
  readonly external: boolean
  /** Milliseconds since it last changed; `undefined` when the kernel did not say. */
  readonly updatedAgo: number | undefined
}

/** What of the neighbour cache a dump asks for. */
export interface NeighborFilter {
  readonly family?: 4 | 6
  readonly interfaceIndex?: number
}

const FIXED_LENGTH = 12 // struct ndmsg
const Attribute = { address: 1, linkLayerAddress: 2, cacheInfo: 3, interfaceIndex: 8 } as const
const Flag = { proxy: 0x08, external: 0x10, router: 0x80 } as const
/** struct nda_cacheinfo: confirmed, used, updated, references. */
const UPDATED = 8
const TICK = 10 // milliseconds of USER_HZ
const STATES: readonly (readonly [bit: number, state: NeighborState])[] = [
  [0x01, 'incomplete'],
  [0x02, 'reachable'],
  [0x04, 'stale'],
  [0x08, 'delay'],
  [0x10, 'probe'],
  [0x20, 'failed'],
  [0x40, 'noarp'],
  [0x80, 'permanent'],
]

/**
 * @param payload of an RTM_NEWNEIGH or RTM_DELNEIGH message
 * @returns undefined when it is cut short, has no address, or is of another family: a bridge tells of its forwarding table so
 */
export function decodeNeighbor(payload: Uint8Array): NeighborMessage | undefined {
  if (payload.length < FIXED_LENGTH) return undefined
  const length = payload[0] === AddressFamily.inet ? 4 : payload[0] === AddressFamily.inet6 ? 16 : undefined
  const view = viewOf(payload)
  const flags = view.getUint8(10)
  let address: Uint8Array | undefined
  let mac = ''
  let updatedAgo: number | undefined
  for (const { type, data } of decodeAttributes(payload.subarray(FIXED_LENGTH))) {
    if (type === Attribute.address) address = data
    else if (type === Attribute.linkLayerAddress) mac = formatMac(data)
    else if (type === Attribute.cacheInfo && data.length >= UPDATED + 4)
      updatedAgo = viewOf(data).getUint32(UPDATED, LITTLE_ENDIAN) * TICK
  }
  if (address === undefined || address.length !== length) return undefined
  return {
    interfaceIndex: view.getInt32(4, LITTLE_ENDIAN),
    family: length === 4 ? 4 : 6,
    address: formatAddress(address),
    mac,
    state: stateOf(view.getUint16(8, LITTLE_ENDIAN)),
    router: (flags & Flag.router) !== 0,
    proxy: (flags & Flag.proxy) !== 0,
    external: (flags & Flag.external) !== 0,
    updatedAgo,
  }
}

const stateOf = (bits: number): NeighborState => STATES.find(([bit]) => (bits & bit) !== 0)?.[1] ?? 'none'

/** Payload of an RTM_GETNEIGH request. */
export function encodeNeighborRequest({ family, interfaceIndex }: NeighborFilter = {}): Uint8Array {
  const attributes =
    interfaceIndex === undefined ? [] : [{ type: Attribute.interfaceIndex, data: writeWord(interfaceIndex) }]
  return Uint8Array.of(familyNumber(family), ...new Uint8Array(FIXED_LENGTH - 1), ...encodeAttributes(attributes))
}
