/** FRR with its zebra daemon, which the others of our tests do without: it is who speaks Neighbor Discovery there. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run, until, type Host } from './interop/namespace.js'

const DAEMONS = '/usr/lib/frr'

/** Why it cannot be used here; `undefined` when it can. */
export const missingZebra = (): string | undefined =>
  existsSync(join(DAEMONS, 'zebra')) ? undefined : 'needs FRR: apt-get install frr'

/** What FRR knows of its peer on `eth0`. */
export interface UnnumberedSession {
  /** Our link-local address; `none` until it has heard of us. */
  readonly address: string
  readonly state: string
}

/** FRR in a host, with `neighbor eth0 interface` as its only peer. */
export class UnnumberedFrr implements AsyncDisposable {
  readonly #directory = mkdtempSync(join(tmpdir(), 'tmbgp-unnumbered-'))

  /** @param networks prefixes that it announces */
  static async start(host: Host, asn: number, networks: readonly string[] = []): Promise<UnnumberedFrr> {
    const frr = new UnnumberedFrr()
    const d = frr.#directory
    writeFileSync(join(d, 'zebra.conf'), '')
    writeFileSync(join(d, 'bgpd.conf'), configure(asn, networks))
    // zebra gives up root, and does not go without: what it writes must be its own.
    run('chown', '-R', 'frr:frr', d)
    const common = (name: string): readonly string[] => {
      const files = ['-f', join(d, `${name}.conf`), '-i', join(d, `${name}.pid`), '-z', join(d, 'zserv')]
      return ['--vty_socket', d, '-P', '0', ...files]
    }
    host.spawn(join(DAEMONS, 'zebra'), common('zebra'))
    await until('zebra answers', () => existsSync(join(d, 'zserv')) && frr.#ask('zebra', 'show interface eth0'))
    host.spawn(join(DAEMONS, 'bgpd'), common('bgpd'))
    await until('bgpd answers', () => frr.#ask('bgpd', 'show bgp summary json'))
    return frr
  }

  #ask(daemon: string, command: string): string {
    return run('vtysh', '--vty_socket', this.#directory, '-d', daemon, '-c', command)
  }

  session(): UnnumberedSession {
    const answer = JSON.parse(this.#ask('bgpd', 'show bgp neighbors eth0 json')) as {
      readonly eth0?: { readonly bgpNeighborAddr?: string; readonly bgpState?: string }
    }
    return { address: answer.eth0?.bgpNeighborAddr ?? 'none', state: answer.eth0?.bgpState ?? 'none' }
  }

  /** Next hops of the prefixes that it has, by prefix; those of its own are `::` and `0.0.0.0`. */
  routes(): ReadonlyMap<string, readonly string[]> {
    const seen = new Map<string, readonly string[]>()
    for (const family of ['ipv4', 'ipv6']) {
      const { routes } = JSON.parse(this.#ask('bgpd', `show bgp ${family} unicast json`)) as {
        readonly routes: Readonly<Record<string, readonly { readonly nexthops?: readonly { readonly ip: string }[] }[]>>
      }
      for (const [prefix, paths] of Object.entries(routes)) {
        const hops = paths.flatMap(({ nexthops = [] }) => nexthops.map(({ ip }) => ip))
        seen.set(prefix, hops)
      }
    }
    return seen
  }

  /** Its processes end with the host. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.resolve()
    rmSync(this.#directory, { recursive: true, force: true })
  }
}

const configure = (asn: number, networks: readonly string[]): string =>
  [
    `router bgp ${asn}`,
    'bgp router-id 10.1.0.2',
    'no bgp ebgp-requires-policy',
    'no bgp network import-check',
    'neighbor eth0 interface remote-as external',
    'neighbor eth0 timers connect 1',
    'neighbor eth0 advertisement-interval 0',
    ...['ipv4', 'ipv6'].flatMap(family => [
      `address-family ${family} unicast`,
      ' neighbor eth0 activate',
      ...networks.filter(prefix => prefix.includes(':') === (family === 'ipv6')).map(prefix => ` network ${prefix}`),
      'exit-address-family',
    ]),
    '',
  ].join('\n')
