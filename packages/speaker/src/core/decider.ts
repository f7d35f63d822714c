/** The speaker without its hands: state of the cluster in, everything there is to do out. No clock, no socket. */
import { isDeepStrictEqual } from 'node:util'
import type { Config, Snapshot } from '@typemetal/cluster'
import type { PlanDelta } from '../plan/delta.js'
import { plan } from '../plan/plan.js'
import type { RememberingPlan } from '../plan/plan.js'
import type { PlanOptions } from '../plan/types.js'
import { ConfigurationReader, strandedBy } from './configuration.js'
import type { ConfigurationReport } from './configuration.js'
import { transitions } from './transitions.js'
import type { Transition } from './transitions.js'

/** Flags that shape decisions. */
export interface DeciderOptions extends Omit<PlanOptions, 'interfaces'> {
  /** Own node's name in Kubernetes. */
  readonly node: string
  /** Namespace of the `metallb.io` resources. */
  readonly namespace: string
}

/** What the node knows besides the snapshot. */
export interface Surroundings {
  /** Live gossip members; `undefined` when gossip is off. */
  readonly members?: readonly string[] | undefined
  /** Known interfaces; `undefined`: whatever an advertisement names exists. */
  readonly interfaces?: readonly string[] | undefined
}

/** Result of one step. */
export interface Outcome {
  readonly plan: RememberingPlan
  /** What the plan changes against that of the last step; everything at the first one. */
  readonly delta: PlanDelta
  /** What of it is news to people. */
  readonly transitions: readonly Transition[]
  readonly configuration: ConfigurationReport
  /** True when this step put another configuration in force. */
  readonly adopted: boolean
}

/** Which configuration it is to be. */
interface Choice {
  readonly configuration: ConfigurationReport
  /** The plan with the configuration that stays, where one had to be made to know. */
  readonly made?: RememberingPlan
}

/** Remembers the configuration in force and the last plan. */
export class Decider {
  readonly #options: DeciderOptions
  readonly #reader: ConfigurationReader
  #config: Config | undefined
  /** Another object with the same content as the configuration in force. */
  #equal: Config | undefined
  #plan: RememberingPlan | undefined

  constructor(options: DeciderOptions) {
    this.#options = options
    this.#reader = new ConfigurationReader(options.node, options.namespace)
  }

  /** Configuration in force; `undefined` before the first valid one. */
  get config(): Config | undefined {
    return this.#config
  }

  /**
   * Which configuration the next {@link step} on this snapshot would run on, without taking it: tells early what has
   * to be started.
   */
  preview(snapshot: Snapshot): Config | undefined {
    const reading = this.#reader.read(snapshot)
    return 'config' in reading ? reading.config : this.#config
  }

  /** Brings the plan in line with a snapshot; Services that nothing touched keep their decisions, and cost nothing. */
  step(snapshot: Snapshot, surroundings: Surroundings = {}): Outcome {
    const before = this.#plan
    const inForce = this.#config
    const { configuration, made } = this.#chooseConfig(snapshot, surroundings)
    this.#plan = made ?? this.#planWith(snapshot, this.#config, surroundings)
    return {
      plan: this.#plan,
      delta: this.#plan.delta,
      transitions: transitions(before, this.#plan, this.#plan.delta.services),
      configuration,
      adopted: this.#config !== inForce,
    }
  }

  #chooseConfig(snapshot: Snapshot, surroundings: Surroundings): Choice {
    const reading = this.#reader.read(snapshot)
    if ('errors' in reading) return { configuration: { state: 'invalid', errors: reading.errors } }
    if (this.#isInForce(reading.config)) return { configuration: { state: 'inForce' } }
    if (this.#config) {
      // With the statuses of this snapshot: a Service that has moved already strands nothing.
      const made = this.#planWith(snapshot, this.#config, surroundings)
      const stranded = strandedBy(reading.config, made)
      if (stranded.length > 0) return { configuration: { state: 'waiting', stranded }, made }
    }
    this.#config = reading.config
    this.#equal = undefined
    return { configuration: { state: 'inForce' } }
  }

  /** The reader gives one object for one configuration, so each is compared in depth once only. */
  #isInForce(config: Config): boolean {
    if (config !== this.#config && config !== this.#equal && isDeepStrictEqual(config, this.#config))
      this.#equal = config
    return config === this.#config || config === this.#equal
  }

  #planWith(snapshot: Snapshot, config: Config | undefined, surroundings: Surroundings): RememberingPlan {
    const { node, namespace: _, ...flags } = this.#options
    const options = surroundings.interfaces ? { ...flags, interfaces: surroundings.interfaces } : flags
    return plan(snapshot, config, node, surroundings.members, options, this.#plan)
  }
}
