import {
  callback,
  checkOptions,
  flag,
  type Kind,
  type Kinds,
  listOf,
  number,
  octets,
  oneOf,
  optional,
  record,
  whole,
  wrongType,
  wrongValue,
} from '@typemetal/options'
import { type Alive, ProtocolVersion, type Versions } from '../wire/index.js'
import type { Member, Milliseconds } from './types.js'

/** How a ring behaves; all nodes of a ring should agree. Zero for an interval turns its activity off. */
export interface Tuning {
  /** Deadline of a whole stream exchange. */
  readonly tcpTimeout: Milliseconds
  /** Helpers asked to ping a node that did not answer. */
  readonly indirectChecks: number
  /** Packets that carry a message: this, times the number of digits of the ring's size, as it is written in decimal. */
  readonly retransmitMult: number
  /** Shortest suspicion: this many probe intervals, times the logarithm of the ring's size, which counts as 1 at least. */
  readonly suspicionMult: number
  /** Longest suspicion, which others' confirmations shorten: this, times the shortest (Lifeguard). */
  readonly suspicionMaxTimeoutMult: number
  /** Between two exchanges of the whole state with a random node over TCP; longer in rings above 32 nodes. */
  readonly pushPullInterval: Milliseconds
  /** Between two probes: in a round each node is probed once, in random order. */
  readonly probeInterval: Milliseconds
  /** How long a direct ping is waited for before helpers are asked. */
  readonly probeTimeout: Milliseconds
  /** Do not ask a node over TCP that does not answer over UDP; without it the watch is off too. */
  readonly disableTcpPings: boolean
  /** Most that a node which is slow itself stretches its probes by (Lifeguard). */
  readonly awarenessMaxMultiplier: number
  /** Between two ticks of gossip. */
  readonly gossipInterval: Milliseconds
  /** Nodes told per gossip tick. */
  readonly gossipNodes: number
  /** How long the dead are still told, and kept. */
  readonly gossipToTheDeadTime: Milliseconds
  /** A name may be taken over from another address when its node is dead for so long; 0 is never. */
  readonly deadNodeReclaimTime: Milliseconds
  /** Compress (LZW) what becomes shorter by it. */
  readonly enableCompression: boolean
  /** Octets of a datagram, label and encryption included. */
  readonly udpBufferSize: number
  /**
   * Between two pings to the neighbour that we watch, which finds a dead process long before its turn in the probing;
   * 0 turns the watch off. The README tells how it finds them.
   */
  readonly watchInterval: Milliseconds
  /**
   * How long a node whose host refuses connections has to contradict before it is declared dead; 0 leaves all deaths
   * to the suspicion timer, as in the reference.
   */
  readonly refusedGrace: Milliseconds
}

/** For nodes on one network: the reference's defaults, and MetalLB's. */
export const LAN: Tuning = {
  tcpTimeout: 10_000,
  indirectChecks: 3,
  retransmitMult: 4,
  suspicionMult: 4,
  suspicionMaxTimeoutMult: 6,
  pushPullInterval: 30_000,
  probeInterval: 1000,
  probeTimeout: 500,
  disableTcpPings: false,
  awarenessMaxMultiplier: 8,
  gossipInterval: 200,
  gossipNodes: 3,
  gossipToTheDeadTime: 30_000,
  deadNodeReclaimTime: 0,
  enableCompression: true,
  udpBufferSize: 1400,
  watchInterval: 400,
  refusedGrace: 300,
}

/** For nodes far from each other. */
export const WAN: Tuning = {
  ...LAN,
  tcpTimeout: 30_000,
  suspicionMult: 6,
  pushPullInterval: 60_000,
  probeInterval: 5000,
  probeTimeout: 3000,
  gossipInterval: 500,
  gossipNodes: 4,
  gossipToTheDeadTime: 60_000,
  watchInterval: 2000,
  refusedGrace: 2000,
}

/** For nodes on one host. */
export const LOCAL: Tuning = {
  ...LAN,
  tcpTimeout: 1000,
  indirectChecks: 1,
  retransmitMult: 2,
  suspicionMult: 3,
  pushPullInterval: 15_000,
  probeTimeout: 200,
  gossipInterval: 100,
  gossipToTheDeadTime: 15_000,
}

/**
 * For small rings on one network that cannot wait: of ten nodes a dead one is found within a second even when its host
 * is dead too. Costs about forty small datagrams a second and node. All nodes of the ring must use it.
 */
export const FAST: Tuning = {
  ...LAN,
  tcpTimeout: 5000,
  pushPullInterval: 15_000,
  probeInterval: 100,
  probeTimeout: 50,
  suspicionMult: 5,
  gossipInterval: 40,
  gossipNodes: 4,
  watchInterval: 100,
  refusedGrace: 150,
}

/** The presets by name. */
export const PRESETS = { lan: LAN, wan: WAN, local: LOCAL, fast: FAST } as const
/** Name of a preset: `lan`, `wan`, `local`, or `fast`, which is ours. */
export type Preset = keyof typeof PRESETS

/** Versions of the program above, for rings whose delegates have a protocol of their own (serf: 2, 5, 4). */
export interface DelegateVersions {
  readonly min: number
  readonly max: number
  readonly current: number
}

/** The program above, asked in the middle of a decision: answers at once and does not throw. */
export interface Delegate {
  /** User state for a push/pull. */
  readonly localState?: (join: boolean) => Uint8Array
  /** A reason to refuse a peer's state as a whole on join. */
  readonly refuseMerge?: (members: readonly Member[]) => string | undefined
  /** A reason to refuse a node. */
  readonly refuseAlive?: (member: Member) => string | undefined
  /** What an ack carries. */
  readonly ackPayload?: () => Uint8Array | undefined
}

/** Who we are, and how the ring behaves. */
export interface SwimOptions extends Partial<Tuning> {
  /** Unique in the ring, 1 to 256 characters. */
  readonly name: string
  /** 4 or 16 octets. */
  readonly address: Uint8Array
  /** Of UDP and TCP, where others reach us. */
  readonly port: number
  /** What we tell about ourselves, at most {@link MAX_META} octets. @default none */
  readonly meta?: Uint8Array | undefined
  /** @default 2 */
  readonly protocolVersion?: number
  /** Versions that we tell for the program above. @default 0, 0, 0 */
  readonly delegateVersions?: DelegateVersions
  /** The program above. @default none */
  readonly delegate?: Delegate
  /** Whether a node may live at this address (4 or 16 octets). @default all */
  readonly isAllowed?: ((address: Uint8Array) => boolean) | undefined
  /** Octets that label and encryption add to a datagram. @default 0 */
  readonly packetOverhead?: () => number
  /** Nodes taken for alive from the start, without an event and a word to others: for simulations of a ring that exists. */
  readonly known?: readonly Alive[]
  /** @default Math.random */
  readonly random?: () => number
  /** @default LAN */
  readonly preset?: Preset
}

/** Longest meta that we send and take, octets; older peers crash above. */
export const MAX_META = 512
/** Longest name that we take, octets. */
export const MAX_NAME = 1024

/** Longest time, as long as JavaScript's own timers run. */
const MAX_TIME: Milliseconds = 2 ** 31 - 1

const duration = optional(
  number(`a number of milliseconds from 0 to ${MAX_TIME}`, value => value >= 0 && value <= MAX_TIME),
)
const factor = optional(number('a number from 0 on', value => value >= 0 && value <= Number.MAX_SAFE_INTEGER))
const count = optional(whole(0, Number.MAX_SAFE_INTEGER))

/** What each field of {@link Tuning} has to be where it is given. */
export const TUNING_KINDS: Kinds<Partial<Tuning>> = {
  tcpTimeout: duration,
  indirectChecks: count,
  retransmitMult: factor,
  suspicionMult: factor,
  suspicionMaxTimeoutMult: factor,
  pushPullInterval: duration,
  probeInterval: duration,
  probeTimeout: duration,
  disableTcpPings: optional(flag),
  awarenessMaxMultiplier: optional(whole(1, Number.MAX_SAFE_INTEGER)),
  gossipInterval: duration,
  gossipNodes: count,
  gossipToTheDeadTime: duration,
  deadNodeReclaimTime: duration,
  enableCompression: optional(flag),
  udpBufferSize: optional(whole(128, Number.MAX_SAFE_INTEGER)),
  watchInterval: duration,
  refusedGrace: duration,
}

const nodeName: Kind<string> = (name, value) => {
  const wanted = `a string of 1 to ${MAX_NAME / 4} characters`
  if (typeof value !== 'string') throw wrongType(name, wanted, value)
  if (value === '' || value.length > MAX_NAME / 4) throw wrongValue(name, wanted, value)
  return value
}

const metaOctets: Kind<Uint8Array> = (name, value) => {
  const { length } = octets(name, value)
  if (length > MAX_META) throw new RangeError(`${name} must have at most ${MAX_META} octets, not ${length}`)
  return value as Uint8Array
}

/** @throws {TypeError | RangeError} not octets, or too many; the message begins with `meta` */
export const checkMeta = (meta: Uint8Array | undefined): void => void optional(metaOctets)('meta', meta)

/** A program may be an object of any class: what else it has is its own. */
const DELEGATE: readonly (keyof Delegate)[] = ['localState', 'refuseMerge', 'refuseAlive', 'ackPayload']
const program: Kind<Delegate> = (name, value) => {
  if (typeof value !== 'object' || value === null) throw wrongType(name, 'an object', value)
  const given = value as Readonly<Record<string, unknown>>
  for (const method of DELEGATE) optional(callback())(`${name}.${method}`, given[method])
  return value
}

const { Min, Max } = ProtocolVersion
const version = whole(0, 0xff)
const address: Kind<Uint8Array> = (name, value) => {
  const { length } = octets(name, value)
  if (length !== 4 && length !== 16) throw new RangeError(`${name} must have 4 or 16 octets, not ${length}`)
  return value as Uint8Array
}

/** What each of the options has to be that nodes have in common, whoever runs them. */
export const NODE_KINDS: Kinds<Omit<SwimOptions, 'address' | 'port' | 'isAllowed' | 'packetOverhead' | 'known'>> = {
  ...TUNING_KINDS,
  name: nodeName,
  meta: optional(metaOctets),
  protocolVersion: optional(whole(Min, Max)),
  delegateVersions: optional(record<DelegateVersions>({ min: version, max: version, current: version })),
  delegate: optional(program),
  random: optional(callback<() => number>()),
  preset: optional(oneOf(...(Object.keys(PRESETS) as Preset[]))),
}

const SWIM_KINDS: Kinds<SwimOptions> = {
  ...NODE_KINDS,
  address,
  port: whole(1, 65_535),
  isAllowed: optional(callback<(address: Uint8Array) => boolean>()),
  packetOverhead: optional(callback<() => number>()),
  known: optional(listOf<Alive>((_, value) => value as Alive)),
}

/**
 * Looks at each option by itself.
 *
 * @throws {TypeError | RangeError} an unknown option, or a value that is not what its option wants; the message begins with its name
 */
export function checkSwimOptions(options: unknown): asserts options is SwimOptions {
  checkOptions(options, SWIM_KINDS)
}

/**
 * The tuning that some options ask for. A `probeTimeout` above the `probeInterval` is one: probes then ask no helpers.
 *
 * @throws {TypeError} on a value of another type
 * @throws {RangeError} on a value that makes no sense, and on an unknown preset
 */
export function tuningOf(options: Partial<Tuning> & { readonly preset?: Preset }): Tuning {
  NODE_KINDS.preset('preset', options.preset)
  const preset = PRESETS[options.preset ?? 'lan']
  const given = Object.entries(options).filter(([key, value]) => Object.hasOwn(preset, key) && value !== undefined)
  for (const [key, value] of given) TUNING_KINDS[key as keyof Tuning](key, value)
  return { ...preset, ...Object.fromEntries(given) }
}

/** Our version octets. @throws {RangeError} not in order */
export function versionsOf(options: SwimOptions): Versions {
  const { Min: pMin, Max: pMax } = ProtocolVersion
  const pCur = options.protocolVersion ?? ProtocolVersion.Ports
  const { min: dMin, max: dMax, current: dCur } = options.delegateVersions ?? { min: 0, max: 0, current: 0 }
  if (!(dMin <= dCur && dCur <= dMax)) {
    throw new RangeError(`delegateVersions must be in order, min, current, max, not ${dMin}, ${dCur}, ${dMax}`)
  }
  return { pMin, pMax, pCur, dMin, dMax, dCur }
}
