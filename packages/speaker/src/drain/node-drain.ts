/** The drain of one node: what it is told of the cluster, and whom plans count as alive meanwhile. */
import { EventEmitter } from 'node:events'
import type { Config, Snapshot } from '@typemetal/cluster'
import type { Registry } from 'prom-client'
import type { Clock } from '../clock.js'
import type { Logger } from '../logger.js'
import type { Plan, PlanOptions } from '../plan/types.js'
import { Drainer } from './drainer.js'
import type { DrainHands, DrainerEvents } from './drainer.js'
import { createDrainMetrics } from './metrics.js'
import { drainCauseOf, isLeaving, servingNodes } from './node.js'
import { Succession } from './succession.js'
import type { DrainCause, DrainOptions, DrainScope, DrainState, Heirs } from './types.js'

/** How a node is drained. */
export interface NodeDrainSettings {
  /** How patient the drain at the end is, and that of a node. */
  readonly drain?: Partial<DrainOptions>
  /** What makes a Node lose its traffic while the process stays. @default nothing */
  readonly drainOn?: ReadonlySet<DrainCause>
  /**
   * What a signal means: `restart`: another process comes soon, and peers with graceful restart are left forwarding to this node; `handover`:
   * none comes; `auto`: the first, unless the Node is about to go away. @default 'auto'
   */
  readonly drainExit?: 'auto' | 'handover' | 'restart'
}

/** What a drain asks the ring. */
export interface DrainableRing {
  /** Names of the live members. */
  readonly members: readonly string[]
  /** Whether {@link members} says who is alive. A node that starts drained keeps out, and hears of nobody. */
  readonly entered: boolean
  /** Hosts that may be members, this one left out. */
  readonly peers: readonly string[]
}

/** Options of {@link NodeDrain}. */
export interface NodeDrainOptions {
  /** Name of this node. */
  readonly node: string
  /** What starts a drain, and how patient it is. */
  readonly settings: NodeDrainSettings
  /** How this node plans, with which the others' plans are foreseen. */
  readonly planning: PlanOptions
  /** Absent: gossip is off. */
  readonly ring: DrainableRing | undefined
  /** The cluster now, the configuration in force, and the last plan. */
  readonly look: () => {
    readonly snapshot: Snapshot
    readonly config: Config | undefined
    readonly plan: Plan | undefined
  }
  /** Makes the hands that do it. @param sole prefixes that nobody else announces: they stay when routes are withdrawn */
  readonly hands: (sole: () => ReadonlySet<string>) => DrainHands
  /** Where the metrics are registered. */
  readonly registry: Registry
  /** Is told of every step, and why. */
  readonly log: Logger
  /** Where timers run; a test's own. */
  readonly clock: Clock
}

/** Emits what its {@link Drainer} does. */
export class NodeDrain extends EventEmitter<DrainerEvents> {
  readonly #options: NodeDrainOptions
  readonly #drainer: Drainer
  readonly #hands: DrainHands
  readonly #succession = new Succession()
  #sole: ReadonlySet<string> = new Set()
  #ending = false

  /** @throws {RangeError} an option of the drain that cannot work */
  constructor(options: NodeDrainOptions) {
    super()
    const { node, settings, registry, log, clock } = options
    const hands = options.hands(() => this.#sole)
    this.#options = options
    this.#hands = hands
    const metrics = createDrainMetrics(registry)
    this.#drainer = new Drainer({ node, hands, drain: settings.drain ?? {}, metrics, log, clock })
    this.#drainer.on('change', () => this.emit('change'))
    this.#drainer.on('transition', (to, reason) => this.emit('transition', to, reason))
  }

  /** Where the drain is. */
  get state(): DrainState {
    return this.#drainer.state
  }

  /** Layer-2 addresses that are answered for although the ring was left, with who takes over. */
  get held(): Heirs {
    return this.#drainer.held
  }

  /** True once the process is to end. */
  get ending(): boolean {
    return this.#ending
  }

  /** Prefixes that no other node would announce. */
  get sole(): ReadonlySet<string> {
    return this.#sole
  }

  /** Whose routes were taken back. */
  get withdrawn(): DrainScope {
    return this.#drainer.withdrawn
  }

  /** True from leaving the ring until it is entered again. */
  get outOfRing(): boolean {
    return this.#drainer.outOfRing
  }

  /** True while this node serves although it is drained: it has left the ring, and nobody else is alive. */
  get isLastResort(): boolean {
    return this.state === 'drained' && this.outOfRing && this.#others.length === 0
  }

  /** Live members for the plan; without this node while it is out of the ring, unless there is nobody else to serve. */
  get members(): readonly string[] | undefined {
    const { node, ring } = this.#options
    if (!ring) return undefined
    const { outOfRing, returning } = this.#drainer
    if (!outOfRing && !returning) return ring.members
    const others = this.#others
    if (outOfRing && others.length > 0) return others
    return [...others, node].toSorted()
  }

  /** Before a pass: has the Node drained, or take its traffic back, as its object says. */
  followNode(snapshot: Snapshot): void {
    const { node, settings } = this.#options
    const { drainOn } = settings
    if (!drainOn || drainOn.size === 0) return
    const cause = drainCauseOf(snapshot.objects('Node').get(node), drainOn)
    if (cause !== undefined && this.state === 'announcing') this.#tell()
    this.#drainer.nodeChanged(cause)
  }

  /** After a pass: others may have come or gone. */
  followOthers(): void {
    if (this.state === 'announcing') return this.#succession.forget()
    const before = this.#sole
    this.#tell()
    const isSame = before.size === this.#sole.size && [...before].every(prefix => this.#sole.has(prefix))
    if (this.withdrawn === 'none' || isSame) return
    this.#hands.withdraw(this.withdrawn)
    this.emit('change')
  }

  /** Another node was heard announcing an address. */
  taken(address: string): void {
    this.#drainer.taken(address)
  }

  /** Lets go of everything in order, for the process is to end. Resolves when it may. */
  end(): Promise<void> {
    const { node, settings, look } = this.#options
    const { drainExit = 'auto' } = settings
    this.#ending = true
    this.#tell()
    const restart =
      drainExit === 'auto' ? !isLeaving(look().snapshot.objects('Node').get(node)) : drainExit === 'restart'
    return this.#drainer.signal(restart)
  }

  /** Stops its timers. */
  close(): void {
    this.#drainer.close()
  }

  /** Other nodes that serve, as far as this one can tell: out of the ring their objects are all there is to go by. */
  get #others(): readonly string[] {
    const { node, ring, look, settings } = this.#options
    const { drainOn = new Set() } = settings
    const names = ring?.entered ? ring.members : servingNodes(look().snapshot.objects('Node'), drainOn, ring?.peers)
    return names.filter(name => name !== node)
  }

  /** Says who takes over what. Without a ring nobody hears that this node goes, so nobody does. */
  #tell(): void {
    const { ring, planning, look } = this.#options
    const { snapshot, config, plan } = look()
    const others = this.#others
    const { heirs, sole } = this.#succession.find({
      snapshot,
      config,
      others,
      gossips: ring !== undefined,
      options: planning,
      addresses: [...this.#drainer.held.keys(), ...(plan?.layer2.keys() ?? [])],
      services: plan?.services ?? new Map(),
    })
    this.#sole = sole
    const alone = others.length === 0
    this.#drainer.others(heirs, alone, ring !== undefined && !alone)
  }
}
