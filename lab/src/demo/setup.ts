/** Builds the demo: machines, manifests, router, client, programs. */
import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CaptureProtocol } from '../capture/protocol.js'
import type { Lab } from '../lab.js'
import { startRouter, type RouterKind } from '../router/router.js'
import { Client } from './client.js'
import { ClusterView } from './cluster-view.js'
import { ConfigFolder } from './config-folder.js'
import type { Demo } from './context.js'
import { LAN, NODE_ASN, ROUTER_ADDRESS, ROUTER_ASN, buildNetwork, type DemoNetwork } from './network.js'
import { DemoProcesses } from './processes.js'
import type { Report } from './report.js'
import type { DemoResult } from './result.js'

/** What the user chose. */
export interface SetupOptions {
  readonly router: RouterKind
  /** Folder for pcap files, one per protocol. */
  readonly capture?: string
  readonly report: Report
  readonly result: DemoResult
  /** Aborted by the user; and by the demo itself when a program ends that should not. */
  readonly stopping: AbortController
}

/** Protocols that `--capture` writes, each into a file of its own. */
const CAPTURED: readonly CaptureProtocol[] = ['arp', 'ndp', 'bgp', 'gossip']

/** Everything up and running, nothing checked yet. */
export async function setUp(lab: Lab, options: SetupOptions): Promise<Demo> {
  const { report, stopping, result } = options
  const { signal } = stopping
  const network = await report.step('hosts in network namespaces', async note => {
    const network = await buildNetwork(lab)
    note([...lab.hosts.keys()].join(', '))
    if (options.capture !== undefined) await capture(network, options.capture)
    return network
  })
  signal.throwIfAborted()
  const { router, client } = await report.step('router and client', async note => {
    const router = await startRouter(options.router, network.router, {
      asn: ROUTER_ASN,
      bgpIdentifier: ROUTER_ADDRESS,
      peerPrefix: LAN,
      peerAsn: NODE_ASN,
      directory: join(lab.directory, 'router'),
    })
    note(router.title)
    return { router, client: new Client(network.client) }
  })
  signal.throwIfAborted()
  const folder = new ConfigFolder(join(lab.directory, 'config'))
  const secretDirectory = makeGossipSecret(lab)
  const processes = new DemoProcesses({
    network,
    configDirectory: folder.directory,
    secretDirectory,
    onFailure: error => stopping.abort(error),
  })
  const view = await ClusterView.open(folder.directory, signal)
  await report.step('controller, three speakers, three backends', async note => {
    processes.startController()
    await Promise.all(network.nodes.map(node => processes.startNode(node)))
    note(`manifests in ${folder.directory}`)
  })
  return { network, processes, folder, view, client, router, report, signal, result }
}

async function capture({ lan }: DemoNetwork, directory: string): Promise<void> {
  mkdirSync(directory, { recursive: true })
  await Promise.all(CAPTURED.map(protocol => lan.capture(join(directory, `${protocol}.pcap`), { protocol })))
}

/** As MetalLB's controller makes it: 16 random octets in base64 without padding. */
function makeGossipSecret(lab: Lab): string {
  const directory = join(lab.directory, 'secret')
  mkdirSync(directory)
  writeFileSync(join(directory, 'secretkey'), randomBytes(16).toString('base64').replaceAll('=', ''), { mode: 0o600 })
  return directory
}
