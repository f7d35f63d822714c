import type { KubernetesObject, ObjectReference } from '../resources/core.js'
import type { Kind, ObjectKey } from './store.js'

/** What the API calls a kind, and whose it is. */
export interface KindInfo {
  /** The version we read and write. */
  readonly apiVersion: string
  /** Name in API paths. */
  readonly plural: string
  readonly namespaced: boolean
  /**
   * Who makes such objects: users, whose manifests we never write, or Typemetal. Secrets are both: the gossip key is made by us
   * where the user brings none.
   */
  readonly madeBy: 'user' | 'typemetal' | 'both'
}

const METALLB = 'metallb.io/v1beta1'
const user = { namespaced: true, madeBy: 'user' } as const
const ours = { namespaced: true, madeBy: 'typemetal' } as const

/** Every kind that Typemetal watches. */
export const KINDS: Readonly<Record<Kind, KindInfo>> = {
  Service: { apiVersion: 'v1', plural: 'services', ...user },
  EndpointSlice: { apiVersion: 'discovery.k8s.io/v1', plural: 'endpointslices', ...user },
  Node: { apiVersion: 'v1', plural: 'nodes', namespaced: false, madeBy: 'user' },
  Namespace: { apiVersion: 'v1', plural: 'namespaces', namespaced: false, madeBy: 'user' },
  Secret: { apiVersion: 'v1', plural: 'secrets', namespaced: true, madeBy: 'both' },
  ConfigMap: { apiVersion: 'v1', plural: 'configmaps', ...user },
  IPAddressPool: { apiVersion: METALLB, plural: 'ipaddresspools', ...user },
  L2Advertisement: { apiVersion: METALLB, plural: 'l2advertisements', ...user },
  BGPAdvertisement: { apiVersion: METALLB, plural: 'bgpadvertisements', ...user },
  BGPPeer: { apiVersion: 'metallb.io/v1beta2', plural: 'bgppeers', ...user },
  BFDProfile: { apiVersion: METALLB, plural: 'bfdprofiles', ...user },
  Community: { apiVersion: METALLB, plural: 'communities', ...user },
  ServiceL2Status: { apiVersion: METALLB, plural: 'servicel2statuses', ...ours },
  ServiceBGPStatus: { apiVersion: METALLB, plural: 'servicebgpstatuses', ...ours },
  ConfigurationState: { apiVersion: METALLB, plural: 'configurationstates', ...ours },
}

/** Names of all kinds. */
export const KIND_NAMES = Object.keys(KINDS) as readonly Kind[]

/** Whether a text names a kind that is watched. */
export const isKind = (text: string): text is Kind => Object.hasOwn(KINDS, text)

/**
 * The kind of an object or reference.
 *
 * @throws {RangeError} it is none that Typemetal knows
 */
export function kindOf({ kind }: { readonly kind: string }): Kind {
  if (!isKind(kind)) throw new RangeError(`${kind} is no kind that Typemetal stores`)
  return kind
}

/** Key of an object in snapshots. */
export function objectKey({ namespace, name }: { readonly namespace?: string; readonly name: string }): ObjectKey {
  return namespace === undefined ? name : `${namespace}/${name}`
}

/** Names an object, e.g. in an event about it. */
export function referenceTo({ apiVersion, kind, metadata: { namespace, name } }: KubernetesObject): ObjectReference {
  return { apiVersion, kind, ...(namespace !== undefined && { namespace }), name }
}
