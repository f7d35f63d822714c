import type { OctetReader } from '../../octet-reader.js'
import type { OctetWriter } from '../../octet-writer.js'
import { Afi } from '../../wire/family.js'
import type { MrtTime } from './header.js'

/** Between whom, RFC 6396 section 4.4. Octet fields are views after decoding. */
export interface MrtSession {
  readonly peerAsn: number
  readonly localAsn: number
  readonly interfaceIndex: number
  /** 4 or 16 octets. */
  readonly peerAddress: Uint8Array
  /** As many octets as the peer's. */
  readonly localAddress: Uint8Array
  /** The AS numbers above have 4 octets, and so have those in the message's AS_PATH. */
  readonly fourOctetAs: boolean
}

/** A BGP message: the MESSAGE subtypes of RFC 6396 section 4.4 and RFC 8050 section 3. */
export interface MrtBgpMessage extends MrtTime, MrtSession {
  readonly type: 'bgp4mp-message'
  /** The recording side sent it (subtypes with LOCAL); else its peer did. */
  readonly local: boolean
  /** Its NLRI have Path Identifiers, RFC 8050 section 3. */
  readonly addPath: boolean
  /** The whole BGP message; `decodeMessage` of `@typemetal/bgp/wire` reads it. */
  readonly message: Uint8Array
}

/** A change of an FSM's state, RFC 6396 section 4.4.1. */
export interface MrtStateChange extends MrtTime, MrtSession {
  readonly type: 'bgp4mp-state-change'
  /** 1 Idle, 2 Connect, 3 Active, 4 OpenSent, 5 OpenConfirm, 6 Established; see {@link MRT_STATES}. */
  readonly oldState: number
  readonly newState: number
}

/** Names of the states in a {@link MrtStateChange}; the place is the number. */
export const MRT_STATES = [undefined, 'Idle', 'Connect', 'Active', 'OpenSent', 'OpenConfirm', 'Established'] as const

interface MessageKind {
  readonly fourOctetAs: boolean
  readonly local: boolean
  readonly addPath: boolean
}

/** Subtypes with a message, in the order of RFC 6396 section 4.4 and RFC 8050 section 6. */
const MESSAGES: { readonly [subtype: number]: MessageKind } = {
  1: { fourOctetAs: false, local: false, addPath: false },
  4: { fourOctetAs: true, local: false, addPath: false },
  6: { fourOctetAs: false, local: true, addPath: false },
  7: { fourOctetAs: true, local: true, addPath: false },
  8: { fourOctetAs: false, local: false, addPath: true },
  9: { fourOctetAs: true, local: false, addPath: true },
  10: { fourOctetAs: false, local: true, addPath: true },
  11: { fourOctetAs: true, local: true, addPath: true },
}
const STATE_CHANGE = 0
const STATE_CHANGE_AS4 = 5

function decodeSession(reader: OctetReader, fourOctetAs: boolean): MrtSession | undefined {
  const asn = (name: string): number => (fourOctetAs ? reader.uint32(name) : reader.uint16(name))
  const peerAsn = asn('peer AS')
  const localAsn = asn('local AS')
  const interfaceIndex = reader.uint16('interface index')
  const afi = reader.uint16('AFI')
  if (afi !== Afi.IPv4 && afi !== Afi.IPv6) return undefined
  const length = afi === Afi.IPv4 ? 4 : 16
  const peerAddress = reader.take(length, 'peer address')
  const localAddress = reader.take(length, 'local address')
  return { peerAsn, localAsn, interfaceIndex, peerAddress, localAddress, fourOctetAs }
}

/**
 * @param reader behind the header and the microseconds
 * @returns `undefined` for a subtype or an address family that is not known here
 * @throws {MrtError} cut off, or octets behind a state change
 */
export function decodeBgp4mp(
  time: MrtTime,
  subtype: number,
  reader: OctetReader,
): MrtBgpMessage | MrtStateChange | undefined {
  const kind = MESSAGES[subtype]
  if (kind) {
    const session = decodeSession(reader, kind.fourOctetAs)
    return session && { type: 'bgp4mp-message', ...time, ...session, ...kind, message: reader.rest() }
  }
  if (subtype !== STATE_CHANGE && subtype !== STATE_CHANGE_AS4) return undefined
  const session = decodeSession(reader, subtype === STATE_CHANGE_AS4)
  if (!session) return undefined
  const oldState = reader.uint16('old state')
  const newState = reader.uint16('new state')
  reader.end('the state change')
  return { type: 'bgp4mp-state-change', ...time, ...session, oldState, newState }
}

/** Subtype of a BGP4MP record. */
export function bgp4mpSubtype(record: MrtBgpMessage | MrtStateChange): number {
  if (record.type === 'bgp4mp-state-change') return record.fourOctetAs ? STATE_CHANGE_AS4 : STATE_CHANGE
  const { fourOctetAs, local, addPath } = record
  if (addPath) return 8 + Number(fourOctetAs) + 2 * Number(local)
  if (local) return fourOctetAs ? 7 : 6
  return fourOctetAs ? 4 : 1
}

function encodeSession(session: MrtSession, writer: OctetWriter): void {
  const { peerAsn, localAsn, interfaceIndex, peerAddress, localAddress, fourOctetAs } = session
  if (peerAddress.length !== localAddress.length || (peerAddress.length !== 4 && peerAddress.length !== 16)) {
    throw new RangeError(`addresses of ${peerAddress.length} and ${localAddress.length} octets`)
  }
  if (fourOctetAs) writer.uint32(peerAsn, 'peerAsn').uint32(localAsn, 'localAsn')
  else writer.uint16(peerAsn, 'peerAsn').uint16(localAsn, 'localAsn')
  writer.uint16(interfaceIndex, 'interfaceIndex')
  writer.uint16(peerAddress.length === 4 ? Afi.IPv4 : Afi.IPv6, 'AFI')
  writer.bytes(peerAddress).bytes(localAddress)
}

/** @throws {RangeError} a field that does not fit */
export function encodeBgp4mp(record: MrtBgpMessage | MrtStateChange, writer: OctetWriter): void {
  encodeSession(record, writer)
  if (record.type === 'bgp4mp-message') writer.bytes(record.message)
  else writer.uint16(record.oldState, 'oldState').uint16(record.newState, 'newState')
}
