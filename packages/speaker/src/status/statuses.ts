/** Everything that the speaker tells the cluster about itself in status objects. */
import type { Store } from '@typemetal/cluster'
import type { PeerLimit } from '../announcer/limits.js'
import type { Clock } from '../clock.js'
import type { Outcome } from '../core/decider.js'
import type { Logger } from '../logger.js'
import type { Plan } from '../plan/types.js'
import { conditionsOf, configurationStateName, configurationStateWrites } from './configuration-state.js'
import type { Condition } from './configuration-state.js'
import { bgpStatusWrites, layer2StatusWrites } from './objects.js'
import type { StatusOwner, StatusWrite } from './objects.js'
import { StatusWriter } from './writer.js'
import type { StatusReader } from './writer.js'

/** Options of {@link Statuses}. */
export interface StatusesOptions {
  readonly store: Store
  readonly owner: StatusOwner
  readonly log: Logger
  readonly clock: Clock
}

/** ServiceL2Status, ServiceBGPStatus and ConfigurationState of one node. */
export class Statuses {
  readonly #options: StatusesOptions
  readonly #writer: StatusWriter
  #plan: Pick<Plan, 'services' | 'peersOf'> | undefined
  #conditions: readonly Condition[] = []

  constructor(options: StatusesOptions) {
    this.#options = options
    const { store, log, clock } = options
    this.#writer = new StatusWriter({ store, log, clock, wanted: read => this.#writes(read) })
  }

  /** Takes a new outcome and writes what it changes. */
  report({ plan, configuration }: Outcome, limits: readonly PeerLimit[]): void {
    this.#plan = plan
    this.#conditions = conditionsOf(configuration, limits)
    this.#writer.update()
  }

  /** Looks again: somebody may have changed or deleted what we wrote. */
  update(): void {
    if (this.#plan) this.#writer.update()
  }

  /** Takes back what says that this node announces; gives up after `patience` milliseconds. */
  async clear(patience: number): Promise<void> {
    if (this.#plan) {
      this.#plan = { services: new Map(), peersOf: new Map() }
      this.#writer.update()
    }
    const { promise, cancel } = timeout(this.#options.clock, patience)
    await Promise.race([this.#writer.close(), promise])
    cancel()
  }

  #writes(read: StatusReader): readonly StatusWrite[] {
    const { owner, clock } = this.#options
    const plan = this.#plan
    if (!plan) return []
    const name = configurationStateName(owner.node)
    const here = <T extends { readonly metadata: { readonly namespace?: string } }>(
      objects: readonly T[],
    ): readonly T[] => objects.filter(({ metadata }) => metadata.namespace === owner.namespace)
    const state = here(read('ConfigurationState')).find(({ metadata }) => metadata.name === name)
    return [
      ...layer2StatusWrites(plan, owner, here(read('ServiceL2Status'))),
      ...bgpStatusWrites(plan, owner, here(read('ServiceBGPStatus'))),
      ...configurationStateWrites(this.#conditions, owner, state, clock.timestamp()),
    ]
  }
}

function timeout(clock: Clock, ms: number): { readonly promise: Promise<void>; readonly cancel: () => void } {
  let cancel = (): void => {}
  const promise = new Promise<void>(resolve => {
    cancel = clock.after(ms, resolve)
  })
  return { promise, cancel }
}
