/** A named network namespace and the commands that go into it. */
import { run, type CommandOptions, type CommandResult } from './command.js'
import { LabError, messageOf } from './errors.js'

/** Names as `sysctl` takes them (`net.ipv4.ip_forward`); an interface name with dots is written with slashes. */
export type Sysctls = Readonly<Record<string, number | string>>

/** Whatever the machine's own settings are: every namespace starts as a plain host without forwarding and without DAD. */
const BASELINE: Sysctls = {
  'net.ipv4.ip_forward': 0,
  'net.ipv4.conf.all.rp_filter': 0,
  'net.ipv4.conf.default.rp_filter': 0,
  'net.ipv4.conf.all.arp_ignore': 0,
  'net.ipv4.conf.all.arp_announce': 0,
  'net.ipv6.conf.all.disable_ipv6': 0,
  'net.ipv6.conf.default.disable_ipv6': 0,
  'net.ipv6.conf.default.accept_dad': 0,
  'net.ipv6.conf.default.accept_ra': 0,
  'net.ipv6.conf.default.router_solicitations': 0,
}

/** One namespace, by the name under which `ip netns` knows it. */
export class NetworkNamespace {
  constructor(readonly name: string) {}

  /**
   * Command prefix that runs a program inside, by `exec`: the process id stays the same. Without NODE_OPTIONS: a test runner puts a loader
   * there, with which programs start several times as slowly, and need files that not every user may read.
   */
  get prefix(): readonly string[] {
    return ['ip', 'netns', 'exec', this.name, 'env', '-u', 'NODE_OPTIONS']
  }

  /** Runs a command inside to its end. */
  exec(argv: readonly string[], options?: CommandOptions): Promise<CommandResult> {
    return run([...this.prefix, ...argv], options)
  }

  /** Runs `ip` commands inside in one go, stopping at the first that fails. */
  async ip(commands: readonly string[]): Promise<void> {
    if (commands.length > 0) await run(['ip', '-n', this.name, '-batch', '-'], { input: `${commands.join('\n')}\n` })
  }

  /** Runs one `ip` command inside that prints JSON (`route show`, `-6 neighbour show`, …) and parses it. */
  async ipJson<T>(command: string): Promise<T> {
    const { stdout } = await run(['ip', '-n', this.name, '-j', ...command.split(' ')])
    return JSON.parse(stdout.trim() || '[]') as T
  }

  /** Writes kernel settings. A kernel without IPv6 skips those of IPv6. */
  async setSysctls(sysctls: Sysctls): Promise<void> {
    const lines = Object.entries(sysctls).map(([name, value]) => {
      const path = `/proc/sys/${name.includes('/') ? name : name.replaceAll('.', '/')}`
      const skip = path.startsWith('/proc/sys/net/ipv6/') ? '[ ! -d /proc/sys/net/ipv6 ] || ' : ''
      return `${skip}echo '${value}' > '${path}'`
    })
    if (lines.length > 0) await this.exec(['sh', '-e'], { input: `${lines.join('\n')}\n` })
  }

  /** Ids of the processes that are in it now. */
  async pids(): Promise<readonly number[]> {
    const { stdout } = await run(['ip', 'netns', 'pids', this.name], { check: false })
    return stdout.split('\n').filter(Boolean).map(Number)
  }
}

/**
 * Makes a namespace with `lo` up and the settings of a plain host, then `sysctls`.
 * @throws {LabError} ERR_LAB_PRIVILEGE when the kernel does not let us
 */
export async function networkNamespace(name: string, sysctls: Sysctls = {}): Promise<NetworkNamespace> {
  const namespace = new NetworkNamespace(name)
  try {
    await run(['ip', 'netns', 'add', name])
    await namespace.ip(['link set lo up'])
  } catch (cause) {
    const said = messageOf(cause).replaceAll(/\s+/g, ' ')
    throw new LabError(
      'ERR_LAB_PRIVILEGE',
      `cannot make a network namespace, which needs root with CAP_SYS_ADMIN and CAP_NET_ADMIN, or user namespaces: ${said}`,
      { cause },
    )
  }
  await namespace.setSysctls({ ...BASELINE, ...sysctls })
  return namespace
}
