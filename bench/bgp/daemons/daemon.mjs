// What every daemon under test is to the benchmark.
import { setTimeout as sleep } from 'node:timers/promises'
import { existsSync, mkdtempSync, chmodSync } from 'node:fs'
import { join } from 'node:path'
import { run, until } from '@typemetal/lab'
import { DAEMON } from '../place.mjs'
import { memoryOfAll } from '../rest.mjs'

/**
 * A kind of daemon.
 * @typedef Kind
 * @property {string} id for the command line
 * @property {string} name
 * @property {string} [program] that must exist
 * @property {string} [package] of Debian
 * @property {(run: (argv: string[]) => Promise<string>) => Promise<string | undefined>} version
 * @property {number} [most] prefixes that it is given
 * @property {boolean} [passesOn] whether it passes routes on; default true
 * @property {(options: object) => Promise<Running>} start listening, with passive sessions to
 * `peers`, `{ address, asn }` each and external; `range`, where they are many: all that may come from there
 */

/**
 * @typedef Running
 * @property {import('@typemetal/lab').LabProcess} process first of its processes
 * @property {() => Promise<number>} [count] prefixes in its table
 * @property {() => Promise<number>} [established] sessions
 * @property {(command: string, options?: object) => Promise<object>} [ask] commands that only we have
 */

/** First line of a text. */
export const firstLine = text => text.split('\n', 1)[0]

/** Waits until a daemon answers as it should. @throws with its last words when it ends */
export async function ready(process, ask, isReady) {
  await until(`${process.name} to answer`, async () => {
    if (!process.running) return { ended: true }
    return isReady(await ask()) || undefined
  })
  if (!process.running) throw new Error(`${process.name} has ended${process.tail()}`)
}

/** What a version command prints. */
const output = async argv => {
  const { stdout, stderr } = await run(argv, { check: false })
  return stdout + stderr
}

/** Version of an installed daemon, or why there is none. */
export async function look(kind) {
  if (kind.program && !existsSync(kind.program)) return { missing: `not installed (apt-get install ${kind.package})` }
  return { version: await kind.version(output) }
}

/** Children of a process, theirs too, and itself. */
async function family(pid) {
  const { stdout } = await run(['pgrep', '-P', String(pid)], { check: false })
  const children = await Promise.all(stdout.split('\n').filter(Boolean).map(Number).map(family))
  return [pid, ...children.flat()]
}

/** How long a daemon has for what it does after it answers first, milliseconds. */
const SETTLING = 200

let count = 0

/** A daemon that runs. */
export class Daemon {
  kind
  /** All its processes. */
  pids
  #running

  /** @param peers see {@link Kind} */
  static async start(place, kind, peers) {
    const daemon = new Daemon()
    daemon.kind = kind
    const directory = mkdtempSync(join(place.directory, `${kind.id}-${count++}-`))
    chmodSync(directory, 0o755)
    daemon.#running = await kind.start({ host: place.host, directory, ours: DAEMON, peers })
    await sleep(SETTLING)
    const { process } = daemon.#running
    if (!process.running) throw new Error(`${kind.name} has ended${process.tail()}`)
    daemon.pids = await family(process.pid)
    return daemon
  }

  get memory() {
    return memoryOfAll(this.pids)
  }

  /** Prefixes in the table; `undefined` when it does not tell. */
  count() {
    return this.#running.count?.()
  }

  /** Established sessions; `undefined` when it does not tell. */
  established() {
    return this.#running.established?.()
  }

  /** Has it collect its garbage, if it is ours. */
  async collect() {
    if (this.kind.id === 'ours') await this.ask('collect')
  }

  /** Commands that only we have. */
  ask(command, options) {
    return this.#running.ask(command, options)
  }

  async stop() {
    // Not all end by SIGTERM within reason when their table is large, and nothing of them is kept.
    const { process } = this.#running
    const others = this.pids.filter(pid => pid !== process.pid)
    await process.stop('SIGKILL')
    for (const pid of others) {
      try {
        globalThis.process.kill(pid, 'SIGKILL')
      } catch {
        // it went with its parent
      }
    }
  }
}

/** Those of the kinds that are installed, with their versions; says what is missing. @param bench its name, for that */
export async function participants(bench, wanted) {
  const kinds = []
  const versions = {}
  for (const kind of wanted) {
    const { missing, version } = await look(kind)
    if (missing === undefined) {
      kinds.push(kind)
      versions[kind.id] = version
    } else {
      console.error(`${bench}: without ${kind.name}: ${missing}`)
    }
  }
  return { kinds, versions }
}
