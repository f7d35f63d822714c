import { WireError } from '../errors.js'
import { MAC_LENGTH } from './mac.js'
import { checkAddress, checkInteger, checkLength, checkRoom, putUint16, uint16At, type Octets } from './octets.js'

/** EtherType values this package knows; any other number is carried. */
export const EtherType = {
  IPv4: 0x0800,
  ARP: 0x0806,
  /** Customer tag, IEEE 802.1Q. */
  VLAN: 0x8100,
  IPv6: 0x86dd,
  /** Service tag, IEEE 802.1ad ("QinQ"). */
  ServiceVLAN: 0x88a8,
  /** Outer tag of switches older than 802.1ad. */
  OldQinQ: 0x9100,
} as const
export type EtherType = number

/** One 802.1Q or 802.1ad tag, outermost first in {@link EthernetFrame.tags}. */
export interface VlanTag {
  /** Tag Protocol Identifier: 0x8100, 0x88a8 or 0x9100. */
  readonly tpid: EtherType
  /** Priority Code Point, 0 to 7. */
  readonly priority: number
  /** Drop Eligible Indicator. */
  readonly dropEligible: boolean
  /** VLAN Identifier, 0 (priority tag only) to 4095. */
  readonly vlanId: number
}

/** Ethernet II frame without its Frame Check Sequence. */
export interface EthernetFrame {
  /** 6 octets; after decoding a view into the input. */
  readonly destination: Uint8Array
  /** 6 octets; after decoding a view into the input. */
  readonly source: Uint8Array
  readonly tags: readonly VlanTag[]
  readonly etherType: EtherType
  /** What follows, padding included; after decoding a view into the input. */
  readonly payload: Uint8Array
}

/** Octets of the header of an untagged frame. */
export const ETHERNET_HEADER_LENGTH: Octets = 14
/** Shorter payloads are padded with zeros (IEEE 802.3 §3.2.7). */
export const MINIMUM_PAYLOAD: Octets = 46
const SOURCE = 6
const TYPE = 12
const TAG_LENGTH = 4
/** Smaller values are an 802.3 length (IEEE 802.3 §3.2.6). */
const FIRST_ETHER_TYPE = 0x0600
const NO_TAGS: readonly VlanTag[] = []

/** Whether an EtherType announces another tag rather than a payload. */
export const isVlanTag = (type: EtherType): boolean =>
  type === EtherType.VLAN || type === EtherType.ServiceVLAN || type === EtherType.OldQinQ

function decodeTag(frame: Uint8Array, offset: number): VlanTag {
  if (frame.length < offset + TAG_LENGTH + 2) throw new WireError('VLAN tag cut off', frame.length, 'truncated')
  const control = uint16At(frame, offset + 2)
  return {
    tpid: uint16At(frame, offset),
    priority: control >>> 13,
    dropEligible: (control & 0x1000) !== 0,
    vlanId: control & 0x0fff,
  }
}

/**
 * Decodes an Ethernet II frame with any number of VLAN tags; without one, no array is made for them.
 * @throws {WireError} `truncated` inside the header or a tag; `bad-field` for an 802.3 length instead of an EtherType
 */
export function decodeEthernet(frame: Uint8Array): EthernetFrame {
  checkLength(frame, ETHERNET_HEADER_LENGTH, 'Ethernet header')
  let offset = TYPE
  let tags: VlanTag[] | undefined
  while (isVlanTag(uint16At(frame, offset))) {
    tags ??= []
    tags.push(decodeTag(frame, offset))
    offset += TAG_LENGTH
  }
  const etherType = uint16At(frame, offset)
  if (etherType < FIRST_ETHER_TYPE) throw new WireError('802.3 length instead of an EtherType', offset, 'bad-field')
  return {
    destination: frame.subarray(0, SOURCE),
    source: frame.subarray(SOURCE, TYPE),
    tags: tags ?? NO_TAGS,
    etherType,
    payload: frame.subarray(offset + 2),
  }
}

/** Octets that {@link encodeEthernet} writes: header, tags and the payload with its padding. */
export const ethernetLength = (frame: EthernetFrame): Octets =>
  ETHERNET_HEADER_LENGTH + frame.tags.length * TAG_LENGTH + Math.max(frame.payload.length, MINIMUM_PAYLOAD)

/**
 * Writes the 14 octets of an untagged header, for encoders that put the payload in place themselves.
 * @throws {RangeError} `into` too small, or an address that has not 6 octets
 */
export function writeEthernetHeader(
  into: Uint8Array,
  destination: Uint8Array,
  source: Uint8Array,
  etherType: EtherType,
): void {
  checkRoom(into, ETHERNET_HEADER_LENGTH)
  checkAddress(destination, MAC_LENGTH, 'destination')
  checkAddress(source, MAC_LENGTH, 'source')
  into.set(destination, 0)
  into.set(source, SOURCE)
  putUint16(into, TYPE, etherType)
}

/**
 * Encodes a frame and pads its payload to 46 octets.
 * @throws {RangeError} `into` too small, or a field out of its range
 */
export function encodeEthernet(
  frame: EthernetFrame,
  into: Uint8Array = new Uint8Array(ethernetLength(frame)),
): Uint8Array {
  const length = ethernetLength(frame)
  checkRoom(into, length)
  checkInteger(frame.etherType, 0xffff, 'etherType')
  if (frame.etherType < FIRST_ETHER_TYPE) throw new RangeError(`etherType ${frame.etherType} is an 802.3 length`)
  if (isVlanTag(frame.etherType)) throw new RangeError(`etherType ${frame.etherType} is a VLAN tag's TPID`)
  writeEthernetHeader(into, frame.destination, frame.source, frame.etherType)
  let offset = TYPE
  for (const tag of frame.tags) {
    encodeTag(tag, into, offset)
    offset += TAG_LENGTH
  }
  putUint16(into, offset, frame.etherType)
  into.set(frame.payload, offset + 2)
  return into.subarray(0, length).fill(0, offset + 2 + frame.payload.length)
}

function encodeTag(tag: VlanTag, into: Uint8Array, offset: number): void {
  if (!isVlanTag(tag.tpid)) throw new RangeError(`tpid ${tag.tpid} is not a VLAN tag's`)
  checkInteger(tag.priority, 7, 'priority')
  checkInteger(tag.vlanId, 0xfff, 'vlanId')
  putUint16(into, offset, tag.tpid)
  putUint16(into, offset + 2, (tag.priority << 13) | (tag.dropEligible ? 0x1000 : 0) | tag.vlanId)
}
