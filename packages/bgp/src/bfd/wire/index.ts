/**
 * Packets of BFD, RFC 5880 section 4: plain functions on octets.
 *
 * @packageDocumentation
 */
export {
  AUTHENTICATION_TYPES,
  DIGEST_OFFSET,
  digestAlgorithm,
  digestLength,
  type AuthenticationSection,
  type AuthenticationType,
  type DigestAlgorithm,
  type DigestAuthenticationType,
  type DigestSection,
  type SimplePasswordSection,
  type UnknownAuthenticationSection,
} from './authentication.js'
export {
  checkControlPacket,
  CONTROL_PACKET_LENGTH,
  controlPacketLength,
  decodeControlPacket,
  encodeControlPacket,
  readMyDiscriminator,
  readYourDiscriminator,
  type ControlPacket,
  type Microseconds,
} from './control-packet.js'
export { Diagnostic, diagnosticName } from './diagnostic.js'
export { decodeEchoPacket, ECHO_PACKET_LENGTH, encodeEchoPacket, type EchoPacket } from './echo-packet.js'
export { BfdWireError, WIRE_DISCARD_REASONS, type WireDiscardReason } from './error.js'
export { STATES, type State } from './state.js'
