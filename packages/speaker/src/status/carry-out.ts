/** Does what a status write says, in the store. */
import { kindOf, KINDS } from '@typemetal/cluster'
import type { KubernetesObject, ObjectKey, ObjectReference, Store } from '@typemetal/cluster'
import { FIELD_MANAGER } from './configuration-state.js'
import type { StatusObject, StatusWrite } from './objects.js'
import type { Written } from './written.js'

/** What became of a write. */
export interface Done extends Pick<Written, 'now' | 'on'> {
  readonly key: ObjectKey
}

/**
 * Writes. A status is applied server-side (fields of others stay, ours go when we no longer name them) where there is an API server
 * and the object has one name for ever; where it does not, the object is ours alone and its status is replaced.
 *
 * @throws what the store throws
 */
export async function carryOut(store: Store, write: StatusWrite): Promise<Done> {
  if (write.type === 'create') return create(store, write.object, write.status)
  const { object } = write
  const key = keyOf(object)
  if (write.type === 'delete') {
    await store.delete(referenceTo(object))
    return { key, now: undefined, on: object }
  }
  if (write.type === 'apply' && store.api) return { key, now: await apply(store.api, object, write.status) }
  const status = write.type === 'apply' ? write.merged : write.status
  await store.updateStatus({ ...unversioned(object), status })
  return { key, now: { ...object, status }, on: object }
}

async function create(store: Store, object: KubernetesObject, status: object): Promise<Done> {
  if (store.api && object.kind === 'ConfigurationState') {
    const created = await store.create(object)
    return { key: keyOf(created), now: await apply(store.api, created, status) }
  }
  const created: StatusObject = await store.create({ ...object, status })
  return { key: keyOf(created), now: created }
}

/** Server-side apply of the status subresource; the fields are ours whoever wrote them before. */
async function apply(api: NonNullable<Store['api']>, object: KubernetesObject, status: object): Promise<StatusObject> {
  const { apiVersion, kind, metadata } = object
  const { name, namespace = '' } = metadata
  const place = `namespaces/${encodeURIComponent(namespace)}/${KINDS[kindOf(object)].plural}`
  const answer = await api.send({
    method: 'PATCH',
    path: `/apis/${apiVersion}/${place}/${encodeURIComponent(name)}/status`,
    query: { fieldManager: FIELD_MANAGER, force: 'true' },
    body: { apiVersion, kind, metadata: { name, namespace }, status },
    contentType: 'application/apply-patch+yaml',
  })
  return answer as StatusObject
}

/** Overwrites whatever is there: nobody else has anything to say in it. */
function unversioned(object: StatusObject): StatusObject {
  const { resourceVersion: _, ...metadata } = object.metadata
  return { ...object, metadata }
}

function referenceTo({ apiVersion, kind, metadata }: StatusObject): ObjectReference {
  const { name, namespace } = metadata
  return { apiVersion, kind, name, ...(namespace !== undefined && { namespace }) }
}

function keyOf({ metadata }: KubernetesObject): ObjectKey {
  return metadata.namespace ? `${metadata.namespace}/${metadata.name}` : metadata.name
}
