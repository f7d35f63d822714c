/** Keeps the newest configuration that can be used. */
import { isDeepStrictEqual } from 'node:util'
import { buildConfig, configResources, parseAddress, poolOf } from '@typemetal/cluster'
import type { Config, ConfigError, Kind, ObjectKey, Snapshot } from '@typemetal/cluster'
import type { Plan } from '../plan/types.js'

/** Kinds that a configuration is made of. */
const CONFIG_KINDS: readonly Kind[] = [
  'IPAddressPool',
  'L2Advertisement',
  'BGPAdvertisement',
  'BGPPeer',
  'BFDProfile',
  'Community',
  'Secret',
  'ConfigMap',
  'Node',
  'Namespace',
]

/** What the newest resources are worth. */
export type Reading = { readonly config: Config } | { readonly errors: readonly ConfigError[] }

/** A Service that a new configuration would leave without a pool for what it announces. */
export interface Stranded {
  readonly service: ObjectKey
  readonly addresses: readonly string[]
}

/** How the newest configuration fares. */
export type ConfigurationReport =
  | { readonly state: 'inForce' }
  | { readonly state: 'invalid'; readonly errors: readonly ConfigError[] }
  /** Valid, but announced addresses would lose their pool; the last one stays until they have moved. */
  | { readonly state: 'waiting'; readonly stranded: readonly Stranded[] }

/** Turns snapshots into configurations, sparing the work when nothing in them concerns it. */
export class ConfigurationReader {
  readonly #node: string
  readonly #namespace: string
  #snapshot: Snapshot | undefined
  #reading: Reading | undefined

  constructor(node: string, namespace: string) {
    this.#node = node
    this.#namespace = namespace
  }

  /** Builds the configuration of a snapshot; an equal one is returned as the same object. */
  read(snapshot: Snapshot): Reading {
    if (this.#snapshot && this.#reading && sameInputs(this.#snapshot, snapshot)) {
      this.#snapshot = snapshot
      return this.#reading
    }
    const reading = this.#build(snapshot)
    this.#snapshot = snapshot
    this.#reading = isDeepStrictEqual(reading, this.#reading) && this.#reading ? this.#reading : reading
    return this.#reading
  }

  #build(snapshot: Snapshot): Reading {
    return buildConfig(configResources(snapshot), {
      component: 'speaker',
      node: this.#node,
      namespace: this.#namespace,
    })
  }
}

function sameInputs(a: Snapshot, b: Snapshot): boolean {
  return (
    a === b ||
    (isDeepStrictEqual(a.faults, b.faults) && CONFIG_KINDS.every(kind => sameMap(a.objects(kind), b.objects(kind))))
  )
}

function sameMap(a: ReadonlyMap<string, unknown>, b: ReadonlyMap<string, unknown>): boolean {
  if (a === b) return true
  if (a.size !== b.size) return false
  for (const [key, value] of a) if (b.get(key) !== value) return false
  return true
}

/** The Services announced by a plan whose addresses lie in no single pool of another configuration. */
export function strandedBy(config: Config, plan: Plan): readonly Stranded[] {
  const stranded: Stranded[] = []
  for (const { service, addresses, layer2, bgp } of plan.services.values()) {
    if (!layer2.announce && !bgp.announce) continue
    const parsed = addresses.map(text => parseAddress(text)).filter(address => address !== undefined)
    if (!poolOf(config.pools, parsed)) stranded.push({ service, addresses })
  }
  return stranded
}
