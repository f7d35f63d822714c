/** An API server of few objects, by their paths: optimistic locking, and refusals on demand. */
import { type ApiClient, ConflictError, type KubernetesObject, NotFoundError } from '@typemetal/cluster'

type Request = Parameters<ApiClient['send']>[0]

/** Objects by path. */
export class MemoryApi implements ApiClient {
  readonly objects = new Map<string, KubernetesObject>()
  /** `METHOD path` of every request that has changed something. */
  readonly writes: string[] = []
  /** Called before each request; throws to refuse it. */
  onRequest: (request: Request) => void = () => {}
  #version = 0

  /** Puts an object there, whatever was there. */
  put(path: string, object: object): void {
    const given = object as KubernetesObject
    const metadata = { uid: 'uid', ...given.metadata, resourceVersion: String(++this.#version) }
    this.objects.set(path, { ...given, metadata })
  }

  async send(request: Request): Promise<unknown> {
    await Promise.resolve()
    this.onRequest(request)
    const body = request.body as KubernetesObject
    const path = request.method === 'POST' ? `${request.path}/${body.metadata.name}` : request.path
    const there = this.objects.get(path)
    if (request.method === 'POST' && there) throw new ConflictError('there is one')
    if (request.method !== 'POST' && !there) throw new NotFoundError(`no ${path}`)
    if (request.method === 'GET') return structuredClone(there)
    if (there && there.metadata.resourceVersion !== body.metadata.resourceVersion) throw new ConflictError('changed')
    this.writes.push(`${request.method} ${path}`)
    this.put(path, structuredClone(body))
    return structuredClone(this.objects.get(path))
  }
}
