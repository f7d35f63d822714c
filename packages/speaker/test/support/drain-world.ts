/** Two nodes that both serve every Service, as kube-proxy would with the policy Cluster, a real router, and a client that never rests. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Lab, nextHopsOf, startRouter, until } from '@typemetal/lab'
import type { Host, LabProcess, RouterKind } from '@typemetal/lab'
import type { LoadResult } from './load-main.js'
import {
  LAYER2_MANIFESTS,
  bgpManifests,
  manifestFile,
  nodeManifest,
  putManifest,
  serviceManifest,
} from './manifests.js'

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url))
const ECHO = fileURLToPath(new URL('echo-main.js', import.meta.url))
const LOAD = fileURLToPath(new URL('load-main.js', import.meta.url))

/** Answered by layer 2. */
export const VIP = '10.10.0.200'
export const VIP6 = 'fd00:10::200'
/** Announced by BGP. */
export const ROUTED = '203.0.113.1'
/** Milliseconds; the machine may have much else to do. */
export const PATIENCE = 60_000

/** What a world is like. */
export interface WorldOptions {
  readonly nodes: readonly string[]
  readonly router?: RouterKind
  /** Fields of the BGPPeer's spec. */
  readonly peer?: string
  /** Further flags of each speaker. */
  readonly flags?: readonly string[]
}

/** The namespaces and programs. */
export interface World {
  readonly lab: Lab
  readonly nodes: ReadonlyMap<string, Host>
  readonly client: Host
  /** Starts the speaker of a node. */
  start(node: string): LabProcess
  /** Writes the Nodes, some of them cordoned. */
  cordon(...nodes: readonly string[]): Promise<void>
  /** Starts load; the function stops it and says what became of it. */
  load(kind: 'udp' | 'tcp' | 'ask', address: string, rate: number): Promise<() => Promise<LoadResult>>
  /** Next hops of {@link ROUTED} in the router's kernel. */
  nextHops(): Promise<readonly string[]>
}

const NODE_SYSCTLS = { 'net.ipv4.conf.all.arp_ignore': 1, 'net.ipv4.conf.all.arp_announce': 2 }
const ROUTER_SYSCTLS = {
  'net.ipv4.ip_forward': 1,
  'net.ipv4.fib_multipath_hash_policy': 1,
  'net.ipv4.conf.all.send_redirects': 0,
  'net.ipv4.conf.eth0.send_redirects': 0,
}
const CLIENT_SYSCTLS = { 'net.ipv4.conf.all.accept_redirects': 0, 'net.ipv4.conf.eth0.accept_redirects': 0 }

const addressOf = (node: string): string => `10.10.0.1${node.slice(1)}`

/** Builds it; every node serves already, no speaker runs yet. */
export async function drainWorld({ nodes: names, router, peer = '', flags = [] }: WorldOptions): Promise<World> {
  const lab = await Lab.create()
  const lan = await lab.bridge('lan')
  const at = (last: number) => ({ links: [{ bridge: lan, addresses: [`10.10.0.${last}/24`, `fd00:10::${last}/64`] }] })
  const nodes = new Map<string, Host>()
  for (const [i, name] of names.entries())
    nodes.set(name, await lab.host(name, { ...at(11 + i), sysctls: NODE_SYSCTLS }))
  const gateway = await lab.host('router', { ...at(1), sysctls: ROUTER_SYSCTLS })
  const routes = [{ to: 'default', via: '10.10.0.1' }]
  const client = await lab.host('client', { ...at(100), sysctls: CLIENT_SYSCTLS, routes })
  await Promise.all([...nodes].map(([name, host]) => serve(name, host)))
  if (router) {
    const bgp = { asn: 64513, bgpIdentifier: '10.10.0.1', peerPrefix: '10.10.0.0/24', peerAsn: 64512 }
    await startRouter(router, gateway, { ...bgp, directory: join(lab.directory, 'router') })
  }
  const config = join(lab.directory, 'config')
  const secret = join(lab.directory, 'secret')
  await mkdir(config)
  await mkdir(secret)
  await writeFile(join(secret, 'secretkey'), '0123456789ABCDEFGHIJKL')
  const cordon = (...cordoned: readonly string[]): Promise<void> =>
    putManifest(
      join(config, 'nodes.yaml'),
      manifestFile(...names.map(name => nodeManifest(name, addressOf(name), { cordoned: cordoned.includes(name) }))),
    )
  await cordon()
  const layer2 = [LAYER2_MANIFESTS, serviceManifest('web', VIP, VIP6)]
  const routed = router ? [bgpManifests(peer), serviceManifest('routed', ROUTED)] : []
  await writeFile(join(config, 'cluster.yaml'), manifestFile(...layer2, ...routed))
  const start = (node: string): LabProcess => {
    const gossip = ['--ml-bindaddr', addressOf(node), '--ml-secret-key-path', secret]
    const argv = [process.execPath, MAIN, '--node-name', node, '--config-dir', config, ...gossip, ...flags]
    return hostOf(nodes, node).spawn(argv, { name: `speaker-${node}` })
  }
  const load: World['load'] = async (kind, address, rate) => {
    const generator = client.spawn([process.execPath, LOAD, kind, address, String(rate)], { name: `load-${kind}` })
    await generator.waitForLine(line => line === 'loading', PATIENCE)
    return async () => {
      generator.write('stop')
      const line = await generator.waitForLine(line => line.startsWith('{'), PATIENCE)
      return JSON.parse(line) as LoadResult
    }
  }
  return { lab, nodes, client, start, cordon, load, nextHops: () => nextHopsOf(gateway.namespace, `${ROUTED}/32`) }
}

/** One of the nodes. @throws {RangeError} there is none of that name */
export function hostOf(nodes: ReadonlyMap<string, Host>, name: string): Host {
  const host = nodes.get(name)
  if (!host) throw new RangeError(name)
  return host
}

/** Every address stands on `lo`, where the kernel accepts it and tells nobody. */
async function serve(name: string, host: Host): Promise<void> {
  await host.namespace.ip([
    `address add ${VIP}/32 dev lo`,
    `address add ${VIP6}/128 dev lo nodad`,
    `address add ${ROUTED}/32 dev lo`,
  ])
  const echo = host.spawn([process.execPath, ECHO, name, VIP, VIP6, ROUTED], { name: `echo-${name}` })
  await echo.waitForLine(line => line === 'serving', PATIENCE)
}

/** Waits until each of these speakers has heard of all others. */
export async function untilRing(speakers: ReadonlyMap<string, LabProcess>): Promise<void> {
  for (const [name, { lines }] of speakers) {
    const knows = (other: string): boolean =>
      other === name || lines.some(line => line.includes('NodeJoin') && line.includes(`"node name":"${other}"`))
    await until(`${name} to see all`, () => [...speakers.keys()].every(knows) || undefined, { timeout: PATIENCE })
  }
}

/** Waits for a line of a speaker's drain. */
export const drainState = (speaker: LabProcess, state: string): Promise<string> =>
  speaker.waitForLine(line => line.includes('"event":"drain"') && line.includes(`"to":"${state}"`), PATIENCE)

/** Waits until the router's kernel forwards to these and no others. */
export const untilNextHops = (world: World, ...wanted: readonly string[]): Promise<true> =>
  until(
    `next hops ${wanted.join(' ')}`,
    async () => ((await world.nextHops()).join() === wanted.map(addressOf).join() ? true : undefined),
    { timeout: PATIENCE },
  )
