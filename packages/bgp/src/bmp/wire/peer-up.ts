import type { OctetReader } from '../../octet-reader.js'
import type { OctetWriter } from '../../octet-writer.js'
import { MessageType } from '../../wire/header.js'
import { decodeTlvs, encodeTlvs, type BmpTlv } from './information.js'
import { checkPdu, takePdu } from './pdu.js'
import { encodeAddress, trimAddress, type BmpPeerHeader } from './peer-header.js'

/** Peer Up Notification, RFC 7854 section 4.10. Octet fields are views after decoding. */
export interface BmpPeerUp {
  readonly type: 'peer-up'
  readonly peer: BmpPeerHeader
  /** The router's own, as many octets as the peer's. */
  readonly localAddress: Uint8Array
  readonly localPort: number
  readonly remotePort: number
  /** The whole OPEN message that the router sent; `decodeMessage` of `@typemetal/bgp/wire` reads it. */
  readonly sentOpen: Uint8Array
  /** The whole OPEN message that the peer sent. */
  readonly receivedOpen: Uint8Array
  /** Information TLVs: texts, the VRF/Table Name of RFC 9069, the Admin Label of RFC 8671. */
  readonly information: readonly BmpTlv[]
}

/** @throws {BmpError} cut off, or no OPEN where one must be */
export function decodePeerUp(peer: BmpPeerHeader, reader: OctetReader): BmpPeerUp {
  return {
    type: 'peer-up',
    peer,
    localAddress: trimAddress(reader.take(16, 'local address'), peer),
    localPort: reader.uint16('local port'),
    remotePort: reader.uint16('remote port'),
    sentOpen: takePdu(reader, MessageType.Open, 'sent OPEN'),
    receivedOpen: takePdu(reader, MessageType.Open, 'received OPEN'),
    information: decodeTlvs(reader),
  }
}

/** @throws {RangeError} a field that does not fit */
export function encodePeerUp(message: BmpPeerUp, writer: OctetWriter): void {
  encodeAddress(message.localAddress, message.peer, writer)
  writer.uint16(message.localPort, 'localPort').uint16(message.remotePort, 'remotePort')
  writer.bytes(checkPdu(message.sentOpen, MessageType.Open, 'sentOpen'))
  writer.bytes(checkPdu(message.receivedOpen, MessageType.Open, 'receivedOpen'))
  encodeTlvs(message.information, writer)
}
