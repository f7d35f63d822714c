/** Which objects should say what this node announces, and what to write to get there. Pure. */
import { isDeepStrictEqual } from 'node:util'
import type { KubernetesObject, ObjectKey, OwnerReference, ServiceBGPStatus, ServiceL2Status } from '@typemetal/cluster'
import { splitKey } from '../core/events.js'
import type { Plan } from '../plan/types.js'

/** API group and version of the status objects. */
export const API_VERSION = 'metallb.io/v1beta1'

/** Labels by which status objects are found. */
export const StatusLabel = {
  node: 'metallb.io/node',
  serviceName: 'metallb.io/service-name',
  serviceNamespace: 'metallb.io/service-namespace',
  componentType: 'metallb.io/component-type',
  nodeName: 'metallb.io/node-name',
} as const

/** An object with a status. */
export type StatusObject = KubernetesObject & { readonly status?: unknown }

/** One thing to do in the store. */
export type StatusWrite =
  | { readonly type: 'create'; readonly object: KubernetesObject; readonly status: object }
  | { readonly type: 'update'; readonly object: StatusObject; readonly status: object }
  /** Says these fields of the status and leaves the others to whoever wrote them; `merged` is what comes of it. */
  | { readonly type: 'apply'; readonly object: StatusObject; readonly status: object; readonly merged: object }
  | { readonly type: 'delete'; readonly object: StatusObject }

/** Whose statuses these are. */
export interface StatusOwner {
  readonly node: string
  /** Namespace of the `metallb.io` resources. */
  readonly namespace: string
  /** The speaker's own Pod, with which its statuses go; absent where there is none. */
  readonly reference?: OwnerReference | undefined
}

/** Kinds of which there is one object for each Service that the node announces. */
export type ServiceStatusKind = 'ServiceL2Status' | 'ServiceBGPStatus'
type ServiceStatus = ServiceL2Status | ServiceBGPStatus

/** What a plan has to say about Services. */
export type ServicePlans = Pick<Plan, 'services' | 'peersOf'>

/** Where the two kinds differ. */
interface Family {
  readonly generateName: string
  /** An address has one layer-2 owner: it clears away what others left behind. BGP has one object for each node. */
  readonly exclusive: boolean
}
const FAMILIES: Readonly<Record<ServiceStatusKind, Family>> = {
  ServiceL2Status: { generateName: 'l2-', exclusive: true },
  ServiceBGPStatus: { generateName: 'bgp-', exclusive: false },
}

/** What the status of a Service says beside whose it is; `undefined`: the node does not announce it that way. */
export function contentOf(kind: ServiceStatusKind, plan: ServicePlans, service: ObjectKey): object | undefined {
  if (kind === 'ServiceBGPStatus') {
    const peers = plan.peersOf.get(service)
    return peers && peers.length > 0 ? { peers } : undefined
  }
  const layer2 = plan.services.get(service)?.layer2
  if (!layer2?.announce) return undefined
  const { interfaces } = layer2
  return interfaces === 'all' ? {} : { interfaces: interfaces.map(name => ({ name })) }
}

/** Brings the ServiceL2Status objects in line with a plan. */
export const layer2StatusWrites = (
  plan: Pick<Plan, 'services'>,
  owner: StatusOwner,
  existing: Iterable<ServiceL2Status>,
): readonly StatusWrite[] => kindWrites('ServiceL2Status', { ...plan, peersOf: new Map() }, owner, [...existing])

/** Brings the ServiceBGPStatus objects of this node in line with a plan. */
export const bgpStatusWrites = (
  plan: Pick<Plan, 'peersOf'>,
  owner: StatusOwner,
  existing: Iterable<ServiceBGPStatus>,
): readonly StatusWrite[] => kindWrites('ServiceBGPStatus', { ...plan, services: new Map() }, owner, [...existing])

function kindWrites(
  kind: ServiceStatusKind,
  plan: ServicePlans,
  owner: StatusOwner,
  existing: readonly ServiceStatus[],
): readonly StatusWrite[] {
  const present = new Map<ObjectKey, ServiceStatus[]>()
  for (const object of existing) {
    const service = serviceOf(object)
    if (service !== undefined) present.set(service, [...(present.get(service) ?? []), object])
  }
  const keys = new Set([...present.keys(), ...plan.services.keys(), ...plan.peersOf.keys()])
  return [...keys].flatMap(service =>
    serviceStatusWrites(kind, service, contentOf(kind, plan, service), owner, present.get(service) ?? []),
  )
}

/**
 * Brings the objects of one kind about one Service in line with what is to be said.
 * @param content of {@link contentOf}
 * @param existing all objects about the Service, those of other nodes too
 */
export function serviceStatusWrites(
  kind: ServiceStatusKind,
  service: ObjectKey,
  content: object | undefined,
  owner: StatusOwner,
  existing: readonly StatusObject[],
): readonly StatusWrite[] {
  const status = content && { ...subjectOf(service, owner), ...content }
  const writes: StatusWrite[] = []
  let kept = false
  for (const object of inNameOrder(existing)) {
    if (object.metadata.deletionTimestamp !== undefined) continue
    const isMine = object.metadata.labels?.[StatusLabel.node] === owner.node
    if (!isMine && !(FAMILIES[kind].exclusive && status)) continue
    if (!isMine || !status || kept || !isOwned(object, owner)) writes.push({ type: 'delete', object })
    else {
      kept = true
      if (!isDeepStrictEqual(object.status, status)) writes.push({ type: 'update', object, status })
    }
  }
  if (status && !kept) writes.push({ type: 'create', object: emptyObject(kind, service, owner), status })
  return writes
}

/** The Service that an object is about; `undefined`: it lacks a label that would say so. */
export function serviceOf({ metadata: { labels = {} } }: KubernetesObject): ObjectKey | undefined {
  const [namespace, name] = [labels[StatusLabel.serviceNamespace], labels[StatusLabel.serviceName]]
  return namespace === undefined || name === undefined || labels[StatusLabel.node] === undefined
    ? undefined
    : `${namespace}/${name}`
}

/** Whether a text can be the value of a label: 63 characters at most, and not all of them. */
export const isLabelValue = (text: string): boolean =>
  /^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/.test(text)

/** Whether an object goes when our Pod goes. One that an earlier Pod of the node left behind goes sooner, or never. */
export const isOwned = ({ metadata }: StatusObject, { reference }: StatusOwner): boolean =>
  reference === undefined || (metadata.ownerReferences ?? []).some(({ uid }) => uid === reference.uid)

/** `metadata.ownerReferences` of new objects, as an object to be spread. */
export const ownerReferences = ({ reference }: StatusOwner): Pick<KubernetesObject['metadata'], 'ownerReferences'> =>
  reference ? { ownerReferences: [reference] } : {}

const inNameOrder = (objects: readonly StatusObject[]): readonly StatusObject[] =>
  objects.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))

function subjectOf(service: ObjectKey, { node }: StatusOwner): object {
  const { name, namespace } = splitKey(service)
  return { node, serviceName: name, serviceNamespace: namespace }
}

function emptyObject(kind: ServiceStatusKind, service: ObjectKey, owner: StatusOwner): KubernetesObject {
  const { name, namespace: serviceNamespace } = splitKey(service)
  return {
    apiVersion: API_VERSION,
    kind,
    metadata: {
      name: '', // given by the store
      generateName: FAMILIES[kind].generateName,
      namespace: owner.namespace,
      labels: {
        [StatusLabel.node]: owner.node,
        [StatusLabel.serviceName]: name,
        [StatusLabel.serviceNamespace]: serviceNamespace,
      },
      ...ownerReferences(owner),
    },
  }
}
