/** Which status objects this node should hold, and what to write to get there. Pure. */
import { isDeepStrictEqual } from 'node:util'
import type { KubernetesObject, ObjectKey, ServiceBGPStatus, ServiceL2Status } from '@typemetal/cluster'
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

/** One call to the store. `create` is followed by writing the status on what the store returned. */
export type StatusWrite =
  | { readonly type: 'create'; readonly object: KubernetesObject; readonly status: object }
  | { readonly type: 'update'; readonly object: StatusObject; readonly status: object }
  | { readonly type: 'delete'; readonly object: StatusObject }

/** Whose statuses these are. */
export interface StatusOwner {
  readonly node: string
  /** Namespace of the `metallb.io` resources. */
  readonly namespace: string
}

type ServiceStatus = ServiceL2Status | ServiceBGPStatus

/** Where each protocol's objects differ. */
interface Family {
  readonly kind: ServiceStatus['kind']
  readonly generateName: string
  /** An address has one layer-2 owner: it clears away what others left behind. BGP has one object for each node. */
  readonly exclusive: boolean
}
const LAYER2: Family = { kind: 'ServiceL2Status', generateName: 'l2-', exclusive: true }
const BGP: Family = { kind: 'ServiceBGPStatus', generateName: 'bgp-', exclusive: false }

/** Brings the ServiceL2Status objects in line with a plan. */
export function layer2StatusWrites(
  plan: Pick<Plan, 'services'>,
  owner: StatusOwner,
  existing: Iterable<ServiceL2Status>,
): readonly StatusWrite[] {
  const wanted = new Map<ObjectKey, object>()
  for (const { service, layer2 } of plan.services.values()) {
    if (!layer2.announce) continue
    const { interfaces } = layer2
    wanted.set(service, interfaces === 'all' ? {} : { interfaces: interfaces.map(name => ({ name })) })
  }
  return writes(LAYER2, wanted, owner, existing)
}

/** Brings the ServiceBGPStatus objects of this node in line with a plan. */
export function bgpStatusWrites(
  plan: Pick<Plan, 'peersOf'>,
  owner: StatusOwner,
  existing: Iterable<ServiceBGPStatus>,
): readonly StatusWrite[] {
  const wanted = new Map([...plan.peersOf].map(([service, peers]) => [service, { peers }]))
  return writes(BGP, wanted, owner, existing)
}

function writes(
  family: Family,
  wanted: ReadonlyMap<ObjectKey, object>,
  owner: StatusOwner,
  existing: Iterable<ServiceStatus>,
): readonly StatusWrite[] {
  const list: StatusWrite[] = []
  const kept = new Set<ObjectKey>()
  for (const object of inNameOrder(existing)) {
    const labels = object.metadata.labels ?? {}
    const service = `${labels[StatusLabel.serviceNamespace]}/${labels[StatusLabel.serviceName]}`
    const content = wanted.get(service)
    if (labels[StatusLabel.node] !== owner.node) {
      if (family.exclusive && content) list.push({ type: 'delete', object })
    } else if (!content || kept.has(service)) {
      list.push({ type: 'delete', object })
    } else {
      kept.add(service)
      const status = statusOf(service, owner, content)
      if (!isDeepStrictEqual(object.status, status)) list.push({ type: 'update', object, status })
    }
  }
  for (const [service, content] of wanted) {
    if (kept.has(service)) continue
    list.push({
      type: 'create',
      object: emptyObject(family, service, owner),
      status: statusOf(service, owner, content),
    })
  }
  return list
}

const inNameOrder = (objects: Iterable<ServiceStatus>): readonly ServiceStatus[] =>
  [...objects].toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))

function statusOf(service: ObjectKey, { node }: StatusOwner, content: object): object {
  const { name, namespace } = splitKey(service)
  return { node, serviceName: name, serviceNamespace: namespace, ...content }
}

function emptyObject(family: Family, service: ObjectKey, { node, namespace }: StatusOwner): KubernetesObject {
  const { name, namespace: serviceNamespace } = splitKey(service)
  return {
    apiVersion: API_VERSION,
    kind: family.kind,
    metadata: {
      name: '', // given by the store
      generateName: family.generateName,
      namespace,
      labels: {
        [StatusLabel.node]: node,
        [StatusLabel.serviceName]: name,
        [StatusLabel.serviceNamespace]: serviceNamespace,
      },
    },
  }
}
