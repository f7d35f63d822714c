import t from 'tap'
import {
  BgpSpeaker,
  type BgpSpeakerOptions,
  type Logger,
  type Peer,
  type PeerOptions,
  type Route,
  type RoutePath,
} from '@typemetal/bgp'
import { bird } from './bird.js'
import { exabgp } from './exabgp.js'
import { frr } from './frr.js'
import { gobgp } from './gobgp.js'
import { createHost, isInside, missingPrivilege, until, untilEqual, type Host } from './namespace.js'
import { openbgpd } from './openbgpd.js'
import type { Neighbor, Router, RouterKind, RouterName, RouterOptions, SeenPath } from './router.js'

export const KINDS: readonly RouterKind[] = [frr, bird, gobgp, openbgpd, exabgp]
export const OUR_AS = 64512
export const THEIR_AS = 64513
/** A file of tests may take this long on a busy machine, in milliseconds. */
const FILE_TIMEOUT = 900_000
/** Routers at work at the same time: they wait for timers most of the time. */
const JOBS = 5

/** An address of each family. */
export interface Addresses {
  readonly ipv4: string
  readonly ipv6: string
}

export interface SceneOptions {
  /** Our AS number. */
  readonly asn?: number
  /** Family that the session runs over. @default 'ipv4' */
  readonly over?: 'ipv4' | 'ipv6'
  /** Who opens the connection. @default 'us' */
  readonly dials?: 'us' | 'them' | 'both'
  readonly router?: Partial<Omit<RouterOptions, 'neighbors'>>
  readonly neighbor?: Partial<Neighbor>
  readonly peer?: Partial<PeerOptions>
  readonly speaker?: Partial<BgpSpeakerOptions>
  /** The router's own prefixes of both families have its IPv6 address as next hop. @default false */
  readonly ipv6NextHops?: boolean
  /** More neighbours for the router, made of the addresses. */
  readonly others?: (ours: Addresses, theirs: Addresses) => readonly Neighbor[]
  /** Further addresses of ours, with prefix length. */
  readonly aliases?: (ours: Addresses) => readonly string[]
}

/** A router at the other end of a wire of its own. */
export interface Place {
  readonly host: Host
  readonly router: Router
  readonly routerOptions: RouterOptions
  readonly ours: Addresses
  readonly theirs: Addresses
}

/** A router, and one of our speakers that has it for a peer. */
export interface Scene extends Place {
  readonly speaker: BgpSpeaker
  readonly peer: Peer
  /** Our Loc-RIB. */
  readonly learned: ReadonlyMap<string, readonly RoutePath[]>
  /** What our peer went through: `to from cause`. */
  readonly history: readonly string[]
  /** What our speaker has warned of. */
  readonly warnings: readonly string[]
}

/** Counts from 1: addresses with a zero in the middle have a shorter text. */
let scenes = 0

function warner(warnings: string[]): Logger {
  const log: Logger = {
    debug() {},
    info() {},
    warn: (_fields, text) => void warnings.push(text),
    error: (_fields, text) => void warnings.push(text),
    child: () => log,
  }
  return log
}

/** A log that tells what becomes of stale routes, before it is done, and nothing else. */
export function staleActions(tell: (action: string) => void): Logger {
  const log: Logger = {
    debug() {},
    info: fields => {
      if ('action' in fields) tell(String(fields['action']))
    },
    warn() {},
    error() {},
    child: () => log,
  }
  return log
}

function learn(speaker: BgpSpeaker): ReadonlyMap<string, readonly RoutePath[]> {
  const learned = new Map<string, readonly RoutePath[]>()
  speaker.on('route', ({ prefix, paths }) => {
    if (paths.length > 0) learned.set(prefix, paths)
    else learned.delete(prefix)
  })
  return learned
}

/** Addresses of a wire that nobody else has. */
interface Wire {
  readonly host: Host
  readonly ours: Addresses
  readonly theirs: Addresses
}

async function createWire({ aliases }: SceneOptions): Promise<Wire> {
  const index = ++scenes
  const ours = { ipv4: `10.1.${index}.1`, ipv6: `2001:db8:a:${index}::1` }
  const theirs = { ipv4: `10.1.${index}.2`, ipv6: `2001:db8:a:${index}::2` }
  const lengths = (addresses: Addresses): readonly string[] => [`${addresses.ipv4}/24`, `${addresses.ipv6}/64`]
  const host = await createHost([...lengths(ours), ...(aliases?.(ours) ?? [])], lengths(theirs))
  return { host, ours, theirs }
}

function routerOptionsOf({ ours, theirs }: Wire, options: SceneOptions): RouterOptions {
  const { asn = OUR_AS, over = 'ipv4', dials = 'us' } = options
  const neighbor = { address: ours[over], localAddress: theirs[over], asn, passive: dials === 'us' }
  return {
    asn: THEIR_AS,
    routerId: theirs.ipv4,
    nextHops: options.ipv6NextHops ? { ...theirs, ipv4: theirs.ipv6 } : theirs,
    ...options.router,
    neighbors: [{ ...neighbor, ...options.neighbor }, ...(options.others?.(ours, theirs) ?? [])],
  }
}

/** How our peer is set up towards the router. */
export function peerOptions(options: SceneOptions, theirs: Addresses): PeerOptions {
  const { over = 'ipv4', dials = 'us' } = options
  return {
    address: theirs[over],
    asn: options.router?.asn ?? THEIR_AS,
    passive: dials === 'them',
    connectRetryTime: 1,
    ...options.peer,
  }
}

/** A router alone; everything goes when the play ends. */
export async function withRouter(
  kind: RouterKind,
  options: SceneOptions,
  play: (place: Place) => Promise<void>,
): Promise<void> {
  const wire = await createWire(options)
  await using _ = wire.host
  const routerOptions = routerOptionsOf(wire, options)
  const router = await kind.start(wire.host, routerOptions)
  await using daemon = router.daemon
  try {
    await play({ ...wire, router, routerOptions })
  } catch (error) {
    console.error([kind.name, daemon.output.slice(-4000)].join('\n'))
    throw error
  }
}

/** Sets the scene on two ends of a wire; everything goes when the play ends. */
export async function withScene(
  kind: RouterKind,
  options: SceneOptions,
  play: (scene: Scene) => Promise<void>,
): Promise<void> {
  const { asn = OUR_AS, over = 'ipv4', dials = 'us' } = options
  const wire = await createWire(options)
  await using _ = wire.host
  const { ours, theirs } = wire
  const warnings: string[] = []
  await using speaker = new BgpSpeaker({
    asn,
    bgpIdentifier: ours.ipv4,
    log: warner(warnings),
    ...(dials !== 'us' && { listen: { address: ours[over] } }),
    ...options.speaker,
  })
  await speaker.start()
  const learned = learn(speaker)
  const asked = peerOptions(options, theirs)
  // A router that dials is not to be refused; where we dial, it is to be there.
  const early = dials === 'us' ? undefined : speaker.addPeer(asked)
  const routerOptions = routerOptionsOf(wire, options)
  const router = await kind.start(wire.host, routerOptions)
  await using daemon = router.daemon
  const peer = early ?? speaker.addPeer(asked)
  const history: string[] = []
  peer.on('state', (to, from, cause) => history.push(`${to} ${from} ${cause}`))
  try {
    await play({ ...wire, history, router, routerOptions, speaker, peer, learned, warnings })
  } catch (error) {
    console.error([kind.name, ...history, ...warnings, daemon.output.slice(-4000)].join('\n'))
    throw error
  }
}

type Test = typeof t

/** What a router cannot do, with the reason. */
export type Lacks = Partial<Record<RouterName, string>>

type Play = (t: Test, kind: RouterKind) => Promise<void>

/** Runs a test against a router, or skips it with the reason why not. */
export function onRouter(kind: RouterKind, name: string, lacks: Lacks, play: Play): void {
  const skip = kind.missing() ?? lacks[kind.name] ?? false
  t.test(`${kind.name}: ${name}`, { skip, buffered: true }, t => play(t as Test, kind))
}

/** Runs a test against every router; those that lack what it takes are skipped with the reason. */
export function eachRouter(name: string, lacks: Lacks, play: Play): void {
  for (const kind of KINDS) onRouter(kind, name, lacks, play)
}

/** Runs the tests in a network namespace of their own, several side by side. */
export function interop(define: () => void): void {
  const missing = missingPrivilege()
  t.setTimeout(FILE_TIMEOUT)
  if (missing) {
    t.test('interop', { skip: missing }, async () => {})
    return
  }
  if (!isInside()) return
  t.jobs = JOBS
  define()
}

/** The first path to each prefix. */
export async function routesOf(router: Router, neighbor?: string): Promise<ReadonlyMap<string, SeenPath>> {
  const paths = await router.paths(neighbor)
  return new Map(paths.toReversed().map(path => [path.prefix, path]))
}

/** The session stands, and both say so. */
export async function established({ peer, router }: Scene): Promise<void> {
  await until('Established on our side', () => peer.state === 'Established')
  await until('Established on their side', async () => (await router.established()).length > 0)
}

/** The router knows that a session has ended that ended on our side; or there is one again already, before anybody could ask it. */
export const sawTheEnd = ({ peer, router }: Scene): Promise<unknown> =>
  until('the router saw the end', async () => (await router.established()).length === 0 || peer.state === 'Established')

/** The router has these prefixes of us, and no other. */
export function seen(router: Router, wanted: readonly string[]): Promise<void> {
  const list = wanted.toSorted().join(' ')
  return untilEqual('routes', list, async () => [...(await routesOf(router)).keys()].toSorted().join(' '))
}

/** Our Loc-RIB has these prefixes, and no other. */
export function hasLearned({ learned }: Pick<Scene, 'learned'>, wanted: readonly string[]): Promise<void> {
  const list = wanted.toSorted().join(' ')
  return untilEqual('learned', list, () => [...learned.keys()].toSorted().join(' '))
}

export const prefixesOf = (routes: readonly Route[]): readonly string[] => routes.map(({ prefix }) => prefix)
