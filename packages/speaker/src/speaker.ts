/** One node's speaker: wires the store to the decisions, and the decisions to the announcers. */
import { isIP } from 'node:net'
import { isDeepStrictEqual } from 'node:util'
import type { Change, Config, Node, OwnerReference, Snapshot, Store } from '@typemetal/cluster'
import { createReconcileMetrics } from '@typemetal/cluster/process'
import type { ReconcileMetrics } from '@typemetal/cluster/process'
import type { Registry } from 'prom-client'
import type { StartBfd } from './announcer/bfd.js'
import { registerBFDMetrics } from './announcer/bfd-metrics.js'
import { BGPAnnouncer } from './announcer/bgp.js'
import { registerBGPMetrics } from './announcer/bgp-metrics.js'
import type { CreateEngine } from './announcer/engine.js'
import { conflictEvents } from './announcer/conflict-events.js'
import type { Segment } from './announcer/conflict-guard.js'
import { Layer2Announcer } from './announcer/layer2.js'
import { Layer2Elections } from './announcer/layer2-election.js'
import type { ElectionState } from './announcer/layer2-election.js'
import { registerLayer2Metrics } from './announcer/layer2-metrics.js'
import type { Responder } from './announcer/layer2-responder.js'
import { systemClock } from './clock.js'
import type { Clock } from './clock.js'
import { Coalescer } from './coalesce.js'
import { Decider } from './core/decider.js'
import type { DeciderOptions, Outcome } from './core/decider.js'
import { drainHands } from './drain/hands.js'
import type { DrainHands } from './drain/drainer.js'
import { NodeDrain } from './drain/node-drain.js'
import type { NodeDrainSettings } from './drain/node-drain.js'
import { registerRingMetrics } from './gossip/metrics.js'
import type { Ring } from './gossip/ring.js'
import { silent } from './logger.js'
import type { Logger } from './logger.js'
import { SpeakerPage } from './page/speaker-page.js'
import type { SpeakerPageOptions } from './page/speaker-page.js'
import { Reporter } from './reporter.js'

/** Options of {@link Speaker}. */
export interface SpeakerOptions extends DeciderOptions, NodeDrainSettings {
  /** Not started yet; the caller disposes of it after {@link Speaker.run}. */
  readonly store: Store
  /** Gossip with the other speakers; absent: every node counts as alive. */
  readonly ring?: Ring | undefined
  /** Starts the layer-2 responder. */
  readonly startLayer2: () => Promise<Responder>
  /** Resolves conflicts about layer-2 addresses; absent: they are only named in the log. */
  readonly segment?: Segment
  /** Makes the BGP engine. */
  readonly createEngine: CreateEngine
  /** Starts the BFD worker when the first peer wants one. @default that of `@typemetal/bgp/bfd` */
  readonly startBfd?: StartBfd
  /** Where the metrics are registered. */
  readonly registry: Registry
  /** The own Pod, with which the statuses go; absent outside Kubernetes. */
  readonly ownerReference?: OwnerReference | undefined
  /** @default silent */
  readonly log?: Logger
  /** @default the machine's */
  readonly clock?: Clock
}

/** Most milliseconds between a change and the plan that knows it, when changes come in bursts. */
const REPLAN_INTERVAL = 100
/** Milliseconds that the first plan waits for a member of the ring to answer, so as not to claim what others hold. */
const JOIN_PATIENCE = 1_000
/** Milliseconds that sessions and ring get to end after a failure; a drain has ended them before. */
const STOP_PATIENCE = 2_000
/** Milliseconds before layer 2 is tried again when it could not be started: doubled each time, up to the second. */
const LAYER2_RETRY = 1_000
const LAYER2_LONGEST_RETRY = 60_000
/** Kinds that the speaker itself writes: their changes are no news. */
const OWN_KINDS: ReadonlySet<string> = new Set(['ServiceL2Status', 'ServiceBGPStatus', 'ConfigurationState'])

/** Announces what the plan says until it is told to stop. */
export class Speaker {
  readonly #options: SpeakerOptions
  readonly #log: Logger
  readonly #clock: Clock
  readonly #decider: Decider
  readonly #bgp: BGPAnnouncer
  readonly #layer2: Layer2Announcer
  readonly #elections: Layer2Elections
  readonly #reporter: Reporter
  readonly #reconciles: ReconcileMetrics
  readonly #replan: Coalescer
  readonly #drain: NodeDrain
  #page: SpeakerPage | undefined
  #outcome: Outcome | undefined
  #faults: Snapshot['faults'] = []
  /** Since when the store cannot be read. */
  #unreadableSince: number | undefined
  /** The plan alone counts again once it is one with this node in the ring. */
  #resuming = false
  /** As it was in the last pass. */
  #isLastResort = false
  /** Why layer 2 could not be started, and how long it is left alone. */
  #layer2Fault: { readonly text: string; readonly wait: number; resting: boolean; cancel: () => void } | undefined
  #waitsForNode = false
  /** Whether it has been decided if this node joins the ring. */
  #hasEntered = false
  /** Nothing is planned before the store has been read and the ring been asked. */
  #started = false
  #fail: (error: unknown) => void = () => {}

  constructor(options: SpeakerOptions) {
    const { node, namespace, store, registry, log = silent, clock = systemClock } = options
    this.#options = options
    this.#log = log
    this.#clock = clock
    this.#decider = new Decider(options)
    const { createEngine, startBfd } = options
    this.#bgp = new BGPAnnouncer({ node, log, clock, createEngine, ...(startBfd && { startBfd }) })
    const electionState = (): ElectionState => ({
      plan: this.#outcome?.plan,
      config: this.#decider.config,
      snapshot: store.snapshot(),
      outdated: this.#unreadableSince !== undefined,
    })
    this.#elections = new Layer2Elections(electionState, options)
    const { segment } = options
    const electionOf = this.#elections.of.bind(this.#elections)
    this.#layer2 = new Layer2Announcer({
      start: options.startLayer2, log, clock, ...(segment && { splitBrain: { node, segment, electionOf } }),
    }) // prettier-ignore
    const { ownerReference } = options
    const limits = (): BGPAnnouncer['limits'] => this.#bgp.limits
    this.#reporter = new Reporter({ node, namespace, store, ownerReference, limits, registry, log, clock })
    this.#reconciles = createReconcileMetrics(registry, 'speaker', () => clock.now())
    const pass = (): Promise<void> => this.#reconciles.run(() => this.#pass()).catch(error => this.#fail(error))
    this.#replan = new Coalescer(pass, REPLAN_INTERVAL, clock)
    this.#drain = new NodeDrain({
      node,
      settings: options,
      planning: options,
      ring: options.ring,
      look: () => ({
        snapshot: store.snapshot(),
        config: this.#decider.config,
        plan: this.#outcome?.plan,
      }),
      hands: sole => this.#hands(sole),
      registry,
      log,
      clock,
    })
    registerBGPMetrics(registry, () => this.#bgp.peers())
    registerBFDMetrics(registry, () => this.#bgp.bfdSessions())
    const { ring } = options
    if (ring) registerRingMetrics(registry, ring)
    registerLayer2Metrics(registry, this.#layer2)
  }

  /** True once the node announces what a configuration says; before that, what it waits for. */
  ready(): true | string {
    if (this.#waitsForNode) return `no Node object named ${this.#options.node}`
    if (!this.#outcome || !this.#decider.config) return 'no configuration yet'
    if (this.#layer2.isDown) return 'layer 2 is not running'
    if (this.#drain.ending) return `ending: ${this.#drain.state}`
    return true
  }

  /** What a status page says: from now on transitions are remembered for it. To be called once, before {@link run}. */
  openPage(options: SpeakerPageOptions): SpeakerPage {
    const { node, namespace, ignoreExcludeLb = false, store, ring } = this.#options
    this.#page = new SpeakerPage({
      ...options,
      node,
      namespace,
      ignoreExcludeLb,
      store,
      ring,
      bgp: this.#bgp,
      layer2: this.#layer2,
      drain: this.#drain,
      config: () => this.#decider.config,
      clock: this.#clock,
    })
    return this.#page
  }

  /** When the pass under way began, in milliseconds on the clock. */
  get passSince(): number | undefined {
    return this.#reconciles.runningSince
  }

  /** Resolves when the layer-2 worker answers, at once where there is none. */
  async probe(): Promise<void> {
    await this.#layer2.probe()
  }

  /**
   * Announces until the signal aborts, then takes leave of its peers and of the ring.
   * @throws what keeps it from working at all: a store that cannot be read, a privilege that layer 2 lacks
   */
  async run(signal: AbortSignal): Promise<void> {
    const { store, ring } = this.#options
    store.on('change', changes => this.#onChange(changes))
    store.on('outage', reason => this.#onOutage(reason))
    ring?.on('members', () => this.#request())
    this.#layer2.on('interfaces', () => this.#request())
    this.#layer2.on('taken', address => this.#drain.taken(address))
    this.#layer2.on('conflict', (state, conflict) => {
      if (state !== 'begun') return
      const services = this.#elections.servicesOf(conflict.address)
      for (const event of conflictEvents(conflict, services, this.#options.node)) store.emitEvent(event)
    })
    this.#drain.on('change', () => this.#request())
    this.#bgp.on('limits', () => this.#reporter.refresh())
    try {
      if (await this.#begin(signal)) await this.#work(signal)
    } finally {
      await this.#stop()
    }
  }

  /** @returns false when the end came first: a cluster that cannot be reached must not keep the process from ending */
  async #begin(signal: AbortSignal): Promise<boolean> {
    const over = new Promise<false>(resolve => {
      if (signal.aborted) resolve(false)
      else signal.addEventListener('abort', () => resolve(false), { once: true })
    })
    const steps = [() => this.#options.store.start(), () => this.#enter()]
    for (const step of steps) {
      if ((await Promise.race([step(), over])) === false) return false
    }
    return true
  }

  async #work(signal: AbortSignal): Promise<void> {
    // Neither a signal handler nor our own timers keep a process alive.
    const alive = setInterval(() => {}, 0x7fff_ffff)
    try {
      await new Promise<void>((resolve, reject) => {
        this.#fail = reject
        const end = (): void => void this.#end().then(resolve, reject)
        if (signal.aborted) end()
        else signal.addEventListener('abort', end, { once: true })
        this.#started = true
        this.#request()
      })
    } finally {
      clearInterval(alive)
    }
  }

  #request(): void {
    if (this.#started) this.#replan.request()
  }

  /**
   * Joins the ring, once the own Node is known. The moment this node joins, others give up what it owns: it must be able to answer then,
   * and to be meant to. One that is drained keeps out until it returns.
   */
  async #enter(): Promise<void> {
    if (this.#hasEntered) return
    const { ring, store } = this.#options
    const snapshot = store.snapshot()
    if (!this.#knowsNode(snapshot)) return
    this.#hasEntered = true
    await this.#needLayer2(usesLayer2(this.#decider.preview(snapshot)))
    this.#drain.followNode(snapshot)
    if (ring && this.#drain.state === 'announcing') await this.#join(ring)
  }

  async #join(ring: Ring): Promise<void> {
    await ring.start()
    await new Promise<void>(resolve => {
      const cancel = this.#clock.after(JOIN_PATIENCE, resolve)
      void ring.nudge().finally(() => {
        cancel()
        resolve()
      })
    })
  }

  #onChange(changes: readonly Change[]): void {
    const news = changes.filter(({ kind }) => !OWN_KINDS.has(kind))
    this.#reporter.countChanges(news.length)
    const { node, ring, store } = this.#options
    // What can no longer be read, or can again, comes without a change of its own, perhaps with changes of our own kinds.
    const { faults } = store.snapshot()
    const faulty = !isDeepStrictEqual(faults, this.#faults)
    this.#faults = faults
    if (news.some(({ kind, type, key }) => kind === 'Node' && (type === 'added' || key === node))) void ring?.nudge()
    if (news.length > 0 || faulty) this.#request()
  }

  #onOutage(reason: string | undefined): void {
    const since = this.#unreadableSince ?? this.#clock.now()
    this.#unreadableSince = reason === undefined ? undefined : since
    if (reason === undefined) {
      const seconds = Math.round((this.#clock.now() - since) / 1000)
      this.#log.info({ op: 'store', seconds }, 'the cluster can be read again')
    } else {
      this.#log.error({ op: 'store', error: reason }, 'the cluster cannot be read: announcing the last known state')
    }
  }

  /** One round: decide everything, then bring the world in line with it. */
  async #pass(): Promise<void> {
    await this.#enter()
    const snapshot = this.#options.store.snapshot()
    if (!this.#knowsNode(snapshot)) return
    await this.#needLayer2([this.#decider.config, this.#decider.preview(snapshot)].some(usesLayer2))
    this.#drain.followNode(snapshot)
    this.#followLastResort()
    const outcome = this.#decider.step(snapshot, { members: this.#drain.members, interfaces: this.#layer2.interfaces })
    this.#outcome = outcome
    this.#bgp.apply(outcome.plan, name => this.#decider.config?.peers.has(name) ?? false, outcome.delta)
    this.#layer2.apply(outcome.plan.layer2, outcome.delta.layer2)
    if (this.#resuming) this.#resume()
    // Routes set one after the other go out together, in a moment: routers first, then people.
    await Promise.resolve()
    this.#reporter.tell(outcome, this.#drain)
    this.#page?.follow(outcome)
    this.#drain.followOthers()
    await this.#needLayer2(usesLayer2(this.#decider.config))
  }

  #resume(): void {
    this.#resuming = false
    this.#layer2.resume()
  }

  /**
   * The last resort of a cluster holds nothing: it answers as a member would, so that of two that cannot hear of each other one gives
   * way, instead of each taking the other for its successor. When another node comes it holds what it has.
   */
  #followLastResort(): void {
    const { isLastResort, outOfRing } = this.#drain
    if (isLastResort === this.#isLastResort) return
    this.#isLastResort = isLastResort
    // What is held again is not resumed by a wish that is older.
    this.#resuming = isLastResort || (this.#resuming && !outOfRing)
    if (!isLastResort && outOfRing && this.#options.ring) this.#layer2.hold()
  }

  /** Layer 2 resumes when a plan with this node in the ring is carried out: before that it would give up what it holds. */
  #hands(sole: () => ReadonlySet<string>): DrainHands {
    const layer2 = {
      hold: () => {
        this.#resuming = false
        this.#layer2.hold()
      },
      release: (addresses: readonly string[]) => this.#layer2.release(addresses),
      resume: () => (this.#resuming = true),
    }
    const { ring } = this.#options
    return drainHands({
      bgp: this.#bgp,
      layer2,
      ring: ring && { leave: () => ring.leave(), rejoin: () => this.#rejoin(ring) },
      clearStatuses: () => this.#reporter.clear(),
      sole,
    })
  }

  /** A node that started drained enters the ring when it returns; that it cannot must be known, as at the start. */
  async #rejoin(ring: Ring): Promise<void> {
    await ring.start().catch((error: unknown) => this.#fail(error))
    await ring.rejoin()
  }

  /** Lets go of everything in order. */
  async #end(): Promise<void> {
    this.#log.info({ op: 'shutdown' }, 'stopping')
    await this.#drain.end()
  }

  /** The first plan waits for the own Node: without its labels every selector would be judged wrongly. */
  #knowsNode(snapshot: Snapshot): boolean {
    const { node } = this.#options
    const known = this.#outcome !== undefined || snapshot.objects('Node').has(node)
    if (!known && !this.#waitsForNode) this.#log.warn({ op: 'start', node }, 'waiting for the own Node object')
    this.#waitsForNode = !known
    return known
  }

  async #needLayer2(needed: boolean): Promise<void> {
    if (needed && this.#layer2Fault?.resting) return
    try {
      await this.#layer2.need(needed)
      this.#layer2Fault?.cancel()
      this.#layer2Fault = undefined
    } catch (error) {
      // Whoever starts the process must hear of it; later the BGP sessions are worth more than an exit.
      if (!this.#decider.config) throw error
      this.#restLayer2(String(error))
    }
  }

  /** Said once for as long as it stays the reason; tried again by itself, for the cluster may have nothing new for hours. */
  #restLayer2(text: string): void {
    const before = this.#layer2Fault
    if (before?.text !== text) this.#log.error({ op: 'layer2', error: text }, 'layer 2 cannot be started, trying on')
    const wait = Math.min(before ? before.wait * 2 : LAYER2_RETRY, LAYER2_LONGEST_RETRY)
    const fault = { text, wait, resting: true, cancel: () => {} }
    fault.cancel = this.#clock.after(wait, () => {
      fault.resting = false
      this.#request()
    })
    this.#layer2Fault = fault
  }

  /**
   * After a drain there is little left to stop; after a failure all of it, as politely as it can be done at once. Who does not take our
   * goodbye by then does not hold up the end.
   */
  async #stop(): Promise<void> {
    const { ring } = this.#options
    this.#drain.close()
    this.#layer2Fault?.cancel()
    await this.#replan.close()
    await this.#within(STOP_PATIENCE, [this.#bgp[Symbol.asyncDispose](), ring?.leave() ?? Promise.resolve()])
    await this.#layer2[Symbol.asyncDispose]()
    await ring?.[Symbol.asyncDispose]()
    await this.#reporter.clear()
    this.#log.info({ op: 'shutdown' }, 'done')
  }

  async #within(patience: number, goodbyes: readonly Promise<void>[]): Promise<void> {
    let cancel = (): void => {}
    const late = new Promise<void>(resolve => (cancel = this.#clock.after(patience, resolve)))
    await Promise.race([Promise.all(goodbyes), late])
    cancel()
  }
}

const usesLayer2 = (config: Config | undefined): boolean =>
  config !== undefined && [...config.pools.values()].some(pool => pool.l2Advertisements.length > 0)

/**
 * InternalIP addresses of all Nodes but one: where the other speakers are, when nobody says otherwise.
 * @param from the address that gossip is bound to: only addresses of its family can be reached from it (from `::`, all)
 */
export function internalAddresses(nodes: ReadonlyMap<string, Node>, except: string, from: string): readonly string[] {
  return [...nodes.values()]
    .filter(({ metadata }) => metadata.name !== except)
    .flatMap(({ status }) => status?.addresses ?? [])
    .filter(({ type, address }) => type === 'InternalIP' && (from === '::' || isIP(address) === isIP(from)))
    .map(({ address }) => address)
}
