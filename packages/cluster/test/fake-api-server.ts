/** An API server in this process: the part of the Kubernetes API that stores use, over real HTTP, and its failures on demand. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createSecureServer, type ServerOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import { isDeepStrictEqual } from 'node:util'
import { until } from '@typemetal/lab'
import { formatJSON, KINDS, type KubernetesObject, parseJSON } from '@typemetal/cluster'

type Stored = KubernetesObject & { readonly status?: unknown }
interface WatchEvent {
  readonly version: number
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly object: Stored
}
interface Watcher {
  readonly response: ServerResponse
  readonly resource: string
  readonly namespace: string | undefined
}

type JsonPatch = readonly { readonly op: 'add'; readonly path: string; readonly value: unknown }[]

/** A request, told apart. */
interface Call {
  readonly method: string
  /** `apis/metallb.io/v1beta1/bgppeers` */
  readonly resource: string
  readonly namespace: string | undefined
  readonly name: string | undefined
  readonly subresource: string | undefined
  readonly query: URLSearchParams
  readonly body: unknown
}

class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message)
  }
}

const RESOURCES = new Map<string, { readonly kind: string; readonly apiVersion: string }>(
  Object.entries(KINDS).map(([kind, { apiVersion, plural }]) => [
    `${apiVersion.includes('/') ? 'apis' : 'api'}/${apiVersion}/${plural}`,
    { kind, apiVersion },
  ]),
)
RESOURCES.set('api/v1/events', { kind: 'Event', apiVersion: 'v1' })

export class FakeApiServer implements AsyncDisposable {
  /** `authorization` of the last request. */
  authorization: string | undefined
  /** Requests seen, as `METHOD resource`, lists and watches included. */
  readonly requests: string[] = []
  /** Decides before anything else; a status it returns is the answer. */
  fail: (call: Call) => { readonly status: number; readonly retryAfter?: number } | undefined = () => undefined
  /** Sends bookmarks instead of nothing to watchers of other objects. */
  bookmarks = true
  /** Objects in a page, when the client asks for pages. */
  pageSize = Infinity
  readonly #server: Server
  readonly #objects = new Map<string, Stored>()
  readonly #watchers = new Set<Watcher>()
  #history: WatchEvent[] = []
  #compacted = 0
  #version = 100
  #named = 0

  private constructor(tls: ServerOptions | undefined) {
    const serve = (request: IncomingMessage, response: ServerResponse): void => void this.#serve(request, response)
    this.#server = tls ? createSecureServer(tls, serve) : createServer(serve)
  }

  static async start(tls?: ServerOptions): Promise<FakeApiServer> {
    const fake = new FakeApiServer(tls)
    await fake.listen(0)
    return fake
  }

  /** Listens on a port, or a free one for 0; waits for one that has become another's for a moment, as connections come from ports, too. */
  async listen(port: number): Promise<void> {
    await until(`port ${port}`, async () => {
      this.#server.listen(port, '127.0.0.1')
      await once(this.#server, 'listening')
      return true
    })
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get watches(): number {
    return this.#watchers.size
  }

  /** Ends all watches: in order, or as if the network had gone. */
  cutWatches(how: 'end' | 'destroy'): void {
    for (const { response } of this.#watchers) {
      if (how === 'end') response.end()
      else response.destroy()
    }
    this.#watchers.clear()
  }

  /** Forgets what happened: watches from before get 410 Gone. */
  compact(): void {
    this.#history = []
    this.#compacted = this.#version
  }

  /** Stops listening and drops every connection; {@link listen} again to be back. */
  async stop(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    this.#watchers.clear()
    await closed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.listening) await this.stop()
  }

  /** Does what `kubectl apply` does; the status of an object that is there stays. */
  apply(object: KubernetesObject): void {
    const id = this.#id(object)
    const old = this.#objects.get(id)
    const stored = old
      ? {
          ...object,
          metadata: {
            ...object.metadata,
            annotations: { ...old.metadata.annotations, ...object.metadata.annotations },
            uid: old.metadata.uid,
          },
          status: old.status,
        }
      : {
          ...object,
          metadata: { ...object.metadata, uid: `uid-${++this.#named}`, creationTimestamp: new Date().toISOString() },
        }
    this.#store(id, old ? 'MODIFIED' : 'ADDED', stored as Stored)
  }

  remove(object: KubernetesObject): void {
    this.#delete(this.#id(object))
  }

  /** All objects of a kind. */
  objects(kind: string): readonly Stored[] {
    return [...this.#objects.values()].filter(object => object.kind === kind)
  }

  #id({ kind, metadata }: KubernetesObject): string {
    return `${kind}/${metadata.namespace ?? ''}/${metadata.name}`
  }

  #store(id: string, type: WatchEvent['type'], object: Stored): Stored {
    const version = ++this.#version
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } }
    this.#objects.set(id, stored)
    this.#tell({ version, type, object: stored })
    return stored
  }

  #delete(id: string): Stored {
    const object = this.#objects.get(id)
    if (!object) throw new Refusal(404, `${id} not found`)
    this.#objects.delete(id)
    const version = ++this.#version
    this.#tell({
      version,
      type: 'DELETED',
      object: { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } },
    })
    return object
  }

  #tell(event: WatchEvent): void {
    this.#history.push(event)
    for (const watcher of this.#watchers) this.#send(watcher, event)
  }

  #send({ response, resource, namespace }: Watcher, { type, version, object }: WatchEvent): void {
    const kind = RESOURCES.get(resource)?.kind
    if (object.kind === kind && (namespace === undefined || object.metadata.namespace === namespace)) {
      response.write(`${formatJSON({ type, object })}\n`)
    } else if (this.bookmarks) {
      response.write(
        `${formatJSON({ type: 'BOOKMARK', object: { kind, metadata: { resourceVersion: String(version) } } })}\n`,
      )
    }
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = ''
    for await (const chunk of request.setEncoding('utf8')) text += String(chunk)
    const call = parseCall(request, text === '' ? undefined : parseJSON(text))
    this.requests.push(
      `${call.method}${call.query.get('watch') === 'true' ? ' watch' : ''} ${call.resource.split('/').at(-1)}`,
    )
    this.authorization = request.headers.authorization
    const failure = this.fail(call)
    try {
      if (failure) throw new Refusal(failure.status, 'made to fail')
      if (!RESOURCES.has(call.resource)) throw new Refusal(404, 'the server could not find the requested resource')
      if (call.query.get('watch') === 'true') return this.#watch(call, response)
      answer(response, call.method === 'POST' ? 201 : 200, this.#handle(call))
    } catch (error) {
      const { status, message } = error instanceof Refusal ? error : new Refusal(500, String(error))
      if (failure?.retryAfter !== undefined) response.setHeader('retry-after', failure.retryAfter)
      answer(response, status, { kind: 'Status', status: 'Failure', code: status, message })
    }
  }

  #handle(call: Call): unknown {
    const { kind = '' } = RESOURCES.get(call.resource) ?? {}
    const id = `${kind}/${call.namespace ?? ''}/${call.name}`
    if (call.method === 'GET' && call.name === undefined) return this.#list(call, kind)
    if (call.method === 'POST') return this.#create(call, kind)
    if (call.method === 'DELETE') return this.#delete(id)
    const old = this.#objects.get(id)
    if (!old) throw new Refusal(404, `${kind} "${call.name}" not found`)
    if (call.method === 'PATCH') return this.#patch(id, old, call)
    if (call.method === 'PUT' && call.subresource === 'status') return this.#putStatus(id, old, call.body as Stored)
    throw new Refusal(405, 'method not allowed')
  }

  #list({ namespace, query }: Call, kind: string): unknown {
    const [version = String(this.#version), from = '0'] = query.get('continue')?.split('/') ?? []
    if (Number(version) < this.#compacted) throw new Refusal(410, 'the continue token has expired')
    const all = this.objects(kind).filter(({ metadata }) => namespace === undefined || metadata.namespace === namespace)
    const limit = query.get('limit')
    const size = limit === null ? Infinity : Math.min(this.pageSize, Number(limit))
    const end = Number(from) + size
    const items = all
      .slice(Number(from), end)
      .map(({ metadata, ...rest }) => ({ ...without(rest, 'apiVersion', 'kind'), metadata }))
    return {
      kind: `${kind}List`,
      metadata: { resourceVersion: version, ...(end < all.length && { continue: `${version}/${end}` }) },
      items,
    }
  }

  #create({ namespace, body }: Call, kind: string): Stored {
    const object = body as Stored
    const name =
      object.metadata.name || `${object.metadata.generateName ?? ''}${(++this.#named).toString(36).padStart(5, 'b')}`
    const id = `${kind}/${namespace ?? ''}/${name}`
    if (this.#objects.has(id)) throw new Refusal(409, `${kind} "${name}" already exists`)
    const { status: _, ...rest } = object
    const metadata = {
      ...object.metadata,
      name,
      uid: `uid-${++this.#named}`,
      creationTimestamp: new Date().toISOString(),
    }
    return this.#store(id, 'ADDED', { ...rest, metadata })
  }

  /** Merge patches of top-level fields, and JSON Patches that add the status or annotations. */
  #patch(id: string, old: Stored, { subresource, body }: Call): Stored {
    if (!Array.isArray(body)) return this.#store(id, 'MODIFIED', { ...old, ...(body as object) })
    const valueAt = (path: string): unknown => (body as JsonPatch).find(each => each.path === path)?.value
    const annotations = (valueAt('/metadata/annotations') ?? old.metadata.annotations) as Readonly<
      Record<string, string>
    >
    const { resourceVersion: _, ...metadata } = old.metadata
    if (subresource !== 'status') throw new Refusal(405, 'method not allowed')
    return this.#putStatus(id, old, { ...old, metadata: { ...metadata, annotations }, status: valueAt('/status') })
  }

  #putStatus(id: string, old: Stored, { metadata, status }: Stored): Stored {
    if (metadata.resourceVersion !== undefined && metadata.resourceVersion !== old.metadata.resourceVersion) {
      throw new Refusal(
        409,
        'the object has been modified; please apply your changes to the latest version and try again',
      )
    }
    const changed = { ...old, metadata: { ...old.metadata, annotations: metadata.annotations ?? {} }, status }
    const same =
      isDeepStrictEqual(old.status, status) &&
      isDeepStrictEqual(old.metadata.annotations ?? {}, metadata.annotations ?? {})
    return same ? old : this.#store(id, 'MODIFIED', changed)
  }

  #watch({ resource, namespace, query }: Call, response: ServerResponse): void {
    const from = Number(query.get('resourceVersion'))
    response.writeHead(200, { 'content-type': 'application/json' })
    if (from < this.#compacted) {
      const object = { kind: 'Status', code: 410, message: `too old resource version: ${from}` }
      response.end(`${JSON.stringify({ type: 'ERROR', object })}\n`)
      return
    }
    response.flushHeaders()
    const watcher = { response, resource, namespace }
    for (const event of this.#history.filter(({ version }) => version > from)) this.#send(watcher, event)
    this.#watchers.add(watcher)
    response.once('close', () => this.#watchers.delete(watcher))
  }
}

function parseCall({ method = '', url = '' }: IncomingMessage, body: unknown): Call {
  const { pathname, searchParams } = new URL(url, 'http://host')
  const parts = pathname.split('/').slice(1).map(decodeURIComponent)
  const prefix = parts.splice(0, parts[0] === 'api' ? 2 : 3)
  const namespace = parts[0] === 'namespaces' && parts.length > 2 ? parts.splice(0, 2)[1] : undefined
  const [plural = '', name, subresource] = parts
  return { method, resource: [...prefix, plural].join('/'), namespace, name, subresource, query: searchParams, body }
}

/** Items of a list carry neither version nor kind, as on a real server. */
function without(object: object, ...names: readonly string[]): object {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)))
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(formatJSON(body))
}
