/** What must hold whatever happens, over random Services, pools, edits, failures and restarts. */
import assert from 'node:assert/strict'
import type { KubernetesObject, Pool, Service } from '@typemetal/cluster'
import { type AddressRequest, Allocator, converge, requestOf } from '@typemetal/controller'
import * as fc from 'fast-check'
import t from 'tap'
import { arbitraryNames, arbitraryPools, arbitraryService, manifestOf } from './model/arbitrary.js'
import { maySharePair } from './model/naive-allocator.js'
import { ipsOf } from './scenario/compare.js'
import type { AnyObject, Failure } from './scenario/format.js'
import { keyOf, type MemoryCluster } from './scenario/memory-store.js'
import { Bench } from './scenario/run.js'

interface Step {
  readonly services: readonly KubernetesObject[]
  readonly deleted: readonly string[]
  readonly pools?: readonly Pool[] | undefined
  readonly restart: boolean
  readonly failures: readonly { readonly service: string; readonly code: number; readonly times: number }[]
}

/** A busy machine gets through fewer. */
const LIMITS = { numRuns: 60, interruptAfterTimeLimit: 6000 }

const namespaces = ['default', 'other'] as const
const arbitraryKey = fc
  .tuple(fc.constantFrom(...namespaces), arbitraryNames)
  .map(([namespace, name]) => `${namespace}/${name}`)

const arbitraryStep: fc.Arbitrary<Step> = fc.record({
  services: fc.array(arbitraryService, { maxLength: 6 }),
  deleted: fc.array(arbitraryKey, { maxLength: 2 }),
  pools: fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: arbitraryPools }),
  restart: fc.boolean(),
  failures: fc.array(
    fc.record({ service: arbitraryKey, code: fc.constantFrom(409, 500), times: fc.integer({ min: 1, max: 3 }) }),
    { maxLength: 3 },
  ),
})

t.test(
  '§13.1, 3, 4 and 6: no address twice, settled is settled, a restart changes nothing, counters add up',
  async () => {
    const property = fc.asyncProperty(
      arbitraryPools,
      fc.array(arbitraryStep, { maxLength: 6 }),
      async (pools, steps) => {
        await using bench = new Bench()
        const violations: string[] = []
        bench.cluster.onStatusWrite = service => violations.push(...violationsOf(bench.cluster, service))
        await bench.step({ apply: pools.map(manifestOf) })
        for (const step of steps) {
          await perform(bench, step)
          assert.deepEqual(violations, [])
          checkShared(bench.cluster)
          checkCounters(bench.cluster)
          const before = statuses(bench.cluster)
          await bench.step({ restart: true })
          assert.deepEqual(bench.cluster.statusWrites, [], 'nothing is left to write')
          assert.deepEqual(statuses(bench.cluster), before)
        }
      },
    )
    await fc.assert(property, LIMITS)
  },
)

t.test('a controller that is killed after any write leaves no address twice, and the next one ends well', async () => {
  const scenario = fc.tuple(arbitraryPools, fc.array(arbitraryStep, { maxLength: 4 }), fc.integer({ min: 1, max: 6 }))
  const property = fc.asyncProperty(scenario, async ([pools, steps, kill]) => {
    await using bench = new Bench()
    let writes = 0
    const violations: string[] = []
    bench.cluster.onStatusWrite = service => {
      violations.push(...violationsOf(bench.cluster, service))
      // From here on the dead controller's writes go nowhere.
      if (++writes === kill) bench.cluster.partition = true
    }
    for (const step of [{ ...noStep, pools }, ...steps]) {
      writes = 0
      await perform(bench, { ...step, restart: false, failures: [] }, 'unsettled')
      await bench.stop()
      bench.cluster.partition = false
      writes = kill
      await bench.step({})
      assert.deepEqual(violations, [])
      checkShared(bench.cluster)
      checkCounters(bench.cluster)
    }
  })
  await fc.assert(property, LIMITS)
})

t.test('§13.2: what a Service gets depends on what it is now, not on what it was', async () => {
  const statusOf = fc.constantFrom(
    undefined,
    ['10.0.1.0'],
    ['10.0.2.5', 'fd00::1'],
    ['fd00::1'],
    ['192.0.2.1'],
    ['x'],
    ['10.0.1.0', '10.0.1.1'],
  )
  const version = fc.tuple(arbitraryService, statusOf).map(([service, ips]): Service => {
    const metadata = { ...service.metadata, name: 'it', namespace: 'default' }
    const status = ips && { loadBalancer: { ingress: ips.map(ip => ({ ip })) } }
    return { ...(service as Service), metadata, ...(status && { status }) }
  })
  const property = fc.property(
    arbitraryPools,
    fc.array(arbitraryService, { maxLength: 5 }),
    fc.array(version, { minLength: 1, maxLength: 6 }),
    (pools, others, versions) => {
      const final = versions.at(-1)!
      const fresh = allocatorWith(pools, others)
      const used = allocatorWith(pools, others)
      for (const each of versions) converge(each, used)
      const alone = converge(final, fresh)
      const after = converge(final, used)
      assert.deepEqual(after.service, alone.service)
      assert.deepEqual(textsOf(used), textsOf(fresh))
      const again = converge(alone.service, fresh)
      const settled = converge(again.service, fresh)
      assert.equal(settled.service, again.service, '§13.3: the answer applied gives itself again')
    },
  )
  fc.assert(property, { ...LIMITS, numRuns: 300 })
})

const noStep: Step = { services: [], deleted: [], restart: false, failures: [] }

/** @param settle `unsettled`: the controller may be cut off on the way */
async function perform(bench: Bench, step: Step, settle: 'settled' | 'unsettled' = 'settled'): Promise<void> {
  const { services, deleted, pools, restart, failures } = step
  const fail = failures.map(({ service, code, times }): Failure => ({
    verb: 'updateStatus',
    kind: 'Service',
    name: service,
    code,
    times,
  }))
  const gone = pools
    ? bench.cluster.all('IPAddressPool').map(({ metadata }) => ({ kind: 'IPAddressPool', name: metadata.name }))
    : []
  const references = deleted.map(key => ({ kind: 'Service', namespace: key.split('/')[0]!, name: key.split('/')[1]! }))
  const changes = {
    delete: [...gone, ...references],
    apply: [...services, ...(pools ?? []).map(manifestOf)],
    restart,
    fail,
  }
  if (settle === 'settled') return bench.step(changes)
  bench.mostTimers = 20
  await bench.step(changes).catch(() => {})
  bench.mostTimers = 1000
}

/** At the moment of a write: nobody else's status names what this one is newly given, unless they may share. */
function violationsOf(cluster: MemoryCluster, written: AnyObject): readonly string[] {
  const key = keyOf(written)
  const had = ipsOf(cluster, key)
  const ips = (written as Service).status?.loadBalancer?.ingress?.map(({ ip }) => ip ?? '') ?? []
  const others = cluster
    .all('Service')
    .filter(each => keyOf(each) !== key && !maySharePair(asRequest(written), asRequest(each)))
  return others.flatMap(other => {
    const common = ips.filter(ip => !had.includes(ip) && ipsOf(cluster, keyOf(other)).includes(ip))
    return common.map(ip => `${ip} is given to ${key} while ${keyOf(other)} has it`)
  })
}

function checkShared(cluster: MemoryCluster): void {
  const services = cluster.all('Service')
  for (const [index, one] of services.entries()) {
    for (const other of services.slice(index + 1)) {
      const common = ipsOf(cluster, keyOf(one)).filter(ip => ipsOf(cluster, keyOf(other)).includes(ip))
      if (common.length > 0)
        assert.ok(maySharePair(asRequest(one), asRequest(other)), `${keyOf(one)} and ${keyOf(other)}`)
    }
  }
}

function checkCounters(cluster: MemoryCluster): void {
  for (const pool of cluster.all('IPAddressPool')) {
    const status = pool.status as Readonly<Record<string, number>>
    const mine = cluster
      .all('Service')
      .filter(s => s.metadata.annotations?.['metallb.io/ip-allocated-from-pool'] === pool.metadata.name)
    const ips = new Set(mine.flatMap(service => ipsOf(cluster, keyOf(service))))
    const assigned = (status['assignedIPv4'] ?? 0) + (status['assignedIPv6'] ?? 0)
    assert.equal(assigned, ips.size, `${pool.metadata.name} counts what statuses say`)
  }
}

const asRequest = (service: AnyObject): AddressRequest => requestOf(service as Service, 'IPv4')

const statuses = (cluster: MemoryCluster): readonly unknown[] =>
  cluster.all('Service').map(service => [keyOf(service), service.status, service.metadata.annotations])

function allocatorWith(pools: readonly Pool[], others: readonly KubernetesObject[]): Allocator {
  const allocator = new Allocator()
  allocator.setPools(new Map(pools.map(pool => [pool.name, pool])))
  for (const other of others) converge(other as Service, allocator)
  return allocator
}

const textsOf = (allocator: Allocator): ReadonlyMap<string, unknown> =>
  new Map([...allocator.services].toSorted().map(key => [key, allocator.get(key)?.addresses.map(({ text }) => text)]))
