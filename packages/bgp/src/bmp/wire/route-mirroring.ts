import type { OctetReader } from '../../octet-reader.js'
import type { OctetWriter } from '../../octet-writer.js'
import { readUint16, writeUint16 } from '../../wire/octets.js'
import { decodeTlvs, encodeTlvs, type BmpTlv } from './information.js'
import type { BmpPeerHeader } from './peer-header.js'

/** Information codes of Route Mirroring, RFC 7854 section 4.7; any other number is carried. */
export const BmpMirroringInformation = { ErroredPdu: 0, MessagesLost: 1 } as const

/** One TLV of a Route Mirroring message. Octet fields are views after decoding. */
export type BmpMirrored =
  /** 0: a BGP message as it came from the peer, which may well be malformed. */
  | { readonly type: 'bgp-message'; readonly message: Uint8Array }
  /** 1: something about what is mirrored, see {@link BmpMirroringInformation}. */
  | { readonly type: 'information'; readonly information: number }
  | { readonly type: 'unknown'; readonly code: number; readonly value: Uint8Array }

/** Route Mirroring message, RFC 7854 section 4.7. */
export interface BmpRouteMirroring {
  readonly type: 'route-mirroring'
  readonly peer: BmpPeerHeader
  readonly mirrored: readonly BmpMirrored[]
}

const BGP_MESSAGE = 0
const INFORMATION = 1

function fromTlv({ code, value }: BmpTlv): BmpMirrored {
  if (code === BGP_MESSAGE) return { type: 'bgp-message', message: value }
  if (code === INFORMATION && value.length === 2) return { type: 'information', information: readUint16(value, 0) }
  return { type: 'unknown', code, value }
}

function toTlv(mirrored: BmpMirrored): BmpTlv {
  switch (mirrored.type) {
    case 'bgp-message':
      return { code: BGP_MESSAGE, value: mirrored.message }
    case 'information': {
      const value = new Uint8Array(2)
      writeUint16(value, 0, mirrored.information)
      return { code: INFORMATION, value }
    }
    case 'unknown':
      return mirrored
    default:
      return mirrored satisfies never
  }
}

/** @throws {BmpError} a TLV is cut off */
export const decodeRouteMirroring = (peer: BmpPeerHeader, reader: OctetReader): BmpRouteMirroring => ({
  type: 'route-mirroring',
  peer,
  mirrored: decodeTlvs(reader).map(fromTlv),
})

/** @throws {RangeError} a message above 65,535 octets */
export const encodeRouteMirroring = ({ mirrored }: BmpRouteMirroring, writer: OctetWriter): void =>
  encodeTlvs(mirrored.map(toTlv), writer)
