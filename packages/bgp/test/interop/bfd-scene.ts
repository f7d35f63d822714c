import { existsSync } from 'node:fs'
import t from 'tap'
import { Bfd, type BfdSession, type BfdSessionOptions, type SessionOptions, type State } from '@typemetal/bgp/bfd'
import { bfdd } from './bfdd.js'
import type { BfdPeer, BfdPeerKind, BfdPeerOptions, SeenBfdSession } from './bfd-peer.js'
import { birdBfd } from './bird-bfd.js'
import { createHost, isInside, missingPrivilege, until, untilEqual, type Host } from './namespace.js'

export const BFD_KINDS: readonly BfdPeerKind[] = [bfdd, birdBfd]
/** A file of tests may take this long on a busy machine, in milliseconds. */
const FILE_TIMEOUT = 900_000
/**
 * Of daemons and of sessions of ours that are told nothing else: a daemon that does not get to run for two seconds on a busy machine must
 * neither be accused nor accuse us. With the intervals that both have by default it is a Detection Time of 6 s.
 */
const DETECT_MULTIPLIER = 20
/** Daemons at work at the same time: they wait for timers most of the time. */
const JOBS = 4

/** What a session of BFD runs over. */
export type Over = 'ipv4' | 'ipv6' | 'link-local'

export interface BfdSceneOptions {
  /** @default 'ipv4' */
  readonly over?: Over
  readonly peer?: Partial<BfdPeerOptions>
  readonly session?: SessionOptions
}

/** A real BFD daemon at the other end of a wire, and a session of ours with it. */
export interface BfdScene {
  readonly bfd: Bfd
  readonly host: Host
  readonly peer: BfdPeer
  /** How it was started. */
  readonly peerOptions: BfdPeerOptions
  readonly session: BfdSession
  /** What another holder asks for the same session with. */
  readonly sessionOptions: BfdSessionOptions
  /** What our session went through: `to from cause`. */
  readonly history: readonly string[]
}

let running: Bfd | undefined

/** The BFD of the file, since there is one for a network namespace. @throws outside of {@link bfdInterop} */
export function ourBfd(): Bfd {
  if (running === undefined) throw new Error('BFD runs in the tests of a file only')
  return running
}

/** Runs the tests in a network namespace of their own, several side by side, with BFD in it. */
export async function bfdInterop(define: () => void): Promise<void> {
  const missing = missingPrivilege()
  t.setTimeout(FILE_TIMEOUT)
  if (missing) {
    t.test('interop', { skip: missing }, async () => {})
    return
  }
  if (!isInside()) return
  const bfd = await Bfd.start()
  running = bfd
  bfd.on('error', error => t.fail(error.message))
  t.teardown(() => bfd.close())
  t.jobs = JOBS
  define()
}

type Test = typeof t

/** What a daemon cannot do, with the reason; a reason alone is one for all of them. */
export type BfdLacks = { readonly [N in BfdPeerKind['name']]?: string } | string | undefined

type Play = (t: Test, kind: BfdPeerKind) => Promise<void>

/** Runs a test against every BFD daemon; those that lack what it takes are skipped with the reason. */
export function eachBfdPeer(name: string, lacks: BfdLacks, play: Play): void {
  for (const kind of BFD_KINDS) {
    const skip = kind.missing() ?? (typeof lacks === 'string' ? lacks : lacks?.[kind.name]) ?? false
    t.test(`${kind.name}: ${name}`, { skip, buffered: true }, t => play(t as Test, kind))
  }
}

/** Counts from 1: addresses with a zero in the middle have a shorter text. */
let scenes = 0

/** Addresses of a wire that nobody else has; with `length` they are what an interface is given. */
export function wireAddresses(over: Over): { readonly ours: string; readonly theirs: string; readonly length: number } {
  const index = ++scenes
  if (over === 'ipv4') return { ours: `10.1.${index}.1`, theirs: `10.1.${index}.2`, length: 24 }
  if (over === 'ipv6') return { ours: `2001:db8:a:${index}::1`, theirs: `2001:db8:a:${index}::2`, length: 64 }
  return { ours: `fe80::${index}:1`, theirs: `fe80::${index}:2`, length: 64 }
}

/** Plays with a session of ours and one of a real daemon; everything goes when the play ends. */
export async function withBfd(
  kind: BfdPeerKind,
  options: BfdSceneOptions,
  play: (scene: BfdScene) => Promise<void>,
): Promise<void> {
  const { over = 'ipv4' } = options
  const { ours, theirs, length } = wireAddresses(over)
  await using host = await createHost([`${ours}/${length}`], [`${theirs}/${length}`])
  const sessionOptions: BfdSessionOptions = {
    address: theirs,
    localAddress: ours,
    ...(over === 'link-local' && { interface: host.link }),
    detectMultiplier: DETECT_MULTIPLIER,
    ...options.session,
  }
  const neighbors = [{ address: ours, localAddress: theirs }]
  const peerOptions = { neighbors, detectMultiplier: DETECT_MULTIPLIER, ...options.peer }
  await playOn(kind, host, sessionOptions, peerOptions, play)
}

/** Plays on a wire that is there already. */
export async function playOn(
  kind: BfdPeerKind,
  host: Host,
  sessionOptions: BfdSessionOptions,
  peerOptions: BfdPeerOptions,
  play: (scene: BfdScene) => Promise<void>,
): Promise<void> {
  const bfd = ourBfd()
  const peer = await kind.start(host, peerOptions)
  await using daemon = peer.daemon
  using session = bfd.session(sessionOptions)
  const history: string[] = []
  session.on('state', (to, from, { cause }) => history.push(`${to} ${from} ${cause}`))
  try {
    await play({ bfd, host, peer, peerOptions, session, sessionOptions, history })
  } catch (error) {
    daemon.thaw()
    const seen = await peer.session().catch(String)
    const told = [seen, session.snapshot(), bfd.counters()].map(value => JSON.stringify(value))
    console.error([kind.name, ...history, ...told, daemon.output.slice(-4000)].join('\n'))
    throw error
  }
}

/** Our session is in this state. */
export const weAre = ({ session }: BfdScene, state: State): Promise<void> =>
  untilEqual('our state', state, () => session.state)

/** The daemon says that its session is in this state. */
export const theyAre = ({ peer }: BfdScene, state: State): Promise<void> =>
  untilEqual('their state', state, async () => (await peer.session())?.state)

const MICROSECONDS = 1000

/** Both ends of a session, as one end says it and as the other does. */
interface Agreement {
  readonly states: string
  readonly ourDetectionTime: number
  readonly ourTransmitInterval: number
  readonly theirDetectionTime: number
  readonly theirTransmitInterval: number
}

/** Milliseconds of an {@link Agreement}. */
export type Timing = Omit<Agreement, 'states'>

/** Both are Up, and have agreed on these times. */
export async function agreed(scene: BfdScene, wanted: Timing): Promise<void> {
  const text = (timing: Timing): string =>
    [
      ['we send', timing.ourTransmitInterval],
      ['we detect', timing.ourDetectionTime],
      ['they send', timing.theirTransmitInterval],
      ['they detect', timing.theirDetectionTime],
    ].join(' ')
  await weAre(scene, 'Up')
  await theyAre(scene, 'Up')
  await untilEqual('what we know', text(wanted), () => text(ourTiming(scene)))
  await untilEqual('what they know', text(wanted), async () => {
    const seen = await scene.peer.session()
    return seen && text({ ...wanted, ...theirTiming(seen) })
  })
}

function ourTiming({ session }: BfdScene): Timing {
  const snapshot = session.snapshot()
  return {
    ourDetectionTime: snapshot.detectionTime / MICROSECONDS,
    ourTransmitInterval: snapshot.transmitInterval / MICROSECONDS,
    theirDetectionTime: snapshot.remoteDetectionTime / MICROSECONDS,
    theirTransmitInterval: snapshot.receiveInterval / MICROSECONDS,
  }
}

const theirTiming = ({ detectionTime, transmitInterval }: SeenBfdSession): Partial<Timing> => ({
  theirDetectionTime: detectionTime,
  theirTransmitInterval: transmitInterval,
})

/** Both are Up, and have ended their Poll Sequences. */
export async function up(scene: BfdScene): Promise<void> {
  await weAre(scene, 'Up')
  await theyAre(scene, 'Up')
  await until('the end of our Poll Sequence', () => {
    const { state, polling, changePending } = scene.session.snapshot()
    return state === 'Up' && !polling && !changePending
  })
}

/** Milliseconds until our session is in a state, from the moment before something is done. */
export async function timed(scene: BfdScene, state: State, act: () => unknown): Promise<number> {
  const { session } = scene
  const start = performance.now()
  let reached: number | undefined
  const onState = (to: State): void => {
    if (to === state) reached ??= performance.now()
  }
  session.on('state', onState)
  await act()
  await until(`our state ${state}, not ${session.state}`, () => reached !== undefined)
  session.off('state', onState)
  return reached! - start
}

/** Why packets cannot be dropped here; `undefined` when they can. */
export const missingCut = (): string | undefined =>
  existsSync('/usr/sbin/nft') ? undefined : 'needs nftables: apt-get install nftables'

/**
 * Drops packets at the peer's interface without a word: those to it, from it, or both, whoever sends or forwards them.
 *
 * @param match which ones; all where it is left out
 */
export function cut(host: Host, direction: 'to them' | 'to us' | 'both', match = ''): void {
  const hooks = { 'to them': ['ingress'], 'to us': ['egress'], both: ['ingress', 'egress'] }[direction]
  const chains = hooks.map(
    hook => `chain ${hook} {\ntype filter hook ${hook} device eth0 priority 0;\n${match} drop\n}`,
  )
  host.exec('nft', `table netdev cut {\n${chains.join('\n')}\n}`)
}

/** Ends {@link cut}. */
export function mend(host: Host): void {
  host.exec('nft', 'delete table netdev cut')
}
