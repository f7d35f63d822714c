// A real API server with our CRDs, one pool and as many Services as are asked for; what goes on there is seen by a watch.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { request } from 'node:https'
import { customResourceDefinitions } from '@typemetal/cluster'
import { until } from '@typemetal/lab'
import { ApiServer } from '@typemetal/lab/kubernetes'
import { copy, evenAddress } from './stock.mjs'

/** Where `metallb.io` objects live. */
export const NAMESPACE = 'metallb-system'
const POOL = { name: 'pool', addresses: ['10.0.0.0/8'] }
const GROUP = 'bench'
const SERVICES = '/api/v1/namespaces/default/services'
const RECORD = 'metallb.io/ip-allocated-from-pool'
/** Networks of the cluster IPs, and of the addresses that the bench gives out: a controller is not there within a minute. */
const CLUSTER_IPS = 100
const ADDRESSES = 128
/** Milliseconds. */
const PATIENCE = 60_000

const binding = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  metadata: { name: GROUP },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
  subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: GROUP }],
}
const pool = {
  apiVersion: 'metallb.io/v1beta1',
  kind: 'IPAddressPool',
  metadata: { name: POOL.name, namespace: NAMESPACE },
  spec: { addresses: POOL.addresses },
}

/** A Service that wants an address; with a class of its own it is nobody's. */
const service = (name, loadBalancerClass) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: {
    type: 'LoadBalancer',
    // There are not as many node ports.
    allocateLoadBalancerNodePorts: false,
    ...(loadBalancerClass && { loadBalancerClass }),
    selector: { app: name },
    ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
  },
})

/** One API server for one controller. */
export class Cluster {
  #server
  #watch
  /** Services that have an address, with the moment when that was seen. */
  #seen = new Map()
  #awaited = new Map()
  /** Services whose coming is of interest, with the moment when it was seen. */
  #comings = new Map()

  constructor(server) {
    this.#server = server
  }

  static async open(binaries) {
    const cluster = new Cluster(await ApiServer.start({ binaries }))
    try {
      await cluster.#prepare()
      return cluster
    } catch (error) {
      await cluster.close()
      throw error
    }
  }

  get admin() {
    return this.#server.admin
  }

  /** How many Services have an address. */
  get served() {
    return this.#seen.size
  }

  /** File for what a controller says. */
  log(name) {
    return `${this.#server.directory}/logs/${name}.log`
  }

  /** A kubeconfig of somebody who may do everything, but waits for his turn as everybody does. */
  kubeconfig() {
    return this.#server.kubeconfig('controller', [GROUP])
  }

  /**
   * Makes Services that stand there when a controller comes: one by the API server, the others as copies of it.
   *
   * @param served whether they have addresses already
   */
  async create(names, served) {
    const [first, ...others] = names
    const body = service(first)
    const clusterIP = evenAddress(CLUSTER_IPS, 0)
    const spec = { ...body.spec, clusterIP, clusterIPs: [clusterIP] }
    let template = await this.admin.request({ method: 'POST', path: SERVICES, body: { ...body, spec } })
    if (served) template = await this.serve(template, 0)
    const addressKey = `/registry/ipaddresses/${clusterIP}`
    const address = await this.admin.request({
      method: 'GET',
      path: `/apis/networking.k8s.io/v1/ipaddresses/${clusterIP}`,
    })
    const templates = [
      { key: `/registry/services/specs/default/${first}`, uid: template.metadata.uid },
      { key: addressKey, uid: address.metadata.uid },
    ]
    await copy(
      this.#server.etcdUrl,
      templates,
      Array.from(others, (_, i) => i + 1),
      number => [
        [first, names[number]],
        [clusterIP, evenAddress(CLUSTER_IPS, number)],
        ...(served ? [[evenAddress(ADDRESSES, 0), evenAddress(ADDRESSES, number)]] : []),
      ],
    )
    await until('all Services to be listed', async () => (await this.admin.list(SERVICES)).length > names.length - 1, {
      timeout: PATIENCE,
    })
    // Only now: an API server drops watchers to whom so much happens at once.
    await this.#follow()
  }

  /** From now on the moment is kept at which a Service of this name was first seen. */
  expect(name) {
    this.#comings.set(name, undefined)
  }

  /** When an expected Service was first seen. */
  cameAt(name) {
    return this.#comings.get(name)
  }

  /** Creates one Service. @returns what is stored then */
  createOne(name, loadBalancerClass) {
    return this.admin.request({ method: 'POST', path: SERVICES, body: service(name, loadBalancerClass) })
  }

  /** Gives a Service an address, as a controller does. */
  serve(created, number) {
    const { metadata, spec } = created
    const ip = evenAddress(ADDRESSES, number)
    const body = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { ...metadata, annotations: { [RECORD]: POOL.name } },
      spec,
      status: { loadBalancer: { ingress: [{ ip }] } },
    }
    return this.admin.request({ method: 'PUT', path: `${SERVICES}/${metadata.name}/status`, body })
  }

  /** Resolves with the moment when a Service was first seen with an address. */
  untilServed(name) {
    const at = this.#seen.get(name)
    if (at !== undefined) return Promise.resolve(at)
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${name} has no address in ${PATIENCE / 1000} s`)), PATIENCE)
      this.#awaited.set(name, moment => {
        clearTimeout(timer)
        resolve(moment)
      })
    })
  }

  /** Writes and reads so far of Services and events, but no watches. */
  async requests() {
    const text = await this.admin.request({ method: 'GET', path: '/metrics' })
    let count = 0
    for (const [, labels, value] of text.matchAll(/^apiserver_request_total\{(.*)\} (\S+)$/gm)) {
      if (/resource="(services|events)"/.test(labels) && !labels.includes('verb="WATCH"')) count += Number(value)
    }
    return count
  }

  async close() {
    this.#watch?.destroy()
    await this.#server[Symbol.asyncDispose]()
  }

  async #prepare() {
    const { admin } = this
    const definitions = customResourceDefinitions()
    await admin.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } })
    await admin.apply(binding)
    await Promise.all(definitions.map(definition => admin.apply(definition)))
    for (const { spec } of definitions) {
      // A new kind is not served at once.
      const path = `/apis/${spec.group}/${spec.versions[0].name}/${spec.names.plural}`
      await until(`${spec.names.plural} to be served`, () => admin.list(path), { timeout: PATIENCE })
    }
    await admin.apply(pool)
  }

  /** A connection of its own: it must wait for nobody. */
  async #follow() {
    const { directory, url, authority } = this.#server
    const kubeconfig = JSON.parse(readFileSync(await this.kubeconfig(), 'utf8'))
    const { 'client-certificate': cert, 'client-key': key } = kubeconfig.users[0].user
    if (!cert.startsWith(directory)) throw new Error('the kubeconfig is not what it was')
    const tls = { ca: readFileSync(authority), cert: readFileSync(cert), key: readFileSync(key) }
    const query = 'watch=true&resourceVersion=0&timeoutSeconds=3600'
    this.#watch = request(new URL(`${SERVICES}?${query}`, url), { ...tls, agent: false })
    this.#watch.on('error', () => {})
    this.#watch.end()
    const [response] = await once(this.#watch, 'response')
    let rest = ''
    response.on('error', () => {})
    response.setEncoding('utf8').on('data', chunk => {
      const lines = (rest + chunk).split('\n')
      rest = lines.pop()
      for (const line of lines) this.#take(line)
    })
  }

  /** Read by hand: this process shares two cores with all others. */
  #take(line) {
    const served = line.includes('"ingress":[{"ip":"')
    if (!served && this.#comings.size === 0) return
    const now = performance.now()
    const [, name] = /"name":"([^"]+)"/.exec(line) ?? []
    if (this.#comings.has(name)) this.#comings.set(name, this.#comings.get(name) ?? now)
    if (!served || name === undefined || this.#seen.has(name)) return
    this.#seen.set(name, now)
    this.#awaited.get(name)?.(now)
    this.#awaited.delete(name)
  }
}
