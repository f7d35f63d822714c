/** AdmissionReview of `admission.k8s.io/v1`, and what the controller answers. */
import {
  type BGPPeer,
  buildConfig,
  type ConfigError,
  type ConfigResources,
  formatConfigError,
  isMetalLBKind,
  type IPAddressPool,
  type KubernetesObject,
  type ObjectsOf,
  type Service,
} from '@typemetal/cluster'
import { isDeepStrictEqual } from 'node:util'
import { strandedServices } from './stranded.js'

/** What the API server asks. */
export interface AdmissionRequest {
  readonly uid: string
  readonly operation: string
  /** Absent when it is deleted. */
  readonly object?: KubernetesObject
  /** Absent when it is created. */
  readonly oldObject?: KubernetesObject
}

/** What is answered. */
export interface AdmissionResponse {
  readonly uid: string
  readonly allowed: boolean
  readonly status?: { readonly code: number; readonly message: string; readonly reason: string }
  /** Shown by kubectl; the request goes through all the same. */
  readonly warnings?: readonly string[]
}

/** What a request is judged by. */
export interface AdmissionContext {
  /** Where `metallb.io` objects live. */
  readonly namespace: string
  /** What there is now. */
  readonly resources: ConfigResources
  /** Who may have addresses, as last heard of; only warnings depend on it. @default nobody */
  readonly services?: Iterable<Service>
}

/**
 * Decides about a create, an update or a delete of a `metallb.io` object: whether the configuration is still whole with it. What was
 * wrong before and stays wrong elsewhere does not stop it, and neither does a reference to something that is still to come.
 */
export function reviewAdmission(request: AdmissionRequest, context: AdmissionContext): AdmissionResponse {
  const { uid, operation, object, oldObject } = request
  if (operation === 'DELETE') return reviewDeletion(uid, oldObject, context)
  if (!object || !isMetalLBKind(object.kind)) return deny(uid, 400, 'the object is none of metallb.io')
  const { namespace } = object.metadata
  if (operation === 'CREATE' && namespace !== context.namespace) {
    return deny(uid, 403, `resource must be created in ${context.namespace} namespace`)
  }
  // Labels, finalizers and owners of what is wrong can be changed; that is how it is mended and removed.
  const sameSpec = oldObject !== undefined && isDeepStrictEqual(specOf(object), specOf(oldObject))
  if (sameSpec && !choosesOthers(object, oldObject)) return { uid, allowed: true }
  const found = errorsWith(object, context)
  const mine = sameSpec ? [] : found.filter(error => isAbout(error, object))
  const before = new Set(errorsOf(context.resources, context).map(formatConfigError))
  const others = found.filter(error => !isAbout(error, object) && !before.has(formatConfigError(error)))
  const faults = [...mine, ...others].filter(isRefusable)
  if (faults.length > 0) return deny(uid, 403, faults.map(formatConfigError).join('; '))
  const warnings = [...mine.map(formatConfigError), ...deprecations(object), ...stranded(object, [object], context)]
  return { uid, allowed: true, ...(warnings.length > 0 && { warnings }) }
}

/** The labels of a pool say which advertisements are for it, and one of these may not fit. */
const choosesOthers = ({ kind, metadata }: KubernetesObject, before: KubernetesObject): boolean =>
  kind === 'IPAddressPool' && !isDeepStrictEqual(metadata.labels ?? {}, before.metadata.labels ?? {})

/** Not what may still come, nor the place of an object: that is asked about when it is created, and cannot change. */
const isRefusable = ({ transient, field }: ConfigError): boolean => !transient && field !== 'metadata.namespace'

/** A BFDProfile that a peer names cannot go; everything else can. */
function reviewDeletion(
  uid: string,
  object: KubernetesObject | undefined,
  context: AdmissionContext,
): AdmissionResponse {
  const { namespace, resources } = context
  const warnings = object ? stranded(object, [], context) : []
  if (warnings.length > 0) return { uid, allowed: true, warnings }
  if (object?.kind !== 'BFDProfile' || object.metadata.namespace !== namespace) return { uid, allowed: true }
  const { name } = object.metadata
  const user = listOf(resources.BGPPeer).find(({ spec }) => spec?.bfdProfile === name)
  if (!user) return { uid, allowed: true }
  return deny(uid, 403, `failed to delete BFDProfile ${name}, used by BGPPeer ${user.metadata.name}`)
}

/** @param instead what there is in the place of the object then */
function stranded(
  { kind, metadata }: KubernetesObject,
  instead: readonly KubernetesObject[],
  { namespace, resources, services = [] }: AdmissionContext,
): readonly string[] {
  if (kind !== 'IPAddressPool' || metadata.namespace !== namespace) return []
  const others = listOf(resources.IPAddressPool).filter(other => other.metadata.name !== metadata.name)
  return strandedServices(metadata.name, [...others, ...(instead as readonly IPAddressPool[])], services)
}

const deny = (uid: string, code: number, message: string): AdmissionResponse => ({
  uid,
  allowed: false,
  status: { code, message, reason: code === 403 ? 'Forbidden' : 'BadRequest' },
})

/** The errors of the configuration with an object in the place of the one that has its name. */
function errorsWith(object: KubernetesObject, context: AdmissionContext): readonly ConfigError[] {
  const kind = object.kind as keyof ConfigResources
  const others = listOf(context.resources[kind] as ObjectsOf<KubernetesObject> | undefined).filter(
    other => !isSame(other, object),
  )
  const newcomer = kind === 'IPAddressPool' ? object.metadata.name : undefined
  return errorsOf({ ...context.resources, [kind]: [...others, object] }, context, newcomer)
}

function errorsOf(
  resources: ConfigResources,
  { namespace }: AdmissionContext,
  newcomer?: string,
): readonly ConfigError[] {
  const { faults: _, ...readable } = resources
  const options = { component: 'validate', namespace, ...(newcomer !== undefined && { newcomer }) } as const
  return buildConfig(readable, options).errors ?? []
}

const isSame = (one: KubernetesObject, other: KubernetesObject): boolean =>
  one.metadata.name === other.metadata.name && one.metadata.namespace === other.metadata.namespace

const isAbout = ({ kind, name, namespace }: ConfigError, object: KubernetesObject): boolean =>
  kind === object.kind && name === object.metadata.name && namespace === object.metadata.namespace

const listOf = <T>(objects: ObjectsOf<T> | undefined): readonly T[] => [...(objects?.values() ?? [])]

const specOf = (object: KubernetesObject): unknown => (object as { readonly spec?: unknown }).spec

function deprecations(object: KubernetesObject): readonly string[] {
  if (object.kind !== 'BGPPeer' || !(object as BGPPeer).spec?.disableMP) return []
  return ['BGPPeer: spec.disableMP is deprecated and has no effect; use spec.dualStackAddressFamily']
}
