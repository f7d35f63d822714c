import type { Delegate, DelegateVersions, Milliseconds, Preset, Tuning } from '../swim/index.js'
import type { Clock } from './clock.js'
import type { Logger } from './logger.js'

/** What a node of a ring is and does. Each field of {@link Tuning} may be given to override the preset's. */
export interface MemberlistOptions extends Partial<Tuning> {
  /** Unique in the ring. */
  readonly name: string
  /** IP address to listen on; `0.0.0.0` or `::` for all. */
  readonly bindAddress: string
  /** UDP and TCP port; 0 takes any that is free. @default 7946 */
  readonly bindPort?: number
  /** IP address that others are told. @default the bound one, or the first private one of the host when bound to all */
  readonly advertiseAddress?: string
  /** @default the bound port */
  readonly advertisePort?: number
  /** @default 'lan' */
  readonly preset?: Preset
  /** 16, 24 or 32 octets each. Given at least one, the ring is encrypted with the first. */
  readonly secretKeys?: readonly Uint8Array[]
  /** Refuse what is not encrypted; false only while a ring is being migrated. @default true */
  readonly gossipVerifyIncoming?: boolean
  /** Encrypt what we send; false only while a ring is being migrated. @default true */
  readonly gossipVerifyOutgoing?: boolean
  /** Keeps rings apart that can reach each other; at most 255 octets. @default none */
  readonly label?: string
  /** A proxy in front takes the labels away. @default false */
  readonly skipInboundLabelCheck?: boolean
  /** What we tell about ourselves, at most 512 octets. */
  readonly meta?: Uint8Array
  /** 1 to 5. @default 2 */
  readonly protocolVersion?: number
  /** For rings whose programs have a protocol version of their own: serf agents want 2, 5, 4. */
  readonly delegateVersions?: DelegateVersions
  /** The program above, asked in the middle of decisions. */
  readonly delegate?: Delegate
  /** Address blocks where nodes may live and from where anything is taken. @default all */
  readonly allowedCidrs?: readonly string[]
  /** Taken because configuration files of the reference have it. Nothing here queues what comes in, so it does nothing. */
  readonly handoffQueueDepth?: number
  /** As {@link handoffQueueDepth}. */
  readonly queueCheckInterval?: Milliseconds
  /** @default silent */
  readonly log?: Logger
  /** On abort, closes without leaving. */
  readonly signal?: AbortSignal
  /** @default Math.random */
  readonly random?: () => number
  /** @default the system's monotonic clock */
  readonly clock?: Clock
}

/** The port that memberlist rings use. */
export const DEFAULT_PORT = 7946
