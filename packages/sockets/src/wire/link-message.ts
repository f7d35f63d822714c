import { formatMac } from './address.js'
import { LITTLE_ENDIAN, viewOf } from './endian.js'
import { decodeAttributes, readText, readWord } from './netlink.js'

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
  /** The address burnt into the device, where it has one; it stays when {@link mac} is changed. */
  readonly permanentMac: string
  readonly mtu: number
  /** Bit set of {@link InterfaceFlag}. */
  readonly flags: number
  /** ARP hardware type (`ARPHRD_*`): 1 is Ethernet, 772 the loopback interface. */
  readonly hardwareType: number
  /** What it is where software made it: `'veth'`, `'bridge'`, `'bond'`, `'vlan'`, `'vrf'`, ...; `''` for a device of its own. */
  readonly kind: string
  /** Index of the bridge, bond or VRF it belongs to. */
  readonly master: number | undefined
  /** What its master is: `'bridge'`, `'bond'`, `'vrf'`, ...; `''` when it has none, or the master's driver does not say. */
  readonly masterKind: string
  /** Index of the interface it stands on: a VLAN's device, the other end of a veth pair. */
  readonly parent: number | undefined
  /** Whether {@link parent} is an index in another network namespace. */
  readonly parentIsElsewhere: boolean
  /** Whether the cable is in, so to speak: the lower layer can carry frames. */
  readonly carrier: boolean
  /** RFC 2863 operational state: `'up'`, `'down'`, `'lowerlayerdown'`, `'unknown'`, ... */
  readonly operstate: string
}

const FIXED_LENGTH = 16 // struct ifinfomsg
const Attribute = {
  address: 1,
  name: 3,
  mtu: 4,
  parent: 5,
  master: 10,
  wireless: 11,
  operstate: 16,
  linkInfo: 18,
  carrier: 33,
  parentNamespace: 37,
  permanentAddress: 54,
} as const
const LinkInfo = { kind: 1, masterKind: 4 } as const
const OPERSTATES = ['unknown', 'notpresent', 'down', 'lowerlayerdown', 'testing', 'dormant', 'up'] as const

type Writable<T> = { -readonly [K in keyof T]: T[K] }

/**
 * @param payload of an RTM_NEWLINK or RTM_DELLINK message
 * @returns undefined when it is cut short, or speaks of a bridge port or a wireless driver's event rather than of an interface
 */
export function decodeLink(payload: Uint8Array): LinkMessage | undefined {
  // AF_BRIDGE messages tell the port's settings, and a DELLINK of that family only that it left the bridge.
  if (payload.length < FIXED_LENGTH || payload[0] !== 0) return undefined
  const view = viewOf(payload)
  const flags = view.getUint32(8, LITTLE_ENDIAN)
  const link: Writable<LinkMessage> = {
    index: view.getInt32(4, LITTLE_ENDIAN),
    name: '',
    mac: '',
    permanentMac: '',
    mtu: 0,
    flags,
    hardwareType: view.getUint16(2, LITTLE_ENDIAN),
    kind: '',
    master: undefined,
    masterKind: '',
    parent: undefined,
    parentIsElsewhere: false,
    carrier: (flags & InterfaceFlag.lowerUp) !== 0,
    operstate: 'unknown',
  }
  for (const { type, data } of decodeAttributes(payload.subarray(FIXED_LENGTH))) {
    // Such a message has the name and the event alone: taken for the interface it would say that everything else is gone.
    if (type === Attribute.wireless) return undefined
    readAttribute(link, type, data)
  }
  return link
}

function readAttribute(link: Writable<LinkMessage>, type: number, data: Uint8Array): void {
  if (type === Attribute.name) link.name = readText(data)
  else if (type === Attribute.address) link.mac = formatMac(data)
  else if (type === Attribute.permanentAddress) link.permanentMac = formatMac(data)
  else if (type === Attribute.operstate) link.operstate = OPERSTATES[data[0] ?? 0] ?? 'unknown'
  else if (type === Attribute.carrier) link.carrier = data[0] === 1
  else if (type === Attribute.linkInfo) readLinkInfo(link, data)
  else if (type === Attribute.parentNamespace) link.parentIsElsewhere = true
  else if (type === Attribute.mtu) link.mtu = readWord(data) ?? 0
  else if (type === Attribute.master) link.master = readWord(data)
  else if (type === Attribute.parent) link.parent = readWord(data)
}

function readLinkInfo(link: Writable<LinkMessage>, octets: Uint8Array): void {
  for (const { type, data } of decodeAttributes(octets)) {
    if (type === LinkInfo.kind) link.kind = readText(data)
    else if (type === LinkInfo.masterKind) link.masterKind = readText(data)
  }
}

/** Payload of an RTM_GETLINK request for all interfaces. */
export const encodeLinkRequest = (): Uint8Array => new Uint8Array(FIXED_LENGTH)
