/** What the election of a layer-2 address is decided by, for the few addresses that somebody asks about. */
import { matchesAny } from '@typemetal/cluster'
import type { Config, L2AdvertisementConfig, ObjectKey, Pool, Snapshot } from '@typemetal/cluster'
import type { ElectionLevel } from '../election.js'
import { LAYER2_ENDPOINTS, hasActiveEndpoint } from '../endpoints.js'
import { layer2Candidates, preferenceScores } from '../plan/layer2.js'
import { candidateNodes } from '../plan/nodes.js'
import type { Plan, PlanOptions } from '../plan/types.js'
import type { AddressElection } from './conflict-rule.js'

/** What elections are decided by now. */
export interface ElectionState {
  readonly plan: Plan | undefined
  readonly config: Config | undefined
  readonly snapshot: Pick<Snapshot, 'objects' | 'endpointSlicesOf'>
  /** The cluster cannot be read now, so all of this may be long past. @default false */
  readonly outdated?: boolean
}

type AddressIndex = ReadonlyMap<string, readonly ObjectKey[]>

const NO_SCORES: ReadonlyMap<string, number> = new Map()

/** Finds elections by address. The index of a plan is made when it is first asked for, because of most plans it never is. */
export class Layer2Elections {
  readonly #state: () => ElectionState
  readonly #level: ElectionLevel
  readonly #ignoreExcludeLb: boolean
  #indexed: { readonly plan: Plan | undefined; readonly services: AddressIndex } | undefined

  /** @param state newest knowledge */
  constructor(
    state: () => ElectionState,
    { electionLevel = 'main', ignoreExcludeLb = false }: Pick<PlanOptions, 'electionLevel' | 'ignoreExcludeLb'> = {},
  ) {
    this.#state = state
    this.#level = electionLevel
    this.#ignoreExcludeLb = ignoreExcludeLb
  }

  /** Services that this node announces an address for by layer 2, sorted; mostly one. */
  servicesOf(address: string): readonly ObjectKey[] {
    const { plan } = this.#state()
    return this.#sharing(address).filter(key => plan?.services.get(key)?.layer2.announce)
  }

  /**
   * As the owner was elected: by the first address of the Service and by the preferences of its advertisements. Of Services that share
   * an address the first by name decides, whoever announces that one, so that every node asks the same one.
   * @returns `undefined` when this node does not announce the address
   */
  of(address: string): AddressElection | undefined {
    const { plan, config, outdated = false } = this.#state()
    const sharing = this.#sharing(address)
    const [key] = sharing
    if (key === undefined || this.servicesOf(address).length === 0) return undefined
    const { addresses: [first = ''] = [], pool: name = '' } = plan?.services.get(key) ?? {}
    const pool = config?.pools.get(name)
    const scores = this.#level === 'main' && pool ? preferenceScores(this.#advertisements(key, pool)) : NO_SCORES
    return { key: first, scores, mayOwn: node => outdated || this.#mayOwn(node, sharing), outdated }
  }

  /** All Services that have an address of a pool, sorted. */
  #sharing(address: string): readonly ObjectKey[] {
    const { plan } = this.#state()
    if (!this.#indexed || this.#indexed.plan !== plan) this.#indexed = { plan, services: indexOf(plan) }
    return this.#indexed.services.get(address) ?? []
  }

  #advertisements(key: ObjectKey, { l2Advertisements: ads }: Pool): readonly L2AdvertisementConfig[] {
    if (this.#level === '0.15') return ads
    const labels = this.#state().snapshot.objects('Service').get(key)?.metadata.labels ?? {}
    return ads.filter(ad => matchesAny(ad.serviceSelectors, labels))
  }

  /** Whether a node would stand for election for one of the Services, were it a member of the ring. */
  #mayOwn(node: string, sharing: readonly ObjectKey[]): boolean {
    const { plan, config, snapshot } = this.#state()
    const candidates = candidateNodes(snapshot.objects('Node'), [node], this.#ignoreExcludeLb)
    return sharing.some(key => {
      const service = snapshot.objects('Service').get(key)
      const pool = config?.pools.get(plan?.services.get(key)?.pool ?? '')
      if (candidates.length === 0 || !service || !pool) return false
      const slices = snapshot.endpointSlicesOf(key)
      if (!hasActiveEndpoint(slices, LAYER2_ENDPOINTS)) return false
      return layer2Candidates({ candidates }, service, slices, this.#advertisements(key, pool)).length > 0
    })
  }
}

function indexOf(plan: Plan | undefined): AddressIndex {
  const services = new Map<string, ObjectKey[]>()
  for (const [key, { addresses, pool }] of plan?.services ?? []) {
    if (pool === undefined) continue
    for (const address of addresses) {
      const others = services.get(address)
      if (others) others.push(key)
      else services.set(address, [key])
    }
  }
  for (const keys of services.values()) keys.sort()
  return services
}
