import { isMetalLBKind, versionOf } from '../../schema/definitions.js'
import { isFields } from '../../schema/plain.js'
import { closest } from '../../schema/suggestion.js'
import { isKind, KIND_NAMES, KINDS } from '../kinds.js'
import type { Kind } from '../store.js'

/** What the API server takes for a name: it becomes part of paths there, and of file names here. */
export const isPathSegment = (name: string): boolean =>
  name !== '' && name !== '.' && name !== '..' && !/[/%\0]/.test(name)

/** Whether a kind has this version. */
export function accepts(kind: Kind, apiVersion: string): boolean {
  return isMetalLBKind(kind) ? versionOf(kind, apiVersion) !== undefined : apiVersion === KINDS[kind].apiVersion
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
