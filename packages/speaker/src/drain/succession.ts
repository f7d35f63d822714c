/** Who takes over when this node goes, and what nobody would. */
import type { Config, ObjectKey, Service, Snapshot } from '@typemetal/cluster'
import { ingressAddresses } from '../plan/addresses.js'
import { plan } from '../plan/plan.js'
import type { RememberingPlan } from '../plan/plan.js'
import type { PlanOptions, ServiceDecision } from '../plan/types.js'
import type { Heirs } from './types.js'

/** What is asked about. */
export interface SuccessionInput {
  readonly snapshot: Snapshot
  readonly config: Config | undefined
  /** Nodes that are alive, without this one. */
  readonly others: readonly string[]
  /** Whether the others hear that this node goes; otherwise nobody takes over what layer 2 answers for. */
  readonly gossips: boolean
  readonly options: PlanOptions
  /** Layer-2 addresses, canonical text. */
  readonly addresses: Iterable<string>
  /** This node's decisions. */
  readonly services: ReadonlyMap<ObjectKey, Decided>
}

/** What of a decision a successor is looked for by. */
export type Decided = Pick<ServiceDecision, 'addresses' | 'bgp'>

/** What is known of the others. */
export interface SuccessionResult {
  /** Those addresses that some Service has, with who inherits them. */
  readonly heirs: Heirs
  /** Prefixes that this node announces and no other one would. */
  readonly sole: ReadonlySet<string>
}

/** Plans for the others as if this node had gone. Asked again it costs what has changed: nearly all is known from the first of them. */
export class Succession {
  #first: RememberingPlan | undefined

  /** Who would announce what this node announces, if it had gone. */
  find({ snapshot, config, others, gossips, options, addresses, services }: SuccessionInput): SuccessionResult {
    // This node's interfaces say nothing about those of another.
    const { interfaces: _, ...rest } = options
    const asked = new Set(addresses)
    const heirs = new Map<string, string | undefined>()
    const answered = new Map<ObjectKey, readonly string[]>()
    const announced = new Map<ObjectKey, Decided>()
    for (const [key, decision] of services) {
      const mine = asked.size === 0 ? [] : decision.addresses.filter(address => asked.has(address))
      for (const address of mine) heirs.set(address, undefined)
      if (gossips && mine.length > 0) answered.set(key, mine)
      if (decision.bgp.announce) announced.set(key, decision)
    }
    for (const [i, name] of others.entries()) {
      const open = new Set([...answered.keys(), ...announced.keys()])
      if (open.size === 0) break
      const view = i === 0 ? snapshot : concerning(snapshot, open)
      const other = plan(view, config, name, others, rest, i === 0 ? this.#first : undefined)
      if (i === 0) this.#first = other
      for (const key of open) {
        const decision = other.services.get(key)
        if (decision?.bgp.announce) announced.delete(key)
        if (!decision?.layer2.announce) continue
        for (const address of answered.get(key) ?? []) heirs.set(address, name)
        answered.delete(key)
      }
    }
    return { heirs, sole: new Set([...announced.values()].flatMap(prefixesOf)) }
  }

  /** Forgets what it knows: a drain is over. */
  forget(): void {
    this.#first = undefined
  }
}

/**
 * Who takes over layer-2 addresses.
 * @returns the addresses that some Service has, with who inherits them
 */
export function heirsOf({
  snapshot,
  addresses,
  ...input
}: Pick<SuccessionInput, 'snapshot' | 'config' | 'others' | 'options' | 'addresses'>): Heirs {
  const bgp = { announce: false, reason: 'draining' } as const
  const services = new Map<ObjectKey, Decided>()
  for (const [key, service] of snapshot.objects('Service')) {
    const found = ingressAddresses(service)
    if (typeof found !== 'string') services.set(key, { addresses: found.map(({ text }) => text), bgp })
  }
  return new Succession().find({ ...input, snapshot, addresses, services, gossips: true }).heirs
}

const prefixesOf = ({ bgp }: Decided): readonly string[] =>
  bgp.announce ? bgp.prefixes.map(({ prefix }) => prefix) : []

/** The cluster with only these Services. */
function concerning(snapshot: Snapshot, keys: ReadonlySet<ObjectKey>): Snapshot {
  const all = snapshot.objects('Service')
  const services = new Map<ObjectKey, Service>()
  for (const key of keys) {
    const service = all.get(key)
    if (service) services.set(key, service)
  }
  const objects = ((kind: Parameters<Snapshot['objects']>[0]) =>
    kind === 'Service' ? services : snapshot.objects(kind)) as Snapshot['objects']
  return { objects, faults: snapshot.faults, endpointSlicesOf: key => snapshot.endpointSlicesOf(key) }
}
