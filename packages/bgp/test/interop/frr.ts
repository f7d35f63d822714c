import { existsSync } from 'node:fs'
import type { FamilyName } from '@typemetal/bgp'
import { BFD_PEER_DEFAULTS } from './bfd-peer.js'
import { Daemon } from './daemon.js'
import { frrArguments, startBfdd, startZebra, vtysh } from './frr-daemons.js'
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

const BGPD = '/usr/lib/frr/bgpd'
const FAMILIES = ['ipv4', 'ipv6'] as const

/** `permit` rules that give a network its attributes. */
function routeMap(network: Network, index: number): readonly string[] {
  const { standard, large, routeTargets } = communitiesOf(network)
  return [
    `route-map network-${index} permit 10`,
    ...(network.multiExitDisc === undefined ? [] : [` set metric ${network.multiExitDisc}`]),
    ...(standard.length > 0 ? [` set community ${standard.join(' ')}`] : []),
    ...(large.length > 0 ? [` set large-community ${large.join(' ')}`] : []),
    ...(routeTargets.length > 0 ? [` set extcommunity rt ${routeTargets.join(' ')}`] : []),
  ]
}

/** Detect Mult, and milliseconds to receive and to send. */
function bfdTimers(options: NonNullable<RouterOptions['bfd']>): string {
  const { detectMultiplier, receiveInterval, transmitInterval } = { ...BFD_PEER_DEFAULTS, ...options }
  return `${detectMultiplier} ${receiveInterval} ${transmitInterval}`
}

function configureNeighbor({ address, asn, localAddress, passive, password }: Neighbor, o: RouterOptions): string[] {
  const peer = `neighbor ${address}`
  return [
    `${peer} remote-as ${asn}`,
    `${peer} update-source ${localAddress}`,
    `${peer} timers connect 1`,
    `${peer} advertisement-interval 0`,
    ...(passive ? [`${peer} passive`] : []),
    ...(password ? [`${peer} password ${password}`] : []),
    ...(o.holdTime ? [`${peer} timers ${Math.floor(o.holdTime / 3)} ${o.holdTime}`] : []),
    ...(o.extendedNextHop ? [`${peer} capability extended-nexthop`] : []),
    ...(o.bfd ? [`${peer} bfd`, `${peer} bfd ${bfdTimers(o.bfd)}`] : []),
    ...(o.role ? [`${peer} local-role ${o.role}`] : []),
  ]
}

function configure(options: RouterOptions): string {
  const { asn, routerId, nextHops, neighbors, networks = [], gracefulRestart, longLivedStaleTime } = options
  const attributes = (network: Network): string => {
    const index = networks.indexOf(network)
    return network.communities || network.multiExitDisc !== undefined ? ` route-map network-${index}` : ''
  }
  const family = (name: (typeof FAMILIES)[number]): readonly string[] => [
    `address-family ${name} unicast`,
    ...neighbors.flatMap(({ address }) => [
      ` neighbor ${address} activate`,
      ...(name === 'ipv6' ? [` neighbor ${address} route-map next-hop out`] : []),
      ...(options.addPath ? [` neighbor ${address} addpath-tx-all-paths`] : []),
    ]),
    ...networks
      .filter(network => isIpv6(network) === (name === 'ipv6'))
      .map(network => ` network ${network.prefix}${attributes(network)}`),
    'exit-address-family',
  ]
  return [
    'route-map next-hop permit 10',
    ` set ipv6 next-hop global ${nextHops.ipv6}`,
    ...networks.flatMap((network, index) => (attributes(network) ? routeMap(network, index) : [])),
    'exit',
    'bgp route-map delay-timer 0',
    `router bgp ${asn}`,
    `bgp router-id ${routerId}`,
    'no bgp ebgp-requires-policy',
    'no bgp network import-check',
    'no bgp default ipv4-unicast',
    'no bgp suppress-duplicates',
    ...(gracefulRestart
      ? [
          'bgp graceful-restart',
          `bgp graceful-restart restart-time ${gracefulRestart}`,
          'bgp graceful-restart preserve-fw-state',
        ]
      : []),
    ...(longLivedStaleTime ? [`bgp long-lived-graceful-restart stale-time ${longLivedStaleTime}`] : []),
    ...neighbors.flatMap(neighbor => configureNeighbor(neighbor, options)),
    ...FAMILIES.flatMap(family),
    '',
  ].join('\n')
}

interface FrrPath {
  readonly peer?: { readonly peerId: string }
  readonly nexthops?: readonly { readonly ip: string; readonly scope?: string }[]
  readonly aspath?: { readonly string: string }
  readonly locPrf?: number
  readonly metric?: number
  readonly stale?: boolean
  readonly community?: { readonly string: string }
  readonly largeCommunity?: { readonly string: string }
  readonly extendedCommunity?: { readonly string: string }
}

/** By family, `ipv4Unicast`. */
type Summary = Record<string, { readonly peers: Record<string, { readonly state: string; readonly pfxRcd?: number }> }>

const words = (list: { readonly string: string } | undefined): readonly string[] => list?.string.split(' ') ?? []

/** `RT:1:2 SoO:1:2 LB:64512:1250000 (10.000 Mbps)` */
const extended = (list: { readonly string: string } | undefined): readonly string[] =>
  words(list)
    .filter(text => /^[A-Za-z]/.test(text) && text.includes(':'))
    .map(text => text.replace(/^LB/, 'link-bandwidth').replace(/^[A-Za-z-]+/, type => type.toLowerCase()))

function toSeenPath(prefix: string, path: FrrPath): SeenPath {
  return {
    prefix,
    nextHop: path.nexthops?.find(({ scope }) => scope !== 'link-local')?.ip ?? '',
    asPath: path.aspath?.string.replace('Local', '') ?? '',
    localPref: path.locPrf,
    multiExitDisc: path.metric,
    communities: [
      ...words(path.community).map(communityName),
      ...words(path.largeCommunity).map(text => `large:${text}`),
      ...extended(path.extendedCommunity),
    ].toSorted(),
    stale: path.stale ?? false,
  }
}

class Frr implements Router {
  readonly daemon: Daemon
  readonly #neighbor: string

  constructor(daemon: Daemon, [neighbor]: readonly Neighbor[]) {
    this.daemon = daemon
    this.#neighbor = neighbor?.address ?? ''
  }

  configure(options: RouterOptions): void {
    this.daemon.write('bgpd.conf', configure(options))
  }

  async start(options: RouterOptions): Promise<void> {
    const { daemon } = this
    this.configure(options)
    const { bfd } = options
    await daemon.start({
      command: BGPD,
      args: ['-S', ...(bfd ? [] : ['-Z']), '-n', ...frrArguments(daemon, 'bgpd')],
      prepare: async () => {
        if (!bfd) return
        await startZebra(daemon)
        await startBfdd(daemon)
      },
      ready: () => this.#vtysh('show bgp summary json'),
    })
  }

  #vtysh(command: string): Promise<string> {
    return vtysh(this.daemon, 'bgpd', command)
  }

  async paths(neighbor = this.#neighbor): Promise<readonly SeenPath[]> {
    const answers = await Promise.all(FAMILIES.map(name => this.#vtysh(`show bgp ${name} unicast json detail`)))
    return answers.flatMap(answer => {
      const { routes } = JSON.parse(answer) as { routes: Record<string, readonly FrrPath[]> }
      return Object.entries(routes).flatMap(([prefix, paths]) =>
        paths.filter(({ peer }) => peer?.peerId === neighbor).map(path => toSeenPath(prefix, path)),
      )
    })
  }

  async count(neighbor = this.#neighbor): Promise<number> {
    const summary = await this.#summary()
    return FAMILIES.reduce((sum, name) => sum + (summary[`${name}Unicast`]?.peers[neighbor]?.pfxRcd ?? 0), 0)
  }

  async established(): Promise<readonly string[]> {
    const { ipv4Unicast } = await this.#summary()
    const peers = Object.entries(ipv4Unicast?.peers ?? {})
    return peers.filter(([, { state }]) => state === 'Established').map(([address]) => address)
  }

  async #summary(): Promise<Summary> {
    return JSON.parse(await this.#vtysh('show bgp summary json')) as Summary
  }

  requestRefresh(family: FamilyName): Promise<unknown> {
    return this.#vtysh(`clear bgp ${family.replace('-', ' ')} ${this.#neighbor} soft in`)
  }

  reset(): Promise<unknown> {
    return this.#vtysh(`clear bgp ${this.#neighbor}`)
  }
}

export const frr: RouterKind = {
  name: 'FRR',
  missing: () => (existsSync(BGPD) ? undefined : 'needs FRR: apt-get install frr'),
  async start(host: Host, options: RouterOptions) {
    const router = new Frr(new Daemon(host, 'frr'), options.neighbors)
    await router.start(options)
    return router
  },
}
