/** Which BGP sessions a node wants, and what a change of one costs. */
import { isDeepStrictEqual } from 'node:util'
import { changedKeys, matchesAny, parseAddress } from '@typemetal/cluster'
import type { BFDProfileConfig, Config, Node, PeerConfig } from '@typemetal/cluster'
import type { BFDPlan, SessionFamily, SessionPlan } from './types.js'

/** RFC 4271 section 10's suggestion, and MetalLB's native default. Seconds. */
export const DEFAULT_HOLD_TIME = 90

type Sessions = ReadonlyMap<string, SessionPlan>

/**
 * The sessions whose node selectors match this node's labels, by name.
 * @param node own Node object; without it no session is wanted
 * @param previous sessions that are as they were stay the same objects
 */
export function wantedSessions(config: Config | undefined, node: Node | undefined, previous?: Sessions): Sessions {
  const sessions = new Map<string, SessionPlan>()
  for (const peer of node && config ? config.peers.values() : []) {
    if (!matchesAny(peer.nodeSelectors, node?.metadata.labels ?? {})) continue
    const session = sessionOf(peer, config?.bfdProfiles ?? new Map())
    const before = previous?.get(peer.name)
    sessions.set(peer.name, before && isDeepStrictEqual(before, session) ? before : session)
  }
  return sessions
}

/** Sessions that differ by identity; `undefined`: gone. */
export function changedSessions(
  before: Sessions | undefined,
  after: Sessions,
): ReadonlyMap<string, SessionPlan | undefined> {
  return new Map([...changedKeys(before ?? new Map(), after)].map(name => [name, after.get(name)]))
}

/** Whether both ends share one AS, so that LOCAL_PREF is sent. */
export function isInternal(session: SessionPlan): boolean {
  if (session.dynamicASN) return session.dynamicASN === 'internal'
  return session.peerASN === ourASN(session)
}

/** The AS that the peer sees. */
const ourASN = ({ myASN, localASN }: SessionPlan): number => localASN ?? myASN

/** Where the session goes, as metrics and logs name it: `<address>` or the interface's name. */
export const sessionTarget = (session: SessionPlan): string => session.peerAddress ?? session.interface ?? ''

/** What a change of one field does to a session that runs. */
export interface FieldChange {
  readonly field: keyof SessionPlan
  /** `carried`: the session takes it over and stays up. `reset`: it is closed and opened again. */
  readonly effect: 'carried' | 'reset'
  /** One clause: why it is so. */
  readonly why: string
}

/** Differences between two versions of one session. */
export interface SessionChange {
  /** Fields that force the session to be closed and opened again, sorted. Empty: it stays up. */
  readonly resets: readonly string[]
  /** Fields that the running session takes over, sorted. */
  readonly carried: readonly string[]
  /** All of them, sorted by field. */
  readonly changes: readonly FieldChange[]
}

type Verdict = Pick<FieldChange, 'effect' | 'why'>

const carried = (why: string): Verdict => ({ effect: 'carried', why })
const reset = (why: string): Verdict => ({ effect: 'reset', why })
const inOpen = (what: string): Verdict => reset(`${what} is agreed on in the OPEN messages`)
const endpoint = reset('it is another TCP connection')

/** Only what the protocol demands resets a session; the rest is ours alone, or is told to the peer as it runs. */
const VERDICTS: { readonly [F in keyof Required<SessionPlan>]: Verdict } = {
  name: carried('only logs and metrics have it'),
  peerAddress: endpoint,
  interface: endpoint,
  peerPort: endpoint,
  sourceAddress: endpoint,
  vrf: endpoint,
  myASN: inOpen('the AS'),
  localASN: inOpen('the AS'),
  peerASN: inOpen('the AS'),
  dynamicASN: inOpen('the AS'),
  routerID: inOpen('the BGP Identifier'),
  holdTimeSeconds: inOpen('the Hold Time'),
  keepaliveTimeSeconds: carried('it is our own choice (RFC 4271 section 4.4)'),
  connectTimeSeconds: carried('it counts when a connection is next made'),
  password: carried('the kernel changes the key of a connection that stands (RFC 2385)'),
  bfdProfile: carried('BFD tells new times by a Poll Sequence and stays Up (RFC 5880 section 6.8.3)'),
  bfd: carried('BFD tells new times by a Poll Sequence and stays Up (RFC 5880 section 6.8.3)'),
  ebgpMultiHop: carried('the kernel changes the TTL of a connection that stands'),
  gracefulRestart: inOpen('graceful restart'),
  families: inOpen('which families the session carries'),
}

/** Compares two versions of one session field by field. */
export function sessionChange(before: SessionPlan, after: SessionPlan): SessionChange {
  const fields = (Object.keys(VERDICTS) as (keyof SessionPlan)[]).toSorted()
  const changes = fields
    .filter(field => !isDeepStrictEqual(before[field], after[field]))
    .map(field => ({ field, ...verdictOf(field, before, after) }))
  const namesOf = (effect: FieldChange['effect']): readonly string[] =>
    changes.filter(change => change.effect === effect).map(({ field }) => field)
  return { resets: namesOf('reset'), carried: namesOf('carried'), changes }
}

function verdictOf(field: keyof SessionPlan, before: SessionPlan, after: SessionPlan): Verdict {
  const isOurAS = field === 'myASN' || field === 'localASN'
  if (isOurAS && ourASN(before) === ourASN(after)) return carried('the peer sees the same AS as before')
  return VERDICTS[field]
}

function sessionOf(peer: PeerConfig, profiles: Config['bfdProfiles']): SessionPlan {
  const { nodeSelectors: _, dualStackAddressFamily: __, holdTimeSeconds, keepaliveTimeSeconds, ...rest } = peer
  const hold = holdTimeSeconds ?? (keepaliveTimeSeconds === undefined ? DEFAULT_HOLD_TIME : keepaliveTimeSeconds * 3)
  const profile = peer.bfdProfile === undefined ? undefined : profiles.get(peer.bfdProfile)
  return {
    ...rest,
    holdTimeSeconds: hold,
    keepaliveTimeSeconds: keepaliveTimeSeconds ?? hold / 3,
    ...(profile && { bfd: bfdOf(profile) }),
    families: familiesOf(peer),
  }
}

/** The defaults are those of MetalLB's profiles. */
const bfdOf = (profile: BFDProfileConfig): BFDPlan => ({
  receiveInterval: profile.receiveInterval ?? 300,
  transmitInterval: profile.transmitInterval ?? 300,
  detectMultiplier: profile.detectMultiplier ?? 3,
  echoInterval: profile.echoInterval ?? 50,
  echoMode: profile.echoMode,
  passiveMode: profile.passiveMode,
  minimumTtl: profile.minimumTtl ?? 254,
})

function familiesOf(peer: PeerConfig): readonly SessionFamily[] {
  if (peer.dualStackAddressFamily || peer.peerAddress === undefined) return ['ipv4', 'ipv6']
  return parseAddress(peer.peerAddress)?.family === 'IPv6' ? ['ipv6'] : ['ipv4']
}
