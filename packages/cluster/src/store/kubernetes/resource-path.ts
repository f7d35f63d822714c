import { KINDS } from '../kinds.js'
import type { Kind } from '../store.js'

/** Kinds that are read in our own namespace only: those of others must not count, and we have no right to read their Secrets. */
export function isHomeKind(kind: Kind): boolean {
  return kind === 'Secret' || kind === 'ConfigMap' || KINDS[kind].apiVersion.startsWith('metallb.io/')
}

/** API path of a kind's objects, all or those of a namespace, of one of them, or of a part of it. */
export function resourcePath(
  kind: Kind,
  { namespace, name, subresource }: { namespace?: string | undefined; name?: string; subresource?: 'status' } = {},
): string {
  const { apiVersion, plural, namespaced } = KINDS[kind]
  const parts = [
    apiVersion.includes('/') ? 'apis' : 'api',
    ...apiVersion.split('/'),
    ...(namespaced && namespace !== undefined ? ['namespaces', encodeURIComponent(namespace)] : []),
    plural,
    ...(name === undefined ? [] : [encodeURIComponent(name)]),
    ...(subresource === undefined ? [] : [subresource]),
  ]
  return `/${parts.join('/')}`
}
