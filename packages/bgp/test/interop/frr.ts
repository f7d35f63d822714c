import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ChildProcess } from 'node:child_process'
import { run, stop, until, type Host } from './namespace.js'
import type { Router, RouterKind, RouterOptions, SeenRoute } from './router.js'

const BGPD = '/usr/lib/frr/bgpd'
const FAMILIES = ['ipv4', 'ipv6'] as const

function configure({ asn, routerId, neighbor, holdTime, networks = [], address, ipv6NextHop }: RouterOptions): string {
  const family = (name: (typeof FAMILIES)[number]): readonly string[] => [
    `address-family ${name} unicast`,
    ` neighbor ${neighbor.address} activate`,
    ...(name === 'ipv6' ? [` neighbor ${neighbor.address} route-map next-hop out`] : []),
    ...networks.filter(prefix => prefix.includes(':') === (name === 'ipv6')).map(prefix => ` network ${prefix}`),
    'exit-address-family',
  ]
  const peer = `neighbor ${neighbor.address}`
  return [
    `router bgp ${asn}`,
    `bgp router-id ${routerId}`,
    'no bgp ebgp-requires-policy',
    'no bgp network import-check',
    'no bgp default ipv4-unicast',
    `${peer} remote-as ${neighbor.asn}`,
    `${peer} update-source ${address}`,
    `${peer} timers connect 1`,
    `${peer} advertisement-interval 0`,
    ...(neighbor.passive ? [`${peer} passive`] : []),
    ...(neighbor.password ? [`${peer} password ${neighbor.password}`] : []),
    ...(holdTime ? [`${peer} timers ${Math.floor(holdTime / 3)} ${holdTime}`] : []),
    ...FAMILIES.flatMap(family),
    'route-map next-hop permit 10',
    `set ipv6 next-hop global ${ipv6NextHop}`,
    '',
  ].join('\n')
}

interface FrrPath {
  readonly peer?: { readonly peerId: string }
  readonly nexthops?: readonly { readonly ip: string; readonly scope?: string }[]
  readonly aspath?: { readonly string: string }
  readonly locPrf?: number
  readonly community?: { readonly string: string }
  readonly largeCommunity?: { readonly string: string }
}

const words = (list: { readonly string: string } | undefined): readonly string[] => list?.string.split(' ') ?? []

function toSeenRoute(path: FrrPath): SeenRoute {
  return {
    nextHop: path.nexthops?.find(({ scope }) => scope !== 'link-local')?.ip ?? '',
    asPath: path.aspath?.string.replace('Local', '') ?? '',
    localPref: path.locPrf,
    communities: [...words(path.community), ...words(path.largeCommunity).map(text => `large:${text}`)],
  }
}

class Frr implements Router {
  readonly #host: Host
  readonly #neighbor: string
  readonly #directory = mkdtempSync(join(tmpdir(), 'tmbgp-frr-'))
  #process: ChildProcess | undefined

  constructor(host: Host, options: RouterOptions) {
    this.#host = host
    this.#neighbor = options.neighbor.address
    writeFileSync(join(this.#directory, 'bgpd.conf'), configure(options))
  }

  async start(): Promise<void> {
    const d = this.#directory
    const files = ['-f', join(d, 'bgpd.conf'), '-i', join(d, 'bgpd.pid'), '--vty_socket', d, '-z', join(d, 'zserv')]
    this.#process = this.#host.spawn(BGPD, '-S', '-Z', '-n', '-P', '0', ...files)
    await until('bgpd answers', () => this.#vtysh('show bgp summary json'))
  }

  #vtysh(command: string): string {
    return run('vtysh', '--vty_socket', this.#directory, '-d', 'bgpd', '-c', command)
  }

  routes(): ReadonlyMap<string, SeenRoute> {
    const seen = new Map<string, SeenRoute>()
    for (const family of FAMILIES) {
      const { routes } = JSON.parse(this.#vtysh(`show bgp ${family} unicast json detail`)) as {
        routes: Record<string, readonly FrrPath[]>
      }
      for (const [prefix, paths] of Object.entries(routes)) {
        const path = paths.find(({ peer }) => peer?.peerId === this.#neighbor)
        if (path) seen.set(prefix, toSeenRoute(path))
      }
    }
    return seen
  }

  isEstablished(): boolean {
    const neighbors = JSON.parse(this.#vtysh(`show bgp neighbors ${this.#neighbor} json`)) as Record<
      string,
      { readonly bgpState?: string }
    >
    return neighbors[this.#neighbor]?.bgpState === 'Established'
  }

  async restart(): Promise<void> {
    if (this.#process) await stop(this.#process, 'SIGKILL')
    await this.start()
  }

  freeze(): void {
    this.#process?.kill('SIGSTOP')
  }

  thaw(): void {
    this.#process?.kill('SIGCONT')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.thaw()
    if (this.#process) await stop(this.#process)
    rmSync(this.#directory, { recursive: true, force: true })
  }
}

export const frr: RouterKind = {
  name: 'FRR',
  missing: () => (existsSync(BGPD) ? undefined : 'needs FRR: apt-get install frr'),
  async start(host, options) {
    const router = new Frr(host, options)
    await router.start()
    return router
  },
}
