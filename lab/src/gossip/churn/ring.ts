/** A mixed ring, each node on a host of its own, and what can be done to it. */
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Lab } from '../../lab.js'
import { messageOf } from '../../errors.js'
import { filterPackets } from '../../packet-filter.js'
import { until } from '../../wait.js'
import { RingProcess } from '../ring-process.js'
import type { Said } from '../said.js'
import { namesOf, Slot } from './slot.js'
import type { Tally } from './tally.js'

/** What the ring is like. */
export interface ChurnRingOptions {
  /** How many places, 4 or more; every other one begins with a Go node. */
  readonly nodes: number
  readonly encrypted: boolean
  readonly label?: string | undefined
  /** Part of all packets that every host loses, percent. */
  readonly loss: number
  /** Seeded. */
  readonly random: () => number
  /** Ends every wait. */
  readonly signal: AbortSignal
}

/** Longest that the ring may take to agree: after a cut, LAN suspicions of the silent last up to half a minute, one after the other. */
const AGREEMENT = 120_000
/** For so long after a node was disturbed, word of its death is no mistake. */
const QUIET = 15_000
/** Tries of a join; each may be refused or cut off by what else happens. */
const JOIN_TRIES = 3

/** The ring. Its methods resolve when what they do is done, not when all have noticed; some say when that was which all have to. */
export class ChurnRing {
  readonly slots: readonly Slot[]
  readonly #lab: Lab
  readonly #options: ChurnRingOptions
  readonly #tally: Tally
  #key: Uint8Array | undefined
  #metas = 0
  #messages = 0
  #cut = false

  private constructor(lab: Lab, slots: readonly Slot[], options: ChurnRingOptions, tally: Tally) {
    this.#lab = lab
    this.slots = slots
    this.#options = options
    this.#tally = tally
    this.#key = options.encrypted ? this.#newKey() : undefined
  }

  /** Lays the network and starts all nodes at once. */
  static async create(lab: Lab, options: ChurnRingOptions, tally: Tally): Promise<ChurnRing> {
    const lan = await lab.bridge('lan')
    const slots: Slot[] = []
    for (let number = 1; number <= options.nodes; number++) {
      const name = `n${String(number).padStart(2, '0')}`
      const address = `10.0.${number >> 8}.${number & 0xff}`
      const host = await lab.host(name, { links: [{ bridge: lan, addresses: [`${address}/16`] }] })
      if (options.loss > 0) await filterPackets(host, { percent: options.loss })
      slots.push(new Slot(name, address, host, number % 2 === 0 ? 'go' : 'node'))
    }
    const ring = new ChurnRing(lab, slots, options, tally)
    const [seed, ...others] = slots as [Slot, ...Slot[]]
    await ring.start(seed, [])
    await Promise.all(others.map(slot => ring.start(slot, [seed])))
    return ring
  }

  /** Places with a node, in order. */
  get running(): readonly Slot[] {
    return this.slots.filter(({ node }) => node)
  }

  /** Starts a node. @param seeds whom it joins through; with none it is alone */
  async start(slot: Slot, seeds: readonly Slot[]): Promise<number> {
    slot.disturb()
    slot.meta = this.#newMeta()
    slot.counted = 0
    const { kind, name, address, host, meta } = slot
    const node = await RingProcess.start({
      kind,
      name,
      address,
      host,
      meta,
      key: this.#key,
      label: this.#options.label,
    })
    node.listen(said => this.#hear(slot, said))
    slot.node = node
    const started = performance.now()
    if (seeds.length > 0) await this.join(slot, seeds)
    slot.disturb()
    return started
  }

  /** Lets a node join through others, as MetalLB's speakers do from time to time. */
  async join(slot: Slot, seeds: readonly Slot[]): Promise<void> {
    const line = `join ${seeds.map(({ address }) => address).join(' ')}`
    for (let left = JOIN_TRIES - 1; left >= 0; left--) {
      try {
        await slot.node?.command(line)
        return
      } catch (error) {
        this.log(`${slot.name}: ${messageOf(error)}`)
        if (left === 0) this.#tally.add('failedCommand')
        else await this.sleep(500)
      }
    }
  }

  /** Kills a node with SIGKILL. */
  async kill(slot: Slot): Promise<number> {
    await this.count(slot)
    const { node } = slot
    slot.node = undefined
    slot.disturb()
    const killed = performance.now()
    await node?.[Symbol.asyncDispose]()
    return killed
  }

  /** Lets a node say goodbye, then ends it. */
  async leave(slot: Slot): Promise<number> {
    slot.disturb()
    const told = performance.now()
    await this.command(slot, 'leave')
    await this.kill(slot)
    return told
  }

  /** Stops a node's process for a time, milliseconds, and continues it. */
  async stop(slot: Slot, time: number): Promise<void> {
    slot.node?.signal('SIGSTOP')
    try {
      await this.sleep(time)
    } finally {
      slot.node?.signal('SIGCONT')
    }
  }

  /** Gives a node new meta. */
  async changeMeta(slot: Slot): Promise<number> {
    slot.meta = this.#newMeta()
    const changed = performance.now()
    await this.command(slot, `meta ${slot.meta}`)
    return changed
  }

  /** Sends a message both ways of sending, and waits until it has come; one that may be lost is not waited for. */
  async message(from: Slot, to: Slot): Promise<void> {
    const receiver = to.node
    for (const way of this.#options.loss > 0 ? ['reliable'] : ['reliable', 'send']) {
      const payload = `message-${++this.#messages}`
      await this.command(from, `${way} ${to.name} ${payload}`)
      const come = (): true | undefined => receiver?.said.some(said => said.payload === payload) || undefined
      try {
        await until(payload, come, { timeout: 10_000, signal: this.#options.signal })
      } catch (error) {
        if (this.#options.signal.aborted) throw error
        this.log(`${payload} from ${from.name} did not come to ${to.name} (${way})`)
        this.#tally.add('lostMessage')
      }
    }
  }

  /** Gives all nodes a new key, takes it into use, and takes the old one away. */
  async rotate(): Promise<void> {
    const old = this.#key
    if (!old) return
    this.#key = this.#newKey()
    const all = async (command: string, key: Uint8Array): Promise<void> => {
      const line = `${command} ${Buffer.from(key).toString('base64')}`
      await Promise.all(this.running.map(slot => this.command(slot, line)))
    }
    await all('addkey', this.#key)
    await all('usekey', this.#key)
    await this.sleep(3000) // what the old one sealed is still on the way, and may be sent again
    await all('removekey', old)
  }

  /** Cuts the network between some places and the others. */
  async cut(side: readonly Slot[]): Promise<number> {
    this.#cut = true
    const other = this.slots.filter(slot => !side.includes(slot))
    await Promise.all(
      this.slots.map(slot => {
        const from = (side.includes(slot) ? other : side).map(({ address }) => address)
        return filterPackets(slot.host, { from, percent: this.#options.loss })
      }),
    )
    return performance.now()
  }

  /** Ends the cut. */
  async heal(): Promise<number> {
    await Promise.all(this.slots.map(({ host }) => filterPackets(host, { percent: this.#options.loss })))
    for (const slot of this.slots) slot.disturb()
    this.#cut = false
    return performance.now()
  }

  /**
   * Waits until all of these agree that they are the ring, and on what each tells about itself, and counts how long that took.
   * @param since when that happened on which they have to agree, if anything
   * @returns whether they came to agree
   */
  async agree(slots: readonly Slot[], since: number | undefined): Promise<boolean> {
    const look = (): true | undefined => this.#disputes(slots).length === 0 || undefined
    try {
      await until('agreement', look, { timeout: AGREEMENT, interval: 10, signal: this.#options.signal })
      this.#tally.agreements++
      if (since === undefined) return true
      const took = performance.now() - since
      this.#tally.converged(took)
      this.log(`agreed after ${Math.round(took)} ms`)
      return true
    } catch (error) {
      if (this.#options.signal.aborted) throw error
      for (const dispute of this.#disputes(slots)) this.log(dispute)
      this.#tally.add('disagreement')
      return false
    }
  }

  /** Counts what a node could not read since the last time; and, too, that it has ended by itself. */
  async count(slot: Slot): Promise<void> {
    const { node, kind, name } = slot
    if (!node) return
    if (!node.running) {
      this.log(`${name} (${kind}) ended by itself`)
      this.#tally.add('crash')
      slot.node = undefined
      return
    }
    const { faults = {} } = kind === 'node' ? ((await this.command(slot, 'counters')) ?? {}) : {}
    const total = kind === 'node' ? Object.values(faults).reduce((a, b) => a + b, 0) : node.complaints.length
    if (total === slot.counted) return
    this.log(`${name} (${kind}): ${kind === 'node' ? JSON.stringify(faults) : node.complaints.join('; ')}`)
    this.#tally.add(kind === 'node' ? 'fault' : 'complaint', total - slot.counted)
    slot.counted = total
  }

  /** Gives a node a command; a failure is counted. */
  async command(slot: Slot, line: string): Promise<Said | undefined> {
    try {
      return await slot.node?.command(line)
    } catch (error) {
      this.log(`${slot.name} (${slot.kind}): ${messageOf(error)}`)
      this.#tally.add('failedCommand')
      return undefined
    }
  }

  /** Writes a line into the run's own log, beside those of the nodes. */
  log(line: string): void {
    appendFileSync(join(this.#lab.directory, 'logs', 'churn.log'), `${new Date().toISOString()} ${line}\n`)
  }

  /** Waits. */
  sleep(time: number): Promise<void> {
    return sleep(time, undefined, { signal: this.#options.signal })
  }

  /** Somebody taken for dead who runs, well reachable, is a mistake. */
  #hear(slot: Slot, { event, node: about }: Said): void {
    if (event !== 'leave' || about === slot.name) return
    this.log(`${slot.name} (${slot.kind}): leave ${about}`)
    const subject = this.slots.find(({ name }) => name === about)
    if (!subject?.node || this.#cut || Math.min(subject.quietFor, slot.quietFor) < QUIET) return
    this.log(`${about} (${subject.kind}) runs, though`)
    this.#tally.add('falseDeath')
  }

  #disputes(slots: readonly Slot[]): readonly string[] {
    const names = namesOf(slots)
    return slots.flatMap(({ name, kind, node }) => {
      if (!node?.running) return [`${name} (${kind}) does not run`]
      if (node.view !== names) return [`${name} (${kind}) sees ${node.view} instead of ${names}`]
      return slots
        .filter(other => other.name !== name && node.metas.get(other.name) !== other.meta)
        .map(other => `${name} (${kind}) believes ${node.metas.get(other.name)} of ${other.name}, not ${other.meta}`)
    })
  }

  #newMeta(): string {
    return `meta-${++this.#metas}`
  }

  /** AES-128, 192 or 256. */
  #newKey(): Uint8Array {
    const { random } = this.#options
    return Uint8Array.from({ length: 16 + 8 * Math.floor(random() * 3) }, () => Math.floor(random() * 256))
  }
}
