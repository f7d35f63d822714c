import { MessageType } from './message-type.js'
import { Reader, StructReader, Writer } from './msgpack/index.js'

/** Answers a ping. */
export interface Ack {
  readonly seqNo: number
  /** What the ping delegate adds (serf: network coordinates); `undefined` is nil. After decoding: a view. */
  readonly payload: Uint8Array | undefined
}

const struct = new StructReader<Ack>(() => ({ seqNo: 0, payload: undefined }), {
  SeqNo: (r, m) => void (m.seqNo = r.uint(0xffffffff)),
  Payload: (r, m) => void (m.payload = r.bytes()),
})

/** Reads the body of an ack. @throws {WireError} */
export const readAck = (reader: Reader): Ack => struct.read(reader)

/** @param message type octet and body @throws {WireError} */
export const decodeAck = (message: Uint8Array): Ack => readAck(new Reader(message, 1))

/** Type octet and body. */
export const encodeAck = (m: Ack): Uint8Array =>
  new Writer().octet(MessageType.Ack).map(2).bytes('Payload', m.payload).uint('SeqNo', m.seqNo).finish()
