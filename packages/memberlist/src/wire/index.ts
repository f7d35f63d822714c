/**
 * Octets and values of the memberlist protocol, without I/O: imports nothing of Node.js.
 *
 * @packageDocumentation
 */
export { type Ack, decodeAck, encodeAck } from './ack.js'
export { type Alive, decodeAlive, encodeAlive } from './alive.js'
export {
  type Compound,
  COMPOUND_OVERHEAD,
  decodeCompound,
  encodeCompound,
  MAX_PARTS,
  PART_OVERHEAD,
} from './compound.js'
export { type Compress, decodeCompress, encodeCompress } from './compress.js'
export { crc32, CRC_LENGTH, decodeCrc, encodeCrc } from './crc.js'
export { type Dead, decodeDead, encodeDead } from './dead.js'
export {
  type Aead,
  encodeFrameHead,
  ENCRYPTION_OVERHEAD,
  type EncryptionVersion,
  FRAME_HEAD,
  MAX_FRAME,
  openPayload,
  sealedLength,
  type SealOptions,
  sealPayload,
} from './encrypt.js'
export { WireError, type WireFault } from './error.js'
export { decodeErrorResponse, encodeErrorResponse, type ErrorResponse } from './error-response.js'
export { decodeIndirectPing, encodeIndirectPing, type IndirectPing } from './indirect-ping.js'
export { encodeLabelHeader, labelHeaderLength, labelOverhead, MAX_LABEL, sameOctets, stripLabel } from './label.js'
export { lzwDecode, lzwEncode } from './lzw.js'
export { MessageType } from './message-type.js'
export { decodeText, encodeText, Reader, Writer } from './msgpack/index.js'
export { decodeNack, encodeNack, type Nack } from './nack.js'
export { decodeMessage, decodePacket, MAX_MESSAGES, type Message, type Packet, type PacketLimits } from './packet.js'
export { decodePing, encodePing, type Ping } from './ping.js'
export {
  encodePushNodeState,
  encodePushPull,
  MAX_NODES,
  NodeStateCode,
  PUSH_PULL_HEAD,
  type PushNodeState,
  type PushPull,
  type PushPullHeader,
  readPushNodeState,
  readPushPullHeader,
  writePushNodeState,
  writePushPullHeader,
} from './push-pull.js'
export { type StreamMessage, StreamReader, type StreamReaderOptions } from './stream.js'
export { decodeSuspect, encodeSuspect, type Suspect } from './suspect.js'
export { decodeUserMessage, encodeUserMessage, encodeUserStream } from './user.js'
export { decodeVersions, encodeVersions, NO_VERSIONS, ProtocolVersion, sameVersions, type Versions } from './vsn.js'
