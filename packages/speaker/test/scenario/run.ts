/** Runs a scenario against the speaker's own decisions: no cluster, no socket, no clock. */
import { formatConfigError } from '@typemetal/cluster'
import { Registry } from 'prom-client'
import {
  Decider,
  bgpStatusWrites,
  conditionsOf,
  createSpeakerMetrics,
  eventsOf,
  layer2StatusWrites,
  peerLimits,
  recordOutcome,
  sessionChange,
} from '@typemetal/speaker'
import type { Outcome, Plan, SpeakerMetrics } from '@typemetal/speaker'
import { MemoryCluster } from './cluster.js'
import { compare } from './compare.js'
import type { Scenario, ScenarioOptions, SpeakerExpectation, Step } from './format.js'

/** What one node wants after a step, in the words of `expect`. */
export interface Observation {
  readonly outcome: Outcome
  readonly before: Plan | undefined
  readonly registry: Registry
}

interface NodeUnderTest {
  readonly name: string
  decider: Decider
  registry: Registry
  metrics: SpeakerMetrics
  plan: Plan | undefined
}

/** @returns every difference found, as `step N: path: …`; empty when the scenario passes */
export async function runScenario(scenario: Scenario): Promise<readonly string[]> {
  const run = new Run(scenario)
  const failures: string[] = []
  for (const [i, step] of scenario.steps.entries()) {
    failures.push(...(await run.step(step)).map(failure => `step ${i + 1}: ${failure}`))
  }
  return failures
}

class Run {
  readonly #cluster: MemoryCluster
  readonly #nodes: readonly NodeUnderTest[]
  #options: ScenarioOptions
  #members: readonly string[] | undefined

  constructor(scenario: Scenario) {
    this.#options = scenario.options ?? {}
    this.#cluster = new MemoryCluster(this.#options.namespace)
    this.#members = this.#options.members
    const names = scenario.steps.flatMap(step => Object.keys(step.expect?.nodes ?? {}))
    const own = this.#options.node === undefined ? [] : [this.#options.node]
    this.#nodes = [...new Set([...own, ...names])].map(name => ({ name, plan: undefined, ...this.#fresh(name) }))
  }

  async step(step: Step): Promise<readonly string[]> {
    for (const { kind, namespace, name } of step.delete ?? []) {
      this.#cluster.delete(kind, this.#cluster.keyOf(kind, name, namespace))
    }
    for (const object of step.apply ?? []) this.#cluster.apply(object)
    this.#members = step.members ?? this.#members
    if (step.restart) this.#restart(step.options ?? {})
    const failures: string[] = []
    for (const node of this.#nodes) failures.push(...(await this.#ask(node, step)))
    return failures
  }

  #restart(options: ScenarioOptions): void {
    this.#options = { ...this.#options, ...options }
    this.#members = options.members ?? this.#members
    for (const node of this.#nodes) Object.assign(node, { plan: undefined, ...this.#fresh(node.name) })
  }

  #fresh(node: string): Pick<NodeUnderTest, 'decider' | 'registry' | 'metrics'> {
    const { namespace = 'metallb-system', interfaces: _, members: __, ...flags } = this.#options
    const registry = new Registry()
    return {
      decider: new Decider({ ...flags, node, namespace }),
      registry,
      metrics: createSpeakerMetrics(registry),
    }
  }

  async #ask(node: NodeUnderTest, step: Step): Promise<readonly string[]> {
    const { interfaces } = this.#options
    const outcome = node.decider.step(this.#cluster.snapshot(), { members: this.#members, interfaces })
    const before = node.plan
    recordOutcome(node.metrics, outcome)
    node.plan = outcome.plan
    const expectation = step.expect?.nodes?.[node.name] ?? (node.name === this.#options.node ? step.expect : undefined)
    if (!expectation) return []
    const observed = await observe(
      { outcome, before, registry: node.registry },
      this.#options.namespace ?? 'metallb-system',
    )
    const { nodes: _, ...expected } = expectation as SpeakerExpectation & { nodes?: unknown }
    return compare(expected, observed)
  }
}

/** What {@link compare} looks at. */
export type Observed = Awaited<ReturnType<typeof observe>>

async function observe({ outcome, before, registry }: Observation, namespace: string) {
  const { plan, configuration, transitions } = outcome
  const limits = [...plan.sessions.values()].flatMap(session => peerLimits(session))
  const owner = { node: plan.node, namespace }
  const conditions = conditionsOf(configuration, limits)
  const errors = configuration.state === 'invalid' ? configuration.errors.map(formatConfigError) : []
  return {
    plan,
    config: configuration.state === 'inForce' ? 'valid' : 'invalid',
    configErrors: [...errors, ...conditions.filter(({ status }) => status === 'False').map(({ message }) => message)],
    conditions,
    events: transitions.flatMap(transition => eventsOf(transition, plan.node)),
    resets: resetSessions(before, plan),
    l2Statuses: layer2StatusWrites(plan, owner, []),
    bgpStatuses: bgpStatusWrites(plan, owner, []),
    metrics: parseMetrics(await registry.metrics()),
  }
}

function resetSessions(before: Plan | undefined, after: Plan): readonly string[] {
  const names: string[] = []
  for (const [name, session] of after.sessions) {
    const previous = before?.sessions.get(name)
    if (previous && sessionChange(previous, session).resets.length > 0) names.push(name)
  }
  return names
}

function parseMetrics(text: string): ReadonlyMap<string, number> {
  const samples = text.split('\n').filter(line => line !== '' && !line.startsWith('#'))
  return new Map(
    samples.map(line => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  )
}
