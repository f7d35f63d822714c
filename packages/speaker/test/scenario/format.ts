/** The shape of a speaker scenario; unknown keys are errors. */
import { parseAllDocuments } from 'yaml'
import type { ElectionLevel } from '@typemetal/speaker'
import type { AnyObject } from './cluster.js'

/** Flags of the speaker under test. */
export interface ScenarioOptions {
  readonly namespace?: string
  readonly lbClass?: string
  readonly ignoreExcludeLb?: boolean
  readonly electionLevel?: ElectionLevel
  readonly node?: string
  readonly interfaces?: readonly string[]
  readonly members?: readonly string[]
}

/** One thing expected of an event. */
export interface EventExpectation {
  readonly type?: string
  readonly reason?: string
  readonly message?: string
}

/** What one node is expected to want. */
export interface SpeakerExpectation {
  readonly config?: 'valid' | 'invalid'
  readonly configError?: string
  readonly configurationState?: { readonly result?: string; readonly reason?: string }
  readonly layer2?: Readonly<Record<string, Layer2Expectation>>
  readonly bgp?: {
    readonly sessions?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
    readonly resets?: readonly string[]
    readonly routes?: Readonly<Record<string, readonly RouteExpectation[]>>
    readonly services?: Readonly<Record<string, { readonly announce?: boolean; readonly reason?: string }>>
  }
  readonly statuses?: {
    readonly l2?: Readonly<Record<string, { readonly node?: string; readonly interfaces?: readonly string[] } | null>>
    readonly bgp?: Readonly<Record<string, readonly string[] | null>>
  }
  readonly metrics?: Readonly<Record<string, number | null>>
}

export interface Layer2Expectation {
  readonly announce?: boolean
  readonly interfaces?: 'all' | readonly string[]
  readonly ips?: readonly string[]
  readonly reason?: string
  readonly event?: EventExpectation | readonly EventExpectation[]
}

export interface RouteExpectation {
  readonly prefix: string
  readonly localPref?: number
  readonly communities?: readonly string[]
  readonly nextHop?: string
}

export interface Step {
  readonly delete?: readonly { readonly kind: string; readonly namespace?: string; readonly name: string }[]
  readonly apply?: readonly AnyObject[]
  readonly members?: readonly string[]
  readonly restart?: boolean
  readonly options?: ScenarioOptions
  readonly fail?: readonly unknown[]
  readonly expect?: SpeakerExpectation & { readonly nodes?: Readonly<Record<string, SpeakerExpectation>> }
}

export interface Scenario {
  readonly name: string
  readonly component: 'speaker'
  readonly options?: ScenarioOptions
  readonly steps: readonly Step[]
}

/** The keys of each part of a scenario. */
const KEYS = {
  scenario: ['name', 'component', 'options', 'steps'],
  options: ['namespace', 'lbClass', 'ignoreExcludeLb', 'electionLevel', 'node', 'interfaces', 'members'],
  step: ['delete', 'apply', 'members', 'restart', 'options', 'fail', 'expect'],
  reference: ['kind', 'namespace', 'name'],
  fail: ['verb', 'kind', 'name', 'code', 'times'],
  node: ['config', 'configError', 'configurationState', 'layer2', 'bgp', 'statuses', 'metrics'],
  configurationState: ['result', 'reason'],
  layer2: ['announce', 'interfaces', 'ips', 'reason', 'event'],
  event: ['type', 'reason', 'message'],
  bgp: ['sessions', 'resets', 'routes', 'services'],
  session: [
    'peerAddress', 'peerPort', 'interface', 'myASN', 'peerASN', 'dynamicASN', 'localASN', 'sourceAddress', 'routerID',
    'holdTimeSeconds', 'keepaliveTimeSeconds', 'connectTimeSeconds', 'vrf', 'password', 'bfdProfile', 'ebgpMultiHop',
    'gracefulRestart', 'families',
  ], // prettier-ignore
  route: ['prefix', 'localPref', 'communities', 'nextHop'],
  service: ['announce', 'reason'],
  statuses: ['l2', 'bgp'],
  l2Status: ['node', 'interfaces'],
} as const

/**
 * Reads all scenarios of a file.
 * @throws {Error} not YAML, a key that no scenario has, an expectation of no node, or another component's scenario
 */
export function parseScenarios(text: string): readonly Scenario[] {
  return parseAllDocuments(text, { merge: true, intAsBigInt: true }).flatMap(document => {
    if (document.errors[0]) throw document.errors[0]
    const value = withNumbers(document.toJS()) as Scenario | null
    return value === null ? [] : [checked(value)]
  })
}

function checked(scenario: Scenario): Scenario {
  const { name, component, options, steps } = scenario as Omit<Scenario, 'component'> & { readonly component: string }
  only(scenario, 'scenario', name)
  if (component !== 'speaker') throw new Error(`${name}: component ${component} is not ours`)
  only(options, 'options', name)
  if (!Array.isArray(steps)) throw new Error(`${name}: steps is not a list`)
  for (const [i, step] of scenario.steps.entries()) checkStep(step, options?.node, `${name}: step ${i + 1}`)
  return scenario
}

function checkStep(step: Step, node: string | undefined, place: string): void {
  only(step, 'step', place)
  only(step.options, 'options', place)
  if (step.options && !step.restart) throw new Error(`${place}: options change with a restart only`)
  for (const reference of step.delete ?? []) only(reference, 'reference', place)
  for (const failure of step.fail ?? []) only(failure as object, 'fail', place)
  const { nodes, ...own } = step.expect ?? {}
  if (node === undefined && Object.keys(own).length > 0) throw new Error(`${place}: expect without options.node`)
  for (const expectation of [own, ...Object.values(nodes ?? {})]) checkExpectation(expectation, place)
}

function checkExpectation(expectation: SpeakerExpectation, place: string): void {
  only(expectation, 'node', place)
  only(expectation.configurationState, 'configurationState', place)
  only(expectation.bgp, 'bgp', place)
  only(expectation.statuses, 'statuses', place)
  each(expectation.layer2, 'layer2', place)
  for (const { event } of Object.values(expectation.layer2 ?? {})) {
    for (const one of [event ?? []].flat()) only(one, 'event', place)
  }
  each(expectation.bgp?.sessions, 'session', place)
  each(expectation.bgp?.services, 'service', place)
  each(expectation.statuses?.l2, 'l2Status', place)
  for (const list of Object.values(expectation.bgp?.routes ?? {})) for (const route of list) only(route, 'route', place)
}

function each(map: object | undefined, kind: keyof typeof KEYS, place: string): void {
  for (const value of Object.values(map ?? {})) only(value as object | null, kind, place)
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
