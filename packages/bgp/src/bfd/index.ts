/**
 * Bidirectional Forwarding Detection: RFC 5880, single hop (RFC 5881) and multihop (RFC 5883), in a worker thread.
 *
 * ```ts
 * import { Bfd } from '@typemetal/bgp/bfd'
 *
 * await using bfd = await Bfd.start()
 * const session = bfd.session({ address: '192.0.2.1', transmitInterval: 50, receiveInterval: 50 })
 * session.on('state', (to, from, { cause }) => console.log(`${session.address} is ${to}, was ${from}: ${cause}`))
 * ```
 *
 * @packageDocumentation
 */
export {
  checkSessionOptions,
  Session,
  SESSION_DEFAULTS,
  SESSION_DISCARD_REASONS,
  type Action,
  type AuthenticationOptions,
  type CheckedAuthenticationOptions,
  type CheckedSessionOptions,
  type DiscardAction,
  type Milliseconds,
  type RemoteStateAction,
  type SendAction,
  type SendEchoAction,
  type SessionContext,
  type SessionDiscardReason,
  type SessionOptions,
  type SessionSnapshot,
  type StateAction,
} from './fsm/index.js'
export {
  AUTHENTICATION_TYPES,
  BfdWireError,
  checkControlPacket,
  CONTROL_PACKET_LENGTH,
  controlPacketLength,
  decodeControlPacket,
  decodeEchoPacket,
  Diagnostic,
  diagnosticName,
  DIGEST_OFFSET,
  digestAlgorithm,
  digestLength,
  ECHO_PACKET_LENGTH,
  encodeControlPacket,
  encodeEchoPacket,
  readMyDiscriminator,
  readYourDiscriminator,
  STATES,
  WIRE_DISCARD_REASONS,
  type AuthenticationSection,
  type AuthenticationType,
  type ControlPacket,
  type DigestAlgorithm,
  type DigestAuthenticationType,
  type DigestSection,
  type EchoPacket,
  type Microseconds,
  type SimplePasswordSection,
  type State,
  type UnknownAuthenticationSection,
  type WireDiscardReason,
} from './wire/index.js'
export { Bfd, type BfdEvents, type BfdOptions, type BfdSessionOptions } from './node/bfd.js'
export { BfdSession, type BfdSessionEvents, type BfdSnapshot } from './node/bfd-session.js'
export { type Counter, type SessionCounters } from './node/cells.js'
export { type DiscardReason, type Discards } from './node/discards.js'
export { type Endpoint, type SessionEndpoint } from './node/endpoint.js'
export { BfdError } from './node/error.js'
export { LEAST_INTERVAL, STEADY_INTERVAL } from './node/holders.js'
export { type StateDetails } from './node/messages.js'
export { type Spread } from './node/spread.js'
export { type BfdCounters } from './node/totals.js'
