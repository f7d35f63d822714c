/** Writes of the `status` subresource. */
import type { KubernetesObject } from '../../resources/core.js'
import { kindOf } from '../kinds.js'
import { ConflictError, NotFoundError } from '../store.js'
import { resourcePath } from './resource-path.js'
import type { ApiRequest, ApiTransport } from './transport.js'

/** An object with a status of any shape. */
export type WithStatus = KubernetesObject & { readonly status?: unknown }

/** How often a write that has no version, and so cannot be wrong, is tried when others write at the same moment. */
const ATTEMPTS = 5

/**
 * Writes the status of an object, and the annotations of a Service. With `metadata.resourceVersion` it is a PUT that counts only if
 * nobody has changed the object since; without, a JSON Patch that replaces the status of whatever is there.
 *
 * @returns the object as it is stored then
 * @throws {ConflictError} the version is not the newest
 * @throws {NotFoundError} the object is gone
 */
export async function writeStatus<T extends WithStatus>(transport: ApiTransport, object: T): Promise<T> {
  const request = statusRequest(object)
  for (let attempt = 1; ; attempt++) {
    try {
      return (await transport.send(request)) as T
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error
      if (request.method === 'PUT') throw await explainConflict(transport, object, error)
      if (attempt === ATTEMPTS) throw error
    }
  }
}

/** A Service that is gone is a conflict, too, since it could be made anew by a PUT. @returns what is really the matter */
async function explainConflict(transport: ApiTransport, object: WithStatus, conflict: ConflictError): Promise<Error> {
  const { namespace, name } = object.metadata
  try {
    await transport.send({ method: 'GET', path: resourcePath(kindOf(object), { namespace, name }) })
    return conflict
  } catch (error) {
    return error instanceof NotFoundError ? error : conflict
  }
}

/** The request that writes a status. */
export function statusRequest(object: WithStatus): ApiRequest {
  const { namespace, name, resourceVersion, annotations = {} } = object.metadata
  const path = resourcePath(kindOf(object), { namespace, name, subresource: 'status' })
  if (resourceVersion !== undefined) return { method: 'PUT', path, body: object }
  const body = [
    { op: 'add', path: '/status', value: object.status ?? {} },
    // Other kinds keep their metadata from writes of the status.
    ...(object.kind === 'Service' ? [{ op: 'add', path: '/metadata/annotations', value: annotations }] : []),
  ]
  return { method: 'PATCH', path, body, contentType: 'application/json-patch+json' }
}
