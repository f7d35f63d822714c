import { existsSync } from 'node:fs'
import type { FamilyName } from '@typemetal/bgp'
import { Daemon } from './daemon.js'
import type { Host } from './namespace.js'
import {
  communitiesOf,
  communityName,
  isIpv6,
  type Neighbor,
  type Network,
  type Router,
  type RouterKind,
  type RouterOptions,
  type SeenPath,
} from './router.js'

const GOBGPD = '/usr/bin/gobgpd'
const FAMILIES = ['ipv4', 'ipv6'] as const

function configureFamily(name: (typeof FAMILIES)[number], options: RouterOptions): readonly string[] {
  const { addPath, gracefulRestart, longLivedStaleTime } = options
  return [
    '[[neighbors.afi-safis]]',
    '[neighbors.afi-safis.config]',
    `afi-safi-name = "${name}-unicast"`,
    ...(addPath ? ['[neighbors.afi-safis.add-paths.config]', 'receive = true', 'send-max = 8'] : []),
    ...(gracefulRestart ? ['[neighbors.afi-safis.mp-graceful-restart.config]', 'enabled = true'] : []),
    ...(longLivedStaleTime
      ? [
          '[neighbors.afi-safis.long-lived-graceful-restart.config]',
          'enabled = true',
          `restart-time = ${longLivedStaleTime}`,
        ]
      : []),
  ]
}

function configureNeighbor(neighbor: Neighbor, options: RouterOptions): readonly string[] {
  const { holdTime, gracefulRestart, longLivedStaleTime } = options
  return [
    '[[neighbors]]',
    '[neighbors.config]',
    `neighbor-address = "${neighbor.address}"`,
    // Not before it has its routes, which come over its command line: a restart would seem to be over too soon.
    `admin-down = ${options.networks !== undefined}`,
    `peer-as = ${neighbor.asn}`,
    ...(neighbor.password ? [`auth-password = "${neighbor.password}"`] : []),
    '[neighbors.transport.config]',
    `local-address = "${neighbor.localAddress}"`,
    `passive-mode = ${neighbor.passive ?? false}`,
    '[neighbors.timers.config]',
    'connect-retry = 1',
    ...(holdTime ? [`hold-time = ${holdTime}`, `keepalive-interval = ${Math.floor(holdTime / 3)}`] : []),
    ...(gracefulRestart
      ? [
          '[neighbors.graceful-restart.config]',
          'enabled = true',
          'notification-enabled = true',
          `restart-time = ${gracefulRestart}`,
          `long-lived-enabled = ${longLivedStaleTime !== undefined}`,
        ]
      : []),
    ...FAMILIES.flatMap(name => configureFamily(name, options)),
  ]
}

function configure(options: RouterOptions): string {
  const { asn, routerId, neighbors } = options
  return [
    '[global.config]',
    `as = ${asn}`,
    `router-id = "${routerId}"`,
    ...neighbors.flatMap(neighbor => configureNeighbor(neighbor, options)),
    '',
  ].join('\n')
}

/** Path attributes as GoBGP prints them, by their type code. */
interface GoAttribute {
  readonly type: number
  readonly as_paths?: readonly { readonly asns: readonly number[] }[]
  readonly nexthop?: string
  readonly metric?: number
  readonly communities?: readonly number[]
  readonly value?: unknown
}

interface GoPath {
  readonly attrs: readonly GoAttribute[]
  readonly stale: boolean
}

interface GoNeighbor {
  readonly conf: { readonly neighbor_address: string }
  readonly state: { readonly session_state?: number }
  readonly afi_safis?: readonly { readonly state: { readonly received?: number } }[]
}

interface GoLargeCommunity {
  readonly ASN: number
  readonly LocalData1: number
  readonly LocalData2: number
}

interface GoExtendedCommunity {
  readonly type: number
  readonly subtype: number
  readonly value?: string
  /** Of link bandwidth. */
  readonly asn?: number
  readonly bandwidth?: number
}

/** An administrator of four octets comes as `a.b`, which is an address only when it has four parts. */
function extendedName({ subtype, value = '', asn, bandwidth }: GoExtendedCommunity): string {
  if (bandwidth !== undefined) return `link-bandwidth:${asn}:${bandwidth}`
  const plain = value.replace(/^(\d+)\.(\d+):/, (_, high, low) => `${Number(high) * 0x1_0000 + Number(low)}:`)
  return `${subtype === 2 ? 'rt' : subtype === 3 ? 'soo' : subtype}:${plain}`
}

const ESTABLISHED = 6

function toSeenPath(prefix: string, { attrs, stale }: GoPath): SeenPath {
  const attribute = (type: number): GoAttribute | undefined => attrs.find(one => one.type === type)
  const standard = attribute(8)?.communities ?? []
  const large = (attribute(32)?.value ?? []) as readonly GoLargeCommunity[]
  const extended = (attribute(16)?.value ?? []) as readonly GoExtendedCommunity[]
  return {
    prefix,
    nextHop: (attribute(14) ?? attribute(3))?.nexthop ?? '',
    asPath: (attribute(2)?.as_paths ?? []).flatMap(({ asns }) => asns).join(' '),
    localPref: attribute(5)?.value as number | undefined,
    multiExitDisc: attribute(4)?.metric,
    communities: [
      ...standard.map(value => communityName(`${value >>> 16}:${value & 0xffff}`)),
      ...large.map(({ ASN, LocalData1, LocalData2 }) => `large:${ASN}:${LocalData1}:${LocalData2}`),
      ...extended.map(extendedName),
    ].toSorted(),
    stale,
  }
}

class GoBgp implements Router {
  readonly daemon: Daemon
  readonly #neighbor: string
  #options: RouterOptions

  constructor(daemon: Daemon, options: RouterOptions) {
    this.daemon = daemon
    this.#options = options
    this.#neighbor = options.neighbors[0]?.address ?? ''
  }

  configure(options: RouterOptions): void {
    this.#options = options
    this.daemon.write('gobgpd.toml', configure(options))
  }

  async start(): Promise<void> {
    const { daemon } = this
    this.configure(this.#options)
    const args = ['-f', daemon.path('gobgpd.toml'), '--pprof-disable']
    await daemon.start({
      command: GOBGPD,
      args,
      // Without it GoBGP does not take part in a graceful restart of its own.
      argsAgain: this.#options.gracefulRestart ? [...args, '-r'] : args,
      ready: async () => {
        await this.#gobgp('global')
        await this.#announceAll()
        return true
      },
    })
  }

  #gobgp(...words: readonly string[]): Promise<string> {
    return this.daemon.host.ask('gobgp', ...words)
  }

  async #announceAll(): Promise<void> {
    const { networks, neighbors } = this.#options
    if (!networks) return
    for (const network of networks) await this.#announce(network)
    for (const { address } of neighbors) await this.#gobgp('neighbor', address, 'enable')
  }

  #announce(network: Network): Promise<string> {
    const { standard, large, routeTargets } = communitiesOf(network)
    const family = isIpv6(network) ? 'ipv6' : 'ipv4'
    return this.#gobgp(
      'global',
      'rib',
      'add',
      network.prefix,
      '-a',
      family,
      'origin',
      'igp',
      'nexthop',
      this.#options.nextHops[family],
      ...(network.multiExitDisc === undefined ? [] : ['med', String(network.multiExitDisc)]),
      ...(standard.length > 0 ? ['community', standard.join(',')] : []),
      ...(large.length > 0 ? ['large-community', large.join(',')] : []),
      ...routeTargets.flatMap(target => ['rt', target]),
    )
  }

  async paths(neighbor = this.#neighbor): Promise<readonly SeenPath[]> {
    const answers = await Promise.all(
      FAMILIES.map(name => this.#gobgp('neighbor', neighbor, 'adj-in', '-a', name, '-j')),
    )
    return answers.flatMap(answer =>
      Object.entries(JSON.parse(answer) as Record<string, readonly GoPath[]>).flatMap(([prefix, paths]) =>
        paths.map(path => toSeenPath(prefix, path)),
      ),
    )
  }

  async count(neighbor = this.#neighbor): Promise<number> {
    const { afi_safis = [] } = JSON.parse(await this.#gobgp('neighbor', neighbor, '-j')) as GoNeighbor
    return afi_safis.reduce((sum, { state }) => sum + (state.received ?? 0), 0)
  }

  async established(): Promise<readonly string[]> {
    const neighbors = JSON.parse(await this.#gobgp('neighbor', '-j')) as readonly GoNeighbor[]
    return neighbors.filter(({ state }) => state.session_state === ESTABLISHED).map(({ conf }) => conf.neighbor_address)
  }

  requestRefresh(family: FamilyName): Promise<unknown> {
    return this.#gobgp('neighbor', this.#neighbor, 'softresetin', '-a', family.slice(0, 4))
  }

  reset(): Promise<unknown> {
    return this.#gobgp('neighbor', this.#neighbor, 'reset')
  }
}

export const gobgp: RouterKind = {
  name: 'GoBGP',
  missing: () => (existsSync(GOBGPD) ? undefined : 'needs GoBGP: apt-get install gobgpd'),
  async start(host: Host, options: RouterOptions) {
    const router = new GoBgp(new Daemon(host, 'gobgp'), options)
    await router.start()
    return router
  },
}
