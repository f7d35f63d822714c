/** Two nodes, a router and a client on a LAN of namespaces; on each node a speaker that reaches the API server outside. */
import { mkdir, writeFile } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { KubernetesObject } from '@typemetal/cluster'
import { type Host, Lab, LabProcess, nextHopsOf, startRouter, until } from '@typemetal/lab'
import {
  type AdminClient,
  ApiRefusal,
  type ApiServer,
  DEADLINE,
  type FaultProxy,
  freePorts,
  NAMESPACE,
} from '@typemetal/lab/kubernetes'

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const CONTROLLER = fileURLToPath(new URL('../../controller/dist/main.js', import.meta.url))
const ARP = import.meta.resolve('@typemetal/arp-ndp')
const SPEAKER = { namespace: NAMESPACE, name: 'speaker' }
const PATIENT = { timeout: DEADLINE }
export const NODES = ['n1', 'n2'] as const
/** Name of a node. */
export type NodeName = (typeof NODES)[number]

/** InternalIP of a node. */
export const addressOf = (node: NodeName): string => `10.10.0.1${node.slice(1)}`
/** Name of the speaker's Pod. */
export const podOf = (node: NodeName): string => `speaker-${node}`

/** Leave it with `await using`. */
export class World implements AsyncDisposable {
  readonly #server: ApiServer
  /** By path. */
  readonly #relays = new Map<string, Server>()
  readonly #sockets = new Set<Socket>()

  private constructor(
    server: ApiServer,
    readonly lab: Lab,
    readonly nodes: ReadonlyMap<NodeName, Host>,
    readonly client: Host,
    readonly router: Host,
  ) {
    this.#server = server
  }

  /** Makes the LAN, the Nodes and the speakers' Pods. */
  static async create(server: ApiServer): Promise<World> {
    const lab = await Lab.create()
    const lan = await lab.bridge('lan')
    const at = (address: string) => ({ links: [{ bridge: lan, addresses: [`${address}/24`] }] })
    const nodes = new Map<NodeName, Host>()
    for (const name of NODES) nodes.set(name, await lab.host(name, at(addressOf(name))))
    const client = await lab.host('client', at('10.10.0.100'))
    const router = await lab.host('router', at('10.10.0.1'))
    const bgp = { asn: 64513, bgpIdentifier: '10.10.0.1', peerPrefix: '10.10.0.0/24', peerAsn: 64512 }
    await startRouter('embedded', router, { ...bgp, directory: join(lab.directory, 'router') })
    await mkdir(join(lab.directory, 'secret'))
    await writeFile(join(lab.directory, 'secret', 'secretkey'), '0123456789ABCDEFGHIJKL')
    for (const name of NODES) await makeNode(server, name)
    return new World(server, lab, nodes, client, router)
  }

  host(name: NodeName): Host {
    const host = this.nodes.get(name)
    if (!host) throw new RangeError(name)
    return host
  }

  /** Starts a node's speaker as the shipped ServiceAccount. */
  async speaker(node: NodeName, flags: readonly string[] = [], through?: FaultProxy): Promise<LabProcess> {
    const { kubeconfig } = await this.#server.serviceAccountKubeconfig(SPEAKER, through)
    await this.#reach(this.host(node), new URL(through?.url ?? this.#server.url).port)
    const place = [`--kubeconfig=${kubeconfig}`, `--namespace=${NAMESPACE}`]
    const self = [`--node-name=${node}`, `--pod-name=${podOf(node)}`]
    const secret = `--ml-secret-key-path=${join(this.lab.directory, 'secret')}`
    const gossip = [`--ml-bindaddr=${addressOf(node)}`, '--ml-labels=component=speaker', secret]
    return this.host(node).spawn([process.execPath, MAIN, ...place, ...self, ...gossip, ...flags], { name: 'speaker' })
  }

  /** Starts the controller as its ServiceAccount, beside the API server. */
  async controller(): Promise<
    { readonly process: LabProcess; readonly metrics: () => Promise<string> } & AsyncDisposable
  > {
    const { kubeconfig } = await this.#server.serviceAccountKubeconfig({ namespace: NAMESPACE, name: 'controller' })
    const [port = 0, probes = 0] = await freePorts(2)
    const place = [`--kubeconfig=${kubeconfig}`, `--namespace=${NAMESPACE}`, '--webhook-mode=disabled']
    const argv = [process.execPath, CONTROLLER, ...place, `--port=${port}`, `--health-probe-port=${probes}`]
    const child = new LabProcess(argv, 'controller', join(this.lab.directory, 'logs', 'controller.log'))
    return {
      process: child,
      metrics: async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text(),
      [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
    }
  }

  /** MAC addresses that answer for an address, within a second. */
  async whoHas(address: string): Promise<readonly string[]> {
    const code = `import { resolve } from ${JSON.stringify(ARP)}
      const answers = await resolve({ interface: 'eth0', address: ${JSON.stringify(address)}, timeout: 1000 })
      console.log(JSON.stringify(answers.map(({ mac }) => mac)))`
    const { stdout } = await this.client.exec([process.execPath, '--input-type=module', '-e', code])
    return JSON.parse(stdout) as readonly string[]
  }

  /** The node that answers for an address, once it is the only one. */
  owner(address: string): Promise<NodeName> {
    return until(
      `one node to answer for ${address}`,
      async () => {
        const [mac, ...others] = await this.whoHas(address)
        if (others.length > 0) return undefined
        return NODES.find(name => this.host(name).links.get('eth0')?.mac === mac)
      },
      PATIENT,
    )
  }

  /** Waits until the router has a route by these nodes, in this order, and no other. */
  async routed(prefix: string, ...by: readonly NodeName[]): Promise<void> {
    const wanted = by.map(addressOf).join(' ')
    await until(
      `${prefix} by ${wanted || 'nobody'}`,
      async () => {
        const hops = (await nextHopsOf(this.router.namespace, prefix)).toSorted().join(' ')
        if (hops === wanted) return true
        throw new Error(`it is ${hops}`)
      },
      PATIENT,
    )
  }

  /** What a program in a node's host gets from a URL: the status, and the text. */
  async fetch(node: NodeName, url: string, token?: string): Promise<string> {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
    const code = `process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'
      const r = await fetch(${JSON.stringify(url)}, { headers: ${JSON.stringify(headers)} })
      console.log(r.status, await r.text())`
    const argv = [process.execPath, '--no-warnings', '--input-type=module', '-e', code]
    return (await this.host(node).exec(argv)).stdout
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.lab[Symbol.asyncDispose]()
    for (const relay of this.#relays.values()) relay.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  /** Lets programs in a host reach a port of our loopback as a port of theirs: a socket in the file system knows no namespaces. */
  async #reach(host: Host, port: string): Promise<void> {
    const path = join(this.lab.directory, `relay-${host.name}-${port}`)
    if (this.#relays.has(path)) return
    const relay = createServer(near => this.#pass(near, connect(Number(port), '127.0.0.1')))
    this.#relays.set(path, relay)
    await new Promise<void>(resolve => relay.listen(path, resolve))
    const code = `const net = require('node:net')
      net.createServer(near => {
        const far = net.connect(${JSON.stringify(path)})
        for (const [a, b] of [[near, far], [far, near]]) a.on('error', () => b.destroy()).on('close', () => b.destroy()).pipe(b)
      }).listen(${port}, '127.0.0.1', () => console.log('up'))`
    const there = host.spawn([process.execPath, '-e', code], { name: `relay-${port}` })
    await there.waitForLine(line => line === 'up', DEADLINE)
  }

  #pass(near: Socket, far: Socket): void {
    for (const [a, b] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(a)
      a.on('error', () => b.destroy())
      a.on('close', () => {
        this.#sockets.delete(a)
        b.destroy()
      })
      a.pipe(b)
    }
  }
}

async function makeNode({ admin }: ApiServer, name: NodeName): Promise<void> {
  await admin.apply({ apiVersion: 'v1', kind: 'Node', metadata: { name } })
  await admin.request({
    method: 'PATCH',
    path: `/api/v1/nodes/${name}/status`,
    body: { status: { addresses: [{ type: 'InternalIP', address: addressOf(name) }] } },
    contentType: 'application/merge-patch+json',
  })
  await makePod(admin, name)
}

/** Makes the Pod of a node's speaker; another one than there was, where there was one. */
export async function makePod(admin: AdminClient, node: NodeName): Promise<void> {
  const name = podOf(node)
  const path = `/api/v1/namespaces/${NAMESPACE}/pods/${name}?gracePeriodSeconds=0`
  // Nobody but the test will ever know that it has ended.
  await admin.request({ method: 'DELETE', path }).catch((error: unknown) => {
    if (!(error instanceof ApiRefusal && error.status === 404)) throw error
  })
  const spec = { nodeName: node, containers: [{ name: 'speaker', image: 'none' }] }
  const metadata = { name, namespace: NAMESPACE, labels: { component: 'speaker' } }
  await admin.apply({ apiVersion: 'v1', kind: 'Pod', metadata, spec } as KubernetesObject)
  const podIP = addressOf(node)
  await admin.request({
    method: 'PATCH',
    path: `/api/v1/namespaces/${NAMESPACE}/pods/${name}/status`,
    body: { status: { phase: 'Running', podIP, podIPs: [{ ip: podIP }] } },
    contentType: 'application/merge-patch+json',
  })
}
