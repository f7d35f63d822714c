import { diffBfdOptions } from './diff-bfd-options.js'
import { isEqual } from './equal.js'
import type { GracefulRestartPeerOptions, LongLivedGracefulRestartPeerOptions } from './protocol-options.js'
import { checkPeerKinds, type PeerOptions } from './peer-options.js'

/** `live`: applied to the session that stands; `reset`: holds from the next session on, so that this one has to end. */
export type ChangeEffect = 'live' | 'reset'

/** One field that two sets of peer options do not have in common. */
export interface PeerOptionChange {
  readonly field: keyof PeerOptions
  readonly effect: ChangeEffect
  /** One sentence: why it is so. */
  readonly why: string
}

/** What a change of one field does. */
interface Field<T> {
  readonly effect: ChangeEffect
  readonly why: string
  /** What it is when left out. */
  readonly default?: T
  /** Whether two values differ in nothing but what is ours alone, and so is `live`; `effect` is for the rest. */
  readonly isLocal?: (a: T | undefined, b: T | undefined) => boolean
  /** Where it hangs on the values what a change does. */
  readonly judge?: (a: T | undefined, b: T | undefined) => Pick<PeerOptionChange, 'effect' | 'why'> | undefined
}

type Fields = { readonly [K in keyof Required<PeerOptions>]: Field<Required<PeerOptions>[K]> }

const inOpen = (what: string) =>
  ({ effect: 'reset', why: `${what} is agreed on in the OPEN messages, which are exchanged once a session` }) as const
const identity = {
  effect: 'reset',
  why: 'it says who the two speakers are, which their OPEN messages have settled',
} as const
const connection = { effect: 'reset', why: 'the TCP connection that stands was made without it' } as const
const nextAttempt = {
  effect: 'live',
  why: 'it counts when a connection is next made; the one that stands is left alone',
} as const
const timer = { effect: 'live', why: 'the timer is our own, and the peer does not know it' } as const
const sockets = { effect: 'live', why: 'the kernel changes it on a connection that stands' } as const
const policy = {
  effect: 'live',
  why: 'the routes of the Adj-RIB-In go through it again, or the peer is asked for them by ROUTE-REFRESH',
} as const
const announcing = {
  effect: 'live',
  why: 'what differs is sent in UPDATE messages, as at any change of a route',
} as const

const capabilityOf = (options: boolean | GracefulRestartPeerOptions | undefined): unknown => {
  if (options === false || options === undefined) return undefined
  if (options === true) return {}
  const { staleTime: _, maximumRestartTime: _limit, ...capability } = options
  return capability
}
const longLivedOf = (options: LongLivedGracefulRestartPeerOptions | undefined): unknown => {
  if (!options) return options
  const { maximumStaleTime: _, ...capability } = options
  return capability
}

const FIELDS: Fields = {
  name: { effect: 'live', why: 'only logs and metrics have it' },
  address: { effect: 'reset', why: 'it is another peer' },
  interface: { effect: 'reset', why: 'it is another peer' },
  port: { ...connection, default: 179, why: 'the TCP connection that stands is to the other port' },
  sourceAddress: connection,
  device: connection,
  passive: { ...nextAttempt, default: false },
  connectTime: { ...nextAttempt, default: 10 },
  md5Key: { ...sockets, why: 'the kernel changes the key of a connection that stands (RFC 2385)' },
  multihop: sockets,
  ttlSecurity: sockets,
  asn: identity,
  localAsn: identity,
  bgpIdentifier: identity,
  families: { ...inOpen('which families the session carries'), default: ['ipv4-unicast', 'ipv6-unicast'] },
  holdTime: { ...inOpen('the Hold Time'), default: 90 },
  keepaliveTime: { effect: 'live', why: 'it is our own choice below a third of the Hold Time (RFC 4271 section 4.4)' },
  connectRetryTime: { ...timer, default: 120 },
  delayOpenTime: { ...nextAttempt, default: 0 },
  openHoldTime: { ...nextAttempt, default: 240 },
  sendHoldTime: timer,
  idleHoldTime: { ...timer, default: 1 },
  automaticStart: { ...nextAttempt, default: true },
  dampPeerOscillations: { ...timer, default: true },
  collisionDetectEstablishedState: { ...nextAttempt, default: false },
  sendNotificationWithoutOpen: { ...nextAttempt, default: true },
  fourOctetAs: { ...inOpen('the width of AS numbers'), default: true },
  routeRefresh: { ...inOpen('route refresh'), default: true },
  enhancedRouteRefresh: { ...inOpen('enhanced route refresh'), default: true },
  extendedMessage: { ...inOpen('the length of messages'), default: true },
  extendedNextHop: inOpen('the family of next hops'),
  addPath: inOpen('the form of prefixes'),
  gracefulRestart: {
    ...inOpen('graceful restart'),
    default: { families: [] },
    isLocal: (a, b) => isEqual(capabilityOf(a), capabilityOf(b)),
  },
  longLivedGracefulRestart: {
    ...inOpen('long-lived graceful restart'),
    isLocal: (a, b) => isEqual(longLivedOf(a), longLivedOf(b)),
  },
  role: inOpen('the role'),
  strictRole: { ...inOpen('the role'), default: false },
  fqdn: inOpen('our name'),
  aigp: { effect: 'reset', why: 'messages of one session are read and written in one way (RFC 7311 section 3.2)' },
  extraCapabilities: { ...inOpen('any capability'), default: [] },
  requireCapabilities: { ...inOpen('any capability'), default: [] },
  bfd: { effect: 'live', why: 'BFD is a protocol of its own', judge: diffBfdOptions },
  importPolicy: { ...policy, default: 'accept' },
  exportPolicy: { ...announcing, default: 'accept' },
  propagate: { ...announcing, default: false },
  nextHop: announcing,
  routeReflectorClient: { ...announcing, default: false },
  routeServerClient: { ...announcing, default: false },
  removePrivateAs: { ...announcing, default: false },
  allowOwnAs: { ...policy, default: 0 },
  gracefulShutdown: { ...announcing, default: false },
  maximumPrefixes: { effect: 'live', why: 'prefixes are counted by us; a limit that is passed already counts at once' },
  maximumPrefixesIdleTime: { effect: 'live', why: 'it counts when the limit is next passed' },
  maximumPrefixesAction: { effect: 'live', why: 'it is what we do when the limit is passed', default: 'reset' },
  minRouteAdvertisementInterval: { ...timer, default: 0 },
}

function compare(field: keyof PeerOptions, a: PeerOptions, b: PeerOptions): PeerOptionChange | undefined {
  const { effect, why, default: otherwise, isLocal, judge } = FIELDS[field] as Field<unknown>
  const from = a[field] ?? otherwise
  const to = b[field] ?? otherwise
  if (isEqual(from, to)) return undefined
  if (judge) {
    const verdict = judge(from, to)
    return verdict && { field, ...verdict }
  }
  if (isLocal?.(from, to)) return { field, effect: 'live', why: timer.why }
  return { field, effect, why }
}

/**
 * What a change of a peer's options does to a session that stands, field by field; a value that is left out is its default. With no
 * `reset` among them the session goes on.
 *
 * @throws {TypeError | RangeError} an unknown option, or a value that is not what its option wants; the message begins with its name
 */
export function diffPeerOptions(a: PeerOptions, b: PeerOptions): readonly PeerOptionChange[] {
  checkPeerKinds(a)
  checkPeerKinds(b)
  return (Object.keys(FIELDS) as (keyof PeerOptions)[])
    .map(field => compare(field, a, b))
    .filter(change => change !== undefined)
}
