import { MessageType } from './message-type.js'
import { Reader, StructReader, Writer } from './msgpack/index.js'
import { hasOctets, writeSource } from './ping.js'

/** Asks a helper to ping a node and to relay the ack. */
export interface IndirectPing {
  /** Sequence number of the asker, which the relayed ack or nack carries. */
  readonly seqNo: number
  /** Address of the node to ping, 4 or 16 octets. */
  readonly target: Uint8Array | undefined
  readonly port: number
  readonly node: string
  /** Whether the helper shall answer with a nack when the target is silent. */
  readonly nack: boolean
  readonly sourceAddr: Uint8Array | undefined
  readonly sourcePort: number
  readonly sourceNode: string
}

const struct = new StructReader<IndirectPing>(
  () => ({
    seqNo: 0,
    target: undefined,
    port: 0,
    node: '',
    nack: false,
    sourceAddr: undefined,
    sourcePort: 0,
    sourceNode: '',
  }),
  {
    SeqNo: (r, m) => void (m.seqNo = r.uint(0xffffffff)),
    Target: (r, m) => void (m.target = r.bytes()),
    Port: (r, m) => void (m.port = r.uint(0xffff)),
    Node: (r, m) => void (m.node = r.string()),
    Nack: (r, m) => void (m.nack = r.boolean()),
    SourceAddr: (r, m) => void (m.sourceAddr = r.bytes()),
    SourcePort: (r, m) => void (m.sourcePort = r.uint(0xffff)),
    SourceNode: (r, m) => void (m.sourceNode = r.string()),
  },
)

/** @param message type octet and body @throws {WireError} */
export const decodeIndirectPing = (message: Uint8Array): IndirectPing => struct.read(new Reader(message, 1))

/** Type octet and body. */
export function encodeIndirectPing(m: IndirectPing): Uint8Array {
  const optional = Number(hasOctets(m.sourceAddr)) + Number(m.sourceNode !== '') + Number(m.sourcePort !== 0)
  const w = new Writer(160).octet(MessageType.IndirectPing).map(5 + optional)
  w.boolean('Nack', m.nack).string('Node', m.node).uint('Port', m.port).uint('SeqNo', m.seqNo)
  // The source fields sort before Target.
  return writeSource(w, m).bytes('Target', m.target).finish()
}
