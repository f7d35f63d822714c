import { existsSync, mkdirSync } from 'node:fs'
import { Daemon } from './daemon.js'
import type { Host } from './namespace.js'
import {
  communitiesOf,
  communityName,
  type Neighbor,
  type Network,
  type Router,
  type RouterKind,
  type RouterOptions,
  type SeenPath,
} from './router.js'

/** OpenBGPD's; FRR has its `bgpd` elsewhere. */
const BGPD = '/usr/sbin/bgpd'
const BGPCTL = '/usr/sbin/bgpctl'
/** Home of the user that its processes become, to which they change their root. */
const CHROOT = '/run/openbgpd'
const PORT = 179

function networkLine(network: Network): string {
  const { standard, large, routeTargets } = communitiesOf(network)
  const attributes = [
    ...(network.multiExitDisc === undefined ? [] : [`med ${network.multiExitDisc}`]),
    ...standard.map(text => `community ${text}`),
    ...large.map(text => `large-community ${text}`),
    ...routeTargets.map(text => `ext-community rt ${text}`),
  ]
  return `network ${network.prefix}${attributes.length > 0 ? ` set { ${attributes.join(' ')} }` : ''}`
}

/** `rs-server` of RFC 9234 as OpenBGPD writes it. */
const roleName = (role: string): string => (role === 'rs-server' ? 'rs' : role)

function configureNeighbor(neighbor: Neighbor, options: RouterOptions): string {
  const { address, asn, localAddress, passive, password } = neighbor
  const { holdTime, addPath, role, enhancedRouteRefresh } = options
  return [
    `neighbor ${address} {`,
    `remote-as ${asn}`,
    `local-address ${localAddress}`,
    'announce IPv4 unicast',
    'announce IPv6 unicast',
    'enforce neighbor-as no',
    ...(passive ? ['passive'] : []),
    ...(password ? [`tcp md5sig password ${password}`] : []),
    ...(holdTime ? [`holdtime ${holdTime}`] : []),
    ...(addPath ? ['announce add-path recv yes', 'announce add-path send all'] : []),
    ...(role ? [`announce policy ${roleName(role)}`] : []),
    ...(enhancedRouteRefresh ? ['announce enhanced refresh yes'] : []),
    '}',
  ].join('\n')
}

function configure(options: RouterOptions, socket: string): string {
  const { asn, routerId, neighbors, networks = [] } = options
  const listen = new Set(neighbors.map(({ localAddress }) => `listen on ${localAddress} port ${PORT}`))
  return [
    `AS ${asn}`,
    `router-id ${routerId}`,
    'fib-update no',
    'connect-retry 1',
    ...listen,
    `socket "${socket}"`,
    ...networks.map(networkLine),
    ...neighbors.map(neighbor => configureNeighbor(neighbor, options)),
    'allow from any',
    'allow to any',
    '',
  ].join('\n')
}

interface OpenPath {
  readonly prefix: string
  readonly aspath: string
  readonly exit_nexthop: string
  readonly localpref: number
  readonly metric: number
  readonly stale?: boolean
  readonly communities?: readonly string[]
  readonly large_communities?: readonly string[]
  readonly extended_communities?: readonly string[]
}

interface OpenNeighbor {
  readonly remote_addr: string
  readonly state: string
  readonly stats: { readonly prefixes: { readonly received: number } }
}

const toSeenPath = (path: OpenPath): SeenPath => ({
  prefix: path.prefix,
  nextHop: path.exit_nexthop,
  asPath: path.aspath,
  localPref: path.localpref,
  multiExitDisc: path.metric,
  communities: [
    ...(path.communities ?? []).map(communityName),
    ...(path.large_communities ?? []).map(text => `large:${text}`),
    ...(path.extended_communities ?? []).map(text => text.replace(' ', ':')),
  ].toSorted(),
  stale: path.stale ?? false,
})

class OpenBgpd implements Router {
  readonly daemon: Daemon
  readonly #neighbor: string

  constructor(daemon: Daemon, [neighbor]: readonly Neighbor[]) {
    this.daemon = daemon
    this.#neighbor = neighbor?.address ?? ''
  }

  /** It refuses a file that others may read when there are passwords in it. */
  configure(options: RouterOptions): void {
    this.daemon.write('bgpd.conf', configure(options, this.daemon.path('sock')), 0o600)
  }

  async start(options: RouterOptions): Promise<void> {
    const { daemon } = this
    this.configure(options)
    mkdirSync(CHROOT, { recursive: true })
    // On an IPv4 session its IPv6 next hop is the first IPv6 address of `lo`.
    daemon.host.exec('ip', 'address', 'delete', '::1/128', 'dev', 'lo')
    daemon.host.exec('ip', 'address', 'add', `${options.nextHops.ipv6}/128`, 'dev', 'lo', 'nodad')
    await daemon.start({
      command: BGPD,
      args: ['-d', '-v', '-f', daemon.path('bgpd.conf')],
      ready: () => this.#bgpctl('show', 'summary'),
    })
  }

  #bgpctl(...words: readonly string[]): Promise<string> {
    return this.daemon.host.ask(BGPCTL, '-j', '-s', this.daemon.path('sock'), ...words)
  }

  async paths(neighbor = this.#neighbor): Promise<readonly SeenPath[]> {
    const answer = await this.#bgpctl('show', 'rib', 'in', 'detail', 'neighbor', neighbor)
    const { rib = [] } = JSON.parse(answer) as { readonly rib?: readonly OpenPath[] }
    return rib.map(toSeenPath)
  }

  async #neighbors(...which: readonly string[]): Promise<readonly OpenNeighbor[]> {
    const { neighbors } = JSON.parse(await this.#bgpctl('show', ...which)) as { neighbors: readonly OpenNeighbor[] }
    return neighbors
  }

  async count(neighbor = this.#neighbor): Promise<number> {
    const [one] = await this.#neighbors('neighbor', neighbor)
    return one?.stats.prefixes.received ?? 0
  }

  async established(): Promise<readonly string[]> {
    const neighbors = await this.#neighbors('neighbor')
    return neighbors.filter(({ state }) => state === 'Established').map(one => one.remote_addr)
  }

  requestRefresh(): Promise<unknown> {
    return this.#bgpctl('neighbor', this.#neighbor, 'refresh')
  }

  reset(): Promise<unknown> {
    return this.#bgpctl('neighbor', this.#neighbor, 'clear')
  }

  hurry(): Promise<unknown> {
    return this.#bgpctl('neighbor', this.#neighbor, 'up')
  }
}

export const openbgpd: RouterKind = {
  name: 'OpenBGPD',
  missing: () => (existsSync(BGPCTL) ? undefined : 'needs OpenBGPD: apt-get install openbgpd'),
  async start(host: Host, options: RouterOptions) {
    const router = new OpenBgpd(new Daemon(host, 'openbgpd'), options.neighbors)
    await router.start(options)
    return router
  },
}
