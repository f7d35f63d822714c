import { join, relative, sep } from 'node:path'
import { isKind, KINDS } from '../kinds.js'
import type { Kind, ObjectKey } from '../store.js'

/** Path of the status file of an object: `STATUS/Kind/namespace/name.yaml`. */
export function statusPath(directory: string, kind: Kind, key: ObjectKey): string {
  return `${join(directory, kind, ...key.split('/'))}.yaml`
}

/** The object that a path below the status directory belongs to, if any. */
export function objectOfPath(
  directory: string,
  path: string,
): { readonly kind: Kind; readonly key: ObjectKey } | undefined {
  const [kind = '', ...rest] = relative(directory, path).split(sep)
  const last = rest.at(-1)
  if (!isKind(kind) || !last?.endsWith('.yaml') || last.startsWith('.')) return undefined
  if (rest.length !== (KINDS[kind].namespaced ? 2 : 1)) return undefined
  return { kind, key: [...rest.slice(0, -1), last.slice(0, -'.yaml'.length)].join('/') }
}
