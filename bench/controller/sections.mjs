// What is measured of a controller on an API server: `allocate`, `sync` and `latency`, one after the other in one cluster.
import { setTimeout as sleep } from 'node:timers/promises'
import { percentile } from '../bgp/samples.mjs'
import { cpuOf, memoryOf } from '../memberlist/proc.mjs'
import { Daemon } from './daemons.mjs'

const STEP = 5
/** Milliseconds: MetalLB's client asks for no more than 20 things a second, so it is not waited for to the end. */
const LIMIT = 60_000
/** Numbers of the addresses that the bench gives to others than those that stand. */
const OTHERS = { left: 100_000, strangers: 300_000 }
/** Names are equally long. */
const FIRST = 100_000
const STRANGER = 'bench.example/nobody'
const GOALS = { resident: 150, idle: 0.5, late: 50 }

/** Everything about one controller. */
export class Subject {
  #run
  #cluster
  #kind
  #program

  constructor(run, cluster, kind, program) {
    this.#run = run
    this.#cluster = cluster
    this.#kind = kind
    this.#program = program
  }

  async measure(sections) {
    const { services } = this.#run
    const names = Array.from({ length: services }, (_, i) => `standing-${FIRST + i}`)
    if (sections.has('allocate')) await this.#allocate(names)
    else await this.#create(names, true)
    if (sections.has('sync') || sections.has('latency')) await this.#standing(sections)
  }

  /** Services stand in the API server when the controller comes: until all have an address. */
  async #allocate(names) {
    const cluster = this.#cluster
    await this.#create(names, false)
    const before = await cluster.requests()
    await this.#with(async daemon => {
      const end = daemon.started + LIMIT
      while (cluster.served < names.length && performance.now() < end) {
        daemon.check()
        await sleep(STEP)
      }
      const ms = performance.now() - daemon.started
      const { served } = cluster
      if (served === 0) throw new Error(`no Service has an address after ${LIMIT / 1000} s`)
      const title = `${names.length.toLocaleString('en')} new Services`
      const seconds = served < names.length ? Infinity : ms / 1000
      this.#add(`${title}: until all have an address`, 's', seconds, { limit: LIMIT / 1000 })
      this.#add(`${title}: time of one`, 'ms', ms / served)
      this.#add(`${title}: CPU of one`, 'ms', (cpuOf(daemon.pid) * 1000) / served)
      this.#add(`${title}: resident at the end`, 'MB', memoryOf(daemon.pid).resident)
      this.#add(`${title}: requests of one, events too`, '', ((await cluster.requests()) - before) / served)
    })
    const left = (await cluster.admin.list('/api/v1/namespaces/default/services')).filter(
      ({ spec, status }) => spec.type === 'LoadBalancer' && !status.loadBalancer?.ingress?.length,
    )
    for (const [i, each] of left.entries()) await cluster.serve(each, OTHERS.left + i)
  }

  /** All have addresses; one more comes, whose address tells that the controller works. */
  async #standing(sections) {
    const cluster = this.#cluster
    const { services, pause, probes } = this.#run
    const title = `${services.toLocaleString('en')} standing`
    await cluster.createOne('newcomer')
    await this.#with(async daemon => {
      const served = cluster.untilServed('newcomer')
      const ready = untilReady(daemon)
      const took = (await served) - daemon.started
      const readyAt = await ready
      if (sections.has('sync')) {
        if (readyAt !== undefined) this.#add(`${title}: start until ready`, 'ms', readyAt - daemon.started)
        this.#add(`${title}: start until a new one has its address`, 'ms', took)
        await sleep(pause / 3)
        const cpu = cpuOf(daemon.pid)
        await sleep(pause)
        const share = ((cpuOf(daemon.pid) - cpu) / (pause / 1000)) * 100
        this.#add(`${title}: resident at rest`, 'MB', memoryOf(daemon.pid).resident, { goal: GOALS.resident })
        this.#add(`${title}: CPU at rest`, '% of a core', share, { goal: GOALS.idle })
      }
      if (sections.has('latency')) await this.#latency(title, probes)
    })
  }

  /**
   * One Service after the other, by the events of one watch: from its coming to its address. That has one round trip of the API server
   * in it, the controller's write; what such a one takes is told by Services of a class that no controller serves, whose status the
   * bench writes.
   */
  async #latency(title, probes) {
    const cluster = this.#cluster
    const [theirs, floor] = [[], []]
    for (let i = 0; i < probes; i++) {
      const name = `probe-${i}`
      cluster.expect(name)
      const served = cluster.untilServed(name)
      await cluster.createOne(name)
      const at = await served
      theirs.push(at - cluster.cameAt(name))
      const stranger = await cluster.createOne(`stranger-${i}`, STRANGER)
      const start = performance.now()
      const seen = cluster.untilServed(`stranger-${i}`)
      await cluster.serve(stranger, OTHERS.strangers + i)
      floor.push((await seen) - start)
    }
    for (const share of [0.5, 0.99]) {
      const name = `p${share * 100}`
      const goal = share === 0.99 ? { goal: GOALS.late } : {}
      this.#add(
        `${title}, one comes: from its event to that of its address, ${name}`,
        'ms',
        percentile(theirs, share),
        goal,
      )
      this.#add(`${title}: of a PUT of the bench until its event, ${name}`, 'ms', percentile(floor, share))
    }
  }

  async #create(names, served) {
    const start = performance.now()
    await this.#cluster.create(names, served)
    const seconds = (performance.now() - start) / 1000
    console.error(`  ${names.length.toLocaleString('en')} Services made in ${seconds.toFixed(1)} s`)
  }

  async #with(work) {
    const cluster = this.#cluster
    const { id } = this.#kind
    const daemon = await Daemon.start(this.#kind, this.#program, await cluster.kubeconfig(), cluster.log(id))
    try {
      await work(daemon)
    } catch (error) {
      throw new Error(`${error.message}; it says:${daemon.words}`, { cause: error })
    } finally {
      await daemon.stop()
    }
  }

  #add(what, unit, value, more) {
    this.#run.samples.add(this.#kind.id, what, unit, value, more)
    console.error(`  ${this.#kind.name}: ${what}: ${value.toPrecision(4)} ${unit}`)
  }
}

/** @returns the moment; `undefined` for a controller whose word says nothing */
async function untilReady(daemon) {
  for (;;) {
    const ready = await daemon.isReady()
    if (ready === undefined) return undefined
    if (ready) return performance.now()
    daemon.check()
    await sleep(STEP)
  }
}
