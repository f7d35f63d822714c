/** What the election of a layer-2 address is decided by, for the few addresses that somebody asks about. */
import { matchesAny } from '@typemetal/cluster'
import type { Config, ObjectKey, Snapshot } from '@typemetal/cluster'
import type { ElectionLevel } from '../election.js'
import { preferenceScores } from '../plan/layer2.js'
import type { Plan } from '../plan/types.js'
import type { AddressElection } from './conflict-rule.js'

/** What elections are decided by now. */
export interface ElectionState {
  readonly plan: Plan | undefined
  readonly config: Config | undefined
  readonly snapshot: Pick<Snapshot, 'objects'>
}

const NO_SCORES: ReadonlyMap<string, number> = new Map()

/** Finds elections by address. The index of a plan is made when it is first asked for, because of most plans it never is. */
export class Layer2Elections {
  readonly #state: () => ElectionState
  readonly #level: ElectionLevel
  #indexed:
    { readonly plan: Plan | undefined; readonly services: ReadonlyMap<string, readonly ObjectKey[]> } | undefined

  /** @param state newest knowledge */
  constructor(state: () => ElectionState, level: ElectionLevel = 'main') {
    this.#state = state
    this.#level = level
  }

  /** Services that this node announces an address for by layer 2, sorted; mostly one. */
  servicesOf(address: string): readonly ObjectKey[] {
    const { plan } = this.#state()
    if (!this.#indexed || this.#indexed.plan !== plan) this.#indexed = { plan, services: indexOf(plan) }
    return this.#indexed.services.get(address) ?? []
  }

  /**
   * As the owner was elected: by the first address of the Service and by the preferences of its advertisements. Of Services that share
   * an address the first by name decides, so that every node asks the same one.
   * @returns `undefined` when this node does not announce the address
   */
  of(address: string): AddressElection | undefined {
    const { plan, config, snapshot } = this.#state()
    const [key] = this.servicesOf(address)
    const decision = key === undefined ? undefined : plan?.services.get(key)
    const [first] = decision?.addresses ?? []
    if (key === undefined || first === undefined) return undefined
    const pool = config?.pools.get(decision?.pool ?? '')
    if (this.#level !== 'main' || !pool) return { key: first, scores: NO_SCORES }
    const labels = snapshot.objects('Service').get(key)?.metadata.labels ?? {}
    return {
      key: first,
      scores: preferenceScores(pool.l2Advertisements.filter(ad => matchesAny(ad.serviceSelectors, labels))),
    }
  }
}

function indexOf(plan: Plan | undefined): ReadonlyMap<string, readonly ObjectKey[]> {
  const services = new Map<string, ObjectKey[]>()
  for (const [key, { addresses, layer2 }] of plan?.services ?? []) {
    if (!layer2.announce) continue
    for (const address of addresses) {
      const others = services.get(address)
      if (others) others.push(key)
      else services.set(address, [key])
    }
  }
  for (const keys of services.values()) keys.sort()
  return services
}
