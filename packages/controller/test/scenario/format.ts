/** The shape of a controller or webhook scenario; unknown keys are errors. */
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

/** What happens to the objects of the cluster. */
interface ObjectChanges {
  readonly delete?: readonly { readonly kind: string; readonly namespace?: string; readonly name: string }[]
  readonly apply?: readonly AnyObject[]
}

export interface Step extends ObjectChanges {
  readonly restart?: boolean
  readonly options?: ScenarioOptions
  readonly fail?: readonly Failure[]
  readonly expect?: Expectation
}

/** One question of the API server. */
export interface WebhookStep extends ObjectChanges {
  readonly admit?: { readonly operation: string; readonly object?: AnyObject; readonly oldObject?: AnyObject }
  readonly convert?: { readonly object: AnyObject; readonly desiredAPIVersion: string }
  readonly expect?: WebhookExpectation
}

/** The answer to {@link WebhookStep.admit}, or to {@link WebhookStep.convert}. */
export interface WebhookExpectation {
  readonly allowed?: boolean
  readonly message?: string
  /** `null`: there is none. */
  readonly warning?: string | null
  /** Fields that are not named are not checked; `null`: there is no such field. */
  readonly converted?: unknown
}

interface Common<S> {
  readonly name: string
  readonly options?: ScenarioOptions
  readonly steps: readonly S[]
}

export interface ControllerScenario extends Common<Step> {
  readonly component: 'controller'
}

export interface WebhookScenario extends Common<WebhookStep> {
  readonly component: 'webhook'
}

export type Scenario = ControllerScenario | WebhookScenario

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
  webhookStep: ['delete', 'apply', 'admit', 'convert', 'expect'],
  admit: ['operation', 'object', 'oldObject'],
  convert: ['object', 'desiredAPIVersion'],
  answer: ['allowed', 'message', 'warning', 'converted'],
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
  const { name, component } = scenario as { readonly name: string; readonly component: string }
  only(scenario, 'scenario', name)
  if (component !== 'controller' && component !== 'webhook')
    throw new Error(`${name}: component ${component} is not ours`)
  only(scenario.options, 'options', name)
  if (!Array.isArray(scenario.steps)) throw new Error(`${name}: steps is not a list`)
  for (const [index, step] of scenario.steps.entries()) {
    const place = `${name}: step ${index + 1}`
    only(step, scenario.component === 'webhook' ? 'webhookStep' : 'step', place)
    for (const reference of step.delete ?? []) only(reference, 'reference', place)
    if (scenario.component === 'webhook') checkWebhookStep(step as WebhookStep, place)
    else checkStep(step as Step, place)
  }
  return scenario
}

function checkStep({ options, fail = [], expect }: Step, place: string): void {
  only(options, 'options', place)
  for (const failure of fail) only(failure, 'fail', place)
  only(expect, 'expect', place)
  only(expect?.configurationState, 'configurationState', place)
  only(expect?.allocated, 'allocated', place)
  for (const service of Object.values(expect?.services ?? {})) {
    only(service, 'service', place)
    if (!Array.isArray(service.ips)) only(service.ips, 'ips', place)
    for (const event of [service.event ?? []].flat()) only(event, 'event', place)
  }
  for (const pool of Object.values(expect?.pools ?? {})) only(pool, 'pool', place)
}

function checkWebhookStep({ admit, convert, expect }: WebhookStep, place: string): void {
  only(admit, 'admit', place)
  only(convert, 'convert', place)
  only(expect, 'answer', place)
  if (admit && convert) throw new Error(`${place}: admit and convert in one step`)
  if (expect && !admit && !convert) throw new Error(`${place}: expect without admit or convert`)
  const foreign = convert ? ['allowed', 'warning'] : ['converted']
  const misplaced = Object.keys(expect ?? {}).find(key => foreign.includes(key))
  if (misplaced !== undefined) throw new Error(`${place}: ${misplaced} is no part of this answer`)
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
