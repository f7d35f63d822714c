// One run of the benchmark: who takes part, how often, and what happens when somebody fails.
import { setTimeout as sleep } from 'node:timers/promises'
import { Daemon } from './daemons/daemon.mjs'
import { Samples } from './samples.mjs'

/** What a section gets. */
export class Run {
  place
  quick
  trials
  samples
  #kinds

  /** @param kinds that take part @param versions by id */
  constructor(place, kinds, versions, { quick, trials }) {
    this.place = place
    this.quick = quick
    this.trials = trials
    this.#kinds = kinds
    const peers = kinds.filter(({ id }) => id !== 'ours')
    this.samples = new Samples(
      Object.fromEntries(peers.map(({ id, name }) => [id, `${name} ${versions[id] ?? ''}`.trim()])),
    )
  }

  /**
   * The same with every kind of daemon, one after the other, as often as there are trials. A kind that fails is told of and left
   * out of the rest.
   * @param work gets the kind; returns `false` when one trial with it was enough
   * @param options `fits`: which kinds take part; `peerTrials`: how often the peers, at most
   */
  async each(title, work, { fits = () => true, peerTrials = Infinity } = {}) {
    const done = new Set()
    for (let trial = 1; trial <= this.trials; trial++) {
      for (const kind of this.#kinds) {
        if (!fits(kind) || done.has(kind) || (kind.id !== 'ours' && trial > peerTrials)) continue
        try {
          if ((await work(kind)) === false) done.add(kind)
        } catch (error) {
          if (this.place.isClosed) throw error
          done.add(kind)
          process.exitCode = 1
          console.error(`bench:bgp: ${title}: ${kind.name} is left out: ${error.message}`)
        }
      }
    }
  }

  /** A fresh daemon of a kind for as long as `work` takes; then all sessions end and it is killed. */
  async withDaemon(kind, peers, work) {
    const daemon = await Daemon.start(this.place, kind, peers)
    try {
      return await work(daemon)
    } finally {
      if (!this.place.isClosed) await this.place.hangUp()
      await daemon.stop()
    }
  }

  /** How long a daemon has to come to rest before anything of it is read, milliseconds. */
  get calm() {
    return this.quick ? 300 : 1500
  }

  /** Resident octets of a daemon at rest; ours after its garbage is collected, for V8 would keep that for a while. */
  async weigh(daemon) {
    await sleep(this.calm)
    await daemon.collect()
    return daemon.memory
  }

  /** Says how it goes, on standard error. */
  say(kind, text) {
    console.error(`  ${kind.name}: ${text}`)
  }
}
