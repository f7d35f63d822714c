import type { Service } from '@typemetal/cluster'

const PREFIX = 'metallb.io/'
/** Still read, never written; each use is answered by a Warning event. */
const DEPRECATED_PREFIX = 'metallb.universe.tf/'

/** Annotations of a Service that users write: what it wants. */
export const Annotation = {
  /** Name of the pool to take addresses from. */
  addressPool: `${PREFIX}address-pool`,
  /** Exact addresses, separated by commas. */
  loadBalancerIPs: `${PREFIX}loadBalancerIPs`,
  /** Sharing key. */
  allowSharedIP: `${PREFIX}allow-shared-ip`,
  /** Written by the controller: the pool that the addresses are of. */
  allocatedFromPool: `${PREFIX}ip-allocated-from-pool`,
} as const
/** Key of an annotation. */
export type Annotation = (typeof Annotation)[keyof typeof Annotation]

const DEPRECATED_ALLOCATED_FROM_POOL = deprecatedKey(Annotation.allocatedFromPool)

/**
 * Value of an annotation; empty when absent. The preferred key wins over the deprecated one by being there, even with an
 * empty value.
 */
export function readAnnotation(service: Service, key: Annotation): string {
  const { annotations = {} } = service.metadata
  return annotations[key] ?? annotations[deprecatedKey(key)] ?? ''
}

/** Keys with the deprecated prefix on a Service. */
export function deprecatedAnnotations(service: Service): readonly string[] {
  return Object.keys(service.metadata.annotations ?? {}).filter(key => key.startsWith(DEPRECATED_PREFIX))
}

/**
 * The annotations of a Service whose addresses come from `pool`, or which has none (`undefined`). A record of the pool
 * under the deprecated key goes: it would say something else from now on.
 *
 * @returns the Service's own object when nothing changes
 */
export function recordPool(service: Service, pool: string | undefined): Service['metadata']['annotations'] {
  const { annotations } = service.metadata
  const stale = annotations?.[DEPRECATED_ALLOCATED_FROM_POOL] !== undefined
  if (annotations?.[Annotation.allocatedFromPool] === pool && !stale) return annotations
  const { [Annotation.allocatedFromPool]: _, [DEPRECATED_ALLOCATED_FROM_POOL]: __, ...others } = annotations ?? {}
  return pool === undefined ? others : { ...others, [Annotation.allocatedFromPool]: pool }
}

function deprecatedKey(key: string): string {
  return DEPRECATED_PREFIX + key.slice(PREFIX.length)
}
