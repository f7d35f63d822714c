/** Runs a scenario: of the controller with the controller itself, on a cluster in memory and in virtual time. */
import { setImmediate } from 'node:timers/promises'
import type { Service } from '@typemetal/cluster'
import { Controller } from '@typemetal/controller'
import { Registry } from 'prom-client'
import { compare, ipsIn, ipsOf, POOL_RECORD } from './compare.js'
import type { Scenario, ScenarioOptions, Step } from './format.js'
import { keyOf, MemoryCluster } from './memory-store.js'
import { VirtualClock } from './virtual-clock.js'
import { runWebhookScenario } from './webhook.js'

/** Turns of the loop without any activity after which nothing more will happen by itself. */
const QUIET_TURNS = 3

/** @returns every difference found, as `step N: path: …`; empty when the scenario passes */
export async function runScenario(scenario: Scenario): Promise<readonly string[]> {
  if (scenario.component === 'webhook') return runWebhookScenario(scenario)
  await using bench = new Bench(scenario.options)
  const failures: string[] = []
  const twice: string[] = []
  bench.cluster.onStatusWrite = service => twice.push(...claimedTwice(service as Service, bench.cluster))
  for (const [index, step] of scenario.steps.entries()) {
    await bench.step(step)
    failures.push(...twice.splice(0).map(failure => `step ${index + 1}: ${failure}`))
    const found = step.expect ? await compare(step.expect, bench.cluster, bench.registry) : []
    failures.push(...found.map(failure => `step ${index + 1}: ${failure}`))
  }
  return failures
}

/**
 * What no scenario has to ask for: at no moment does a write give a Service an address that is still in the status of another,
 * unless they share it.
 */
function claimedTwice(written: Service, cluster: MemoryCluster): readonly string[] {
  const key = keyOf(written)
  const before = ipsOf(cluster, key)
  const given = ipsIn(written).filter(ip => !before.includes(ip))
  const rivals = (cluster.all('Service') as readonly Service[]).filter(other => keyOf(other) !== key && isServed(other))
  return given.flatMap(ip =>
    rivals
      .filter(other => ipsIn(other).includes(ip) && !(sharingKey(written) && sharingKey(written) === sharingKey(other)))
      .map(other => `services.${key}.ips: ${ip} is still in the status of ${keyOf(other)}`),
  )
}

/** What has no record of a pool was not given its addresses by us. */
const isServed = ({ metadata }: Service): boolean => metadata.annotations?.[POOL_RECORD] !== undefined

function sharingKey({ metadata: { annotations = {} } }: Service): string {
  return annotations['metallb.io/allow-shared-ip'] ?? annotations['metallb.universe.tf/allow-shared-ip'] ?? ''
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
  /** What the controller ended with by itself. */
  #crash: Error | undefined

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
    const ended = this.#run(stop.signal).catch((error: unknown) => {
      this.#crash = error as Error
    })
    this.#running = { stop, ended }
  }

  /** The controller forgets everything; the cluster stays. */
  async stop(): Promise<void> {
    this.#running?.stop.abort()
    await this.#running?.ended
    this.#running = undefined
    this.#throwCrash()
  }

  /** Lets things happen until nothing happens any more. */
  async settle(): Promise<void> {
    for (let timers = 0; timers < this.mostTimers; timers++) {
      for (let quiet = 0; quiet < QUIET_TURNS;) {
        const before = this.cluster.activity
        await setImmediate()
        quiet = this.cluster.activity === before ? quiet + 1 : 0
      }
      this.#throwCrash()
      if (!this.clock.advance()) return
    }
    throw new Error(`nothing settled after ${this.mostTimers} timers`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  #throwCrash(): void {
    const crash = this.#crash
    this.#crash = undefined
    if (crash) throw crash
  }

  async #run(signal: AbortSignal): Promise<void> {
    await using store = this.cluster.connect()
    const options = { namespace: this.#options.namespace ?? 'metallb-system', lbClass: this.#options.lbClass ?? '' }
    await new Controller({ store, options, registry: this.registry, clock: this.clock }).run(signal)
  }
}
