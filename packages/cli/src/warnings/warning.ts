/** Making warnings about objects. */
import type { KubernetesObject } from '@typemetal/cluster'
import type { Scene, Warning } from './warnings.js'

/** A warning about a field of an object, with the place where it was written. */
export function warn(
  { snapshot }: Pick<Scene, 'snapshot'>,
  object: KubernetesObject,
  field: string,
  reason: string,
): Warning {
  const { namespace, name } = object.metadata
  const key = namespace === undefined ? name : `${namespace}/${name}`
  return {
    kind: object.kind,
    ...(namespace !== undefined && { namespace }),
    name,
    field,
    reason,
    ...snapshot.origin?.(object.kind, key, field),
  }
}

/** `a`, `a and b`, `a, b and c`; a long list is cut and counted. */
export function listed(names: readonly string[], most = 5): string {
  if (names.length > most) return `${names.slice(0, most).join(', ')} and ${names.length - most} more`
  return names.length < 2 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}
