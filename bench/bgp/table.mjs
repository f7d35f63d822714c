// Whole tables: taken in from one peer, passed on to another, withdrawn, and gone with the peer.
import { setTimeout as sleep } from 'node:timers/promises'
import { DAEMON, FEEDER, SINK } from './place.mjs'
import { rest } from './rest.mjs'

/** Times that a peer comes again which was refused. */
const TRIES = 20

/** Longest that anything may take, milliseconds. */
const limitOf = size => (size > 100_000 ? 120_000 : 20_000)
/** After a peer has left, before what is still held is read, milliseconds; daemons give memory back when they like. */
const afterwards = ({ quick }) => (quick ? 1000 : 4000)

export const PEERS = [FEEDER, SINK].map(({ from, asn }) => ({ address: from, asn }))

const label = size => (size >= 1e6 ? `${size / 1e6} M` : `${size / 1e3} k`)
const round = milliseconds => milliseconds.toFixed(1)

/** One daemon with one table, from the start to its end. */
class Life {
  #run
  #kind
  #size
  #limit
  #daemon
  #base

  constructor(run, kind, size) {
    this.#run = run
    this.#kind = kind
    this.#size = size
    this.#limit = limitOf(size)
  }

  /** @param sections names of what is asked for */
  async lead(sections) {
    const { place } = this.#run
    await place.feeder.ask('prepare', { size: this.#size, ...FEEDER })
    await this.#run.withDaemon(this.#kind, PEERS, async daemon => {
      this.#daemon = daemon
      this.#base = await this.#run.weigh(daemon)
      await this.#receive(sections.has('receive') || sections.has('flat'))
      const passesOn = this.#kind.passesOn !== false
      if (passesOn && (sections.has('send') || sections.has('withdraw'))) await this.#send(sections.has('send'))
      if (sections.has('withdraw')) await this.#withdraw(passesOn)
      if (sections.has('leave')) await this.#leave(sections.has('withdraw'))
    })
  }

  #add(what, unit, value, more) {
    this.#run.samples.add(this.#kind.id, `${what}`, unit, value, more)
  }

  /** Waits until the daemon has `size` prefixes and does nothing more, from before `act` on. */
  async #until(size, act) {
    const done = async () => ((await this.#daemon.count()) ?? size) === size
    const resting = rest(this.#daemon.pids, { done, limit: this.#limit })
    const [result, { at, cpu }] = await Promise.all([act(), resting])
    if (at === Infinity)
      throw new Error(`it has ${await this.#daemon.count()} prefixes, not ${size}, after ${this.#limit} ms`)
    return { at, cpu, result }
  }

  async #feed(withdraw) {
    const options = { name: 'feeder', size: this.#size, withdraw }
    return this.#until(withdraw ? 0 : this.#size, () => this.#run.place.feeder.ask('feed', options))
  }

  async #load() {
    await this.#run.place.feeder.ask('dial', { name: 'feeder', to: DAEMON.address, ...FEEDER })
    return this.#feed(false)
  }

  async #receive(counts) {
    const { at, cpu, result } = await this.#load()
    if (!counts) return
    const size = this.#size
    const what = `receive ${label(size)}`
    const took = at - result.started
    const asIs = this.#daemon.memory - this.#base
    const held = (await this.#run.weigh(this.#daemon)) - this.#base
    this.#add(`${what}: until at rest`, 'ms', took)
    this.#add(`${what}: CPU a prefix`, 'µs', (cpu * 1e6) / size)
    this.#add(`${what}: memory a prefix`, 'octets', held / size, size >= 1e6 ? { goal: 160 } : {})
    this.#add(`${what}: memory a prefix, at once`, 'octets', asIs / size)
    this.#run.say(
      this.#kind,
      `${what} in ${round(took)} ms (fed in ${round(result.fed - result.started)}), ${Math.round(held / size)} octets a prefix`,
    )
  }

  async #send(counts) {
    await this.#take(counts ? `send ${label(this.#size)}` : undefined)
    if (!counts) return
    // A process does it once with code that has never run; from then on a table goes out as it does here.
    await this.#run.place.sink.ask('close', { name: 'sink' })
    for (let left = TRIES; ; left--) {
      // A connection that comes while the one before still stands is refused (RFC 4271 section 6.8), and a peer may have to stay away a while.
      await sleep(this.#run.calm)
      try {
        return await this.#take(`send ${label(this.#size)} again`)
      } catch (error) {
        if (left === 0 || !error.message.includes('closed by the daemon')) throw error
      }
    }
  }

  /** A new peer takes the table. */
  async #take(what) {
    const options = { name: 'sink', to: DAEMON.address, size: this.#size, limit: this.#limit, ...SINK }
    const { first, last, size } = await this.#run.place.sink.ask('take', options)
    if (last === Infinity) throw new Error(`${size} of ${this.#size} prefixes came out within ${this.#limit} ms`)
    if (!what) return
    this.#add(`${what}: first prefix`, 'ms', first, { goal: 5 })
    this.#add(`${what}: last octet`, 'ms', last, this.#size === 10_000 ? { goal: 20 } : {})
    this.#run.say(this.#kind, `${what} in ${round(last)} ms, first prefix after ${round(first)}`)
  }

  async #withdraw(passesOn) {
    const reach = { name: 'sink', size: 0, limit: this.#limit }
    const gone = passesOn ? this.#run.place.sink.ask('reach', reach) : undefined
    const [{ at, result }, reached] = await Promise.all([this.#feed(true), gone])
    const what = `withdraw ${label(this.#size)}`
    this.#add(`${what}: until at rest`, 'ms', at - result.started)
    const out = reached && reached.at - result.started
    if (out !== undefined) this.#add(`${what}: last withdrawal comes out`, 'ms', out, { limit: this.#limit })
    this.#run.say(
      this.#kind,
      `${what} in ${round(at - result.started)} ms${out === undefined ? '' : `, out after ${round(out)}`}`,
    )
  }

  async #leave(isEmpty) {
    const { feeder } = this.#run.place
    if (isEmpty) await this.#feed(false)
    const size = this.#size
    const before = await this.#run.weigh(this.#daemon)
    await this.#until(0, () => feeder.ask('close', { name: 'feeder' }))
    await sleep(afterwards(this.#run))
    const after = await this.#run.weigh(this.#daemon)
    const what = `leave ${label(size)}: memory still held a prefix`
    this.#add(what, 'octets', (after - this.#base) / size)
    this.#run.say(
      this.#kind,
      `${what}: ${Math.round((after - this.#base) / size)} of ${Math.round((before - this.#base) / size)}`,
    )
  }
}

/** Sections for which several sizes are worth their time; the others are for the largest. */
const TABLES = ['receive', 'send', 'withdraw', 'leave', 'flat']
const BY_SIZE = ['receive', 'send', 'flat']

/** @param sections of `receive`, `send`, `withdraw`, `leave`, `flat` */
export async function tables(run, sections) {
  const { samples, quick } = run
  const sizes = quick ? [10_000, 50_000] : [10_000, 100_000, 1_000_000]
  for (const size of sizes) {
    const wanted = new Set([...sections].filter(name => size === sizes.at(-1) || BY_SIZE.includes(name)))
    if (!TABLES.some(name => wanted.has(name))) continue
    const title = `tables of ${label(size)}`
    console.error(title)
    const fits = ({ most = Infinity }) => size <= most
    await run.each(title, kind => new Life(run, kind, size).lead(wanted), { fits })
  }
  const large = label(sizes.at(-1))
  const received = `receive ${large}: until at rest`
  samples.relate(`receive ${large}: of BIRD's time`, received, samples.median('bird', received), quick ? undefined : 1)
  const sent = `send ${large}: last octet`
  samples.relate(`send ${large}: of the best peer's time`, sent, samples.best(sent), quick ? undefined : 0.15)
  if (sections.has('flat')) flat(samples, sizes)
}

/** What a prefix costs in a large table, of what it costs in a small one. */
function flat(samples, sizes) {
  for (const figure of ['CPU', 'memory']) {
    const of = size => `receive ${label(size)}: ${figure} a prefix`
    for (const size of sizes.slice(0, -1)) {
      const what = `flat: ${figure} a prefix in ${label(sizes.at(-1))}, of that in ${label(size)}`
      samples.relate(what, of(sizes.at(-1)), samples.median('ours', of(size)))
    }
  }
}
