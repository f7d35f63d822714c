// One run of the benchmark: who takes part, how often, and what happens when somebody fails.
import os from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { Samples } from '../bgp/samples.mjs'
import { Scene } from './scene.mjs'

/** Time that what was made busy has to be so, milliseconds. */
const WARMUP = 300

/** Every core, as taskset names them. */
const ALL_CORES = `0-${os.cpus().length - 1}`

/**
 * What else goes on while something is measured.
 * @typedef Condition
 * @property {string} name
 * @property {boolean} [blocked] our main thread has no time for 200 ms in every 400
 * @property {boolean} [loaded] spinning processes, two for each core
 * @property {boolean} [awake] the same where they get what nobody else wants (SCHED_IDLE): cores that never sleep, which leaves the
 * software's own share; waking a core of a virtual machine takes longer than all the rest
 * @property {'same' | 'other'} [core] the responder is held on the core of who asks, who has the first, or on another
 */

/** @type {Condition[]} */
export const CONDITIONS = [
  { name: 'idle' },
  { name: 'main thread blocked', blocked: true },
  { name: 'cores loaded', loaded: true },
]

/** What a section gets. */
export class Run {
  lab
  /** Of the far end. */
  program
  quick
  trials
  protocols
  samples
  isClosed = false
  #kinds
  #load

  /** @param kinds that take part @param versions by id */
  constructor({ lab, program }, kinds, versions, { quick, trials, protocols }) {
    this.lab = lab
    this.program = program
    this.quick = quick
    this.trials = trials
    this.protocols = protocols
    this.#kinds = kinds
    const peers = kinds.filter(({ id }) => id !== 'ours')
    const title = ({ id, name, ours }) => (ours ? name : `${name} (${versions[id] ?? ''})`)
    this.samples = new Samples(Object.fromEntries(peers.map(kind => [kind.id, title(kind)])))
  }

  /**
   * A scene of each kind for as long as `work` takes. One that does not start is told of and left out.
   * @param settings as for `Scene.start`
   * @param fits which kinds take part
   */
  async together(title, settings, work, fits = () => true) {
    const started = await Promise.all(
      this.#kinds.filter(fits).map(kind => this.#guard(title, kind, () => Scene.start(this, kind, settings))),
    )
    const scenes = started.filter(Boolean)
    try {
      if (scenes.length > 0) await work(scenes)
    } finally {
      await Promise.all(scenes.map(scene => scene.stop()))
    }
  }

  /** Work with one scene after the other, as often as there are trials. One that fails is told of and left out of the rest. */
  async inTurn(title, scenes, work) {
    let left = scenes
    for (let trial = 0; trial < this.trials; trial++) left = await this.once(title, left, work)
  }

  /** Work with several scenes at once; one that fails is told of. */
  async all(title, scenes, work) {
    await Promise.all(scenes.map(scene => this.#guard(title, scene.kind, () => work(scene))))
  }

  /** Work with one scene after the other, once. @returns the scenes that did not fail */
  async once(title, scenes, work) {
    const done = []
    for (const scene of scenes) {
      await this.#guard(title, scene.kind, async () => {
        await work(scene)
        done.push(scene)
      })
    }
    return done
  }

  /** Under a condition for as long as `work` takes. @param scenes whose processes it concerns */
  async under({ blocked, loaded, awake, core }, scenes, work) {
    const own = blocked ? scenes.filter(({ kind }) => kind.ours) : []
    const spinning = loaded || awake ? await this.#spin(awake) : []
    try {
      if (core) await Promise.all(scenes.map(scene => scene.hold(core === 'same' ? '0' : '1')))
      await Promise.all(own.map(scene => scene.ask('block')))
      if (blocked || spinning.length > 0) await sleep(WARMUP)
      return await work()
    } finally {
      for (const process of spinning) process.kill('SIGKILL')
      if (!this.isClosed) {
        await Promise.all(own.map(scene => scene.ask('free')))
        if (core) await Promise.all(scenes.map(scene => scene.hold(ALL_CORES)))
      }
    }
  }

  async #spin(isIdle) {
    this.#load ??= await this.lab.host('load')
    const argv = [...(isIdle ? ['chrt', '--idle', '0'] : []), 'sh', '-c', 'while :; do :; done']
    return Array.from({ length: 2 * os.cpus().length }, () => this.#load.spawn(argv, { name: 'spin' }))
  }

  /** Says how it goes, on standard error. */
  say(kind, text) {
    console.error(`  ${kind.name}: ${text}`)
  }

  async #guard(title, kind, work) {
    try {
      return await work()
    } catch (error) {
      if (this.isClosed) throw error
      process.exitCode = 1
      console.error(`bench:l2: ${title}: ${kind.name} is left out: ${error.message}`)
      return undefined
    }
  }
}

/** Whether a condition makes a difference to a kind: only ours has a main thread that answers nothing. */
export const concerns = ({ blocked }, kind) => !blocked || kind.ours === true
