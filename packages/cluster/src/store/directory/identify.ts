import { closest } from '../../schema/suggestion.js'
import { isKind, KIND_NAMES, KINDS } from '../kinds.js'
import type { Kind } from '../store.js'

/** A mapping of which nothing is known yet. */
export type Fields = Readonly<Record<string, unknown>>

/** Whether a value is a mapping. */
export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** What the API server takes for a name: it becomes part of paths there, and of file names here. */
export const isPathSegment = (name: string): boolean =>
  name !== '' && name !== '.' && name !== '..' && !/[/%\0]/.test(name)

/** BGPPeer v1beta1 has a subset of the fields of v1beta2, with the same meaning. */
export function accepts(kind: Kind, apiVersion: string): boolean {
  return apiVersion === KINDS[kind].apiVersion || (kind === 'BGPPeer' && apiVersion === 'metallb.io/v1beta1')
}

/** What to say of an object whose kind is unknown, when it seems to be meant for us. */
export function misnamed(apiVersion: string, kind: string): string | undefined {
  const [group = ''] = apiVersion.includes('/') ? apiVersion.split('/') : ['']
  if (isKind(kind)) {
    const expected = KINDS[kind].apiVersion
    const sameGroup = expected.startsWith(`${group}/`) || (group === '' && !expected.includes('/'))
    return sameGroup || group === 'metallb.io' ? `apiVersion of ${kind} is ${expected}, not ${apiVersion}` : undefined
  }
  if (group === 'metallb.io' && kind === 'AddressPool')
    return 'kind AddressPool no longer exists: use IPAddressPool and an L2Advertisement or BGPAdvertisement'
  const meant = closest(kind, KIND_NAMES)
  if (meant !== undefined && KINDS[meant].apiVersion === apiVersion)
    return `kind ${kind} is unknown; did you mean ${meant}?`
  return group === 'metallb.io' ? `kind ${kind} is unknown` : undefined
}

/** Names an object of which perhaps only a part could be read. */
export function describe(value: unknown): string {
  if (!isFields(value)) return ''
  const metadata = isFields(value['metadata']) ? value['metadata'] : {}
  const parts = [metadata['namespace'], metadata['name']].filter(part => typeof part === 'string')
  return [typeof value['kind'] === 'string' ? value['kind'] : '', parts.join('/')].filter(Boolean).join(' ')
}
