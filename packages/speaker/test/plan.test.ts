/** Plans by difference: what an event costs, and that the result is the plan made from nothing. */
import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import t from 'tap'
import { buildConfig, configResources } from '@typemetal/cluster'
import { Coalescer, Decider, plan, transitions } from '@typemetal/speaker'
import type { Interfaces, Plan, PlanDelta, RememberingPlan, RoutePlan } from '@typemetal/speaker'
import { MemoryCluster } from './scenario/cluster.js'
import type { AnyObject } from './scenario/cluster.js'
import { clusterChange, furnish } from './plan/cluster-changes.js'
import { layer2Of, peersOf, routesOf } from './plan/model.js'
import type { World } from './plan/cluster-changes.js'
import { metallb, node, peer, pool, service } from './support/objects.js'
import { VirtualClock } from './support/virtual-clock.js'

t.setTimeout(1_200_000)

/** A plan as values that compare by content, whatever maps they are kept in. */
const contentOf = ({ services, layer2, sessions, routes, peersOf, notes }: Plan) => ({
  services: new Map(services),
  layer2: new Map(layer2),
  sessions: new Map(sessions),
  routes: new Map(routes),
  peersOf: new Map(peersOf),
  notes: [...notes].toSorted((a, b) => (`${a.peer} ${a.prefix}` < `${b.peer} ${b.prefix}` ? -1 : 1)),
})

/** The sums of a plan against a model of them. */
function addsUp(made: Plan): void {
  const decisions = [...made.services.values()]
  assert.deepEqual(new Map(made.layer2), layer2Of(decisions))
  const routes = [...made.sessions].map(([name, session]) => [name, routesOf(decisions, session)] as const)
  assert.deepEqual(new Map(made.routes), new Map(routes))
  assert.deepEqual(new Map(made.peersOf), peersOf(made))
}

/** What an announcer holds that takes differences only. */
class Follower {
  readonly layer2 = new Map<string, Interfaces>()
  readonly routes = new Map<string, Map<string, RoutePlan>>()

  take({ layer2, sessions, routes }: PlanDelta): void {
    for (const [address, interfaces] of layer2) put(this.layer2, address, interfaces)
    for (const [name, session] of sessions) {
      if (!session) this.routes.delete(name)
      else if (!this.routes.has(name)) this.routes.set(name, new Map())
    }
    for (const [name, changed] of routes) {
      const table = this.routes.get(name)
      assert.ok(table, `routes for ${name}, which is no session`)
      for (const [prefix, route] of changed) {
        assert.notDeepEqual(table.get(prefix), route, `${prefix} did not change`)
        put(table, prefix, route)
      }
    }
  }

  agreesWith({ layer2, routes }: Plan): void {
    assert.deepEqual(this.layer2, new Map(layer2))
    const wanted = [...routes].map(([name, list]) => [name, new Map(list.map(route => [route.prefix, route]))] as const)
    assert.deepEqual(this.routes, new Map(wanted))
    for (const list of routes.values()) {
      const prefixes = list.map(({ prefix }) => prefix)
      assert.deepEqual(prefixes, prefixes.toSorted())
    }
  }
}

function put<K, V>(map: Map<K, V>, key: K, value: V | undefined): void {
  if (value === undefined) map.delete(key)
  else map.set(key, value)
}

t.test(
  'property: after any changes the plan made by difference is the plan made from nothing, and the deltas add up to it',
  async () => {
    fc.assert(
      fc.property(fc.array(fc.array(clusterChange, { maxLength: 3 }), { minLength: 1, maxLength: 25 }), steps => {
        const world: World = { cluster: new MemoryCluster(), members: undefined, interfaces: undefined }
        furnish(world)
        const decider = new Decider({ node: 'n1', namespace: 'metallb-system' })
        const follower = new Follower()
        let before: RememberingPlan | undefined
        for (const changes of [[], ...steps]) {
          for (const change of changes) change(world)
          const { members, interfaces } = world
          const snapshot = world.cluster.snapshot()
          const outcome = decider.step(snapshot, { members, interfaces })
          const fresh = plan(snapshot, decider.config, 'n1', members, { ...(interfaces && { interfaces }) })
          assert.deepEqual(contentOf(outcome.plan), contentOf(fresh))
          addsUp(outcome.plan)
          follower.take(outcome.delta)
          follower.agreesWith(outcome.plan)
          // What the delta does not name has not changed, and so keeps its identity.
          for (const [key, decision] of outcome.plan.services) {
            const same = before?.services.get(key) === decision
            assert.ok(same || outcome.delta.services.has(key), key)
          }
          assert.deepEqual(new Set(outcome.transitions), new Set(transitions(before, outcome.plan)))
          before = outcome.plan
        }
      }),
      { numRuns: 120 },
    )
  },
)

t.test(
  'the reason of a withdrawal: the protocol withdrawn last gives it, and a change of addresses comes before that',
  async t => {
    const [webService, slice] = service('a', '10.0.0.1')
    if (!webService || !slice) throw new Error('no Service')
    const labelled = (ip: string, app: string): AnyObject => ({
      ...(service('a', ip)[0] ?? webService),
      metadata: { ...webService.metadata, labels: { app } },
    })
    const base = [
      node('n1'),
      pool(['10.0.0.0/24']),
      metallb('L2Advertisement', 'l', { serviceSelectors: [{ matchLabels: { app: 'web' } }] }),
      metallb('BGPAdvertisement', 'b', { serviceSelectors: [{ matchLabels: { app: 'web' } }] }),
      labelled('10.0.0.1', 'web'),
      slice,
    ]
    const reasonOf = (change: (cluster: MemoryCluster) => void): string | undefined => {
      const cluster = new MemoryCluster()
      for (const object of base) cluster.apply(object)
      const decider = new Decider({ node: 'n1', namespace: 'metallb-system' })
      decider.step(cluster.snapshot())
      change(cluster)
      const withdrawn = decider.step(cluster.snapshot()).transitions.filter(({ type }) => type === 'withdrawn')
      return withdrawn.map(transition => ('reason' in transition ? transition.reason : '')).join()
    }
    t.equal(
      reasonOf(cluster => cluster.delete('Service', 'default/a')),
      'serviceDeleted',
    )
    t.equal(
      reasonOf(cluster => cluster.apply(labelled('10.0.0.2', 'web'))),
      'loadBalancerIPChanged',
    )
    t.equal(
      reasonOf(cluster => cluster.apply(labelled('10.0.0.2', 'db'))),
      'loadBalancerIPChanged',
    )
    t.equal(
      reasonOf(cluster => cluster.apply(labelled('10.0.0.1', 'db'))),
      'noMatchingAdvertisement',
    )
    t.equal(
      reasonOf(cluster => cluster.apply(labelled('10.9.9.9', 'web'))),
      'ipNotAllowed',
    )
    t.equal(
      reasonOf(cluster => cluster.apply(labelled('nonsense', 'web'))),
      'invalidIP',
    )
    t.equal(
      reasonOf(cluster => cluster.apply({ ...slice, endpoints: [] } as AnyObject)),
      'notOwner',
    )
    t.equal(
      reasonOf(cluster => cluster.delete('L2Advertisement', 'metallb-system/l')),
      '',
      'BGP announces it still',
    )
  },
)

t.test('of a configuration for all nodes a plan takes the peers and advertisements of its own node', async t => {
  const cluster = new MemoryCluster()
  const rack = (value: string) => ({ nodeSelectors: [{ matchLabels: { rack: value } }] })
  for (const object of [
    node('n1', '10.0.0.1', { rack: '1' }),
    node('n2', '10.0.0.2', { rack: '2' }),
    pool(['10.0.0.0/24']),
    metallb('BGPAdvertisement', 'b', rack('1')),
    peer('r1', rack('1')),
    peer('r2', { ...rack('2'), peerAddress: '127.0.0.2' }),
    ...service('a', '10.0.0.1'),
  ]) {
    cluster.apply(object)
  }
  const snapshot = cluster.snapshot()
  const { config } = buildConfig(configResources(snapshot), { component: 'validate', namespace: 'metallb-system' })
  const [first, second] = ['n1', 'n2'].map(name => plan(snapshot, config, name, undefined))
  t.strictSame([...(first?.sessions.keys() ?? [])], ['r1'])
  t.strictSame([...(second?.sessions.keys() ?? [])], ['r2'])
  t.strictSame(
    first?.routes.get('r1')?.map(({ prefix }) => prefix),
    ['10.0.0.1/32'],
  )
  t.match(second?.services.get('default/a')?.bgp, { announce: false, reason: 'notOwner' })
})

/** A cluster of as many Services as asked for, each with one address and one endpoint. */
function largeCluster(count: number): MemoryCluster {
  const cluster = new MemoryCluster()
  cluster.apply(node('n1'))
  for (const object of [pool(['10.0.0.0/8']), metallb('L2Advertisement', 'l'), metallb('BGPAdvertisement', 'b')])
    cluster.apply(object)
  for (let i = 1; i <= 10; i++) cluster.apply(peer(`r${i}`, { peerAddress: `192.0.2.${i}` }))
  for (let i = 0; i < count; i++) for (const object of service(`s${i}`, addressOf(i))) cluster.apply(object)
  return cluster
}

const addressOf = (i: number): string => `10.0.${i >> 8}.${i & 255}`

t.test('an event on one Service is looked at for that Service only', async t => {
  const cluster = largeCluster(500)
  const decider = new Decider({ node: 'n1', namespace: 'metallb-system' })
  decider.step(cluster.snapshot())
  const [, slice] = service('s7', addressOf(7))
  cluster.apply({ ...slice!, endpoints: [] } as typeof slice & object)
  const counted = countReads(cluster)
  const { delta } = decider.step(counted.snapshot)
  t.strictSame([...delta.services], ['default/s7'])
  t.strictSame([...delta.layer2], [['10.0.0.7', undefined]])
  t.equal(delta.routes.size, 10)
  for (const routes of delta.routes.values()) t.strictSame([...routes], [['10.0.0.7/32', undefined]])
  t.strictSame([...delta.sessions], [])
  t.strictSame(counted.reads, ['default/s7'], 'endpoints of no other Service are read')

  const { delta: nothing } = decider.step(cluster.snapshot())
  t.strictSame([...nothing.services, ...nothing.layer2, ...nothing.routes], [], 'and nothing costs nothing')
})

/** A snapshot that tells whose endpoints were asked for. */
function countReads(cluster: MemoryCluster) {
  const reads: string[] = []
  const snapshot = cluster.snapshot()
  const endpointSlicesOf: typeof snapshot.endpointSlicesOf = key => {
    reads.push(key)
    return snapshot.endpointSlicesOf(key)
  }
  return { reads, snapshot: { ...snapshot, endpointSlicesOf } }
}

t.test(
  'a Node that only tells its condition, and a pool that counts its addresses, are no new configuration',
  async t => {
    const cluster = largeCluster(3)
    const decider = new Decider({ node: 'n1', namespace: 'metallb-system' })
    decider.step(cluster.snapshot())
    const { config } = decider
    cluster.apply({ ...node('n1'), status: { conditions: [{ type: 'Ready', status: 'False' }] } })
    cluster.apply({ ...pool(['10.0.0.0/8']), status: { assignedIPv4: 3 } })
    const { adopted, delta } = decider.step(cluster.snapshot())
    t.equal(decider.preview(cluster.snapshot()), config, 'not even an equal one')
    t.equal(adopted, false)
    t.strictSame([...delta.services], [])
  },
)

t.test(
  'coalescing: a first request runs at once, cheap runs never wait, expensive ones leave half of the time to others',
  async t => {
    const clock = new VirtualClock()
    const starts: number[] = []
    let cost = 0
    let running = 0
    const work = async (): Promise<void> => {
      t.equal(++running, 1, 'never two at a time')
      starts.push(clock.now())
      await new Promise<void>(resolve => clock.after(cost, resolve))
      running--
    }
    const coalescer = new Coalescer(work, 100, clock)
    const burst = async (ms: number, requests: number): Promise<readonly number[]> => {
      for (let i = 0; i < requests; i++) {
        coalescer.request()
        await clock.advance(ms / requests)
      }
      return starts.splice(0)
    }
    t.strictSame(await burst(5, 5), [0, 1, 2, 3, 4], 'each change has its own run')
    cost = 20
    t.strictSame(await burst(100, 100), [5, 45, 85], 'a run of 20 ms is followed by a rest of 20 ms')
    await clock.advance(1_000)
    starts.splice(0)
    cost = 400
    t.strictSame(await burst(900, 9), [1105, 1605], 'no rest is longer than 100 ms')
    await clock.advance(5_000)
    starts.splice(0)
    cost = 0
    coalescer.request()
    coalescer.request()
    const closed = coalescer.close()
    coalescer.request()
    await clock.advance(0)
    await closed
    await clock.advance(1_000)
    t.equal(starts.length, 1, 'a closed one takes no requests')
  },
)
