/** A host: a network namespace with its interfaces and programs. */
import { join } from 'node:path'
import type { Bridge } from './bridge.js'
import { Capture, type CaptureOptions } from './capture/capture.js'
import { run, type CommandOptions, type CommandResult } from './command.js'
import { LabProcess, type ProcessOptions } from './lab-process.js'
import { networkNamespace, type NetworkNamespace, type Sysctls } from './network-namespace.js'

/** One interface of a host. */
export interface LinkOptions {
  readonly bridge: Bridge
  /** Interface name. @default `eth0`, `eth1`, … in the order of the list */
  readonly name?: string
  /** @default a locally administered address, unique in the lab */
  readonly mac?: string
  /** With prefix length: `10.0.0.1/24`, `fd00::1/64`. IPv6 addresses are usable at once (no DAD). */
  readonly addresses?: readonly string[]
}

/** One route of a host. */
export interface RouteOptions {
  /** Prefix, or `default`. */
  readonly to: string
  /** Next hop; its family decides the table. */
  readonly via: string
}

/** What a host is made of. */
export interface HostOptions {
  readonly links?: readonly LinkOptions[]
  readonly routes?: readonly RouteOptions[]
  /** Written after the interfaces exist and before they are up. */
  readonly sysctls?: Sysctls
}

/** An interface as it was made. */
export interface HostLink {
  readonly name: string
  readonly mac: string
  readonly addresses: readonly string[]
}

/** Where a host keeps files and what it draws from its lab. */
export interface HostContext {
  /** Folder for log files; exists. */
  readonly logDirectory: string
  nextMac(): string
}

/** A machine of the lab: its own interfaces, routes, neighbours, ports and kernel settings; the file system is shared. */
export class Host implements AsyncDisposable {
  readonly #context: HostContext
  readonly #processes = new Set<LabProcess>()
  readonly #captures = new Set<Capture>()

  private constructor(
    /** Name given by the user. */
    readonly name: string,
    readonly namespace: NetworkNamespace,
    /** By interface name. */
    readonly links: ReadonlyMap<string, HostLink>,
    context: HostContext,
  ) {
    this.#context = context
  }

  /** Makes the namespace, plugs the cables, sets addresses, routes and settings. */
  static async create(name: string, namespaceName: string, options: HostOptions, context: HostContext): Promise<Host> {
    const namespace = await networkNamespace(namespaceName)
    const links = new Map<string, HostLink>()
    for (const [index, link] of (options.links ?? []).entries()) {
      const made = {
        name: link.name ?? `eth${index}`,
        mac: link.mac ?? context.nextMac(),
        addresses: link.addresses ?? [],
      }
      await link.bridge.plug(namespace, made.name, made.mac)
      links.set(made.name, made)
    }
    await namespace.setSysctls(options.sysctls ?? {})
    await namespace.ip([
      ...[...links.values()].flatMap(linkCommands),
      ...(options.routes ?? []).map(({ to, via }) => `route add ${to} via ${via}`),
    ])
    return new Host(name, namespace, links, context)
  }

  /** Programs started by {@link spawn} that have not ended. */
  get processes(): readonly LabProcess[] {
    return [...this.#processes]
  }

  /** Runs a command in the host to its end. @throws {LabError} ERR_LAB_COMMAND when it fails */
  exec(argv: readonly string[], options?: CommandOptions): Promise<CommandResult> {
    return this.namespace.exec(argv, options)
  }

  /** Starts a program in the host. */
  spawn(argv: readonly string[], options: ProcessOptions = {}): LabProcess {
    const name = options.name ?? (argv[0] ?? '').replace(/.*\//, '')
    const logFile = join(this.#context.logDirectory, `${this.name}.${name}.log`)
    const process = new LabProcess([...this.namespace.prefix, ...argv], `${name} on ${this.name}`, logFile, options)
    this.#processes.add(process)
    void process.exited.then(() => this.#processes.delete(process))
    return process
  }

  /**
   * Writes every frame that passes an interface, both ways, into a pcap file until it is disposed of.
   * Resolves when it listens.
   */
  async capture(interfaceName: string, file: string, options?: CaptureOptions): Promise<Capture> {
    const capture = await Capture.start(this, interfaceName, file, options)
    this.#captures.add(capture)
    return capture
  }

  /** Kills every process in the host with SIGKILL, those it did not start itself too, and waits until they are gone. */
  async kill(): Promise<void> {
    const exits = [...this.#processes].map(process => {
      process.kill('SIGKILL')
      return process.exited
    })
    for (let pids = await this.namespace.pids(); pids.length > 0; pids = await this.namespace.pids()) {
      for (const pid of pids) sigkill(pid)
    }
    await Promise.all(exits)
  }

  /** Ends the captures, kills everything and deletes the namespace with its interfaces. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#captures].map(capture => capture[Symbol.asyncDispose]()))
    await this.kill()
    await run(['ip', 'netns', 'delete', this.namespace.name], { check: false })
  }
}

function linkCommands({ name, addresses }: HostLink): readonly string[] {
  return [
    `link set ${name} up`,
    ...addresses.map(address => `address add ${address} dev ${name}${address.includes(':') ? ' nodad' : ''}`),
  ]
}

function sigkill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // it has ended since we looked
  }
}
