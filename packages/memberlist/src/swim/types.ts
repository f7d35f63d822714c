import type { StreamMessage, Versions } from '../wire/index.js'

/** A span of time. */
export type Milliseconds = number
/** Milliseconds on the caller's monotonic clock. */
export type Instant = number
/** Uniform in [0, 1), like Math.random. */
export type Random = () => number

/** Where a node listens, on UDP and TCP alike. */
export interface Endpoint {
  /** IP address in canonical text. */
  readonly address: string
  readonly port: number
}

/** What a node is held for. A suspect still counts as a member. */
export type NodeStatus = 'alive' | 'suspect' | 'dead' | 'left'

/** A node as the outside sees it; a snapshot. */
export interface Member extends Endpoint {
  readonly name: string
  /** What the program on that node tells about itself, at most 512 octets; `undefined` when it tells nothing. */
  readonly meta: Uint8Array | undefined
  readonly state: NodeStatus
  /** Raised by the node itself whenever it contradicts an accusation. */
  readonly incarnation: number
  readonly versions: Versions
}

/** What a dialled stream is for. */
export type DialPurpose = 'pushPull' | 'ping' | 'user'

/** What happens to a node of the ring: given to {@link Swim.handle}. */
export type SwimInput =
  /** The sockets are open. */
  | { readonly type: 'start' }
  /** A datagram, its label and encryption taken off. */
  | { readonly type: 'packet'; readonly octets: Uint8Array; readonly from: Endpoint }
  /** The system refused to send a datagram: our own network is at fault, not the node it was for. */
  | { readonly type: 'unsent'; readonly to: Endpoint }
  /** A stream that a peer opened brought a whole message; `id` is the driver's. */
  | { readonly type: 'stream'; readonly id: number; readonly message: StreamMessage; readonly from: Endpoint }
  /** A stream that a `dial` opened brought its answer, or, for a user message, took all octets. */
  | { readonly type: 'dialed'; readonly id: number; readonly message: StreamMessage | undefined }
  /** A `dial` came to nothing. `refused`: the host answered the connection with a reset, so nobody listens there. */
  | { readonly type: 'dialFailed'; readonly id: number; readonly refused: boolean; readonly reason: string }
  /** Exchange states with a node. Answered by `joined` with the same `request`. */
  | { readonly type: 'join'; readonly request: number; readonly to: Endpoint }
  /** Tell the ring that we go. Answered by `left`. */
  | { readonly type: 'leave' }
  /** We are back after a `leave`, in a new incarnation. Nothing for one that has not left. */
  | { readonly type: 'rejoin' }
  /** The program above knows that a node does not answer: accuse it, as a failed probe does. Nothing for one that is not held for alive. */
  | { readonly type: 'accuse'; readonly node: string }
  /** Tell the ring our new meta. Answered by `updated` once it has been gossiped. */
  | { readonly type: 'update'; readonly request: number; readonly meta: Uint8Array | undefined }
  /** Measure the round trip to a node. Answered by `pong` with the same `request`. */
  | { readonly type: 'ping'; readonly request: number; readonly node: string; readonly to: Endpoint }
  /** Gossip a user message to the whole ring. A newer one of the same name replaces it. */
  | { readonly type: 'broadcast'; readonly payload: Uint8Array; readonly name?: string | undefined }
  /** One user message to one node: a datagram, or a stream when `reliable`, answered by `sent`. */
  | {
      readonly type: 'send'
      readonly request: number
      readonly to: Endpoint
      readonly payload: Uint8Array
      readonly reliable: boolean
    }

/** What the driver must do, in this order. */
export type SwimAction =
  | { readonly type: 'packet'; readonly to: Endpoint; readonly octets: Uint8Array }
  /** Open a stream, write the octets, read the answer (none for `user`), within `timeout`. */
  | {
      readonly type: 'dial'
      readonly id: number
      readonly purpose: DialPurpose
      readonly to: Endpoint
      readonly octets: Uint8Array
      readonly timeout: Milliseconds
    }
  /** Answer a peer's stream and close it. */
  | { readonly type: 'reply'; readonly id: number; readonly octets: Uint8Array }
  /** Close a peer's stream without an answer. */
  | { readonly type: 'close'; readonly id: number }
  | { readonly type: 'member'; readonly event: 'join' | 'leave' | 'update'; readonly member: Member }
  /** A member did not answer, and counts as one until it is certain. */
  | { readonly type: 'suspect'; readonly member: Member }
  /** A node that we watch did not answer a ping. It may only be late; told with each ping of the watch that it misses. */
  | { readonly type: 'silence'; readonly member: Member }
  /** Another node uses a name that is taken; the one known stays. */
  | { readonly type: 'conflict'; readonly existing: Member; readonly other: Member }
  | { readonly type: 'joined'; readonly request: number; readonly error: string | undefined }
  | { readonly type: 'left' }
  | { readonly type: 'updated'; readonly request: number }
  | { readonly type: 'pong'; readonly request: number; readonly rtt: Milliseconds | undefined }
  | { readonly type: 'sent'; readonly request: number; readonly error: string | undefined }
  /** A user message for the program above. */
  | { readonly type: 'userMessage'; readonly payload: Uint8Array }
  /** User state of a peer from a push/pull. */
  | { readonly type: 'remoteState'; readonly state: Uint8Array; readonly join: boolean }
  /** A probe was answered. */
  | {
      readonly type: 'probed'
      readonly member: Member
      readonly rtt: Milliseconds
      readonly payload: Uint8Array | undefined
    }
  /** Something to count and perhaps to log. */
  | { readonly type: 'note'; readonly note: Note; readonly fields: Readonly<Record<string, string | number>> }

/** What can be noted; the driver counts each. */
export type Note =
  | 'packetFault' // a message of a datagram could not be read
  | 'nodeRefused' // a node with an impossible name, address, port or version, or one that is not allowed here
  | 'mergeRefused' // a push/pull with incompatible versions, or vetoed
  | 'misdirectedPing' // a ping for another node
  | 'degradedProbe' // a probe was given more time, because we doubt our own health
  | 'probeFailed' // no answer in any way: the node becomes suspect
  | 'answersTcp' // a node answered over TCP, the first time since it joined: from now on, a reset from its host means that it is dead
  | 'tcpOnly' // UDP probes failed but TCP got through
  | 'suspected' // a node became suspect
  | 'failed' // declared dead: a suspicion ran out without a contradiction
  | 'degradedTimeout' // it did so with fewer confirmations than it waited for
  | 'refuted' // somebody accused us (`from`), or told another thing of us, and we contradicted
  | 'incarnationWrapped' // an accusation at the end of the 32-bit range: poisoning
  | 'refusedDead' // declared dead because its host refuses connections
  | 'pushPullFailed'
  | 'stalled' // we were not scheduled for a while, and gave the others the time back
