import { OctetReader } from '../../octet-reader.js'
import { OctetWriter } from '../../octet-writer.js'
import { MessageType } from '../../wire/header.js'
import { readUint16 } from '../../wire/octets.js'
import { BmpError, bmpError } from './error.js'
import { BMP_HEADER_LENGTH, BMP_VERSION, BmpMessageType, decodeBmpHeader } from './header.js'
import { BmpTerminationType, decodeTlvs, encodeTlvs, type BmpTlv } from './information.js'
import { checkPdu, takePdu } from './pdu.js'
import { decodePeerDown, encodePeerDown, type BmpPeerDown } from './peer-down.js'
import { decodePeerHeader, encodePeerHeader, type BmpPeerHeader } from './peer-header.js'
import { decodePeerUp, encodePeerUp, type BmpPeerUp } from './peer-up.js'
import { decodeRouteMirroring, encodeRouteMirroring, type BmpRouteMirroring } from './route-mirroring.js'
import { decodeStatistics, encodeStatistics, type BmpStatisticsReport } from './statistics-report.js'

/** Route Monitoring message, RFC 7854 section 4.6. */
export interface BmpRouteMonitoring {
  readonly type: 'route-monitoring'
  readonly peer: BmpPeerHeader
  /** A whole UPDATE message; `decodeMessage` of `@typemetal/bgp/wire` reads it. A view after decoding. */
  readonly update: Uint8Array
}

/** Initiation message, RFC 7854 section 4.3: the first on a connection. */
export interface BmpInitiation {
  readonly type: 'initiation'
  /** sysDescr and sysName at least. */
  readonly information: readonly BmpTlv[]
}

/** Termination message, RFC 7854 section 4.5: the last on a connection. */
export interface BmpTermination {
  readonly type: 'termination'
  /** See `BmpTerminationType`; {@link terminationReason} reads the reason. */
  readonly information: readonly BmpTlv[]
}

/** A message of a type that RFC 7854 does not define; carried, for a station ignores it. */
export interface BmpUnknownMessage {
  readonly type: 'unknown'
  readonly messageType: number
  /** What follows the common header. A view after decoding. */
  readonly body: Uint8Array
}

/** Any BMP message. */
export type BmpMessage =
  | BmpRouteMonitoring
  | BmpStatisticsReport
  | BmpPeerDown
  | BmpPeerUp
  | BmpInitiation
  | BmpTermination
  | BmpRouteMirroring
  | BmpUnknownMessage

/** The reason of a Termination message, RFC 7854 section 4.5; `undefined` when it has none. */
export function terminationReason({ information }: BmpTermination): number | undefined {
  const tlv = information.find(({ code, value }) => code === BmpTerminationType.Reason && value.length === 2)
  return tlv && readUint16(tlv.value, 0)
}

function decodeRouteMonitoring(peer: BmpPeerHeader, reader: OctetReader): BmpRouteMonitoring {
  const update = takePdu(reader, MessageType.Update, 'UPDATE')
  reader.end('the UPDATE')
  return { type: 'route-monitoring', peer, update }
}

function decodeBody(messageType: number, reader: OctetReader): BmpMessage {
  switch (messageType) {
    case BmpMessageType.RouteMonitoring:
      return decodeRouteMonitoring(decodePeerHeader(reader), reader)
    case BmpMessageType.StatisticsReport: {
      const peer = decodePeerHeader(reader)
      return { type: 'statistics-report', peer, statistics: decodeStatistics(reader) }
    }
    case BmpMessageType.PeerDown:
      return decodePeerDown(decodePeerHeader(reader), reader)
    case BmpMessageType.PeerUp:
      return decodePeerUp(decodePeerHeader(reader), reader)
    case BmpMessageType.Initiation:
      return { type: 'initiation', information: decodeTlvs(reader) }
    case BmpMessageType.Termination:
      return { type: 'termination', information: decodeTlvs(reader) }
    case BmpMessageType.RouteMirroring:
      return decodeRouteMirroring(decodePeerHeader(reader), reader)
    default:
      return { type: 'unknown', messageType, body: reader.rest() }
  }
}

/**
 * Reads one whole BMP message, common header included. {@link encodeBmpMessage} is its inverse.
 *
 * @param octets one message, no more and no less
 * @returns a value whose octet fields are views into `octets`
 * @throws {BmpError} the octets break RFC 7854
 */
export function decodeBmpMessage(octets: Uint8Array): BmpMessage {
  const { length, messageType } = decodeBmpHeader(octets)
  if (length !== octets.length) throw new BmpError(`message length ${length}, not ${octets.length}`, 1)
  return decodeBody(messageType, new OctetReader(octets, BMP_HEADER_LENGTH, bmpError))
}

const TYPES = {
  'route-monitoring': BmpMessageType.RouteMonitoring,
  'statistics-report': BmpMessageType.StatisticsReport,
  'peer-down': BmpMessageType.PeerDown,
  'peer-up': BmpMessageType.PeerUp,
  initiation: BmpMessageType.Initiation,
  termination: BmpMessageType.Termination,
  'route-mirroring': BmpMessageType.RouteMirroring,
} as const satisfies { readonly [T in Exclude<BmpMessage['type'], 'unknown'>]: number }

function encodeBody(message: BmpMessage, writer: OctetWriter): void {
  if ('peer' in message) encodePeerHeader(message.peer, writer)
  switch (message.type) {
    case 'route-monitoring':
      writer.bytes(checkPdu(message.update, MessageType.Update, 'update'))
      break
    case 'statistics-report':
      encodeStatistics(message.statistics, writer)
      break
    case 'peer-down':
      encodePeerDown(message, writer)
      break
    case 'peer-up':
      encodePeerUp(message, writer)
      break
    case 'initiation':
    case 'termination':
      encodeTlvs(message.information, writer)
      break
    case 'route-mirroring':
      encodeRouteMirroring(message, writer)
      break
    case 'unknown':
      writer.bytes(message.body)
      break
    default:
      message satisfies never
  }
}

/**
 * Writes a BMP message, common header included. {@link decodeBmpMessage} is its inverse.
 *
 * @throws {RangeError} caller's fault: a value that its field cannot hold, or octets that are not the BGP message they should be
 */
export function encodeBmpMessage(message: BmpMessage): Uint8Array {
  const writer = new OctetWriter()
  writer.uint8(BMP_VERSION, 'version').uint32(0, 'length')
  writer.uint8(message.type === 'unknown' ? message.messageType : TYPES[message.type], 'messageType')
  encodeBody(message, writer)
  writer.patchUint32(1, writer.length)
  return writer.octets
}
