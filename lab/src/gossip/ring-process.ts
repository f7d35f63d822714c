/** A gossip node in a process of its own: hashicorp/memberlist or ours, told apart by nothing but its program. */
import { fileURLToPath } from 'node:url'
import { withResolvers } from '../command.js'
import { LabError } from '../errors.js'
import type { Host } from '../host.js'
import { LabProcess } from '../lab-process.js'
import { goPeer } from './go-peer.js'
import type { Said } from './said.js'

/** Whose implementation. */
export type RingKind = 'go' | 'node'

/** One node of a ring. */
export interface RingProcessOptions {
  readonly kind: RingKind
  readonly name: string
  /** Where it listens, on UDP and TCP. */
  readonly address: string
  /** @default 7946 */
  readonly port?: number
  /** Where it runs. @default on this machine */
  readonly host?: Host
  /** 16, 24 or 32 octets: the ring is encrypted. */
  readonly key?: Uint8Array | undefined
  readonly label?: string | undefined
  /** @default 'lan' */
  readonly preset?: 'lan' | 'wan' | 'local' | 'fast'
  readonly meta?: string
  /** Gets all it prints. @default nowhere, or the lab's folder when it runs in a host */
  readonly logFile?: string
}

const MAIN = fileURLToPath(new URL('node-main.js', import.meta.url))
/** What is kept of what it says. */
const KEPT = 5000
/** Words in a log line that say that something of another node could not be read: hashicorp's and ours. */
const UNREADABLE =
  /decode|decrypt|decompress|unsupported|not supported|truncated|too short|label|checksum|msgType|message type byte|remote state|datagram dropped|stream refused|packetFault/i
/**
 * Words that say that the network or the other's end cut it short, which is nobody's mistake. A stream that ends before
 * its first octet is one "with unacceptable label" to hashicorp's, in a ring that has one.
 */
const CUT_SHORT = /connection reset|broken pipe|i\/o timeout|stream with unacceptable label ""/

/** A running gossip node. */
export class RingProcess implements AsyncDisposable {
  readonly kind: RingKind
  readonly name: string
  readonly address: string
  readonly port: number
  /** The last things it said. */
  readonly said: Said[] = []
  /** Lines of its log that say it could not read something that another node sent. */
  readonly complaints: string[] = []
  readonly #process: LabProcess
  readonly #members = new Map<string, string>()
  readonly #waiting: ((said: Said) => void)[] = []
  readonly #listeners = new Set<(said: Said) => void>()

  private constructor(options: RingProcessOptions, process: LabProcess) {
    this.kind = options.kind
    this.name = options.name
    this.address = options.address
    this.port = options.port ?? 7946
    this.#process = process
    process.on('line', line => this.#hear(line))
  }

  /**
   * Starts it and waits until it listens.
   * @throws {LabError} ERR_LAB_MISSING_PACKAGE when it is a Go node and there is no Go program to run
   */
  static async start(options: RingProcessOptions): Promise<RingProcess> {
    const argv = [...(await program(options.kind)), ...flags(options)]
    const name = `${options.kind} ${options.name}`
    const process =
      options.host?.spawn(argv, { name: options.name }) ?? new LabProcess(argv, name, options.logFile ?? '/dev/null')
    const ring = new RingProcess(options, process)
    await process.waitForLine(line => line.includes('"event":"ready"'), 60_000)
    return ring
  }

  /** Process id. */
  get pid(): number {
    return this.#process.pid
  }

  /** False once it has ended. */
  get running(): boolean {
    return this.#process.running
  }

  /** Names of the members that it sees, in order. */
  get view(): string {
    return [...this.#members.keys()].toSorted().join(' ')
  }

  /** Meta of the members that it sees, by name. */
  get metas(): ReadonlyMap<string, string> {
    return this.#members
  }

  /** How many members it sees. */
  get size(): number {
    return this.#members.size
  }

  /** Gives a command and waits for the answer. @throws {LabError} ERR_LAB_PROCESS when it fails or the process ends */
  async command(line: string): Promise<Said> {
    const { promise, resolve, reject } = withResolvers<Said>()
    const ended = (): void => reject(new LabError('ERR_LAB_PROCESS', `${this.name} ended during: ${line}`))
    this.#waiting.push(resolve)
    void this.#process.exited.then(ended)
    this.#process.write(line)
    const answer = await promise
    if (answer.error !== undefined) throw new LabError('ERR_LAB_PROCESS', `${this.name}: ${line}: ${answer.error}`)
    return answer
  }

  /** Calls back with everything it says from now on. @returns what ends that */
  listen(listener: (said: Said) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Sends a signal: SIGKILL for a crash, SIGSTOP and SIGCONT for a process that is not scheduled. */
  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal)
  }

  /** Kills it and waits until it is gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill('SIGKILL')
    await this.#process.exited
  }

  #hear(line: string): void {
    const said = parse(line)
    if (!said) return
    if (this.said.push(said) > KEPT) this.said.splice(0, KEPT / 10)
    if (said.event === 'join' || said.event === 'update') this.#members.set(said.node ?? '', said.meta ?? '')
    if (said.event === 'leave') this.#members.delete(said.node ?? '')
    if (said.event === 'log' && isComplaint(said.line ?? '')) this.complaints.push(said.line ?? '')
    if (said.answer !== undefined) this.#waiting.shift()?.(said)
    for (const listener of this.#listeners) listener(said)
  }
}

const isComplaint = (line: string): boolean =>
  /\[(ERR|WARN)/.test(line) && UNREADABLE.test(line) && !CUT_SHORT.test(line)

async function program(kind: RingKind): Promise<readonly string[]> {
  if (kind === 'node') return [process.execPath, MAIN]
  const peer = await goPeer()
  if ('missing' in peer) throw new LabError('ERR_LAB_MISSING_PACKAGE', peer.missing)
  return [peer.path]
}

function flags({ name, address, port, key, label, preset, meta }: RingProcessOptions): readonly string[] {
  const given = {
    name,
    bind: address,
    port: port?.toString(),
    key: key && Buffer.from(key).toString('base64'),
    label,
    preset,
    meta,
  }
  return Object.entries(given).flatMap(([flag, value]) => (value === undefined ? [] : [`--${flag}`, value]))
}

/** @returns nothing for a line that is not of the protocol, such as a crash report */
function parse(line: string): Said | undefined {
  try {
    return JSON.parse(line) as Said
  } catch {
    return undefined
  }
}
