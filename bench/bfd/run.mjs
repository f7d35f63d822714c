// One run of the benchmark: who takes part, how long, and what happens when somebody fails.
import { Samples } from '../bgp/samples.mjs'
import { Daemon } from './daemons/daemon.mjs'

/** What a section gets. */
export class Run {
  lab
  /** Of the far end. */
  program
  quick
  cuts
  minutes
  intervals
  samples
  isClosed = false
  #kinds
  #load

  /** @param kinds that take part @param versions by id */
  constructor({ lab, program }, kinds, versions, { quick, cuts, minutes, intervals }) {
    this.lab = lab
    this.program = program
    this.quick = quick
    this.cuts = cuts
    this.minutes = minutes
    this.intervals = intervals
    this.#kinds = kinds
    const peers = kinds.filter(({ id }) => id !== 'ours')
    this.samples = new Samples(
      Object.fromEntries(peers.map(({ id, name, ours }) => [id, ours ? name : `${name} ${versions[id] ?? ''}`.trim()])),
    )
  }

  /**
   * A daemon of each kind, all at once, for as long as `work` takes. One that does not start is told of and left out.
   * @param settings as for `Daemon.start`
   * @param fits which kinds take part
   */
  async together(title, settings, work, fits = () => true) {
    const kinds = this.#kinds.filter(kind => fits(kind) && settings.interval >= (kind.leastInterval ?? 0))
    const started = await Promise.all(
      kinds.map(kind => this.#guard(title, kind, () => Daemon.start(this, kind, settings))),
    )
    const daemons = started.filter(Boolean)
    if (daemons.length === 0) return
    try {
      await work(daemons)
    } finally {
      await Promise.all(daemons.map(daemon => daemon.stop()))
    }
  }

  /** The same with one daemon after the other; a quick run has them all at once. */
  async inTurn(title, settings, work) {
    const each = daemons => this.all(title, daemons, work)
    if (this.quick) return this.together(title, settings, each)
    for (const kind of this.#kinds) await this.together(title, settings, each, other => other === kind)
  }

  /** Work with several daemons at once; one that fails is told of. */
  async all(title, daemons, work) {
    await Promise.all(daemons.map(daemon => this.#guard(title, daemon.kind, () => work(daemon))))
  }

  /** Keeps both cores busy, and our main threads, for as long as `work` takes. */
  async loaded(daemons, work) {
    const own = daemons.filter(({ kind }) => kind.ours)
    this.#load ??= await this.lab.host('load')
    await Promise.all(own.map(daemon => daemon.ask('busy')))
    const spinning = Array.from({ length: 4 }, () =>
      this.#load.spawn(['sh', '-c', 'while :; do :; done'], { name: 'spin' }),
    )
    try {
      await work()
    } finally {
      for (const process of spinning) process.kill('SIGKILL')
      if (!this.isClosed) {
        for (const daemon of own) {
          const { longest } = await daemon.ask('idle')
          this.say(daemon.kind, `main thread stalled for ${longest.toFixed(0)} ms at a time`)
        }
      }
    }
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
      console.error(`bench:bfd: ${title}: ${kind.name} is left out: ${error.message}`)
      return undefined
    }
  }
}
