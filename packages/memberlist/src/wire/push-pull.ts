import { WireError } from './error.js'
import { MessageType } from './message-type.js'
import { type Reader, StructReader, Writer } from './msgpack/index.js'

/** `State` of a node in a push/pull. */
export const NodeStateCode = { Alive: 0, Suspect: 1, Dead: 2, Left: 3 } as const

/** Head of a push/pull: what follows it. */
export interface PushPullHeader {
  readonly nodes: number
  /** Octets of user state behind the nodes. */
  readonly userStateLen: number
  readonly join: boolean
}

/** One node as a push/pull tells it. */
export interface PushNodeState {
  readonly name: string
  readonly addr: Uint8Array | undefined
  readonly port: number
  readonly meta: Uint8Array | undefined
  readonly incarnation: number
  /** See {@link NodeStateCode}; unknown values are carried. */
  readonly state: number
  readonly vsn: Uint8Array | undefined
}

/** All that a node knows, exchanged over a stream. */
export interface PushPull {
  readonly join: boolean
  readonly nodes: readonly PushNodeState[]
  /** What the program above adds; after decoding a view. */
  readonly userState: Uint8Array
}

/**
 * More nodes than this are not read. The reference reads up to 1,048,576, but no ring comes near: each node would have
 * to hold, send and merge them all in one frame of 20 MiB. It is as many as we remember, so more would be in vain.
 */
export const MAX_NODES = 65_536
/** Largest user state and largest user message on a stream, octets. */
export const MAX_USER_OCTETS = 20 * 1024 * 1024

const header = new StructReader<PushPullHeader>(() => ({ nodes: 0, userStateLen: 0, join: false }), {
  Nodes: (r, m) => void (m.nodes = r.int()),
  UserStateLen: (r, m) => void (m.userStateLen = r.int()),
  Join: (r, m) => void (m.join = r.boolean()),
})

const nodeState = new StructReader<PushNodeState>(
  () => ({ name: '', addr: undefined, port: 0, meta: undefined, incarnation: 0, state: 0, vsn: undefined }),
  {
    Name: (r, m) => void (m.name = r.string()),
    Addr: (r, m) => void (m.addr = r.bytes()),
    Port: (r, m) => void (m.port = r.uint(0xffff)),
    Meta: (r, m) => void (m.meta = r.bytes()),
    Incarnation: (r, m) => void (m.incarnation = r.uint(0xffffffff)),
    State: (r, m) => void (m.state = r.int()),
    Vsn: (r, m) => void (m.vsn = r.bytes()),
  },
)

/** Reads the head as it stands, without judging the counts. @throws {WireError} */
export const readPushPullHeader = (reader: Reader): PushPullHeader => header.read(reader)

/** Refuses counts that no honest peer sends. @throws {WireError} `limit` */
export function checkPushPullHeader(h: PushPullHeader): PushPullHeader {
  if (h.nodes < 0 || h.nodes > MAX_NODES) throw new WireError('limit', `push/pull of ${h.nodes} nodes`)
  if (h.userStateLen < 0 || h.userStateLen > MAX_USER_OCTETS) {
    throw new WireError('limit', `user state of ${h.userStateLen} octets`)
  }
  return h
}

/** Reads one node. @throws {WireError} */
export const readPushNodeState = (reader: Reader): PushNodeState => nodeState.read(reader)

/** One node's entry, without a type octet; several are put one after the other behind the head. */
export const encodePushNodeState = (m: PushNodeState): Uint8Array => writePushNodeState(new Writer(128), m).finish()

/** Writes one node's entry. */
export const writePushNodeState = (w: Writer, m: PushNodeState): Writer =>
  w
    .map(7)
    .bytes('Addr', m.addr)
    .uint('Incarnation', m.incarnation)
    .bytes('Meta', m.meta)
    .string('Name', m.name)
    .uint('Port', m.port)
    .int('State', m.state)
    .bytes('Vsn', m.vsn)

/**
 * Type octet, head, entries, and user state.
 *
 * @param count how many entries there are
 * @param entries each by {@link writePushNodeState}, one after the other
 */
export function encodePushPull(join: boolean, count: number, entries: Uint8Array, userState: Uint8Array): Uint8Array {
  const w = new Writer(PUSH_PULL_HEAD + entries.length + userState.length)
  return writePushPullHeader(w, { join, nodes: count, userStateLen: userState.length })
    .raw(entries)
    .raw(userState)
    .finish()
}

/** Octets that suffice for what stands before the entries. */
export const PUSH_PULL_HEAD = 48

/** Writes type octet and head. */
export const writePushPullHeader = (w: Writer, h: PushPullHeader): Writer =>
  w.octet(MessageType.PushPull).map(3).boolean('Join', h.join).int('Nodes', h.nodes).int('UserStateLen', h.userStateLen)
