import type { KubernetesObject, LabelSelector, Namespace, Node, Secret } from '../resources/core.js'
import type {
  BFDProfile,
  BGPAdvertisement,
  BGPPeer,
  Community,
  IPAddressPool,
  L2Advertisement,
} from '../resources/metallb.js'
import { convertBGPPeer } from '../crd/bgp-peer-conversion.js'
import { checkValue } from '../schema/check.js'
import { apiVersionOf } from '../schema/definition.js'
import { DEFINITIONS, type MetalLBKind, versionOf } from '../schema/definitions.js'
import { fieldsToMend, reviewObject } from '../schema/review.js'
import { LABEL_SELECTOR, type Schema } from '../schema/schema.js'
import { checkSelectors } from '../selector/check.js'
import { matchesAny } from '../selector/match.js'
import type { ErrorList } from './error-list.js'
import type { ConfigResources, ObjectsOf } from './resources.js'

/** Who asks for the configuration, and where its objects live. */
export interface BuildOptions {
  /**
   * Each component is stopped only by what it uses: `controller` by pools and communities, `speaker` not by peers and BGP
   * advertisements for other nodes. `validate` looks at everything.
   */
  readonly component: 'controller' | 'speaker' | 'validate'
  /** Name of the node the speaker runs on. */
  readonly node?: string
  /** Where metallb.io objects and Secrets live; objects elsewhere do not count. */
  readonly namespace: string
  /** Name of the IPAddressPool that comes last, whatever its name: of two that overlap the error is about this one. */
  readonly newcomer?: string
}

const SELECTOR_LIST: Schema = { type: 'array', items: LABEL_SELECTOR }

/** The objects that a component's configuration is made of, by name; their schema faults have been reported. */
export interface Inputs {
  readonly pools: readonly IPAddressPool[]
  readonly l2Advertisements: readonly L2Advertisement[]
  readonly bgpAdvertisements: readonly BGPAdvertisement[]
  readonly peers: readonly BGPPeer[]
  readonly bfdProfiles: readonly BFDProfile[]
  readonly communities: readonly Community[]
  readonly nodes: readonly Node[]
  readonly namespaces: readonly Namespace[]
  readonly secrets: ReadonlyMap<string, Secret>
  /** Names of all BFDProfiles, also of those with faults: a reference to one of these is not the reference's fault. */
  readonly bfdProfileNames: ReadonlySet<string>
}

/** Picks what `options.component` uses, sorted by name, and reports objects that are misplaced, doubled or misshapen. */
export function selectInputs(resources: ConfigResources, options: BuildOptions, errors: ErrorList): Inputs {
  const all = options.component !== 'controller'
  const pick = <T extends KubernetesObject>(objects: ObjectsOf<T> | undefined): readonly T[] =>
    selectNamed(objects, options, errors)
  const nodes = sortByName(listOf(resources.Node))
  const here = nodeFilter(nodes, options)
  const bfdProfiles = all ? pick(resources.BFDProfile) : []
  const peers = all ? pick(resources.BGPPeer).filter(here) : []
  const bgpAdvertisements = all ? pick(resources.BGPAdvertisement).filter(here) : []
  const secrets = listOf(resources.Secret).filter(({ metadata }) => metadata.namespace === options.namespace)
  return {
    pools: wellFormed('IPAddressPool', pick(resources.IPAddressPool), errors),
    l2Advertisements: all ? wellFormed('L2Advertisement', pick(resources.L2Advertisement), errors) : [],
    bgpAdvertisements: wellFormed('BGPAdvertisement', bgpAdvertisements, errors),
    peers: wellFormed('BGPPeer', peers, errors),
    bfdProfiles: wellFormed('BFDProfile', bfdProfiles, errors),
    communities: wellFormed('Community', pick(resources.Community), errors),
    nodes,
    namespaces: sortByName(listOf(resources.Namespace)),
    secrets: new Map(secrets.map(secret => [secret.metadata.name, secret])),
    bfdProfileNames: new Set(bfdProfiles.map(({ metadata }) => metadata.name)),
  }
}

/** A list of the objects. */
export function listOf<T>(objects: ObjectsOf<T> | undefined): readonly T[] {
  return objects === undefined ? [] : [...objects.values()]
}

function selectNamed<T extends KubernetesObject>(
  objects: ObjectsOf<T> | undefined,
  { namespace, component }: BuildOptions,
  errors: ErrorList,
): readonly T[] {
  const sorted = sortByName(listOf(objects))
  const isHere = ({ metadata }: T): boolean => (metadata.namespace ?? namespace) === namespace
  if (component === 'validate') {
    for (const object of sorted.filter(o => !isHere(o))) {
      errors.add(object, 'metadata.namespace', `resource must be created in ${namespace} namespace`)
    }
  }
  return sorted.filter(isHere).filter((object, i, here) => {
    if (!object.metadata.name) errors.add(object, 'metadata.name', `missing ${object.kind} name`)
    const first = here[i - 1]?.metadata.name !== object.metadata.name
    if (!first) errors.add(object, 'metadata.name', `duplicate definition of ${object.kind} "${object.metadata.name}"`)
    return first
  })
}

/**
 * Keeps the objects whose meaning can be checked, in the version that is stored and with defaults; reports what is wrong with the
 * shape of the others, and all faults of single values.
 */
function wellFormed<T extends KubernetesObject>(
  kind: MetalLBKind,
  objects: readonly T[],
  errors: ErrorList,
): readonly T[] {
  return objects.flatMap(object => {
    if (!versionOf(kind, object.apiVersion)) {
      const known = DEFINITIONS[kind].versions.map(apiVersionOf).join(' or ')
      errors.add(object, 'apiVersion', `is "${object.apiVersion}", must be ${known}`)
      return []
    }
    const review = reviewObject(object)
    errors.refuse(object, fieldsToMend(review))
    errors.addAll(
      object,
      review.faults.filter(({ about }) => about === 'rule'),
    )
    const misshapen = review.faults.some(
      ({ about, field }) => about === 'shape' || (about === 'absent' && field.includes('[')),
    )
    return misshapen ? [] : [current(review.object) as T]
  })
}

/** The object in the version that is stored. */
const current = (object: KubernetesObject): KubernetesObject =>
  object.kind === 'BGPPeer' ? convertBGPPeer(object as BGPPeer, 'metallb.io/v1beta2') : object

/**
 * Which peers and BGP advertisements concern the speaker's node: those whose node selectors match it, are empty, or cannot
 * be understood (decision 4). A node that does not exist is concerned by none.
 */
function nodeFilter(
  nodes: readonly Node[],
  { component, node: name }: BuildOptions,
): (object: { readonly spec?: { readonly nodeSelectors?: readonly LabelSelector[] } }) => boolean {
  if (component !== 'speaker') return () => true
  const node = nodes.find(({ metadata }) => metadata.name === name)
  return ({ spec }) => {
    const selectors = spec?.nodeSelectors ?? []
    if (checkValue(SELECTOR_LIST, selectors).length > 0 || checkSelectors(selectors, '').length > 0) return true
    return node !== undefined && matchesAny(selectors, node.metadata.labels)
  }
}

function sortByName<T extends KubernetesObject>(objects: readonly T[]): readonly T[] {
  return objects.toSorted((a, b) =>
    a.metadata.name < b.metadata.name ? -1 : a.metadata.name > b.metadata.name ? 1 : 0,
  )
}
