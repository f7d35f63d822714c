/** etcd, for one API server. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { LabError, messageOf } from '../errors.js'
import { LabProcess } from '../lab-process.js'
import { until } from '../wait.js'
import { etcdFlags } from './flags.js'

/** Where and as what etcd runs. */
export interface EtcdOptions {
  /** The program. */
  readonly program: string
  /** Working folder; its data is in `etcd` there, what it says in `logs/etcd.log`. */
  readonly directory: string
  readonly ports: readonly [client: number, peer: number]
  /** Milliseconds until it must be up. */
  readonly timeout: number
}

/** A range of one key that nobody has: the answer's header is what is wanted. */
const NO_KEY = Buffer.of(0).toString('base64')
const COMPACTED = 'required revision has been compacted'

/**
 * How often etcd tells an API server that nothing has happened, which it passes on in bookmarks. By the environment, since the name has
 * changed and an unknown one is no error there.
 */
const PROGRESS = {
  ETCD_WATCH_PROGRESS_NOTIFY_INTERVAL: '1s',
  ETCD_EXPERIMENTAL_WATCH_PROGRESS_NOTIFY_INTERVAL: '1s',
}

/** One running member. */
export class Etcd implements AsyncDisposable {
  readonly #process: LabProcess

  private constructor(
    /** For clients. */
    readonly url: string,
    process: LabProcess,
  ) {
    this.#process = process
  }

  /** @throws {LabError} it ended, or was not up in time */
  static async start({ program, directory, ports: [port, peerPort], timeout }: EtcdOptions): Promise<Etcd> {
    const data = join(directory, 'etcd')
    mkdirSync(data, { recursive: true, mode: 0o700 })
    const argv = [program, ...etcdFlags({ directory: data, port, peerPort })]
    const env = { ...globalThis.process.env, ...PROGRESS }
    const process = new LabProcess(argv, 'etcd', join(directory, 'logs', 'etcd.log'), { cwd: directory, env })
    const etcd = new Etcd(`http://127.0.0.1:${port}`, process)
    try {
      await untilUp(process, async () => ((await fetch(`${etcd.url}/health`)).ok ? true : undefined), timeout)
      return etcd
    } catch (error) {
      await process.stop('SIGKILL')
      throw error
    }
  }

  get pid(): number {
    return this.#process.pid
  }

  /** Forgets all that was before now: who asks for it gets 410 Gone from an API server that does not remember it itself. */
  async compact(): Promise<void> {
    const answer = (await this.#call('kv/range', { key: NO_KEY })) as { readonly header: { readonly revision: string } }
    await this.#call('kv/compaction', { revision: answer.header.revision, physical: true })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.stop('SIGKILL')
  }

  async #call(method: string, body: object): Promise<unknown> {
    const response = await fetch(`${this.url}/v3/${method}`, { method: 'POST', body: JSON.stringify(body) })
    const text = await response.text()
    // Nothing has happened since the last time.
    if (!response.ok && !text.includes(COMPACTED)) throw new LabError('ERR_LAB_API', `etcd: ${method}: ${text}`)
    return JSON.parse(text)
  }
}

/**
 * Waits until a server answers, or no longer when it has ended.
 *
 * @param look gives a value when the server is up
 * @throws {LabError} ERR_LAB_PROCESS, ERR_LAB_TIMEOUT; with its last words
 */
export async function untilUp<T>(process: LabProcess, look: () => Promise<T | undefined>, timeout: number): Promise<T> {
  const abort = new AbortController()
  void process.exited.finally(() => abort.abort())
  try {
    return await until(`${process.name} to be up`, look, { timeout, interval: 50, signal: abort.signal })
  } catch (error) {
    const why = abort.signal.aborted ? `${process.name} ended at once` : messageOf(error)
    const code = abort.signal.aborted ? 'ERR_LAB_PROCESS' : 'ERR_LAB_TIMEOUT'
    throw new LabError(code, `${why}${process.tail(10)}`, { cause: error })
  }
}
