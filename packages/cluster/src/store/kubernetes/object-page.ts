/** Lists of objects, as the API server gives them. */
import { fieldOf, isFields, type Fields } from '../../schema/plain.js'
import type { KubernetesObject } from '../../resources/core.js'
import { keepObject } from '../keep.js'
import { KINDS, objectKey } from '../kinds.js'
import type { KeepRules, Kind, ObjectKey } from '../store.js'
import { ApiError, failureOf } from './api-error.js'
import type { ApiTransport } from './transport.js'

/** All objects of a kind at one moment. */
export interface Listing {
  readonly objects: ReadonlyMap<ObjectKey, KubernetesObject>
  /** `resourceVersion` of the moment; a watch goes on from there. */
  readonly version: string
}

/** What {@link listAll} lists. */
export interface ListOptions {
  /** API path of the objects. */
  readonly path: string
  readonly transport: ApiTransport
  readonly read: ReadObject
  /** Objects in one page. */
  readonly pageSize: number
  readonly signal: AbortSignal
}

interface Page {
  readonly items: readonly KubernetesObject[]
  readonly version: string
  /** Empty: it was the last one. */
  readonly next: string
}

/**
 * Lists a kind in pages, as the server's majority has it. When it forgets the moment of the first page before the last one is
 * read, all is asked for at once, since the same could happen again for ever.
 *
 * @throws what the server, or the way to it, has against it
 */
export async function listAll(options: ListOptions): Promise<Listing> {
  const objects = new Map<ObjectKey, KubernetesObject>()
  let page = await readPage(options, { limit: String(options.pageSize) })
  const { version } = page
  try {
    for (;;) {
      for (const object of page.items) objects.set(objectKey(object.metadata), object)
      if (page.next === '') return { objects, version }
      page = await readPage(options, { limit: String(options.pageSize), continue: page.next })
    }
  } catch (error) {
    if (failureOf(error) !== 'expired') throw error
    const whole = await readPage(options, {})
    return { objects: new Map(whole.items.map(object => [objectKey(object.metadata), object])), version: whole.version }
  }
}

async function readPage(
  { path, transport, read, signal }: ListOptions,
  query: Readonly<Record<string, string>>,
): Promise<Page> {
  const list = await transport.send({ method: 'GET', path, query, signal })
  const [items, metadata] = [fieldOf(list, 'items'), fieldOf(list, 'metadata')]
  if (!Array.isArray(items) || !isFields(metadata)) throw new ApiError(0, `the answer to GET ${path} is no list`)
  return {
    items: items.filter(isFields).map(read),
    version: textOf(metadata['resourceVersion']),
    next: textOf(metadata['continue']),
  }
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

/** Makes of what the server sends the object that is kept. */
export type ReadObject = (item: Fields) => KubernetesObject

/** How objects of a kind are read. */
export const objectReader =
  (kind: Kind, keep: KeepRules): ReadObject =>
  item =>
    keepObject(keep, kind, completeObject(kind, item))

/** Items of a list lack kind and version; who wrote which field is of no use here and large. */
export function completeObject(kind: Kind, item: Fields): KubernetesObject {
  const { managedFields: _, ...metadata } = isFields(item['metadata']) ? item['metadata'] : {}
  // Not by a spread, which in V8 of Node.js 20 gives each object a shape of its own, as large as the object.
  // oxlint-disable-next-line prefer-object-spread
  return Object.assign({}, item, { apiVersion: KINDS[kind].apiVersion, kind, metadata }) as unknown as KubernetesObject
}
