/** The builder: bridges and hosts that vanish together. */
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Bridge, type BridgeOptions } from './bridge.js'
import { Host, type HostContext, type HostOptions } from './host.js'
import { requireIproute2 } from './privileges.js'
import { Watchdog } from './watchdog.js'

/** Where to put a {@link Lab}. */
export interface LabOptions {
  /** Leaves the lab's folder in place at the end. @default false */
  readonly keepDirectory?: boolean
}

/**
 * Hosts and bridges in network namespaces named `typemetal-<id>-<name>`; nothing of the machine's own network is touched, and any
 * number of labs can be there at once. Leave it with `await using`; if the process dies without doing so, a watchdog cleans up.
 */
export class Lab implements AsyncDisposable {
  /** Part of every namespace's name. */
  readonly id: string
  /** A folder of this lab, removed at its end; `logs/` in it has the output of every process. */
  readonly directory: string
  readonly #context: HostContext
  readonly #keepDirectory: boolean
  readonly #watchdog: Watchdog
  readonly #hosts = new Map<string, Host>()
  readonly #bridges = new Map<string, Bridge>()
  #macs = 0

  private constructor(id: string, { keepDirectory = false }: LabOptions) {
    this.id = id
    this.directory = mkdtempSync(join(tmpdir(), `typemetal-${id}-`))
    const logDirectory = join(this.directory, 'logs')
    mkdirSync(logDirectory)
    this.#context = { logDirectory, nextMac: () => this.#nextMac() }
    this.#keepDirectory = keepDirectory
    this.#watchdog = new Watchdog(`typemetal-${id}-`, keepDirectory ? '' : this.directory)
  }

  /**
   * Opens an empty lab.
   * @throws {LabError} ERR_LAB_NO_IP_COMMAND without iproute2. That the privilege is missing shows at the first host or bridge.
   */
  static async create(options: LabOptions = {}): Promise<Lab> {
    await requireIproute2()
    return new Lab(randomBytes(3).toString('hex'), options)
  }

  /** Hosts by name. */
  get hosts(): ReadonlyMap<string, Host> {
    return this.#hosts
  }

  /** Makes a LAN. */
  async bridge(name: string, options?: BridgeOptions): Promise<Bridge> {
    const bridge = await Bridge.create(name, this.#namespaceName(name), this.#context, options)
    this.#bridges.set(name, bridge)
    return bridge
  }

  /** Makes a host. Names are unique in the lab, bridges included. */
  async host(name: string, options: HostOptions = {}): Promise<Host> {
    const host = await Host.create(name, this.#namespaceName(name), options, this.#context)
    this.#hosts.set(name, host)
    return host
  }

  /** Kills what runs, deletes what was made. Safe to call twice. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#hosts.values()].map(host => host[Symbol.asyncDispose]()))
    await Promise.all([...this.#bridges.values()].map(bridge => bridge[Symbol.asyncDispose]()))
    this.#hosts.clear()
    this.#bridges.clear()
    if (!this.#keepDirectory) rmSync(this.directory, { recursive: true, force: true })
    await this.#watchdog[Symbol.asyncDispose]()
  }

  #namespaceName(name: string): string {
    if (!/^[a-z0-9][a-z0-9.-]*$/.test(name) || this.#hosts.has(name) || this.#bridges.has(name)) {
      throw new RangeError(`host and bridge names are lower-case, unique in a lab: ${JSON.stringify(name)}`)
    }
    return `typemetal-${this.id}-${name}`
  }

  /** 02:74:6d: locally administered, "tm". */
  #nextMac(): string {
    const number = (++this.#macs).toString(16).padStart(6, '0')
    return `02:74:6d:${number.slice(0, 2)}:${number.slice(2, 4)}:${number.slice(4)}`
  }
}
