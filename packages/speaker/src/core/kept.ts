/** What the speaker keeps of the objects that it reads: it has those of the whole cluster, and decides by a small part of each. */
import type {
  Endpoint,
  EndpointSlice,
  KeepRules,
  Node,
  ObjectMeta,
  Service,
  ServiceBGPStatus,
  ServiceL2Status,
} from '@typemetal/cluster'
import { SERVICE_LABEL } from '../endpoints.js'
import { SHARED_IP_ANNOTATIONS } from '../plan/layer2.js'
import { StatusLabel } from '../status/objects.js'

/** The rules for a store. What comes again in object after object, such as names of nodes, they remember, and use one of it for all. */
export function keepRules(): KeepRules {
  const shared = new Shared()
  return {
    Service: service => keepService(service, shared),
    EndpointSlice: slice => keepSlice(slice, shared),
    Node: keepNode,
    ServiceL2Status: status => keepL2Status(status, shared),
    ServiceBGPStatus: status => keepBGPStatus(status, shared),
  }
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }

/** Different texts, and lists of them, that are remembered: names of nodes, namespaces and peers are not more. */
const MOST = 4096

/** One text, or list, for all that say the same. */
class Shared {
  readonly #texts = new Map<string, string>()
  readonly #lists = new Map<string, readonly string[]>()

  text(text: string): string {
    return remembered(this.#texts, text, text)
  }

  list(list: readonly string[]): readonly string[] {
    return remembered(this.#lists, JSON.stringify(list), list)
  }
}

function remembered<T>(known: Map<string, T>, key: string, value: T): T {
  const found = known.get(key)
  if (found === undefined && known.size < MOST) known.set(key, value)
  return found ?? value
}

/** What tells an object from others and its versions apart. */
function identityOf(metadata: ObjectMeta, shared: Shared): Writable<ObjectMeta> {
  const { name, namespace, uid, resourceVersion, deletionTimestamp } = metadata
  const complete = namespace !== undefined && uid !== undefined && resourceVersion !== undefined
  // Fields of a literal lie in the object itself, later ones in a list beside it.
  const kept: Writable<ObjectMeta> = complete
    ? { name, namespace: shared.text(namespace), uid, resourceVersion }
    : { name, ...(namespace !== undefined && { namespace: shared.text(namespace) }) }
  if (!complete && uid !== undefined) kept.uid = uid
  if (!complete && resourceVersion !== undefined) kept.resourceVersion = resourceVersion
  if (deletionTimestamp !== undefined) kept.deletionTimestamp = deletionTimestamp
  return kept
}

function keepService({ apiVersion, kind, metadata, spec, status }: Service, shared: Shared): Service {
  const { labels, annotations } = metadata
  const identity = identityOf(metadata, shared)
  if (labels) identity.labels = labels
  const sharing = SHARED_IP_ANNOTATIONS.filter(key => annotations?.[key] !== undefined)
  if (sharing.length > 0) identity.annotations = Object.fromEntries(sharing.map(key => [key, annotations![key]!]))
  const ingress = (status?.loadBalancer?.ingress ?? []).map(({ ip }) => (ip === undefined ? {} : { ip }))
  const announced = ingress.length > 0 ? { loadBalancer: { ingress } } : {}
  return { apiVersion, kind, metadata: identity, spec: keepSpec(spec ?? {}, shared), status: announced }
}

function keepSpec(spec: NonNullable<Service['spec']>, shared: Shared): NonNullable<Service['spec']> {
  const { type, loadBalancerClass, externalTrafficPolicy } = spec
  const kept: Writable<NonNullable<Service['spec']>> = {}
  if (type !== undefined) kept.type = shared.text(type)
  if (loadBalancerClass !== undefined) kept.loadBalancerClass = shared.text(loadBalancerClass)
  if (externalTrafficPolicy !== undefined) kept.externalTrafficPolicy = shared.text(externalTrafficPolicy)
  return kept
}

/** Of endpoints that count alike the first one: a slice has up to a thousand. */
function keepSlice({ apiVersion, kind, metadata, endpoints }: EndpointSlice, shared: Shared): EndpointSlice {
  const identity = identityOf(metadata, shared)
  const service = metadata.labels?.[SERVICE_LABEL]
  if (service !== undefined) identity.labels = { [SERVICE_LABEL]: service }
  const different = new Map<string, Endpoint>()
  for (const { nodeName = '', conditions = {}, addresses = [] } of endpoints ?? []) {
    const { ready, serving } = conditions
    const alike = `${nodeName} ${ready} ${serving} ${addresses.length > 0}`
    if (different.has(alike)) continue
    const [some, state] = [addresses.slice(0, 1), keepConditions(ready, serving)]
    const on = nodeName === '' ? {} : { nodeName: shared.text(nodeName) }
    different.set(alike, { addresses: some, conditions: state, ...on })
  }
  return { apiVersion, kind, metadata: identity, endpoints: [...different.values()] }
}

function keepConditions(ready: boolean | undefined, serving: boolean | undefined): NonNullable<Endpoint['conditions']> {
  const kept: Writable<NonNullable<Endpoint['conditions']>> = {}
  if (ready !== undefined) kept.ready = ready
  if (serving !== undefined) kept.serving = serving
  return kept
}

/** Without the list of its images, which is most of a Node. */
function keepNode(node: Node): Node {
  const { conditions, addresses } = node.status ?? {}
  return { ...node, status: { ...(conditions && { conditions }), ...(addresses && { addresses }) } }
}

/** Labels and owner say whose a status is. */
function ownedIdentityOf(metadata: ObjectMeta, shared: Shared): ObjectMeta {
  const { labels, ownerReferences } = metadata
  const kept = identityOf(metadata, shared)
  if (labels) {
    const own = Object.entries(labels).map(([key, text]) => [
      key,
      key === StatusLabel.serviceName ? text : shared.text(text),
    ])
    kept.labels = Object.fromEntries(own)
  }
  if (ownerReferences) kept.ownerReferences = ownerReferences
  return kept
}

interface Subject {
  node?: string
  serviceName?: string
  serviceNamespace?: string
}

/** Whom a status is about, in the texts of its labels, which say the same. */
function subjectOf(
  { node, serviceName, serviceNamespace }: Subject,
  labels: ObjectMeta['labels'],
  shared: Shared,
): Subject {
  const label = labels?.[StatusLabel.serviceName]
  const kept: Subject = {}
  if (node !== undefined) kept.node = shared.text(node)
  if (serviceName !== undefined) kept.serviceName = serviceName === label ? label : serviceName
  if (serviceNamespace !== undefined) kept.serviceNamespace = shared.text(serviceNamespace)
  return kept
}

function keepL2Status({ apiVersion, kind, metadata, status }: ServiceL2Status, shared: Shared): ServiceL2Status {
  const identity = ownedIdentityOf(metadata, shared)
  if (!status) return { apiVersion, kind, metadata: identity }
  const said: Writable<NonNullable<ServiceL2Status['status']>> = subjectOf(status, identity.labels, shared)
  if (status.interfaces) said.interfaces = status.interfaces
  return { apiVersion, kind, metadata: identity, status: said }
}

function keepBGPStatus({ apiVersion, kind, metadata, status }: ServiceBGPStatus, shared: Shared): ServiceBGPStatus {
  const identity = ownedIdentityOf(metadata, shared)
  if (!status) return { apiVersion, kind, metadata: identity }
  const said: Writable<NonNullable<ServiceBGPStatus['status']>> = subjectOf(status, identity.labels, shared)
  if (status.peers) said.peers = shared.list(status.peers)
  return { apiVersion, kind, metadata: identity, status: said }
}
