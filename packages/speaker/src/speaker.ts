/** One node's speaker: wires the store to the decisions, and the decisions to the announcers. */
import { isIP } from 'node:net'
import { isDeepStrictEqual } from 'node:util'
import type { Change, Config, Node, Snapshot, Store } from '@typemetal/cluster'
import type { Registry } from 'prom-client'
import { BGPAnnouncer } from './announcer/bgp.js'
import { registerBGPMetrics } from './announcer/bgp-metrics.js'
import type { CreateEngine } from './announcer/engine.js'
import { Layer2Announcer } from './announcer/layer2.js'
import type { Responder } from './announcer/layer2.js'
import { registerLayer2Metrics } from './announcer/layer2-metrics.js'
import { systemClock } from './clock.js'
import type { Clock } from './clock.js'
import { Coalescer } from './coalesce.js'
import { Decider } from './core/decider.js'
import type { DeciderOptions, Outcome } from './core/decider.js'
import { eventsOf } from './core/events.js'
import { Narrator } from './core/narrator.js'
import type { Ring } from './gossip/ring.js'
import { silent } from './logger.js'
import type { Logger } from './logger.js'
import { createSpeakerMetrics, recordOutcome, registerRingMetrics } from './metrics.js'
import type { SpeakerMetrics } from './metrics.js'
import { Statuses } from './status/statuses.js'

/** Options of {@link Speaker}. */
export interface SpeakerOptions extends DeciderOptions {
  /** Not started yet; the caller disposes of it after {@link Speaker.run}. */
  readonly store: Store
  /** Gossip with the other speakers; absent: every node counts as alive. */
  readonly ring?: Ring | undefined
  /** Starts the layer-2 responder. */
  readonly startLayer2: () => Promise<Responder>
  /** Makes the BGP engine. */
  readonly createEngine: CreateEngine
  readonly registry: Registry
  readonly log?: Logger
  readonly clock?: Clock
}

/** Most milliseconds between a change and the plan that knows it, when changes come in bursts. */
const REPLAN_INTERVAL = 100
/** Milliseconds that the first plan waits for a member of the ring to answer, so as not to claim what others hold. */
const JOIN_PATIENCE = 1_000
/** Milliseconds that a stop waits for the statuses to be cleared. */
const CLEAR_PATIENCE = 1_000
/** Kinds that the speaker itself writes: their changes are no news. */
const OWN_KINDS: ReadonlySet<string> = new Set(['ServiceL2Status', 'ServiceBGPStatus', 'ConfigurationState'])

/** Announces what the plan says until it is told to stop. */
export class Speaker {
  readonly #options: SpeakerOptions
  readonly #log: Logger
  readonly #clock: Clock
  readonly #decider: Decider
  readonly #narrator: Narrator
  readonly #metrics: SpeakerMetrics
  readonly #bgp: BGPAnnouncer
  readonly #layer2: Layer2Announcer
  readonly #statuses: Statuses
  readonly #replan: Coalescer
  #outcome: Outcome | undefined
  #faults: Snapshot['faults'] = []
  #waitsForNode = false
  /** Nothing is planned before the store has been read and the ring been asked. */
  #started = false
  #fail: (error: unknown) => void = () => {}

  constructor(options: SpeakerOptions) {
    const { node, namespace, store, registry, log = silent, clock = systemClock } = options
    this.#options = options
    this.#log = log
    this.#clock = clock
    this.#decider = new Decider(options)
    this.#narrator = new Narrator(log)
    this.#metrics = createSpeakerMetrics(registry)
    this.#bgp = new BGPAnnouncer({ node, log, createEngine: options.createEngine })
    this.#layer2 = new Layer2Announcer({ start: options.startLayer2, log, clock })
    this.#statuses = new Statuses({ store, owner: { node, namespace }, log, clock })
    this.#replan = new Coalescer(() => this.#pass().catch(error => this.#fail(error)), REPLAN_INTERVAL, clock)
    registerBGPMetrics(registry, () => this.#bgp.peers())
    const { ring } = options
    if (ring) registerRingMetrics(registry, () => ring.members.length)
    registerLayer2Metrics(registry, () => this.#layer2.counters())
  }

  /** True once the node announces what a configuration says; before that, what it waits for. */
  ready(): true | string {
    if (this.#waitsForNode) return `no Node object named ${this.#options.node}`
    if (!this.#outcome || !this.#decider.config) return 'no configuration yet'
    if (this.#layer2.interfaces?.length === 0) return 'layer 2 is not running'
    return true
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
    try {
      await store.start()
      await this.#firstJoin()
      await this.#work(signal)
    } finally {
      await this.#stop()
    }
  }

  async #work(signal: AbortSignal): Promise<void> {
    // Neither a signal handler nor our own timers keep a process alive.
    const alive = setInterval(() => {}, 0x7fff_ffff)
    try {
      await new Promise<void>((resolve, reject) => {
        this.#fail = reject
        if (signal.aborted) resolve()
        else signal.addEventListener('abort', () => resolve(), { once: true })
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

  async #firstJoin(): Promise<void> {
    const { ring } = this.#options
    if (!ring) return
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
    this.#metrics.updates.inc(news.length)
    const { node, ring, store } = this.#options
    // What can no longer be read, or can again, comes without a change of its own, perhaps with changes of our own kinds.
    const { faults } = store.snapshot()
    const faulty = !isDeepStrictEqual(faults, this.#faults)
    this.#faults = faults
    if (news.some(({ kind, type, key }) => kind === 'Node' && (type === 'added' || key === node))) void ring?.nudge()
    if (news.length > 0 || faulty) this.#request()
    else this.#statuses.update()
  }

  #onOutage(reason: string | undefined): void {
    if (reason === undefined) this.#log.info({ op: 'store' }, 'the cluster can be read again')
    else this.#log.error({ op: 'store', error: reason }, 'the cluster cannot be read: announcing the last known state')
  }

  /** One round: decide everything, then bring the world in line with it. */
  async #pass(): Promise<void> {
    const snapshot = this.#options.store.snapshot()
    if (!this.#knowsNode(snapshot)) return
    await this.#needLayer2([this.#decider.config, this.#decider.preview(snapshot)].some(usesLayer2))
    const members = this.#options.ring?.members
    const before = this.#outcome
    const outcome = this.#decider.step(snapshot, { members, interfaces: this.#layer2.interfaces })
    this.#outcome = outcome
    recordOutcome(this.#metrics, before?.plan, outcome)
    this.#bgp.apply(outcome.plan, name => this.#decider.config?.peers.has(name) ?? false)
    this.#layer2.apply(outcome.plan.layer2)
    this.#tell(outcome)
    await this.#needLayer2(usesLayer2(this.#decider.config))
  }

  #tell(outcome: Outcome): void {
    if (this.#narrator.tell(outcome)) this.#metrics.updateErrors.inc()
    const { store, node } = this.#options
    for (const event of outcome.transitions.flatMap(transition => eventsOf(transition, node))) store.emitEvent(event)
    this.#statuses.report(outcome, this.#bgp.limits)
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
    try {
      await this.#layer2.need(needed)
    } catch (error) {
      // Whoever starts the process must hear of it; later the BGP sessions are worth more than an exit.
      if (!this.#decider.config) throw error
      this.#log.error({ op: 'layer2', error: String(error) }, 'layer 2 cannot be started')
    }
  }

  /** Others take over as soon as the ring hears that we go, so layer 2 is answered until then. */
  async #stop(): Promise<void> {
    this.#log.info({ op: 'shutdown' }, 'stopping')
    await this.#replan.close()
    await Promise.all([this.#bgp[Symbol.asyncDispose](), this.#options.ring?.leave()])
    await this.#layer2[Symbol.asyncDispose]()
    await this.#statuses.clear(CLEAR_PATIENCE)
    this.#log.info({ op: 'shutdown' }, 'done')
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
