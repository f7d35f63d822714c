/** All versions of all Services, as the API server stored them. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { ClientRequest, IncomingMessage } from 'node:http'
import { Agent, request as httpsRequest } from 'node:https'
import { setTimeout as delay } from 'node:timers/promises'
import type { KubernetesObject, Service } from '@typemetal/cluster'
import { type ApiServer, NAMESPACE } from '@typemetal/lab/kubernetes'
import { addressesOf } from './envtest-objects.js'

const OBSERVER = 'observer'
const PATH = '/api/v1/services'

interface WatchEvent {
  readonly type: string
  readonly object: Service & { readonly code?: number }
}

/**
 * Watches Services, one version after the other and none left out, and looks whether an address is ever in the statuses of two. Leave it
 * with `await using`.
 */
export class ServiceHistory implements AsyncDisposable {
  /** Addresses that two Services had at once, and which. */
  readonly doubled: string[] = []
  /** Times that what was between two looks is unknown, because the API server had forgotten it. */
  gaps = 0
  /** Versions seen. */
  versions = 0
  /** Services with an address, at the moment. */
  readonly #addresses = new Map<string, readonly string[]>()
  readonly #holders = new Map<string, string>()
  readonly #server: ApiServer
  readonly #agent: Agent
  readonly #token: string
  #version = ''
  #request: ClientRequest | undefined
  #closed = false
  #running: Promise<void> = Promise.resolve()

  private constructor(server: ApiServer, token: string) {
    this.#server = server
    this.#token = token
    this.#agent = new Agent({ ca: readFileSync(server.authority), keepAlive: true })
  }

  /** Begins with what is there now. */
  static async start(server: ApiServer): Promise<ServiceHistory> {
    const { admin } = server
    const account = { name: OBSERVER, namespace: NAMESPACE }
    await admin.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: account })
    await admin.apply({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: OBSERVER },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ kind: 'ServiceAccount', ...account }],
    } as KubernetesObject)
    const history = new ServiceHistory(server, await server.serviceAccountToken(account))
    await history.#list()
    history.#running = history.#follow()
    return history
  }

  /** Addresses of each Service that has any, as of the newest version seen. */
  get addresses(): ReadonlyMap<string, readonly string[]> {
    return this.#addresses
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    this.#request?.destroy()
    await this.#running
    this.#agent.destroy()
  }

  async #follow(): Promise<void> {
    while (!this.#closed) {
      try {
        await this.#watch()
      } catch {
        // The API server comes and goes in some tests.
        await delay(20)
      }
    }
  }

  async #list(): Promise<void> {
    const { items, metadata } = (await this.#server.admin.request({ method: 'GET', path: PATH })) as {
      readonly items: readonly Service[]
      readonly metadata: { readonly resourceVersion: string }
    }
    this.#version = metadata.resourceVersion
    this.#addresses.clear()
    this.#holders.clear()
    for (const item of items) this.#take(item, false)
  }

  async #watch(): Promise<void> {
    const query = new URLSearchParams({ watch: 'true', resourceVersion: this.#version, allowWatchBookmarks: 'true' })
    const headers = { authorization: `Bearer ${this.#token}` }
    this.#request = httpsRequest(new URL(`${PATH}?${query.toString()}`, this.#server.url), {
      agent: this.#agent,
      headers,
    })
    this.#request.end()
    const [response] = (await once(this.#request, 'response')) as [IncomingMessage]
    let rest = ''
    for await (const chunk of response.setEncoding('utf8')) {
      const lines = (rest + String(chunk)).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) await this.#handle(JSON.parse(line) as Partial<WatchEvent>)
    }
  }

  async #handle({ type, object }: Partial<WatchEvent>): Promise<void> {
    if (type === 'ERROR' || type === undefined || !object) {
      this.#request?.destroy()
      // What is older is forgotten.
      if (object?.code === 410) {
        this.gaps++
        await this.#list()
      }
      return
    }
    this.#version = object.metadata.resourceVersion ?? ''
    if (type !== 'BOOKMARK') this.#take(object, type === 'DELETED')
  }

  #take(service: Service, gone: boolean): void {
    this.versions++
    const { namespace = '', name } = service.metadata
    const key = `${namespace}/${name}`
    for (const address of this.#addresses.get(key) ?? []) {
      if (this.#holders.get(address) === key) this.#holders.delete(address)
    }
    const addresses = gone ? [] : addressesOf(service)
    if (addresses.length === 0) this.#addresses.delete(key)
    else this.#addresses.set(key, addresses)
    for (const address of addresses) {
      const holder = this.#holders.get(address)
      if (holder !== undefined) this.doubled.push(`${address}: ${holder} and ${key}`)
      this.#holders.set(address, key)
    }
  }
}
