import { MessageType } from './message-type.js'
import { Reader } from './msgpack/index.js'
import { accusation, encodeAccusation, type Suspect } from './suspect.js'

/** Says that a node is dead, or, when `from` is the node itself, that it leaves. */
export type Dead = Suspect

/** @param message type octet and body @throws {WireError} */
export const decodeDead = (message: Uint8Array): Dead => accusation.read(new Reader(message, 1))

/** Type octet and body. */
export const encodeDead = (m: Dead): Uint8Array => encodeAccusation(MessageType.Dead, m)
