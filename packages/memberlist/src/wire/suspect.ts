import { MessageType } from './message-type.js'
import { Reader, StructReader, Writer } from './msgpack/index.js'

/** Says that a node did not answer, and who says so. */
export interface Suspect {
  readonly incarnation: number
  readonly node: string
  readonly from: string
}

/** Suspect and dead are the same struct under different types. */
export const accusation = new StructReader<Suspect>(() => ({ incarnation: 0, node: '', from: '' }), {
  Incarnation: (r, m) => void (m.incarnation = r.uint(0xffffffff)),
  Node: (r, m) => void (m.node = r.string()),
  From: (r, m) => void (m.from = r.string()),
})

/** @param message type octet and body @throws {WireError} */
export const decodeSuspect = (message: Uint8Array): Suspect => accusation.read(new Reader(message, 1))

/** Type octet and body. */
export const encodeSuspect = (m: Suspect): Uint8Array => encodeAccusation(MessageType.Suspect, m)

/** Type octet and body of a suspect or a dead message. */
export const encodeAccusation = (type: typeof MessageType.Suspect | typeof MessageType.Dead, m: Suspect): Uint8Array =>
  new Writer()
    .octet(type)
    .map(3)
    .string('From', m.from)
    .uint('Incarnation', m.incarnation)
    .string('Node', m.node)
    .finish()
