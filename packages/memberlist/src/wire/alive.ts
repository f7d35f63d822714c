import { MessageType } from './message-type.js'
import { Reader, StructReader, Writer } from './msgpack/index.js'

/** Says that a node lives, where, and in which incarnation. */
export interface Alive {
  readonly incarnation: number
  readonly node: string
  /** 4 or 16 octets. */
  readonly addr: Uint8Array | undefined
  readonly port: number
  /** What the program above tells about itself; `undefined` is nil. */
  readonly meta: Uint8Array | undefined
  /** See {@link Versions}. Never send another length than 6: older peers crash on 1 to 5. */
  readonly vsn: Uint8Array | undefined
}

const struct = new StructReader<Alive>(
  () => ({ incarnation: 0, node: '', addr: undefined, port: 0, meta: undefined, vsn: undefined }),
  {
    Incarnation: (r, m) => void (m.incarnation = r.uint(0xffffffff)),
    Node: (r, m) => void (m.node = r.string()),
    Addr: (r, m) => void (m.addr = r.bytes()),
    Port: (r, m) => void (m.port = r.uint(0xffff)),
    Meta: (r, m) => void (m.meta = r.bytes()),
    Vsn: (r, m) => void (m.vsn = r.bytes()),
  },
)

/** @param message type octet and body @throws {WireError} */
export const decodeAlive = (message: Uint8Array): Alive => struct.read(new Reader(message, 1))

/** Type octet and body. */
export const encodeAlive = (m: Alive): Uint8Array =>
  new Writer()
    .octet(MessageType.Alive)
    .map(6)
    .bytes('Addr', m.addr)
    .uint('Incarnation', m.incarnation)
    .bytes('Meta', m.meta)
    .string('Node', m.node)
    .uint('Port', m.port)
    .bytes('Vsn', m.vsn)
    .finish()
