// A daemon under test with the far end of its sessions: two namespaces and a cable.
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { memoryOfAll } from '../../bgp/rest.mjs'
import { threadsOf } from '../threads.mjs'
import { FarEnd, flood } from '../far-end.mjs'

/**
 * A kind of daemon.
 * @typedef Kind
 * @property {string} id for the command line
 * @property {string} name
 * @property {boolean} [ours]
 * @property {string} [program] that must exist
 * @property {string} [package] of Debian
 * @property {number} [leastInterval] milliseconds; default any
 * @property {(run: (argv: string[]) => Promise<string>) => Promise<string | undefined>} version
 * @property {(options: object) => Promise<Running>} start single-hop sessions with `peers`, addresses, all at one `interval`
 */

/**
 * @typedef Running
 * @property {import('@typemetal/lab').LabProcess} process
 * @property {(command: string, options?: object) => Promise<object>} [ask] commands that only we have
 */

const DAEMON = '10.0.0.1'
const FAR = '10.0.0.2'
/** Neighbours: 10.1.0.1, 10.1.0.2 ... The far end has all of 10.1.0.0/16. */
const CROWD = '10.1.0.0/16'
const addressOf = i => `10.1.${(i + 1) >> 8}.${(i + 1) & 255}`

let scenes = 0

export class Daemon {
  kind
  /** @type {FarEnd} */
  farEnd
  count
  #host
  #far
  #running
  #program

  /** With `count` sessions that are up. @param interval in milliseconds */
  static async start({ lab, program }, kind, { count = 1, interval, multiplier = 3 }) {
    const daemon = new Daemon()
    const name = `${kind.id}-${++scenes}`
    daemon.kind = kind
    daemon.count = count
    daemon.#program = program
    daemon.#host = await lab.host(name)
    daemon.#far = await lab.host(`${name}-far`)
    try {
      await daemon.#wire()
      const directory = mkdtempSync(join(lab.directory, `${name}-`))
      const peers = Array.from({ length: count }, (_, i) => addressOf(i))
      const first = { daemon: DAEMON, first: addressOf(0), count, interval, multiplier }
      daemon.farEnd = await FarEnd.start(daemon.#far, program, first)
      daemon.#running = await kind.start({ host: daemon.#host, directory, peers, interval, multiplier })
      await daemon.farEnd.settle(count)
      return daemon
    } catch (error) {
      await daemon.stop()
      throw error
    }
  }

  async #wire() {
    await this.#host.namespace.ip([
      `link add eth0 type veth peer name eth0 netns ${this.#far.namespace.name}`,
      `address add ${DAEMON}/8 dev eth0`,
      'link set eth0 up',
      // One entry for all of them: the kernel keeps a thousand, for all namespaces together.
      `route add ${CROWD} via ${FAR}`,
    ])
    await this.#far.namespace.ip([
      `address add ${FAR}/8 dev eth0`,
      'link set eth0 up',
      `route add local ${CROWD} dev lo`,
    ])
  }

  /** CPU seconds so far: of all, and of the busiest thread but the first. */
  cpu() {
    const threads = threadsOf(this.#running.process.pid)
    const others = threads.filter(({ main }) => !main).map(({ seconds }) => seconds)
    return { all: threads.reduce((sum, { seconds }) => sum + seconds, 0), worker: Math.max(0, ...others) }
  }

  /** Shares of a core that `work` takes, or `milliseconds` of nothing. */
  async load(work) {
    const before = this.cpu()
    const started = performance.now()
    await (typeof work === 'number' ? sleep(work) : work())
    const seconds = (performance.now() - started) / 1000
    const after = this.cpu()
    return { all: (100 * (after.all - before.all)) / seconds, worker: (100 * (after.worker - before.worker)) / seconds }
  }

  /** Resident octets; ours after its garbage is collected, for V8 would keep that for a while. */
  async weigh() {
    if (this.kind.ours) await this.ask('collect')
    return memoryOfAll([this.#running.process.pid])
  }

  /** Bad packets, as if from its first neighbour where the kind wants that. */
  flood(options) {
    return flood(this.#far, this.#program, { daemon: DAEMON, source: addressOf(0), ...options })
  }

  /** Commands that only we have. */
  ask(command, options) {
    return this.#running.ask(command, options)
  }

  /** Kills it and its far end. */
  async stop() {
    await Promise.all([this.#host.kill(), this.#far.kill()])
  }
}
