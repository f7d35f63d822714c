/** Requests of a cluster's administrator: what a test does itself, and looks at, without the code under test. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { Agent, request as httpsRequest } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import { formatJSON, type KubernetesObject, parseJSON } from '@typemetal/cluster'
import { LabError } from '../errors.js'
import type { CertificateFiles } from './certificates.js'

/** The API server refused what a test asked for. */
export class ApiRefusal extends LabError {
  constructor(
    /** HTTP status. */
    readonly status: number,
    message: string,
  ) {
    super('ERR_LAB_API', message)
  }
}

/** A request to the API server. */
export interface AdminRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** With query. */
  readonly path: string
  readonly body?: unknown
  /** @default application/json */
  readonly contentType?: string
}

/** Milliseconds. */
const TIMEOUT = 90_000
const BUSY_PAUSE = 100
/** What a manifest leaves out is not the test's, as with `kubectl apply --server-side`. */
const APPLY = 'application/apply-patch+yaml'

/** Talks to one API server with a client certificate. */
export class AdminClient implements Disposable {
  readonly #url: string
  readonly #agent: Agent
  /** By group and kind. */
  readonly #resources = new Map<string, { readonly plural: string; readonly namespaced: boolean }>()

  /** @param authority file with the certificate of who signed the server's */
  constructor(url: string, authority: string, files: CertificateFiles) {
    this.#url = url
    this.#agent = new Agent({
      keepAlive: true,
      maxSockets: 16,
      ca: readFileSync(authority),
      cert: readFileSync(files.certificate),
      key: readFileSync(files.key),
    })
  }

  /**
   * Sends a request; again, for a while, when the server is too busy, as it is just after its start. @returns the answer; integers
   * beyond 2^53 are bigints, and what is not JSON is a text
   *
   * @throws {ApiRefusal} the status is no success
   */
  async request(request: AdminRequest): Promise<unknown> {
    const deadline = performance.now() + TIMEOUT
    for (;;) {
      try {
        return await this.#send(request)
      } catch (error) {
        const busy = error instanceof ApiRefusal && error.status === 429
        if (!busy || performance.now() > deadline) throw error
        await sleep(BUSY_PAUSE)
      }
    }
  }

  /** Creates or changes an object, as `kubectl apply --server-side --force-conflicts` does; returns what is stored then. */
  async apply<T extends KubernetesObject>(object: T): Promise<T> {
    const path = `${await this.pathOf(object)}?fieldManager=typemetal-lab&force=true`
    return (await this.request({ method: 'PATCH', path, body: object, contentType: APPLY })) as T
  }

  /** Deletes an object; not being there is fine. */
  async remove(object: KubernetesObject): Promise<void> {
    await this.request({ method: 'DELETE', path: await this.pathOf(object) }).catch((error: unknown) => {
      if (!(error instanceof ApiRefusal && error.status === 404)) throw error
    })
  }

  /** All objects at a path, in one answer. */
  async list<T extends KubernetesObject>(path: string): Promise<readonly T[]> {
    return ((await this.request({ method: 'GET', path })) as { readonly items: readonly T[] }).items
  }

  /**
   * Path of an object in the API, by what the server says of its kind.
   *
   * @throws {ApiRefusal} 404: it knows no such version, or, with this message, no such kind
   */
  async pathOf({ apiVersion, kind, metadata }: KubernetesObject): Promise<string> {
    const group = `${apiVersion.includes('/') ? '/apis' : '/api'}/${apiVersion}`
    const { plural, namespaced } = await this.#resource(group, kind)
    const { name, namespace = 'default' } = metadata
    const within = namespaced ? `/namespaces/${encodeURIComponent(namespace)}` : ''
    return `${group}${within}/${plural}/${encodeURIComponent(name)}`
  }

  [Symbol.dispose](): void {
    this.#agent.destroy()
  }

  async #send({ method, path, body, contentType = 'application/json' }: AdminRequest): Promise<unknown> {
    const payload = body === undefined ? undefined : formatJSON(body)
    const outgoing = httpsRequest(new URL(path, this.#url), {
      method,
      agent: this.#agent,
      timeout: TIMEOUT,
      headers: payload === undefined ? {} : { 'content-type': contentType },
    })
    outgoing.once('timeout', () => outgoing.destroy(new Error(`${method} ${path}: no answer in ${TIMEOUT / 1000} s`)))
    outgoing.end(payload)
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
    let text = ''
    for await (const chunk of response.setEncoding('utf8')) text += String(chunk)
    const answer = response.headers['content-type']?.includes('json') ? parseJSON(text) : text
    const { statusCode = 0 } = response
    if (statusCode >= 200 && statusCode < 300) return answer
    const said = (answer as { readonly message?: string }).message ?? text
    throw new ApiRefusal(statusCode, `${method} ${path}: ${statusCode}: ${said}`)
  }

  async #resource(group: string, kind: string): Promise<{ readonly plural: string; readonly namespaced: boolean }> {
    const known = this.#resources.get(`${group} ${kind}`)
    if (known) return known
    const { resources } = (await this.request({ method: 'GET', path: group })) as {
      readonly resources: readonly { readonly kind: string; readonly name: string; readonly namespaced: boolean }[]
    }
    for (const { kind: each, name: plural, namespaced } of resources) {
      if (!plural.includes('/')) this.#resources.set(`${group} ${each}`, { plural, namespaced })
    }
    const found = this.#resources.get(`${group} ${kind}`)
    if (!found) throw new ApiRefusal(404, `the API server has no ${kind} in ${group}`)
    return found
  }
}
