/** Runs a scenario: of the controller with the controller itself, on a cluster in memory and in virtual time. */
import { setImmediate } from 'node:timers/promises'
import { Controller } from '@typemetal/controller'
import { Registry } from 'prom-client'
import { compare } from './compare.js'
import type { Scenario, ScenarioOptions, Step } from './format.js'
import { MemoryCluster } from './memory-store.js'
import { VirtualClock } from './virtual-clock.js'
import { runWebhookScenario } from './webhook.js'

/** Turns of the loop without any activity after which nothing more will happen by itself. */
const QUIET_TURNS = 3

/** @returns every difference found, as `step N: path: …`; empty when the scenario passes */
export async function runScenario(scenario: Scenario): Promise<readonly string[]> {
  if (scenario.component === 'webhook') return runWebhookScenario(scenario)
  await using bench = new Bench(scenario.options)
  const failures: string[] = []
  for (const [index, step] of scenario.steps.entries()) {
    await bench.step(step)
    const found = step.expect ? await compare(step.expect, bench.cluster, bench.registry) : []
    failures.push(...found.map(failure => `step ${index + 1}: ${failure}`))
  }
  return failures
}

/** A controller and the cluster it works on. */
export class Bench implements AsyncDisposable {
  readonly cluster: MemoryCluster
  readonly clock = new VirtualClock()
  registry = new Registry()
  /** Timers that may fire in one step; a controller that needs more is not settling. */
  mostTimers = 1000
  #options: ScenarioOptions
  #running: { readonly stop: AbortController; readonly ended: Promise<void> } | undefined

  constructor(options: ScenarioOptions = {}) {
    this.#options = options
    this.cluster = new MemoryCluster(options.namespace)
  }

  /** `delete`, then `apply`, then `restart`, then the component settles. */
  async step(step: Step): Promise<void> {
    if (step.restart) await this.stop()
    this.cluster.beginStep(step.fail)
    for (const reference of step.delete ?? []) this.cluster.delete(reference)
    for (const object of step.apply ?? []) this.cluster.apply(object)
    this.#options = { ...this.#options, ...step.options }
    if (!this.#running) this.start()
    await this.settle()
  }

  start(): void {
    const stop = new AbortController()
    this.registry = new Registry()
    this.#running = { stop, ended: this.#run(stop.signal) }
  }

  /** The controller forgets everything; the cluster stays. */
  async stop(): Promise<void> {
    this.#running?.stop.abort()
    await this.#running?.ended
    this.#running = undefined
  }

  /** Lets things happen until nothing happens any more. */
  async settle(): Promise<void> {
    for (let timers = 0; timers < this.mostTimers; timers++) {
      for (let quiet = 0; quiet < QUIET_TURNS;) {
        const before = this.cluster.activity
        await setImmediate()
        quiet = this.cluster.activity === before ? quiet + 1 : 0
      }
      if (!this.clock.advance()) return
    }
    throw new Error(`nothing settled after ${this.mostTimers} timers`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #run(signal: AbortSignal): Promise<void> {
    await using store = this.cluster.connect()
    const options = { namespace: this.#options.namespace ?? 'metallb-system', lbClass: this.#options.lbClass ?? '' }
    await new Controller({ store, options, registry: this.registry, clock: this.clock }).run(signal)
  }
}
