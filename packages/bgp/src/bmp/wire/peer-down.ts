import type { OctetReader } from '../../octet-reader.js'
import type { OctetWriter } from '../../octet-writer.js'
import { MessageType } from '../../wire/header.js'
import { decodeTlvs, encodeTlvs, type BmpTlv } from './information.js'
import { checkPdu, takePdu } from './pdu.js'
import type { BmpPeerHeader } from './peer-header.js'

/** Why a session ended: the reasons of RFC 7854 section 4.9 and RFC 9069 section 5.3. Octet fields are views after decoding. */
export type BmpPeerDownReason =
  /** 1: the router sent this NOTIFICATION (a whole message). */
  | { readonly type: 'local-notification'; readonly notification: Uint8Array }
  /** 2: the router closed without one; the number of the FSM event of RFC 4271 section 8.1, 0 when there was none. */
  | { readonly type: 'local-event'; readonly event: number }
  /** 3: the peer sent this NOTIFICATION (a whole message). */
  | { readonly type: 'remote-notification'; readonly notification: Uint8Array }
  /** 4: the peer closed without one. */
  | { readonly type: 'remote-closed' }
  /** 5: the router will not tell of this peer any more; the session may stand. */
  | { readonly type: 'de-configured' }
  /** 6: a Loc-RIB is gone; its name in the VRF/Table Name TLV. */
  | { readonly type: 'loc-rib-closed'; readonly information: readonly BmpTlv[] }
  | { readonly type: 'unknown'; readonly code: number; readonly data: Uint8Array }

/** Peer Down Notification, RFC 7854 section 4.9. */
export interface BmpPeerDown {
  readonly type: 'peer-down'
  readonly peer: BmpPeerHeader
  readonly reason: BmpPeerDownReason
}

const CODES = {
  'local-notification': 1,
  'local-event': 2,
  'remote-notification': 3,
  'remote-closed': 4,
  'de-configured': 5,
  'loc-rib-closed': 6,
} as const satisfies { readonly [T in Exclude<BmpPeerDownReason['type'], 'unknown'>]: number }

const notification = (reader: OctetReader): Uint8Array => takePdu(reader, MessageType.Notification, 'NOTIFICATION')

function decodeReason(reader: OctetReader): BmpPeerDownReason {
  const code = reader.uint8('reason')
  switch (code) {
    case CODES['local-notification']:
      return { type: 'local-notification', notification: notification(reader) }
    case CODES['local-event']:
      return { type: 'local-event', event: reader.uint16('FSM event') }
    case CODES['remote-notification']:
      return { type: 'remote-notification', notification: notification(reader) }
    case CODES['remote-closed']:
      return { type: 'remote-closed' }
    case CODES['de-configured']:
      return { type: 'de-configured' }
    case CODES['loc-rib-closed']:
      return { type: 'loc-rib-closed', information: decodeTlvs(reader) }
    default:
      return { type: 'unknown', code, data: reader.rest() }
  }
}

/** @throws {BmpError} cut off, octets behind the end, or no NOTIFICATION where one must be */
export function decodePeerDown(peer: BmpPeerHeader, reader: OctetReader): BmpPeerDown {
  const reason = decodeReason(reader)
  reader.end('the reason')
  return { type: 'peer-down', peer, reason }
}

/** @throws {RangeError} a field that does not fit */
export function encodePeerDown({ reason }: BmpPeerDown, writer: OctetWriter): void {
  writer.uint8(reason.type === 'unknown' ? reason.code : CODES[reason.type], 'reason')
  switch (reason.type) {
    case 'local-notification':
    case 'remote-notification':
      writer.bytes(checkPdu(reason.notification, MessageType.Notification, 'notification'))
      break
    case 'local-event':
      writer.uint16(reason.event, 'event')
      break
    case 'loc-rib-closed':
      encodeTlvs(reason.information, writer)
      break
    case 'unknown':
      writer.bytes(reason.data)
      break
    case 'remote-closed':
    case 'de-configured':
      break
    default:
      reason satisfies never
  }
}
