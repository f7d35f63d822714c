/** Who takes over a layer-2 address when this node goes. */
import type { Config, Service, Snapshot } from '@typemetal/cluster'
import { ingressAddresses } from '../plan/addresses.js'
import { plan } from '../plan/plan.js'
import type { PlanOptions } from '../plan/types.js'
import type { Heirs } from './types.js'

/** What the question is asked about. */
export interface HeirsInput {
  readonly snapshot: Snapshot
  readonly config: Config | undefined
  /** Live members other than this node; with gossip off all other Nodes. */
  readonly others: readonly string[]
  readonly options: PlanOptions
  /** Which addresses, canonical text. */
  readonly addresses: Iterable<string>
}

/**
 * Plans for each of the others as if this node had gone: what they would answer for is what they inherit.
 * @returns the addresses that some Service has, with who inherits them
 */
export function heirsOf({ snapshot, config, others, options, addresses }: HeirsInput): Heirs {
  const asked = new Set(addresses)
  if (asked.size === 0) return new Map()
  const { view, found } = concerning(snapshot, asked)
  const heirs = new Map<string, string | undefined>([...found].map(address => [address, undefined]))
  let open = heirs.size
  for (const name of others) {
    if (open === 0) break
    // This node's interfaces say nothing about those of another.
    const { interfaces: _, ...rest } = options
    for (const address of plan(view, config, name, others, rest).layer2.keys()) {
      if (!heirs.has(address) || heirs.get(address) !== undefined) continue
      heirs.set(address, name)
      open--
    }
  }
  return heirs
}

/** The cluster with only those Services that have one of the addresses, and which of them any has. */
function concerning(
  snapshot: Snapshot,
  addresses: ReadonlySet<string>,
): { readonly view: Snapshot; readonly found: ReadonlySet<string> } {
  const services = new Map<string, Service>()
  const found = new Set<string>()
  for (const [key, service] of snapshot.objects('Service')) {
    for (const address of addressesOf(service)) {
      if (!addresses.has(address)) continue
      services.set(key, service)
      found.add(address)
    }
  }
  const objects = ((kind: Parameters<Snapshot['objects']>[0]) =>
    kind === 'Service' ? services : snapshot.objects(kind)) as Snapshot['objects']
  return { view: { objects, faults: snapshot.faults, endpointSlicesOf: key => snapshot.endpointSlicesOf(key) }, found }
}

/** Canonical text, as plans have it. */
function addressesOf(service: Service): readonly string[] {
  const addresses = ingressAddresses(service)
  return typeof addresses === 'string' ? [] : addresses.map(({ text }) => text)
}
