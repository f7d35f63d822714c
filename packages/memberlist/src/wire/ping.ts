import { MessageType } from './message-type.js'
import { Reader, StructReader, Writer } from './msgpack/index.js'

/** Asks a node whether it lives. Who sends one tells its own address, in a datagram and on a stream; it need not. */
export interface Ping {
  readonly seqNo: number
  /** Whom it is for; another node that gets it stays silent. */
  readonly node: string
  /** 4 or 16 octets; where the ack goes if a port is given too. Left out of the message when empty. */
  readonly sourceAddr: Uint8Array | undefined
  /** Left out of the message when 0. */
  readonly sourcePort: number
  /** Left out of the message when empty. */
  readonly sourceNode: string
}

const struct = new StructReader<Ping>(
  () => ({ seqNo: 0, node: '', sourceAddr: undefined, sourcePort: 0, sourceNode: '' }),
  {
    SeqNo: (r, m) => void (m.seqNo = r.uint(0xffffffff)),
    Node: (r, m) => void (m.node = r.string()),
    SourceAddr: (r, m) => void (m.sourceAddr = r.bytes()),
    SourcePort: (r, m) => void (m.sourcePort = r.uint(0xffff)),
    SourceNode: (r, m) => void (m.sourceNode = r.string()),
  },
)

/** Reads the body of a ping. @throws {WireError} */
export const readPing = (reader: Reader): Ping => struct.read(reader)

/** @param message type octet and body @throws {WireError} */
export const decodePing = (message: Uint8Array): Ping => readPing(new Reader(message, 1))

/** Type octet and body. */
export function encodePing(m: Ping): Uint8Array {
  const count = 2 + Number(hasOctets(m.sourceAddr)) + Number(m.sourceNode !== '') + Number(m.sourcePort !== 0)
  const w = new Writer().octet(MessageType.Ping).map(count).string('Node', m.node).uint('SeqNo', m.seqNo)
  return writeSource(w, m).finish()
}

/** The three optional fields that ping and indirect ping share, which stand last in both. */
export function writeSource(w: Writer, m: Pick<Ping, 'sourceAddr' | 'sourcePort' | 'sourceNode'>): Writer {
  if (hasOctets(m.sourceAddr)) w.bytes('SourceAddr', m.sourceAddr)
  if (m.sourceNode !== '') w.string('SourceNode', m.sourceNode)
  if (m.sourcePort !== 0) w.uint('SourcePort', m.sourcePort)
  return w
}

/** Whether an octet string that is left out when empty is there. */
export const hasOctets = (octets: Uint8Array | undefined): boolean => octets !== undefined && octets.length > 0
