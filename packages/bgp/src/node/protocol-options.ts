import { number, optional, record, wrongType, type Kind, type Kinds } from '@typemetal/options'
import { parseIdentifier } from '../address.js'
import { asNumber, identifier } from '../bgp-kinds.js'
import { GRACEFUL_RESTART_KINDS, LONG_LIVED_GRACEFUL_RESTART_KINDS } from '../fsm/capability-options.js'
import { remoteAs, SESSION_KINDS } from '../fsm/options.js'
import {
  checkSessionOptions,
  type CapabilityOptions,
  type CheckedSessionOptions,
  type Confederation,
  type GracefulRestartOptions,
  type LongLivedGracefulRestartOptions,
  type ReceivingSpeakerOptions,
  type RemoteAs,
  type SessionOptions,
} from '../fsm/index.js'
import type { FamilyName } from '../wire/index.js'
import type { CheckedBfdOptions } from './bfd-options.js'
import type { BfdSource } from './bfd-source.js'

/** Graceful restart with one peer: what it is asked for our restarts, and what we grant it for its own (RFC 4724, RFC 8538). */
export interface GracefulRestartPeerOptions
  extends GracefulRestartOptions, Pick<ReceivingSpeakerOptions, 'staleTime' | 'maximumRestartTime'> {}

/** Long-lived graceful restart with one peer, RFC 9494. */
export interface LongLivedGracefulRestartPeerOptions extends LongLivedGracefulRestartOptions {
  /** The peer's Long-Lived Stale Time counts up to this, in seconds. @default as the peer says */
  readonly maximumStaleTime?: number
}

/** What of a peer's options makes up its session: identity, timers, capabilities. */
export interface ProtocolOptions
  extends
    Omit<SessionOptions, 'asn' | 'bgpIdentifier' | 'remoteAs' | 'passive' | 'random' | OwnForm>,
    Pick<CapabilityOptions, 'fqdn'> {
  /** AS number that the peer must have: this one, ours (`internal`), or any but ours (`external`). */
  readonly asn: RemoteAs
  /** Our AS number towards the peer, in OPEN and AS_PATH. @default the speaker's */
  readonly localAsn?: number
  /** Our BGP Identifier towards the peer. @default the speaker's */
  readonly bgpIdentifier?: string
  /**
   * `true`: the peer keeps our routes while we restart, and we keep the peer's. Without it we only keep those of a peer that asks for
   * it (RFC 4724 section 4); `false`: nothing of it. @default we help the peer
   */
  readonly gracefulRestart?: boolean | GracefulRestartPeerOptions
  /** Stale routes are kept for hours or days, as the last resort (RFC 9494). @default they are not */
  readonly longLivedGracefulRestart?: LongLivedGracefulRestartPeerOptions
}

const time = optional(number('a number of seconds from 0 on', value => value >= 0 && value < Infinity))
const gracefulRestart = record<GracefulRestartPeerOptions>({
  ...GRACEFUL_RESTART_KINDS,
  staleTime: time,
  maximumRestartTime: time,
})
const gracefulRestartOrNot: Kind<boolean | GracefulRestartPeerOptions> = (name, value) => {
  if (typeof value === 'boolean') return value
  if (typeof value === 'object' && value !== null) return gracefulRestart(name, value)
  throw wrongType(name, 'true, false or an object', value)
}

const {
  asn: _asn,
  bgpIdentifier: _bgpIdentifier,
  remoteAs: _remoteAs,
  passive: _passive,
  random: _random,
  gracefulRestart: _gracefulRestart,
  longLivedGracefulRestart: _longLivedGracefulRestart,
  confederation: _confederation,
  bfdStrictMode: _bfdStrictMode,
  bfdHoldTime: _bfdHoldTime,
  ...SAME_KINDS
} = SESSION_KINDS

/** What each of {@link ProtocolOptions} has to be. */
export const PROTOCOL_KINDS: Kinds<ProtocolOptions> = {
  ...SAME_KINDS,
  asn: remoteAs,
  localAsn: optional(asNumber),
  bgpIdentifier: optional(identifier),
  gracefulRestart: optional(gracefulRestartOrNot),
  longLivedGracefulRestart: optional(
    record<LongLivedGracefulRestartPeerOptions>({ ...LONG_LIVED_GRACEFUL_RESTART_KINDS, maximumStaleTime: time }),
  ),
}

type OwnForm = 'gracefulRestart' | 'longLivedGracefulRestart' | 'confederation' | 'bfdStrictMode' | 'bfdHoldTime'

/** The speaker's own identity, where a peer has no other. */
export interface SpeakerDefaults {
  readonly asn: number
  readonly bgpIdentifier: string
  readonly random: () => number
  /** The confederation that the speaker is in, RFC 5065; a peer with a `localAsn` is outside of it. */
  readonly confederation?: Confederation
  /** The speaker's name, where a peer is not told another. */
  readonly fqdn?: CapabilityOptions['fqdn']
  /** Where the BFD sessions of the peers come from. */
  readonly bfd?: BfdSource
}

/** {@link ProtocolOptions}, checked. */
export interface CheckedProtocolOptions {
  readonly session: CheckedSessionOptions
  /** Limits to what the peer may ask of us while it restarts. */
  readonly receivingSpeaker: ReceivingSpeakerOptions
}

/** A speaker that helps its peers and is not helped itself. */
const HELP_ONLY: GracefulRestartPeerOptions = { families: [] }

function gracefulRestartOf({ gracefulRestart = HELP_ONLY }: ProtocolOptions): GracefulRestartPeerOptions | undefined {
  return typeof gracefulRestart !== 'boolean' ? gracefulRestart : gracefulRestart ? {} : undefined
}

/** What of it our OPEN says. */
const longLivedOf = ({
  staleTime,
  families,
}: LongLivedGracefulRestartPeerOptions): LongLivedGracefulRestartOptions => ({
  staleTime,
  ...(families && { families }),
})

/** RFC 8950: on a link without IPv4 addresses IPv4 prefixes have next hops of IPv6. */
const UNNUMBERED: readonly FamilyName[] = ['ipv4-unicast']

/**
 * @param link what of the peer's connection matters to its session
 * @throws {RangeError} an option that cannot work; the message begins with its name
 */
export function checkProtocolOptions(
  options: ProtocolOptions,
  speaker: SpeakerDefaults,
  link: { readonly passive: boolean; readonly unnumbered: boolean; readonly bfd?: CheckedBfdOptions | undefined },
): CheckedProtocolOptions {
  const { asn, localAsn, bgpIdentifier = speaker.bgpIdentifier, ...rest } = options
  const { gracefulRestart: _, longLivedGracefulRestart: longLived, ...same } = rest
  const granted = gracefulRestartOf(options)
  const { staleTime, maximumRestartTime, ...restart } = granted ?? {}
  const confederation = localAsn === undefined ? speaker.confederation : undefined
  const families = options.families ?? ['ipv4-unicast', 'ipv6-unicast']
  const extendedNextHop = link.unnumbered ? UNNUMBERED.filter(name => families.includes(name)) : []
  const session = checkSessionOptions({
    extendedNextHop,
    ...(speaker.fqdn && { fqdn: speaker.fqdn }),
    ...withoutUndefined(same),
    asn: localAsn ?? speaker.asn,
    bgpIdentifier: parseIdentifier(bgpIdentifier),
    remoteAs: asn,
    passive: link.passive,
    random: speaker.random,
    ...(granted && { gracefulRestart: withoutUndefined(restart) }),
    ...(longLived && { longLivedGracefulRestart: longLivedOf(longLived) }),
    ...(confederation && { confederation }),
    ...(link.bfd && { bfdStrictMode: link.bfd.strict, bfdHoldTime: link.bfd.holdTime }),
  })
  const receivingSpeaker = withoutUndefined({
    staleTime,
    maximumRestartTime,
    maximumLongLivedStaleTime: longLived?.maximumStaleTime,
  })
  return { session, receivingSpeaker }
}

type Present<T> = { readonly [K in keyof T]?: Exclude<T[K], undefined> }

/** Options that are `undefined` are as good as not given. */
const withoutUndefined = <T extends object>(options: T): Present<T> =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Present<T>
