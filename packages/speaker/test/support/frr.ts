/** FRR in a host of the lab, with whatever configuration a test needs. */
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { until } from '@typemetal/lab'
import type { Host, LabProcess } from '@typemetal/lab'

const FOLDER = '/usr/lib/frr'

/** Why FRR cannot be used here; `undefined` when it can. */
export const missingFrr = (): string | undefined =>
  ['zebra', 'bgpd', 'bfdd'].every(name => existsSync(join(FOLDER, name))) ? undefined : 'needs FRR: apt install frr'

/** FRR insists on its group `frrvty` and on a user who is in it; here that is root. */
const GROUPS = 'root:x:0:\nfrr:x:0:root\nfrrvty:x:0:root\n'
/** Our group file hides the machine's, and an empty folder hides /var/tmp, in which FRR keeps crash logs. */
const WRAPPER = `
mount --bind "$1/group" /etc/group
case "$1" in /var/tmp/*) ;; *) mount -t tmpfs tmpfs /var/tmp ;; esac
shift
exec "$@"
`

interface Path {
  readonly nexthops?: readonly { readonly ip: string; readonly scope?: string }[]
  readonly aspath?: { readonly string: string }
  readonly locPrf?: number
  readonly stale?: boolean
  readonly community?: { readonly string: string }
  readonly largeCommunity?: { readonly string: string }
}

/** A path as FRR shows it. */
export interface FrrPath {
  readonly nextHop: string
  readonly asPath: string
  readonly localPref: number | undefined
  readonly stale: boolean
  /** Standard ones, then large ones as `large:a:b:c`. */
  readonly communities: readonly string[]
}

/** What FRR says of one neighbor. */
export interface FrrNeighbor {
  readonly bgpState: string
  readonly remoteAs: number
  readonly remoteRouterId: string
  readonly connectionsEstablished: number
  readonly lastNotificationReason?: string
  readonly lastShutdownDescription?: string
  readonly messageStats: {
    readonly updatesRecv: number
    readonly opensRecv: number
    readonly notificationsRecv: number
    readonly notificationsSent: number
  }
  readonly gracefulRestartInfo?: { readonly rBit?: boolean; readonly endOfRibRecv?: Record<string, boolean> }
}

/** One BFD session of bfdd; times in milliseconds. */
export interface FrrBfd {
  readonly peer: string
  readonly multihop: boolean
  readonly status: string
  readonly 'remote-receive-interval': number
  readonly 'remote-transmit-interval': number
  readonly 'remote-detect-multiplier': number
}

/** zebra, bgpd and bfdd. */
export class Frr {
  readonly #host: Host
  readonly #directory: string
  readonly #bgpd: LabProcess

  private constructor(host: Host, directory: string, bgpd: LabProcess) {
    this.#host = host
    this.#directory = directory
    this.#bgpd = bgpd
  }

  /** Starts all three, and waits until they answer. */
  static async start(host: Host, directory: string, configuration: string): Promise<Frr> {
    await mkdir(directory, { recursive: true })
    const file = join(directory, 'frr.conf')
    await writeFile(file, configuration)
    await writeFile(join(directory, 'group'), GROUPS)
    const start = (name: string, ...more: readonly string[]): LabProcess => {
      const files = ['-f', file, '-z', join(directory, 'zserv.api'), '-i', join(directory, `${name}.pid`), '-P', '0']
      const rights = ['--vty_socket', directory, '-u', 'root', '-g', 'root', '--log', 'stdout']
      const command = [join(FOLDER, name), ...files, ...rights, ...more]
      return host.spawn(['sh', '-e', '-c', WRAPPER, name, directory, ...command], { name })
    }
    start('zebra')
    await until('zebra to listen', () => existsSync(join(directory, 'zserv.api')) || undefined)
    start('bfdd', '--bfdctl', join(directory, 'bfdctl'))
    const frr = new Frr(host, directory, start('bgpd'))
    await until('bgpd to answer', () => frr.#ask('bgpd', 'show bgp summary json'))
    await until('bfdd to answer', () => frr.#ask('bfdd', 'show bfd peers json'))
    return frr
  }

  /** bgpd does nothing any more, and its kernel goes on. */
  freeze(): void {
    this.#bgpd.kill('SIGSTOP')
  }

  /** Ends {@link freeze}. */
  thaw(): void {
    this.#bgpd.kill('SIGCONT')
  }

  /** Paths to a prefix; none when it has none. */
  async paths(prefix: string): Promise<readonly FrrPath[]> {
    const family = prefix.includes(':') ? 'ipv6' : 'ipv4'
    const answer = JSON.parse(await this.#ask('bgpd', `show bgp ${family} unicast ${prefix} json`)) as {
      readonly paths?: readonly Path[]
    }
    return (answer.paths ?? []).map(path => ({
      nextHop: path.nexthops?.find(({ scope }) => scope !== 'link-local')?.ip ?? path.nexthops?.[0]?.ip ?? '',
      asPath: path.aspath?.string.replace('Local', '') ?? '',
      localPref: path.locPrf,
      stale: path.stale ?? false,
      communities: [
        ...(path.community?.string.split(' ') ?? []),
        ...(path.largeCommunity?.string.split(' ').map(text => `large:${text}`) ?? []),
      ],
    }))
  }

  /** Waits until a prefix has exactly one path, and for what a test wants of it. */
  path(prefix: string, fits: (path: FrrPath) => boolean = () => true, timeout = 60_000): Promise<FrrPath> {
    return until(
      `a path to ${prefix}`,
      async () => {
        const [path, ...others] = await this.paths(prefix)
        return path && others.length === 0 && fits(path) ? path : undefined
      },
      { timeout },
    )
  }

  /** Waits until a prefix has no path. */
  async gone(prefix: string, timeout = 60_000): Promise<void> {
    await until(`no path to ${prefix}`, async () => ((await this.paths(prefix)).length === 0 ? true : undefined), {
      timeout,
    })
  }

  /** @param name its address, or the interface that it is on */
  async neighbor(name: string): Promise<FrrNeighbor> {
    const answer = JSON.parse(await this.#ask('bgpd', `show bgp neighbors ${name} json`)) as Record<string, FrrNeighbor>
    const found = answer[name]
    if (!found) throw new Error(`FRR knows no neighbor ${name}`)
    return found
  }

  /** Waits for an Established session. */
  established(name: string, timeout = 60_000): Promise<FrrNeighbor> {
    return until(
      `a session with ${name}`,
      async () => {
        const neighbor = await this.neighbor(name)
        return neighbor.bgpState === 'Established' ? neighbor : undefined
      },
      { timeout, interval: 50 },
    )
  }

  /** The BFD session with an address. */
  async bfd(address: string): Promise<FrrBfd | undefined> {
    const all = JSON.parse(await this.#ask('bfdd', 'show bfd peers json')) as readonly FrrBfd[]
    return all.find(({ peer }) => peer === address)
  }

  /** Lines of configuration, as an operator types them. */
  async configure(...commands: readonly string[]): Promise<void> {
    await this.#ask('bgpd', 'configure terminal', ...commands)
  }

  async #ask(daemon: string, ...commands: readonly string[]): Promise<string> {
    const vtysh = ['vtysh', '--vty_socket', this.#directory, '--config_dir', this.#directory, '-d', daemon]
    const { stdout } = await this.#host.exec([...vtysh, ...commands.flatMap(command => ['-c', command])])
    return stdout
  }
}
