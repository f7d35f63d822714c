import { MessageType } from './message-type.js'
import { Reader, StructReader, Writer } from './msgpack/index.js'

/** A helper's word that it got the indirect ping but no answer from the target. */
export interface Nack {
  readonly seqNo: number
}

const struct = new StructReader<Nack>(() => ({ seqNo: 0 }), {
  SeqNo: (r, m) => void (m.seqNo = r.uint(0xffffffff)),
})

/** @param message type octet and body @throws {WireError} */
export const decodeNack = (message: Uint8Array): Nack => struct.read(new Reader(message, 1))

/** Type octet and body. */
export const encodeNack = (m: Nack): Uint8Array =>
  new Writer(16).octet(MessageType.Nack).map(1).uint('SeqNo', m.seqNo).finish()
