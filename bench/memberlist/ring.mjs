// A ring of real processes of one kind.
import { setTimeout as sleep } from 'node:timers/promises'
import { LabError, RingProcess, until } from '@typemetal/lab'

/** Processes that start at a time: more would only wait for one another. */
const STARTING = 4
/** A node that does not see all after so long joins once more, so that a ring of the peer's gets complete at all. */
const PATIENCE = 8000
/** Longest that a ring may take to be complete, milliseconds. */
const SETTLING = 180_000

/** Milliseconds of the wall clock, as the nodes say it. */
export const wallClock = () => performance.timeOrigin + performance.now()

/** Does something with each of a list, some at a time. */
async function each(list, width, work) {
  const rest = [...list.entries()]
  const next = async () => {
    for (let entry = rest.shift(); entry; entry = rest.shift()) await work(entry[1], entry[0])
  }
  await Promise.all(Array.from({ length: width }, next))
}

/** A ring, its nodes by index. */
export class Ring {
  /** @type {RingProcess[]} */
  nodes = []
  /** How often a node was said to be gone although nothing was done to it, since the ring was settled. */
  falseDeaths = 0
  #victim
  #room
  #options

  constructor(room, options) {
    this.#room = room
    this.#options = options
  }

  /**
   * Starts the processes, which know only themselves yet.
   * @param options `{ kind, preset, count }`
   */
  static async start(room, options) {
    const ring = new Ring(room, options)
    await each(Array.from({ length: options.count }), STARTING, (_, i) => ring.#startNode(i))
    return ring
  }

  /** Starts a ring whose nodes join one by one, and waits until all see all. */
  static async settled(room, options) {
    const ring = await Ring.start(room, options)
    for (const node of ring.nodes.slice(1)) await ring.#join(node)
    await ring.settle()
    ring.falseDeaths = 0 // starting fifty processes on few cores is a load of its own
    return ring
  }

  get kind() {
    return this.#options.kind
  }

  /** Network namespaces that are the ring's alone. */
  get hosts() {
    return this.#room.hosts
  }

  get complete() {
    return this.nodes.every(node => node.size === this.nodes.length)
  }

  /** Waits until all see all. */
  async settle() {
    const deadline = performance.now() + SETTLING
    while (!(await this.#completeWithin(PATIENCE))) {
      if (performance.now() > deadline) throw new LabError('ERR_LAB_TIMEOUT', `the ${this.kind} ring does not settle`)
      const lagging = this.nodes.filter(node => node.size < this.nodes.length)
      await Promise.all(lagging.map(node => this.#join(node)))
    }
  }

  /** Joins through the first node that is another; a join that fails is made up for by {@link settle}. */
  async #join(node) {
    const through = this.nodes.find(other => other !== node)
    await node.command(`join ${through.address}`).catch(error => {
      if (!node.running) throw error
    })
  }

  async #completeWithin(timeout) {
    const look = () => this.complete || undefined
    return until('a complete ring', look, { timeout }).catch(() => false)
  }

  /**
   * Does something to a node and waits until the others say that it is gone.
   * @returns milliseconds until the first said so and until the last did; `Infinity` for what took longer than `limit`
   */
  async gone(victim, act, limit) {
    const others = this.nodes.filter(node => node !== victim)
    const times = new Map()
    const ends = others.map(node =>
      node.listen(({ event, node: about, at }) => {
        if (event === 'leave' && about === victim.name && !times.has(node)) times.set(node, at)
      }),
    )
    this.#victim = victim
    const started = wallClock()
    await act()
    const look = () => times.size === others.length || undefined
    const all = await until('all to know', look, { timeout: limit }).catch(() => false)
    for (const end of ends) end()
    const after = [...times.values()].map(at => Math.round(at - started))
    return { first: Math.min(...after), all: all ? Math.max(...after) : Infinity }
  }

  /** Ends the process of a node, starts it again and waits until all see all. */
  async replace(node) {
    const i = this.nodes.indexOf(node)
    await node[Symbol.asyncDispose]()
    await this.#startNode(i)
    await this.#join(this.nodes[i])
    await this.settle()
    this.#victim = undefined
  }

  /** Kills all processes and deletes their hosts. */
  async close() {
    await Promise.all(this.nodes.map(node => node[Symbol.asyncDispose]()))
    await Promise.all(this.hosts.map(host => host[Symbol.asyncDispose]()))
  }

  async #startNode(i) {
    const { kind, preset } = this.#options
    const name = `n${String(i).padStart(3, '0')}`
    const node = await RingProcess.start({ kind, preset, name, ...this.#room.seat(i) })
    node.listen(({ event, node: about }) => {
      // A victim that is cut off misses all the others, and rightly so.
      const victim = this.#victim?.name
      if (event === 'leave' && about !== victim && name !== victim && about !== name) this.falseDeaths++
    })
    this.nodes[i] = node
  }
}

/** Waits for a random part of the probe interval, so that what comes next meets the ring at any moment of it. */
export const anyMoment = preset => sleep(Math.random() * (preset === 'fast' ? 100 : 1000))

/** Any node of a ring. */
export const anyOf = ({ nodes }) => nodes[Math.floor(Math.random() * nodes.length)]
