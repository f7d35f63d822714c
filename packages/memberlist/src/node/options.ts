import {
  checkOptions,
  flag,
  type Kind,
  type Kinds,
  listOf,
  methods,
  number,
  optional,
  signal,
  text,
  whole,
  wrongType,
  wrongValue,
} from '@typemetal/options'
import { NODE_KINDS } from '../swim/config.js'
import {
  type Delegate,
  type DelegateVersions,
  type Endpoint,
  type Milliseconds,
  parseAddress,
  type Preset,
  type Tuning,
} from '../swim/index.js'
import { allowList } from './allow-list.js'
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

/** Text that a function can read. */
const readable =
  (wanted: string, read: (value: string) => unknown): Kind<string> =>
  (name, value) => {
    text(name, value)
    try {
      read(value as string)
    } catch {
      throw wrongValue(name, wanted, value)
    }
    return value as string
  }
const address = readable('an IP address', parseAddress)
const block = readable("an address block such as '10.0.0.0/8'", value => allowList([value]))

const KEY_LENGTHS: readonly number[] = [16, 24, 32]
/** A key that AES takes; nobody is shown what was given. */
export const secretKey: Kind<Uint8Array> = (name, value) => {
  const wanted = 'a Uint8Array of 16, 24 or 32 octets'
  if (!(value instanceof Uint8Array)) throw new TypeError(`${name} must be ${wanted}, not of type ${typeof value}`)
  if (!KEY_LENGTHS.includes(value.length)) throw new RangeError(`${name} must be ${wanted}, not of ${value.length}`)
  return value
}

const MAX_LABEL = 255
const label: Kind<string> = (name, value) => {
  const { length } = new TextEncoder().encode(text(name, value))
  if (length > MAX_LABEL) throw new RangeError(`${name} must have at most ${MAX_LABEL} octets, not ${length}`)
  return value as string
}

const KINDS: Kinds<MemberlistOptions> = {
  ...NODE_KINDS,
  bindAddress: address,
  bindPort: optional(whole(0, 65_535)),
  advertiseAddress: optional(address),
  advertisePort: optional(whole(1, 65_535)),
  secretKeys: optional(listOf(secretKey)),
  gossipVerifyIncoming: optional(flag),
  gossipVerifyOutgoing: optional(flag),
  label: optional(label),
  skipInboundLabelCheck: optional(flag),
  allowedCidrs: optional(listOf(block)),
  handoffQueueDepth: optional(number('a number')),
  queueCheckInterval: optional(number('a number of milliseconds')),
  log: optional(methods<Logger>('debug', 'info', 'warn', 'error', 'child')),
  signal: optional(signal),
  clock: optional(methods<Clock>('now', 'after')),
}

/**
 * Looks at each option by itself.
 *
 * @throws {TypeError | RangeError} an unknown option, or a value that is not what its option wants; the message begins with its name
 */
export function checkMemberlistOptions(options: unknown): asserts options is MemberlistOptions {
  checkOptions(options, KINDS, {
    nodeName: 'name',
    address: 'bindAddress',
    host: 'bindAddress',
    bindAddr: 'bindAddress',
    port: 'bindPort',
    advertiseAddr: 'advertiseAddress',
    secretKey: 'secretKeys',
    keyring: 'secretKeys',
    logger: 'log',
  })
}

/** The part of the options that is not only for who has sockets. */
export const swimPart = (options: MemberlistOptions): Pick<MemberlistOptions, keyof typeof NODE_KINDS> =>
  Object.fromEntries(Object.entries(options).filter(([name]) => name in NODE_KINDS)) as unknown as Pick<
    MemberlistOptions,
    keyof typeof NODE_KINDS
  >

/** A time to wait; 0 is as long as it takes. */
export const wait = number('a number of milliseconds from 0 on', value => value >= 0)

const port = whole(1, 65_535)
/** Where a node is. A `Member` is one as well, so other fields are nobody's business. */
export const endpoint: Kind<Endpoint> = (name, value) => {
  if (typeof value !== 'object' || value === null) throw wrongType(name, 'an object with address and port', value)
  const given = value as Endpoint
  address(`${name}.address`, given.address)
  port(`${name}.port`, given.port)
  return given
}
