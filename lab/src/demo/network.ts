/** The demo's machines: one LAN, three nodes, a router, a client and a host for the controller. */
import type { Bridge } from '../bridge.js'
import type { Host } from '../host.js'
import type { Lab } from '../lab.js'

/** AS number of the nodes; the manifests say the same. */
export const NODE_ASN = 64512
/** AS number of the router. */
export const ROUTER_ASN = 64513
/** The LAN. */
export const LAN = '10.10.0.0/24'
/** The router's address on it. */
export const ROUTER_ADDRESS = '10.10.0.1'

/** A node with what is known of it beforehand. */
export interface DemoNode {
  /** As in its Node manifest. */
  readonly name: string
  readonly host: Host
  /** Its InternalIP. */
  readonly address: string
  readonly mac: string
}

/** All of them. */
export interface DemoNetwork {
  readonly lan: Bridge
  readonly nodes: readonly DemoNode[]
  readonly router: Host
  readonly client: Host
  readonly controller: Host
}

/**
 * Service addresses stand on `lo` of every node, as kube-proxy's IPVS mode has them on a dummy interface. With this the kernel never
 * answers ARP for them and never asks in their name: who answers is the speaker's decision. (It answers no NDP for them by itself.)
 */
const NODE_SYSCTLS = { 'net.ipv4.conf.all.arp_ignore': 1, 'net.ipv4.conf.all.arp_announce': 2 }

/** Forwards, spreads connections (ports count, not only addresses), and tells nobody a shorter way. */
const ROUTER_SYSCTLS = {
  'net.ipv4.ip_forward': 1,
  'net.ipv4.fib_multipath_hash_policy': 1,
  'net.ipv4.conf.all.send_redirects': 0,
  'net.ipv4.conf.eth0.send_redirects': 0,
  'net.ipv6.conf.all.forwarding': 1,
  'net.ipv6.fib_multipath_hash_policy': 1,
}
const CLIENT_SYSCTLS = {
  'net.ipv4.conf.all.accept_redirects': 0,
  'net.ipv4.conf.eth0.accept_redirects': 0,
  'net.ipv6.conf.eth0.accept_redirects': 0,
}

/** Builds everything; takes about a second. */
export async function buildNetwork(lab: Lab): Promise<DemoNetwork> {
  const lan = await lab.bridge('lan')
  const plug = (last: number): { links: [{ bridge: Bridge; addresses: string[] }] } => ({
    links: [{ bridge: lan, addresses: [`10.10.0.${last}/24`, `fd00:10::${last}/64`] }],
  })
  const nodes: DemoNode[] = []
  for (const [name, last] of [
    ['node-1', 11],
    ['node-2', 12],
    ['node-3', 13],
  ] as const) {
    const host = await lab.host(name, { ...plug(last), sysctls: NODE_SYSCTLS })
    nodes.push({ name, host, address: `10.10.0.${last}`, mac: host.links.get('eth0')?.mac ?? '' })
  }
  const viaRouter = [{ to: 'default', via: ROUTER_ADDRESS }]
  return {
    lan,
    nodes,
    router: await lab.host('router', { ...plug(1), sysctls: ROUTER_SYSCTLS }),
    controller: await lab.host('controller', plug(20)),
    client: await lab.host('client', { ...plug(100), sysctls: CLIENT_SYSCTLS, routes: viaRouter }),
  }
}
