// The cluster on a real API server, in the namespace where this process runs.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { request } from 'node:https'
import { customResourceDefinitions } from '@typemetal/cluster'
import { until } from '@typemetal/lab'
import { ApiServer } from '@typemetal/lab/kubernetes'
import { copy } from '../controller/stock.mjs'
import {
  addressOf,
  clusterIPOf,
  configuration,
  nameOf,
  NAMESPACE,
  node,
  nodeStatus,
  podObjects,
  service,
  serviceStatus,
  slice,
} from './objects.mjs'
import { now } from './sight.mjs'

const GROUP = 'bench'
const SERVICES = '/api/v1/namespaces/default/services'
const SLICES = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices'
/** Milliseconds. */
const PATIENCE = 60_000

const binding = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  metadata: { name: GROUP },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
  subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: GROUP }],
}

/** Nobody serves the webhook here: the API server would ask for it every second, for ever. */
const withoutConversion = definition => ({
  ...definition,
  spec: { ...definition.spec, conversion: { strategy: 'None' } },
})

/** `resourceVersion` of an event; an error has none. */
const versionOf = line => /^\{"type":"(?!ERROR).*?"resourceVersion":"(\d+)"/.exec(line)?.[1]

export class Api {
  #server
  #kubeconfig
  /** Path → the watch of it. */
  #watches = new Map()
  #closed = false
  /** Kind and name → who waits for its next event. */
  #awaited = new Map()

  constructor(server) {
    this.#server = server
  }

  /** @param options `{ services, binaries }` */
  static async open(_, { services, binaries }) {
    const api = new Api(await ApiServer.start({ binaries }))
    try {
      await api.#prepare()
      await api.#stock(services)
      for (const path of [SERVICES, SLICES]) await api.#follow(path)
      return api
    } catch (error) {
      await api.close()
      throw error
    }
  }

  get flags() {
    return [`--kubeconfig=${this.#kubeconfig}`]
  }

  /** Makes what a change needs, so that the change itself is one write. */
  async prepare(i) {
    await this.#admin.request({ method: 'POST', path: SERVICES, body: service(i) })
    await this.#admin.request({ method: 'POST', path: SLICES, body: slice(i) })
  }

  /** Gives a Service its address. @returns when a watch told of it */
  async create(i) {
    const seen = this.#next(nameOf(i), '"ingress"')
    await this.#setStatus(i)
    return seen
  }

  /** @returns when a watch told of it */
  async setReady(i, ready) {
    const seen = this.#next(`${nameOf(i)}-a`, `"ready":${ready}`)
    await this.#admin.request({ method: 'PUT', path: `${SLICES}/${nameOf(i)}-a`, body: slice(i, ready) })
    return seen
  }

  async close() {
    this.#closed = true
    for (const watch of this.#watches.values()) watch.destroy()
    await this.#server[Symbol.asyncDispose]()
  }

  get #admin() {
    return this.#server.admin
  }

  /** One Service by the API server, the others as copies of it. */
  async #stock(services) {
    await this.prepare(0)
    const { metadata } = await this.#setStatus(0)
    const read = path => this.#admin.request({ method: 'GET', path })
    const endpoints = await read(`${SLICES}/${nameOf(0)}-a`)
    const address = await read(`/apis/networking.k8s.io/v1/ipaddresses/${clusterIPOf(0)}`)
    const templates = [
      { key: `/registry/services/specs/default/${nameOf(0)}`, uid: metadata.uid },
      { key: `/registry/endpointslices/default/${nameOf(0)}-a`, uid: endpoints.metadata.uid },
      { key: `/registry/ipaddresses/${clusterIPOf(0)}`, uid: address.metadata.uid },
    ]
    const numbers = Array.from({ length: services - 1 }, (_, i) => i + 1)
    await copy(this.#server.etcdUrl, templates, numbers, i => [
      [nameOf(0), nameOf(i)],
      [clusterIPOf(0), clusterIPOf(i)],
      [addressOf(0), addressOf(i)],
    ])
    const listed = async () => (await this.#admin.list(SLICES)).length >= services
    await until('everything to be listed', listed, { timeout: PATIENCE })
  }

  #setStatus(i) {
    const patch = { method: 'PATCH', path: `${SERVICES}/${nameOf(i)}/status`, body: { status: serviceStatus(i) } }
    return this.#admin.request({ ...patch, contentType: 'application/merge-patch+json' })
  }

  async #prepare() {
    const admin = this.#admin
    const definitions = customResourceDefinitions().map(withoutConversion)
    await admin.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } })
    await admin.apply(binding)
    await Promise.all(definitions.map(definition => admin.apply(definition)))
    for (const { spec } of definitions) {
      const path = `/apis/${spec.group}/${spec.versions[0].name}/${spec.names.plural}`
      await until(`${spec.names.plural} to be served`, () => admin.list(path), { timeout: PATIENCE })
    }
    await admin.apply(node)
    const status = { method: 'PATCH', path: `/api/v1/nodes/${node.metadata.name}/status`, body: { status: nodeStatus } }
    await admin.request({ ...status, contentType: 'application/merge-patch+json' })
    for (const object of [...podObjects, ...configuration()]) await admin.apply(object)
    this.#kubeconfig = await this.#server.kubeconfig('speaker', [GROUP])
  }

  /** The next event about an object that contains a text. */
  #next(name, text) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no watch has told of ${name}`)), PATIENCE)
      this.#awaited.set(name, {
        text,
        tell: at => {
          clearTimeout(timer)
          resolve(at)
        },
      })
    })
  }

  /**
   * A connection of its own: it must wait for nobody. On a busy machine the API server ends watches that do not take their events in time
   * (`apiserver_terminated_watchers_total`), as in the seconds in which thousands of Services come to be: it is opened again where it was.
   */
  async #follow(path, version) {
    const { url, authority } = this.#server
    const kubeconfig = JSON.parse(readFileSync(this.#kubeconfig, 'utf8'))
    const { 'client-certificate': cert, 'client-key': key } = kubeconfig.users[0].user
    const tls = { ca: readFileSync(authority), cert: readFileSync(cert), key: readFileSync(key) }
    const from = version === undefined ? '' : `&resourceVersion=${version}`
    const watch = request(new URL(`${path}?watch=true&timeoutSeconds=3600${from}`, url), { ...tls, agent: false })
    this.#watches.set(path, watch)
    watch.on('error', () => {})
    watch.end()
    const [response] = await once(watch, 'response')
    let rest = ''
    // One that is too old, and any other error, comes as an event that has none: then it begins with what there is.
    let seen = response.statusCode === 200 ? version : undefined
    response.on('error', () => {})
    response.once('close', () => void this.#followAgain(path, seen))
    response.setEncoding('utf8').on('data', chunk => {
      const at = now()
      const lines = (rest + chunk).split('\n')
      rest = lines.pop()
      if (this.#awaited.size > 0) for (const line of lines) this.#take(line, at)
      if (lines.length > 0) seen = versionOf(lines.at(-1))
    })
  }

  async #followAgain(path, version) {
    if (this.#closed) return
    try {
      await this.#follow(path, version)
    } catch (error) {
      if (!this.#closed) console.error(`the watch of ${path} is not opened again: ${error.message}`)
    }
  }

  /** Read by hand: this process shares two cores with all others. */
  #take(line, at) {
    const [, name] = /"metadata":\{"name":"([^"]+)"/.exec(line) ?? []
    const waiting = this.#awaited.get(name)
    if (!waiting || !line.includes(waiting.text)) return
    this.#awaited.delete(name)
    waiting.tell(at)
  }
}
