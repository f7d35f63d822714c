import { HEADER_LENGTH, MessageType, startMessage } from './header.js'

/** KEEPALIVE message, RFC 4271 section 4.4: a header and nothing else. */
export interface KeepaliveMessage {
  readonly type: 'keepalive'
}

/** @throws {RangeError} caller's fault: `into` too small */
export const encodeKeepalive = (into?: Uint8Array): Uint8Array =>
  startMessage(into, HEADER_LENGTH, MessageType.Keepalive)
