import { existsSync } from 'node:fs'
import { birdBfdSettings } from './bird-bfd.js'
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

const BIRD = '/usr/sbin/bird'

const tuple = (text: string): string => `(${text.replaceAll(':', ',')})`

/** What goes out of a family: attributes are given here because BIRD drops a MED that an earlier filter has set. */
function exportFilter(name: string, networks: readonly Network[]): string {
  const rules = networks.map(network => {
    const { standard, large, routeTargets } = communitiesOf(network)
    const statements = [
      ...(network.multiExitDisc === undefined ? [] : [`bgp_med = ${network.multiExitDisc};`]),
      ...standard.map(text => `bgp_community.add(${tuple(text)});`),
      ...large.map(text => `bgp_large_community.add(${tuple(text)});`),
      ...routeTargets.map(text => `bgp_ext_community.add((rt,${text.replace(':', ',')}));`),
    ]
    return statements.length > 0 ? `if net = ${network.prefix} then { ${statements.join(' ')} }` : ''
  })
  return `filter out_${name} { if source !~ [RTS_STATIC, RTS_BGP] then reject; ${rules.join('\n')} accept; }`
}

/** `customer` of RFC 9234 as BIRD writes it. */
const roleName = (role: string): string => role.replace('-', '_')

function configureNeighbor(neighbor: Neighbor, index: number, options: RouterOptions): string {
  const { address, asn, localAddress, passive, password } = neighbor
  const { holdTime, addPath, gracefulRestart, longLivedStaleTime, extendedNextHop, extendedMessage, role } = options
  const channel = (name: string): string =>
    [
      `${name} { import all; export filter out_${name}; next hop self;`,
      ...(addPath ? ['add paths on;'] : []),
      ...(extendedNextHop ? ['extended next hop on;'] : []),
      '};',
    ].join(' ')
  return [
    `protocol bgp bgp${index} {`,
    `local ${localAddress} as ${options.asn};`,
    `neighbor ${address} as ${asn};`,
    'connect delay time 1; connect retry time 1; error wait time 1, 2;',
    ...(passive ? ['passive;'] : []),
    ...(password ? [`password "${password}";`] : []),
    ...(holdTime ? [`hold time ${holdTime};`] : []),
    ...(gracefulRestart ? [`graceful restart on; graceful restart time ${gracefulRestart};`] : []),
    ...(longLivedStaleTime ? [`long lived graceful restart on; long lived stale time ${longLivedStaleTime};`] : []),
    ...(extendedMessage ? ['enable extended messages on;'] : []),
    ...(options.bfd ? ['bfd on;'] : []),
    ...(role ? [`local role ${roleName(role)};`] : []),
    channel('ipv4'),
    channel('ipv6'),
    '}',
  ].join('\n')
}

function configure(options: RouterOptions): string {
  const { routerId, neighbors, networks = [] } = options
  const tables = (['ipv4', 'ipv6'] as const).flatMap(name => {
    const own = networks.filter(network => isIpv6(network) === (name === 'ipv6'))
    const routes = own.map(({ prefix }) => `route ${prefix} blackhole;`)
    return [`protocol static { ${name}; ${routes.join('\n')} }`, exportFilter(name, own)]
  })
  return [
    `router id ${routerId};`,
    'protocol device {}',
    'protocol direct { ipv4; ipv6; }',
    ...(options.bfd ? [`protocol bfd { interface "eth0" { ${birdBfdSettings(options.bfd)} }; }`] : []),
    ...tables,
    ...neighbors.map((neighbor, index) => configureNeighbor(neighbor, index, options)),
    '',
  ].join('\n')
}

/** `(64512,1) (64512,2)`, `(1, 2, 3)` or `(rt, 1, 2)` as `a:b`, `a:b:c` or `rt:a:b`. */
const tuples = (text: string): readonly string[] =>
  [...text.matchAll(/\(([\w., ]+)\)/g)].map(([, inner = '']) => inner.replaceAll(' ', '').replaceAll(',', ':'))

/** BIRD has no name for link bandwidth, whose value is an IEEE float. */
function extendedName(text: string): string {
  const [, asn, bits] = /^unknown0x4004:(\d+):(\d+)$/.exec(text) ?? []
  if (bits === undefined) return text.replace(/^ro:/, 'soo:')
  const view = new DataView(new ArrayBuffer(4))
  view.setUint32(0, Number(bits))
  return `link-bandwidth:${asn}:${view.getFloat32(0)}`
}

function toSeenPath(prefix: string, lines: readonly string[]): SeenPath {
  const attribute = (name: string): string | undefined =>
    lines.find(line => line.startsWith(`BGP.${name}:`))?.split(': ', 2)[1]
  const number = (name: string): number | undefined => {
    const text = attribute(name)
    return text === undefined ? undefined : Number(text)
  }
  return {
    prefix,
    nextHop: attribute('next_hop')?.split(' ', 1)[0] ?? '',
    asPath: attribute('as_path') ?? '',
    localPref: number('local_pref'),
    multiExitDisc: number('med'),
    communities: [
      ...tuples(attribute('community') ?? '').map(communityName),
      ...tuples(attribute('large_community') ?? '').map(text => `large:${text}`),
      ...tuples(attribute('ext_community') ?? '').map(extendedName),
    ].toSorted(),
    stale: undefined,
  }
}

/** Each path starts with a line that has its protocol in brackets; the prefix is said for the first one only. */
function* readPaths(text: string): Generator<SeenPath> {
  let prefix = ''
  let lines: string[] = []
  for (const line of text.split('\n')) {
    const start = /^(\S*)\s.*\[bgp\d+ /.exec(line)
    if (!start) {
      lines.push(line.trim())
      continue
    }
    if (prefix) yield toSeenPath(prefix, lines)
    prefix = start[1] || prefix
    lines = [line]
  }
  if (prefix) yield toSeenPath(prefix, lines)
}

class Bird implements Router {
  readonly daemon: Daemon
  readonly #neighbors: readonly string[]

  constructor(daemon: Daemon, neighbors: readonly Neighbor[]) {
    this.daemon = daemon
    this.#neighbors = neighbors.map(({ address }) => address)
  }

  configure(options: RouterOptions): void {
    this.daemon.write('bird.conf', configure(options))
  }

  async start(options: RouterOptions): Promise<void> {
    const { daemon } = this
    this.configure(options)
    const args = ['-f', '-c', daemon.path('bird.conf'), '-s', daemon.path('ctl'), '-P', daemon.path('pid')]
    await daemon.start({
      command: BIRD,
      args,
      // Without it BIRD does not take part in a graceful restart of its own.
      argsAgain: options.gracefulRestart ? ['-R', ...args] : args,
      ready: async () => (await this.#birdc('show', 'status')).includes('Daemon is up'),
    })
  }

  #birdc(...words: readonly string[]): Promise<string> {
    return this.daemon.host.ask('birdc', '-s', this.daemon.path('ctl'), ...words)
  }

  #protocol(neighbor: string | undefined): string {
    return `bgp${neighbor === undefined ? 0 : this.#neighbors.indexOf(neighbor)}`
  }

  async paths(neighbor?: string): Promise<readonly SeenPath[]> {
    return [...readPaths(await this.#birdc('show', 'route', 'all', 'protocol', this.#protocol(neighbor)))]
  }

  async count(neighbor?: string): Promise<number> {
    const text = await this.#birdc('show', 'protocols', 'all', this.#protocol(neighbor))
    return [...text.matchAll(/(\d+) imported/g)].reduce((sum, [, count]) => sum + Number(count), 0)
  }

  async established(): Promise<readonly string[]> {
    const text = await this.#birdc('show', 'protocols')
    const up = [...text.matchAll(/^bgp(\d+) .*Established/gm)]
    return up.map(([, index]) => this.#neighbors[Number(index)] ?? '')
  }

  requestRefresh(): Promise<unknown> {
    return this.#birdc('reload', 'in', 'bgp0')
  }

  reset(): Promise<unknown> {
    return this.#birdc('restart', 'bgp0')
  }
}

export const bird: RouterKind = {
  name: 'BIRD',
  missing: () => (existsSync(BIRD) ? undefined : 'needs BIRD: apt-get install bird2'),
  async start(host: Host, options: RouterOptions) {
    const router = new Bird(new Daemon(host, 'bird'), options.neighbors)
    await router.start(options)
    return router
  },
}
