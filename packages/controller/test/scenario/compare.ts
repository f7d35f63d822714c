/** Compares what a scenario expects with what the cluster shows; what is not named is not checked. */
import { isDeepStrictEqual } from 'node:util'
import { blockContains, type ConfigurationState, parseAddress, parseCIDR, type Service } from '@typemetal/cluster'
import type { Registry } from 'prom-client'
import type { EventExpectation, Expectation, LooseIPs, ServiceExpectation } from './format.js'
import type { MemoryCluster } from './memory-store.js'

/** Annotation that records the pool. */
export const POOL_RECORD = 'metallb.io/ip-allocated-from-pool'

/** @returns one line for each difference: `path: expected …, got …` */
export async function compare(
  expected: Expectation,
  cluster: MemoryCluster,
  registry: Registry,
): Promise<readonly string[]> {
  const report = new Report()
  compareConfig(report, expected, cluster)
  for (const [key, service] of Object.entries(expected.services ?? {})) compareService(report, key, service, cluster)
  if (expected.allocated) {
    const served = expected.allocated.of.filter(key => ipsOf(cluster, key).length > 0)
    report.equal('allocated.count', expected.allocated.count, served.length)
  }
  const all = (expected.distinctIps ?? []).flatMap(key => ipsOf(cluster, key))
  if (new Set(all).size < all.length) report.fail('distinctIps', 'no address twice', all)
  for (const [key, count] of Object.entries(expected.statusWrites ?? {})) {
    report.equal(`statusWrites.${key}`, count, cluster.statusWrites.filter(written => written === key).length)
  }
  comparePools(report, expected, cluster)
  const series = await readSeries(registry)
  for (const [name, value] of Object.entries(expected.metrics ?? {})) {
    report.equal(`metrics.${name}`, value === null ? undefined : Number(value), series.get(canonicalSeries(name)))
  }
  return report.failures
}

class Report {
  readonly failures: string[] = []

  equal(path: string, expected: unknown, actual: unknown): void {
    if (!isDeepStrictEqual(expected, actual)) this.fail(path, expected, actual)
  }

  check(path: string, holds: boolean, expected: unknown, actual: unknown): void {
    if (!holds) this.fail(path, expected, actual)
  }

  fail(path: string, expected: unknown, actual: unknown): void {
    this.failures.push(`${path}: expected ${show(expected)}, got ${show(actual)}`)
  }
}

function compareConfig(report: Report, expected: Expectation, cluster: MemoryCluster): void {
  const [object] = cluster.all('ConfigurationState')
  const status = (object as ConfigurationState | undefined)?.status
  const [condition] = status?.conditions ?? []
  if (expected.config) report.equal('config', expected.config, status?.result === 'Valid' ? 'valid' : 'invalid')
  if (expected.configError !== undefined) {
    const errors = status?.errorSummary ?? ''
    report.check('configError', matches(expected.configError, errors), expected.configError, errors)
  }
  const { result, reason } = expected.configurationState ?? {}
  if (result !== undefined) report.equal('configurationState.result', result, status?.result)
  if (reason !== undefined) report.equal('configurationState.reason', reason, condition?.reason)
}

function compareService(report: Report, key: string, expected: ServiceExpectation, cluster: MemoryCluster): void {
  const service = cluster.get('Service', key) as Service | undefined
  const path = `services.${key}`
  const annotations = service?.metadata.annotations ?? {}
  if (expected.ips) compareIPs(report, `${path}.ips`, expected.ips, ipsOf(cluster, key))
  if (expected.ingress) report.equal(`${path}.ingress`, expected.ingress, service?.status?.loadBalancer?.ingress ?? [])
  if (expected.pool !== undefined) {
    const pool = annotations[POOL_RECORD] ?? ''
    report.check(`${path}.pool`, [expected.pool].flat().includes(pool), expected.pool, pool)
  }
  if (expected.sameIpsAs !== undefined) {
    report.equal(`${path}.sameIpsAs`, ipsOf(cluster, expected.sameIpsAs), ipsOf(cluster, key))
  }
  for (const [name, value] of Object.entries(expected.annotations ?? {})) {
    report.equal(`${path}.annotations.${name}`, value, annotations[name] ?? null)
  }
  compareEvents(report, path, key, expected, cluster)
}

function compareEvents(
  report: Report,
  path: string,
  key: string,
  expected: ServiceExpectation,
  cluster: MemoryCluster,
): void {
  const mine = cluster.events.filter(({ regarding: r }) => r.kind === 'Service' && `${r.namespace}/${r.name}` === key)
  const said = mine.map(({ type, reason, message }) => `${type} ${reason}: ${message}`)
  for (const event of [expected.event ?? []].flat()) {
    report.check(
      `${path}.event`,
      mine.some(each => matchesEvent(event, each)),
      event,
      said,
    )
  }
  const unwanted = [expected.noEvent ?? []].flat()
  report.check(`${path}.noEvent`, !mine.some(({ reason }) => unwanted.includes(reason)), unwanted, said)
  if (expected.noWarning) report.check(`${path}.noWarning`, !mine.some(({ type }) => type === 'Warning'), true, said)
}

function compareIPs(
  report: Report,
  path: string,
  expected: readonly string[] | LooseIPs,
  ips: readonly string[],
): void {
  if (isList(expected)) {
    report.equal(path, expected.map(canonicalIP), ips)
    return
  }
  const { count, within, set } = expected
  if (count !== undefined) report.equal(`${path}.count`, count, ips.length)
  if (set) report.equal(`${path}.set`, set.map(canonicalIP).toSorted(), ips.toSorted())
  if (!within) return
  const blocks = within.map(parseCIDR)
  const inside = (ip: string): boolean => blocks.some(block => blockContains(block, parseAddress(ip)!))
  report.check(`${path}.within`, ips.every(inside), within, ips)
}

function comparePools(report: Report, expected: Expectation, cluster: MemoryCluster): void {
  for (const [name, counters] of Object.entries(expected.pools ?? {})) {
    const pool = cluster.all('IPAddressPool').find(({ metadata }) => metadata.name === name)
    const status = pool?.status as Readonly<Record<string, number | bigint>> | undefined
    if (counters === null) report.equal(`pools.${name}`, undefined, status)
    for (const [field, value] of Object.entries(counters ?? {})) {
      const actual = status?.[field]
      report.equal(`pools.${name}.${field}`, BigInt(value), actual === undefined ? undefined : BigInt(actual))
    }
  }
}

/** `status.loadBalancer.ingress[].ip`. */
export const ipsOf = (cluster: MemoryCluster, key: string): readonly string[] =>
  ipsIn(cluster.get('Service', key) as Service | undefined)

/** {@link ipsOf} a Service in hand. */
export const ipsIn = (service: Service | undefined): readonly string[] =>
  (service?.status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => (ip ? [canonicalIP(ip)] : []))

/** All series of a registry, labels in order. */
async function readSeries(registry: Registry): Promise<ReadonlyMap<string, number>> {
  const lines = (await registry.metrics()).split('\n').filter(line => line !== '' && !line.startsWith('#'))
  return new Map(
    lines.map(line => {
      const blank = line.lastIndexOf(' ')
      return [canonicalSeries(line.slice(0, blank)), Number(line.slice(blank + 1))]
    }),
  )
}

function canonicalSeries(series: string): string {
  const [, name = series, labels = ''] = /^([^{]*)\{(.*)\}$/.exec(series.trim()) ?? []
  return labels
    ? `${name}{${labels
        .split(/,(?=\w+=)/)
        .toSorted()
        .join()}}`
    : name
}

const matchesEvent = (wanted: EventExpectation, { type, reason, message }: Required<EventExpectation>): boolean =>
  (wanted.type ?? type) === type && (wanted.reason ?? reason) === reason && matches(wanted.message ?? '', message)

/** Whether a regular expression of a scenario fits: unanchored, in any case. */
export const matches = (pattern: string, text: string): boolean => new RegExp(pattern, 'i').test(text)
const canonicalIP = (text: string): string => parseAddress(text)?.text ?? text
const isList = (value: readonly string[] | LooseIPs): value is readonly string[] => Array.isArray(value)
/** A value as differences quote it. */
export const show = (value: unknown): string =>
  JSON.stringify(value, (_, v: unknown) => (typeof v === 'bigint' ? String(v) : v)) ?? 'nothing'
