// A responder under test with the far end of its cable: two namespaces and a veth pair.
import { setTimeout as sleep } from 'node:timers/promises'
import { run } from '@typemetal/lab'
import { cpuOf, memoryOf } from '../memberlist/proc.mjs'
import { threadsOf } from '../bfd/threads.mjs'
import { FarEnd } from './far-end.mjs'

/**
 * A kind of responder.
 * @typedef Kind
 * @property {string} id for the command line
 * @property {string} name
 * @property {boolean} [ours]
 * @property {boolean} [process] whether it is a process, whose CPU and memory can be told
 * @property {string} [program] that must exist
 * @property {string} [package] of Debian
 * @property {() => Promise<string | undefined>} version
 * @property {(options: object) => Promise<Running>} start answering on `eth0` of `host` for so many addresses of a `protocol`, from
 * the first of its `range` on
 */

/**
 * @typedef Running
 * @property {import('@typemetal/lab').LabProcess} [process]
 * @property {(command: string, options?: object) => Promise<object>} [ask] commands that only we have
 */

/** Until a responder has all its addresses, and until a burst of announcements is over as well, milliseconds. */
const SETTLING = { addresses: 1500, announcements: 5600 }

let scenes = 0

export class Scene {
  kind
  /** @type {FarEnd} */
  farEnd
  host
  protocol
  count
  #far
  #running

  /**
   * @param count of addresses @param range whose first ones they are
   * @param settled whether to wait until the announcements are over
   */
  static async start({ lab, program }, kind, { protocol, count, range = 'first', settled = true }) {
    const scene = new Scene()
    const name = `${kind.id}-${++scenes}`
    scene.kind = kind
    scene.protocol = protocol
    scene.count = count
    scene.host = await lab.host(name)
    scene.#far = await lab.host(`${name}-far`)
    try {
      await scene.#wire()
      scene.farEnd = new FarEnd(scene.#far, program)
      scene.#running = await kind.start({ host: scene.host, program, protocol, count, range })
      if (kind.ours) await sleep(settled ? SETTLING.announcements : SETTLING.addresses)
      return scene
    } catch (error) {
      await scene.stop()
      throw error
    }
  }

  /** The far end's kernel shall not make work of its own of the answers, which would be counted to who sends them. */
  async #wire() {
    await this.#far.namespace.setSysctls({
      'net.ipv6.conf.all.disable_ipv6': 1,
      'net.ipv6.conf.default.disable_ipv6': 1,
    })
    await this.host.namespace.ip([
      `link add eth0 type veth peer name eth0 netns ${this.#far.namespace.name}`,
      'address add 10.0.0.1/8 dev eth0',
      'link set eth0 up',
    ])
    await this.#far.namespace.ip(['link set eth0 arp off', 'link set eth0 up'])
  }

  /** Shares of a core that `work` takes: of the process, and of its busiest thread but the first. */
  async load(work) {
    const before = this.#cpu()
    const started = performance.now()
    await work()
    const seconds = (performance.now() - started) / 1000
    const after = this.#cpu()
    return { all: (100 * (after.all - before.all)) / seconds, worker: (100 * (after.worker - before.worker)) / seconds }
  }

  #cpu() {
    const { pid } = this.#running.process
    const others = threadsOf(pid).filter(({ main }) => !main)
    return { all: cpuOf(pid), worker: Math.max(0, ...others.map(({ seconds }) => seconds)) }
  }

  /** Holds all threads of the process on some cores, as taskset names them. A kernel cannot be held. */
  async hold(cores) {
    const process = this.#running.process
    if (process) await run(['taskset', '--all-tasks', '--cpu-list', '--pid', cores, String(process.pid)])
  }

  /** Octets of the process that are no file's; ours after its garbage is collected, for V8 would keep that for a while. */
  async weigh() {
    if (this.kind.ours) await this.ask('collect')
    return memoryOf(this.#running.process.pid).anonymous * 1e6
  }

  /** Commands that only we have. */
  ask(command, options) {
    return this.#running.ask(command, options)
  }

  /** Kills it and what runs at the far end. */
  async stop() {
    await Promise.all([this.host.kill(), this.#far.kill()])
  }
}
