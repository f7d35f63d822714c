/** The shape of a controller scenario; unknown keys are errors. */
import type { KubernetesObject } from '@typemetal/cluster'
import { parseAllDocuments } from 'yaml'

/** An object as YAML gives it. */
export type AnyObject = KubernetesObject & { readonly status?: unknown }

/** Flags of the controller under test. */
export interface ScenarioOptions {
  readonly namespace?: string
  readonly lbClass?: string
}

/** One thing expected of an event; texts are regular expressions where they are messages. */
export interface EventExpectation {
  readonly type?: string
  readonly reason?: string
  readonly message?: string
}

/** A number of addresses out of some blocks, or a set in any order. */
export interface LooseIPs {
  readonly count?: number
  readonly within?: readonly string[]
  readonly set?: readonly string[]
}

export interface ServiceExpectation {
  readonly ips?: readonly string[] | LooseIPs
  readonly ingress?: readonly unknown[]
  readonly pool?: string | readonly string[]
  readonly sameIpsAs?: string
  readonly event?: EventExpectation | readonly EventExpectation[]
  readonly noEvent?: string | readonly string[]
  readonly noWarning?: boolean
  readonly annotations?: Readonly<Record<string, string | null>>
}

export interface Expectation {
  readonly config?: 'valid' | 'invalid'
  readonly configError?: string
  readonly configurationState?: { readonly result?: string; readonly reason?: string }
  readonly services?: Readonly<Record<string, ServiceExpectation>>
  readonly allocated?: { readonly of: readonly string[]; readonly count: number }
  readonly distinctIps?: readonly string[]
  readonly statusWrites?: Readonly<Record<string, number>>
  readonly pools?: Readonly<Record<string, Readonly<Record<string, number | bigint>> | null>>
  readonly metrics?: Readonly<Record<string, number | bigint | null>>
}

/** API writes that fail. */
export interface Failure {
  readonly verb: 'updateStatus' | 'create'
  readonly kind: string
  readonly name: string
  readonly code: number
  readonly times?: number
}

export interface Step {
  readonly delete?: readonly { readonly kind: string; readonly namespace?: string; readonly name: string }[]
  readonly apply?: readonly AnyObject[]
  readonly restart?: boolean
  readonly options?: ScenarioOptions
  readonly fail?: readonly Failure[]
  readonly expect?: Expectation
}

export interface Scenario {
  readonly name: string
  readonly component: string
  readonly options?: ScenarioOptions
  readonly steps: readonly Step[]
}

const KEYS = {
  scenario: ['name', 'component', 'options', 'steps'],
  // The flags of the other components may stand in any scenario.
  options: ['namespace', 'lbClass', 'ignoreExcludeLb', 'node', 'interfaces', 'members'],
  step: ['delete', 'apply', 'members', 'restart', 'options', 'fail', 'expect'],
  reference: ['kind', 'namespace', 'name'],
  fail: ['verb', 'kind', 'name', 'code', 'times'],
  expect: `config configError configurationState services allocated distinctIps statusWrites pools metrics`.split(' '),
  configurationState: ['result', 'reason'],
  allocated: ['of', 'count'],
  service: `ips ingress pool sameIpsAs event noEvent noWarning annotations`.split(' '),
  ips: ['count', 'within', 'set'],
  event: ['type', 'reason', 'message'],
  pool: ['assignedIPv4', 'assignedIPv6', 'availableIPv4', 'availableIPv6'],
} as const

/**
 * Reads all scenarios of a file.
 *
 * @throws {Error} not YAML, a key that no scenario has, or another component's scenario
 */
export function parseScenarios(text: string): readonly Scenario[] {
  return parseAllDocuments(text, { merge: true, intAsBigInt: true }).flatMap(document => {
    if (document.errors[0]) throw document.errors[0]
    const value = withNumbers(document.toJS()) as Scenario | null
    return value === null ? [] : [checked(value)]
  })
}

function checked(scenario: Scenario): Scenario {
  only(scenario, 'scenario', scenario.name)
  if (scenario.component !== 'controller')
    throw new Error(`${scenario.name}: component ${scenario.component} is not ours`)
  only(scenario.options, 'options', scenario.name)
  for (const [index, step] of scenario.steps.entries()) {
    const place = `${scenario.name}: step ${index + 1}`
    only(step, 'step', place)
    only(step.options, 'options', place)
    for (const reference of step.delete ?? []) only(reference, 'reference', place)
    for (const failure of step.fail ?? []) only(failure, 'fail', place)
    checkExpectation(step.expect, place)
  }
  return scenario
}

function checkExpectation(expectation: Expectation | undefined, place: string): void {
  only(expectation, 'expect', place)
  only(expectation?.configurationState, 'configurationState', place)
  only(expectation?.allocated, 'allocated', place)
  for (const service of Object.values(expectation?.services ?? {})) {
    only(service, 'service', place)
    if (!Array.isArray(service.ips)) only(service.ips, 'ips', place)
    for (const event of [service.event ?? []].flat()) only(event, 'event', place)
  }
  for (const pool of Object.values(expectation?.pools ?? {})) only(pool, 'pool', place)
}

function only(value: object | null | undefined, kind: keyof typeof KEYS, place: string): void {
  const allowed: readonly string[] = KEYS[kind]
  const unknown = Object.keys(value ?? {}).find(key => !allowed.includes(key))
  if (unknown !== undefined) throw new Error(`${place}: unknown key ${unknown}`)
}

/** Turns the integers that a number holds exactly into numbers. */
function withNumbers(value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value
  if (Array.isArray(value)) return value.map(withNumbers)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, withNumbers(field)]))
}
