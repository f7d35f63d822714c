/** Compares what a scenario expects with what was observed; what is not named is not checked. */
import { isDeepStrictEqual } from 'node:util'
import type { ClusterEvent } from '@typemetal/cluster'
import type { RoutePlan, SessionPlan } from '@typemetal/speaker'
import { isInternal } from '@typemetal/speaker'
import type { EventExpectation, Layer2Expectation, RouteExpectation, SpeakerExpectation } from './format.js'
import type { Observed } from './run.js'

/** @returns one line for each difference: `path: expected …, got …` */
export function compare(expected: SpeakerExpectation, observed: Observed): readonly string[] {
  const report = new Report()
  if (expected.config) report.equal('config', expected.config, observed.config)
  if (expected.configError !== undefined)
    report.match('configError', expected.configError, observed.configErrors.join('\n'))
  compareState(report, expected, observed)
  for (const [service, value] of Object.entries(expected.layer2 ?? {})) compareLayer2(report, service, value, observed)
  compareBGP(report, expected, observed)
  compareStatuses(report, expected, observed)
  for (const [series, value] of Object.entries(expected.metrics ?? {})) {
    report.equal(`metrics.${series}`, value, observed.metrics.get(canonicalSeries(series)) ?? null)
  }
  return report.failures
}

class Report {
  readonly failures: string[] = []

  equal(path: string, expected: unknown, actual: unknown): void {
    if (!isDeepStrictEqual(expected, actual)) this.fail(path, expected, actual)
  }

  set(path: string, expected: readonly unknown[], actual: readonly unknown[]): void {
    const sorted = (list: readonly unknown[]): string[] => list.map(item => JSON.stringify(item)).toSorted()
    if (!isDeepStrictEqual(sorted(expected), sorted(actual))) this.fail(path, expected, actual)
  }

  match(path: string, pattern: string, actual: string): void {
    if (!new RegExp(pattern, 'i').test(actual)) this.fail(path, pattern, actual)
  }

  fail(path: string, expected: unknown, actual: unknown): void {
    this.failures.push(`${path}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual)}`)
  }
}

function compareState(report: Report, { configurationState: expected }: SpeakerExpectation, observed: Observed): void {
  if (!expected) return
  const failed = observed.conditions.find(({ status }) => status === 'False')
  if (expected.result !== undefined)
    report.equal('configurationState.result', expected.result, failed ? 'Invalid' : 'Valid')
  const reason = (failed ?? observed.conditions[0])?.reason
  if (expected.reason !== undefined) report.equal('configurationState.reason', expected.reason, reason)
}

function compareLayer2(report: Report, service: string, expected: Layer2Expectation, observed: Observed): void {
  const path = `layer2.${service}`
  const decision = observed.plan.services.get(service)
  const layer2 = decision?.layer2
  const announce = layer2?.announce ?? false
  if (expected.announce !== undefined) report.equal(`${path}.announce`, expected.announce, announce)
  if (expected.reason !== undefined) report.equal(`${path}.reason`, expected.reason, reasonOf(layer2))
  if (expected.ips) report.equal(`${path}.ips`, expected.ips, announce ? decision?.addresses : [])
  if (expected.interfaces) {
    const actual = layer2?.announce ? layer2.interfaces : []
    if (typeof actual === 'string' || typeof expected.interfaces === 'string') {
      report.equal(`${path}.interfaces`, expected.interfaces, actual)
    } else report.set(`${path}.interfaces`, expected.interfaces, actual)
  }
  for (const event of [expected.event ?? []].flat())
    compareEvent(report, `${path}.event`, service, event, observed.events)
}

const reasonOf = (decision: { announce: boolean } | undefined): string | undefined =>
  decision && 'reason' in decision ? String(decision.reason) : 'serviceDeleted'

function compareEvent(
  report: Report,
  path: string,
  service: string,
  expected: EventExpectation,
  events: readonly ClusterEvent[],
): void {
  const mine = events.filter(({ regarding }) => `${regarding.namespace}/${regarding.name}` === service)
  const found = mine.some(
    ({ type, reason, message }) =>
      (expected.type ?? type) === type &&
      (expected.reason ?? reason) === reason &&
      new RegExp(expected.message ?? '', 'i').test(message),
  )
  if (!found)
    report.fail(
      path,
      expected,
      mine.map(({ type, reason, message }) => `${type} ${reason} ${message}`),
    )
}

function compareBGP(report: Report, { bgp: expected }: SpeakerExpectation, { plan, resets }: Observed): void {
  if (!expected) return
  if (expected.sessions) compareSessions(report, expected.sessions, plan.sessions)
  if (expected.resets) report.set('bgp.resets', expected.resets, resets)
  for (const [peer, routes] of Object.entries(expected.routes ?? {})) {
    compareRoutes(report, `bgp.routes.${peer}`, routes, plan.routes.get(peer) ?? [], plan.sessions.get(peer))
  }
  for (const [service, value] of Object.entries(expected.services ?? {})) {
    const decision = plan.services.get(service)?.bgp
    const path = `bgp.services.${service}`
    if (value.announce !== undefined) report.equal(`${path}.announce`, value.announce, decision?.announce ?? false)
    if (value.reason !== undefined) report.equal(`${path}.reason`, value.reason, reasonOf(decision))
  }
}

function compareSessions(
  report: Report,
  expected: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  actual: ReadonlyMap<string, SessionPlan>,
): void {
  report.set('bgp.sessions', Object.keys(expected), [...actual.keys()])
  for (const [name, fields] of Object.entries(expected)) {
    const session = actual.get(name) as Readonly<Record<string, unknown>> | undefined
    for (const [field, value] of Object.entries(fields ?? {})) {
      const path = `bgp.sessions.${name}.${field}`
      if (Array.isArray(value)) report.set(path, value, (session?.[field] as unknown[] | undefined) ?? [])
      else report.equal(path, value, session?.[field] ?? (value === null ? null : undefined))
    }
  }
}

function compareRoutes(
  report: Report,
  path: string,
  expected: readonly RouteExpectation[],
  actual: readonly RoutePlan[],
  session: SessionPlan | undefined,
): void {
  report.set(
    path,
    expected.map(({ prefix }) => prefix),
    actual.map(({ prefix }) => prefix),
  )
  for (const route of expected) {
    const found = actual.find(({ prefix }) => prefix === route.prefix)
    if (!found) continue
    const place = `${path}.${route.prefix}`
    if (route.communities) report.set(`${place}.communities`, route.communities, found.communities)
    if (route.nextHop) report.equal(`${place}.nextHop`, route.nextHop, found.nextHop)
    const internal = session !== undefined && isInternal(session)
    if (route.localPref !== undefined && internal) report.equal(`${place}.localPref`, route.localPref, found.localPref)
  }
}

function compareStatuses(report: Report, { statuses: expected }: SpeakerExpectation, observed: Observed): void {
  for (const [service, value] of Object.entries(expected?.l2 ?? {})) {
    const status = statusOf(observed.l2Statuses, service)
    const path = `statuses.l2.${service}`
    if (value === null) report.equal(path, null, status ?? null)
    if (value?.node !== undefined) report.equal(`${path}.node`, value.node, status?.['node'])
    if (value?.interfaces) {
      const names = (status?.['interfaces'] as { name: string }[] | undefined)?.map(({ name }) => name) ?? []
      report.set(`${path}.interfaces`, value.interfaces, names)
    }
  }
  for (const [service, value] of Object.entries(expected?.bgp ?? {})) {
    const peers = statusOf(observed.bgpStatuses, service)?.['peers'] as readonly string[] | undefined
    if (value === null) report.equal(`statuses.bgp.${service}`, null, peers ?? null)
    else report.set(`statuses.bgp.${service}`, value, peers ?? [])
  }
}

function statusOf(writes: Observed['l2Statuses'], service: string): Readonly<Record<string, unknown>> | undefined {
  for (const write of writes) {
    if (write.type === 'delete') continue
    const status = write.status as Readonly<Record<string, unknown>>
    const owner = [status['serviceNamespace'], status['serviceName']].join('/')
    if (owner === service) return status
  }
  return undefined
}

/** `name{b="2",a="1"}` in the order in which the registry prints its labels. */
function canonicalSeries(series: string): string {
  const match = /^([^{]+)\{(.*)\}$/.exec(series)
  if (!match) return series
  const order = ['service', 'protocol', 'node', 'ip', 'peer', 'vrf']
  const labels = (match[2] ?? '').split(/,(?=\w+=)/).map(label => label.split('=') as [string, string])
  labels.sort(([a], [b]) => order.indexOf(a) - order.indexOf(b))
  return `${match[1]}{${labels.map(([name, value]) => `${name}=${value}`).join(',')}}`
}
