import { Parser } from 'binary-parser'
import type { OctetReader } from '../../octet-reader.js'
import { readUint64 } from '../../octet-reader.js'
import type { OctetWriter } from '../../octet-writer.js'

/** Peer Types of RFC 7854 section 4.2 and RFC 9069 section 4.1; any other number is carried. */
export const BmpPeerType = { Global: 0, RouteDistinguisher: 1, Local: 2, LocRib: 3 } as const

/** Peer Flags of RFC 7854 section 4.2, RFC 8671 section 4 and, for Loc-RIB peers, RFC 9069 section 4.2. */
export const BmpPeerFlag = {
  /** V: the peer address is an IPv6 address. */
  Ipv6: 0x80,
  /** L: post-policy. */
  PostPolicy: 0x40,
  /** A: AS_PATH has 2-octet AS numbers. */
  TwoOctetAsPath: 0x20,
  /** O: Adj-RIB-Out. */
  AdjRibOut: 0x10,
  /** F of a Loc-RIB peer: not all of the Loc-RIB is shown. */
  Filtered: 0x80,
} as const

/** Per-Peer Header, RFC 7854 section 4.2. */
export interface BmpPeerHeader {
  readonly peerType: number
  /** See {@link BmpPeerFlag}; unknown bits are carried. */
  readonly flags: number
  /** Peer Distinguisher: 0 for a peer of the global instance. */
  readonly distinguisher: bigint
  /** 4 octets, or 16 when flag V says so, and for a Loc-RIB peer (all zero). After decoding: a view. */
  readonly address: Uint8Array
  readonly asn: number
  readonly bgpIdentifier: number
  /** Microseconds since 1970 UTC; 0 when the router does not know. */
  readonly timestamp: number
}

/** Octets of the Per-Peer Header. */
export const BMP_PEER_HEADER_LENGTH = 42

/** The views of a router that a monitored peer can be one of, RFC 7854, RFC 8671 and RFC 9069. */
export type BmpRib =
  'adj-rib-in-pre-policy' | 'adj-rib-in-post-policy' | 'adj-rib-out-pre-policy' | 'adj-rib-out-post-policy' | 'loc-rib'

/** The RIB that messages with this header are about. */
export function bmpRib({ peerType, flags }: Pick<BmpPeerHeader, 'peerType' | 'flags'>): BmpRib {
  if (peerType === BmpPeerType.LocRib) return 'loc-rib'
  const out = (flags & BmpPeerFlag.AdjRibOut) !== 0
  const post = (flags & BmpPeerFlag.PostPolicy) !== 0
  return `adj-rib-${out ? 'out' : 'in'}-${post ? 'post' : 'pre'}-policy`
}

interface Numbers {
  readonly asn: number
  readonly bgpIdentifier: number
  readonly seconds: number
  readonly microseconds: number
}

const ADDRESS = 10 // octets from the start of the header
const NUMBERS = 26
const ADDRESS_LENGTH = 16
const SECOND = 1_000_000
/** Microseconds that the two fields can hold, in February 2106; nothing stops a router from putting a second and more into the lower one. */
const LATEST = 0xffff_ffff * SECOND + (SECOND - 1)
const numbers = new Parser()
  .endianness('big')
  .uint32('asn')
  .uint32('bgpIdentifier')
  .uint32('seconds')
  .uint32('microseconds')

/** Whether addresses beside this header have 16 octets: flag V, which Loc-RIB peers do not have. */
const isWide = (peerType: number, flags: number): boolean =>
  peerType === BmpPeerType.LocRib || (flags & BmpPeerFlag.Ipv6) !== 0

/** An address field of 16 octets: all of them, or the last 4. */
export const trimAddress = (field: Uint8Array, { peerType, flags }: BmpPeerHeader): Uint8Array =>
  isWide(peerType, flags) ? field : field.subarray(12)

/** @throws {BmpError} cut off */
export function decodePeerHeader(reader: OctetReader): BmpPeerHeader {
  const octets = reader.take(BMP_PEER_HEADER_LENGTH, 'per-peer header')
  const { asn, bgpIdentifier, seconds, microseconds } = numbers.parse(octets.subarray(NUMBERS)) as Numbers
  const peerType = octets[0]!
  const flags = octets[1]!
  const field = octets.subarray(ADDRESS, NUMBERS)
  return {
    peerType,
    flags,
    distinguisher: readUint64(octets, 2),
    address: isWide(peerType, flags) ? field : field.subarray(12),
    asn,
    bgpIdentifier,
    timestamp: Math.min(seconds * SECOND + microseconds, LATEST),
  }
}

/** Writes an address into a field of 16 octets. @throws {RangeError} its length is not what flag V says */
export function encodeAddress(address: Uint8Array, { peerType, flags }: BmpPeerHeader, writer: OctetWriter): void {
  const wide = isWide(peerType, flags)
  if (address.length !== (wide ? ADDRESS_LENGTH : 4)) {
    throw new RangeError(`address of ${address.length} octets where flag V says ${wide ? 'IPv6' : 'IPv4'}`)
  }
  writer.bytes(new Uint8Array(ADDRESS_LENGTH - address.length)).bytes(address)
}

/** @throws {RangeError} a field that does not fit */
export function encodePeerHeader(header: BmpPeerHeader, writer: OctetWriter): void {
  const { peerType, flags, distinguisher, address, asn, bgpIdentifier, timestamp } = header
  writer.uint8(peerType, 'peerType').uint8(flags, 'flags').uint64(distinguisher, 'distinguisher')
  encodeAddress(address, header, writer)
  writer.uint32(asn, 'asn').uint32(bgpIdentifier, 'bgpIdentifier')
  writer.uint32(Math.floor(timestamp / SECOND), 'timestamp').uint32(timestamp % SECOND, 'timestamp')
}
