/** Keeps the newest configuration that can be used. */
import { isDeepStrictEqual } from 'node:util'
import { buildConfig, changedKeys, configResources, parseAddress, poolHolding } from '@typemetal/cluster'
import type { Config, ConfigError, Kinds, KubernetesObject, ObjectKey, Snapshot } from '@typemetal/cluster'
import type { Plan } from '../plan/types.js'

type ConfigKind = Exclude<
  keyof Kinds,
  'Service' | 'EndpointSlice' | 'ServiceL2Status' | 'ServiceBGPStatus' | 'ConfigurationState'
>

/**
 * Kinds that a configuration is made of, and the fields of their objects that it depends on beside the labels: statuses, which change
 * with every Service, and the conditions of Nodes are no part of it.
 */
const FIELDS: Readonly<Record<ConfigKind, readonly string[]>> = {
  IPAddressPool: ['apiVersion', 'spec'],
  L2Advertisement: ['apiVersion', 'spec'],
  BGPAdvertisement: ['apiVersion', 'spec'],
  BGPPeer: ['apiVersion', 'spec'],
  BFDProfile: ['apiVersion', 'spec'],
  Community: ['apiVersion', 'spec'],
  Secret: ['type', 'data', 'stringData'],
  ConfigMap: ['data'],
  Node: [],
  Namespace: [],
}
const CONFIG_KINDS = Object.keys(FIELDS) as readonly ConfigKind[]

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
  #inputs: Inputs | undefined
  #reading: Reading | undefined

  constructor(node: string, namespace: string) {
    this.#node = node
    this.#namespace = namespace
  }

  /** Builds the configuration of a snapshot; an equal one is returned as the same object. */
  read(snapshot: Snapshot): Reading {
    const before = this.#inputs
    const inputs = inputsOf(snapshot)
    this.#inputs = inputs
    if (before && this.#reading && sameInputs(before, inputs, 'errors' in this.#reading)) return this.#reading
    const reading = this.#build(snapshot)
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

/** What of a snapshot a configuration is made of: the rest, which is most of it, need not be kept. */
interface Inputs {
  readonly faults: Snapshot['faults']
  readonly objects: ReadonlyMap<ConfigKind, ReadonlyMap<ObjectKey, KubernetesObject>>
}

const inputsOf = (snapshot: Snapshot): Inputs => ({
  faults: snapshot.faults,
  objects: new Map(CONFIG_KINDS.map(kind => [kind, snapshot.objects<ConfigKind>(kind)])),
})

/** @param exactly errors name the places where objects were written, which move without the objects */
function sameInputs(a: Inputs, b: Inputs, exactly: boolean): boolean {
  if (!isDeepStrictEqual(a.faults, b.faults)) return false
  return CONFIG_KINDS.every(kind => {
    const [older, newer] = [a.objects.get(kind) ?? NONE, b.objects.get(kind) ?? NONE]
    return [...changedKeys(older, newer)].every(key => !exactly && sameMeaning(kind, older.get(key), newer.get(key)))
  })
}

const NONE: ReadonlyMap<ObjectKey, KubernetesObject> = new Map()

function sameMeaning(
  kind: ConfigKind,
  older: KubernetesObject | undefined,
  newer: KubernetesObject | undefined,
): boolean {
  if (!older || !newer || !isDeepStrictEqual(older.metadata.labels, newer.metadata.labels)) return false
  // A BGPPeer of the older version carries newer fields in an annotation.
  if (kind === 'BGPPeer' && !isDeepStrictEqual(older.metadata.annotations, newer.metadata.annotations)) return false
  return FIELDS[kind].every(field => isDeepStrictEqual(Reflect.get(older, field), Reflect.get(newer, field)))
}

/** The Services announced by a plan whose addresses lie in no single pool of another configuration. */
export function strandedBy(config: Config, plan: Plan): readonly Stranded[] {
  const stranded: Stranded[] = []
  for (const { service, addresses, layer2, bgp } of plan.services.values()) {
    if (!layer2.announce && !bgp.announce) continue
    const parsed = addresses.map(text => parseAddress(text)).filter(address => address !== undefined)
    if (!poolHolding(config.pools, parsed)) stranded.push({ service, addresses })
  }
  return stranded
}
