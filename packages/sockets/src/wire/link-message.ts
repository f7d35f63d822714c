import { formatMac } from './address.js'
import { LITTLE_ENDIAN, viewOf } from './endian.js'
import { decodeAttributes } from './netlink.js'

/** Flags of an interface, `IFF_*` (netdevice(7)). */
export const InterfaceFlag = {
  up: 0x1,
  broadcast: 0x2,
  loopback: 0x8,
  pointToPoint: 0x10,
  running: 0x40,
  noarp: 0x80,
  promiscuous: 0x100,
  allMulticast: 0x200,
  master: 0x400,
  slave: 0x800,
  multicast: 0x1000,
  lowerUp: 0x10000,
  dormant: 0x20000,
} as const

/** A network interface as RTM_NEWLINK tells it (rtnetlink(7)). */
export interface LinkMessage {
  readonly index: number
  readonly name: string
  /** Link-layer address, `''` when there is none. */
  readonly mac: string
  readonly mtu: number
  /** Bit set of {@link InterfaceFlag}. */
  readonly flags: number
  /** Index of the bridge, bond or VRF it belongs to. */
  readonly master: number | undefined
  /** RFC 2863 operational state: `'up'`, `'down'`, `'lowerlayerdown'`, `'unknown'`, ... */
  readonly operstate: string
}

const FIXED_LENGTH = 16 // struct ifinfomsg
const Attribute = { address: 1, name: 3, mtu: 4, master: 10, operstate: 16 } as const
const OPERSTATES = ['unknown', 'notpresent', 'down', 'lowerlayerdown', 'testing', 'dormant', 'up'] as const

/**
 * @param payload of an RTM_NEWLINK or RTM_DELLINK message
 * @returns undefined when it is cut short, or speaks of a bridge port rather than of an interface
 */
export function decodeLink(payload: Uint8Array): LinkMessage | undefined {
  // AF_BRIDGE messages tell the port's settings, and a DELLINK of that family only that it left the bridge.
  if (payload.length < FIXED_LENGTH || payload[0] !== 0) return undefined
  const view = viewOf(payload)
  const link = {
    index: view.getInt32(4, LITTLE_ENDIAN),
    flags: view.getUint32(8, LITTLE_ENDIAN),
    name: '',
    mac: '',
    mtu: 0,
    master: undefined as number | undefined,
    operstate: 'unknown' as string,
  }
  for (const { type, data } of decodeAttributes(payload.subarray(FIXED_LENGTH))) {
    if (type === Attribute.name) link.name = readText(data)
    else if (type === Attribute.address) link.mac = formatMac(data)
    else if (type === Attribute.operstate) link.operstate = OPERSTATES[data[0] ?? 0] ?? 'unknown'
    else if (type === Attribute.mtu && data.length >= 4) link.mtu = viewOf(data).getUint32(0, LITTLE_ENDIAN)
    else if (type === Attribute.master && data.length >= 4) link.master = viewOf(data).getUint32(0, LITTLE_ENDIAN)
  }
  return link
}

function readText(data: Uint8Array): string {
  const end = data.indexOf(0)
  return new TextDecoder().decode(end < 0 ? data : data.subarray(0, end))
}

/** Payload of an RTM_GETLINK request for all interfaces. */
export const encodeLinkRequest = (): Uint8Array => new Uint8Array(FIXED_LENGTH)
