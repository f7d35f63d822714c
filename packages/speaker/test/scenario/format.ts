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

const SPEAKER_KEYS = ['config', 'configError', 'configurationState', 'layer2', 'bgp', 'statuses', 'metrics']
const OPTION_KEYS = ['namespace', 'lbClass', 'ignoreExcludeLb', 'electionLevel', 'node', 'interfaces', 'members']
const SESSION_KEYS = `
  peerAddress peerPort interface myASN peerASN dynamicASN localASN sourceAddress routerID holdTimeSeconds
  keepaliveTimeSeconds connectTimeSeconds vrf password bfdProfile ebgpMultiHop gracefulRestart families
`
  .trim()
  .split(/\s+/)

/**
 * Reads all scenarios of a file.
 * @throws {Error} not YAML, or a key that no scenario has
 */
export function parseScenarios(text: string): readonly Scenario[] {
  return parseAllDocuments(text, { merge: true }).flatMap(document => {
    if (document.errors[0]) throw document.errors[0]
    const value = document.toJS() as Scenario | null
    return value === null ? [] : [checked(value)]
  })
}

function checked(scenario: Scenario): Scenario {
  only(scenario, ['name', 'component', 'options', 'steps'], scenario.name)
  only(scenario.options, OPTION_KEYS, `${scenario.name}: options`)
  for (const [i, step] of scenario.steps.entries()) {
    const place = `${scenario.name}: step ${i + 1}`
    only(step, ['delete', 'apply', 'members', 'restart', 'options', 'fail', 'expect'], place)
    only(step.options, OPTION_KEYS, `${place}: options`)
    only(step.expect, [...SPEAKER_KEYS, 'nodes'], `${place}: expect`)
    for (const expectation of [step.expect, ...Object.values(step.expect?.nodes ?? {})])
      checkExpectation(expectation, place)
  }
  return scenario
}

function checkExpectation(expectation: SpeakerExpectation | undefined, place: string): void {
  if (!expectation) return
  only(expectation, [...SPEAKER_KEYS, 'nodes'], place)
  only(expectation.configurationState, ['result', 'reason'], place)
  only(expectation.bgp, ['sessions', 'resets', 'routes', 'services'], place)
  only(expectation.statuses, ['l2', 'bgp'], place)
  each(expectation.layer2, ['announce', 'interfaces', 'ips', 'reason', 'event'], place)
  each(expectation.bgp?.sessions, SESSION_KEYS, place)
  each(expectation.bgp?.services, ['announce', 'reason'], place)
  each(expectation.statuses?.l2, ['node', 'interfaces'], place)
  for (const list of Object.values(expectation.bgp?.routes ?? {})) {
    for (const route of list) only(route, ['prefix', 'localPref', 'communities', 'nextHop'], place)
  }
}

function each(map: object | undefined, keys: readonly string[], place: string): void {
  for (const value of Object.values(map ?? {})) only(value as object | null, keys, place)
}

function only(value: object | null | undefined, keys: readonly string[], place: string): void {
  const unknown = Object.keys(value ?? {}).find(key => !keys.includes(key))
  if (unknown !== undefined) throw new Error(`${place}: unknown key ${unknown}`)
}
