/** The controller's process, on a real API server. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LabProcess, until } from '@typemetal/lab'
import { type ApiServer, DEADLINE, type FaultProxy, freePorts, NAMESPACE } from '@typemetal/lab/kubernetes'
import { ACCOUNT } from './envtest.js'

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url))

/** How {@link ControllerProcess.start} starts the controller. */
export interface ControllerProcessOptions {
  /** For its log. */
  readonly name: string
  /** The proxy to go through. @default straight to the API server */
  readonly through?: FaultProxy
  readonly flags?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** One line of the log. */
export type LogLine = Readonly<Record<string, unknown>>

let started = 0

/** A controller that runs as the ServiceAccount of the shipped manifests. Leave it with `await using`. */
export class ControllerProcess implements AsyncDisposable {
  private constructor(
    readonly process: LabProcess,
    /** Of the metrics. */
    readonly port: number,
    private readonly probes: number,
    readonly webhookPort: number,
  ) {}

  /** Starts it, and waits for nothing. */
  static async start(server: ApiServer, options: ControllerProcessOptions): Promise<ControllerProcess> {
    const { name, through, flags = [], env = {} } = options
    const { kubeconfig } = await server.serviceAccountKubeconfig(ACCOUNT, through)
    const [metrics = 0, probes = 0, webhooks = 0] = await freePorts(3)
    const place = [`--kubeconfig=${kubeconfig}`, `--namespace=${NAMESPACE}`]
    const ports = [`--port=${metrics}`, `--health-probe-port=${probes}`, `--webhook-port=${webhooks}`]
    const argv = [process.execPath, MAIN, ...place, ...ports, ...flags]
    const logFile = join(server.directory, 'logs', `controller-${++started}-${name}.log`)
    const child = new LabProcess(argv, name, logFile, { env: { ...process.env, ...env } })
    return new ControllerProcess(child, metrics, probes, webhooks)
  }

  /** What `/readyz` says: `ok`, what it waits for, or nothing when nobody answers. */
  async readiness(): Promise<string> {
    return (await this.#get(this.probes, '/readyz')).trim()
  }

  /** Waits until it is ready: it works, or stands by. @throws {LabError} with its last words */
  async ready(): Promise<void> {
    const look = async (): Promise<true | undefined> => {
      if (!this.process.running) throw new Error('it has ended')
      const said = await this.readiness()
      if (said === 'ok') return true
      throw new Error(said)
    }
    await until(`${this.process.name} to be ready`, look, { timeout: DEADLINE }).catch((error: unknown) => {
      throw new Error(`${String(error)}${this.process.tail(10)}`, { cause: error })
    })
  }

  /** Sum of a metric's series of which the labels contain a text; `undefined` when there is none. */
  async metric(name: string, labels = ''): Promise<number | undefined> {
    const lines = (await this.#get(this.port, '/metrics')).split('\n')
    const series = lines.filter(line => new RegExp(`^${name}[ {]`).test(line) && line.includes(labels))
    if (series.length === 0) return undefined
    return series.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
  }

  /** Whether it says that it leads. */
  async leads(): Promise<boolean> {
    return (await this.metric('leader_election_master_status')) === 1
  }

  /** Its log, line by line. @throws {SyntaxError} something that is no JSON object: a warning of Node.js, or an error nobody handled */
  get log(): readonly LogLine[] {
    return this.process.lines.map(line => JSON.parse(line) as LogLine)
  }

  /** Lines of the log with this `event`. */
  events(event: string): readonly LogLine[] {
    return this.log.filter(line => line['event'] === event)
  }

  /** Octets of memory that it holds. */
  get rss(): number {
    const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${this.process.pid}/status`, 'utf8')) ?? []
    return Number(kibibytes) * 1024
  }

  /** Ends it as a Deployment does. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.process.kill('SIGCONT')
    await this.process.stop('SIGTERM', 60_000)
  }

  /** Empty when there is no answer. */
  async #get(port: number, path: string): Promise<string> {
    try {
      return await (await fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(20_000) })).text()
    } catch {
      return ''
    }
  }
}
