/** Status objects (ServiceL2Status, ServiceBGPStatus, ConfigurationState): whose they are, when they are written, how much at once. */
import type { Change, Snapshot } from '@typemetal/cluster'
import { ApiError } from '@typemetal/cluster'
import t from 'tap'
import { Decider, Statuses, conditionsOf, electionOrder } from '@typemetal/speaker'
import type { PeerLimit, StatusOwner } from '@typemetal/speaker'
import type { AnyObject } from './scenario/cluster.js'
import { recordingLog } from './support/log.js'
import { MemoryStore } from './support/memory-store.js'
import { metallb, node, peer, pool, service } from './support/objects.js'
import { VirtualClock, settle } from './support/virtual-clock.js'

const POD = { apiVersion: 'v1', kind: 'Pod', name: 'speaker-x', uid: 'pod-1' }
const BASE = [pool(['10.0.0.0/8']), metallb('L2Advertisement', 'l2'), metallb('BGPAdvertisement', 'bgp'), peer('r')]
const KINDS = ['ServiceL2Status', 'ServiceBGPStatus'] as const

/** Statuses of one node on a store in memory, told of each plan as the speaker tells them. */
class Bench {
  readonly store: MemoryStore
  readonly clock: VirtualClock
  readonly log = recordingLog()
  readonly statuses: Statuses
  /** How often something was looked at. */
  looks = 0
  limits: readonly PeerLimit[] = []
  /** Whom this node takes for alive. */
  members: readonly string[] | undefined
  readonly #decider: Decider

  constructor(owner: Partial<StatusOwner> = {}, store = new MemoryStore(), clock = new VirtualClock()) {
    this.store = store
    this.clock = clock
    const whole = { node: 'n1', namespace: 'metallb-system', reference: POD, ...owner }
    const { log } = this
    this.statuses = new Statuses({ store, owner: whole, log, clock, onWorked: () => this.looks++ })
    this.#decider = new Decider(whole)
    store.apply(node(whole.node), ...BASE)
  }

  /** Applies objects, decides and reports. */
  async pass(...objects: readonly AnyObject[]): Promise<void> {
    this.store.apply(...objects)
    await settle()
    const outcome = this.#decider.step(this.store.snapshot(), { members: this.members })
    this.statuses.report(outcome, this.limits, outcome.delta.services)
    await this.clock.advance(0)
  }

  of(kind: string): readonly AnyObject[] {
    return this.store.list(kind)
  }
}

const labels = (name: string, nodeName = 'n1'): Record<string, string> => ({
  'metallb.io/node': nodeName,
  'metallb.io/service-name': name,
  'metallb.io/service-namespace': 'default',
})

/** A status as another process left it. */
const left = (kind: string, name: string, of: Record<string, string>, more: object = {}): AnyObject => {
  const { spec: _, ...object } = metallb(kind, name) as AnyObject & { readonly spec: object }
  return { ...object, metadata: { ...object.metadata, labels: of, ...more } }
}

t.test('each object is owned by the Pod, has its labels and a generated name', async t => {
  const bench = new Bench()
  await bench.pass(...service('a', '10.0.0.1'))
  for (const [kind, prefix] of [
    [KINDS[0], 'l2-'],
    [KINDS[1], 'bgp-'],
  ] as const) {
    const [object, ...others] = bench.of(kind)
    t.strictSame(others, [], 'one')
    t.ok(object?.metadata.name.startsWith(prefix))
    t.strictSame(object?.metadata.labels, labels('a'))
    t.strictSame(object?.metadata.ownerReferences, [POD], 'no controller, blocks nothing')
  }
  t.strictSame(bench.of('ServiceL2Status')[0]?.status, { node: 'n1', serviceName: 'a', serviceNamespace: 'default' })
  t.match(bench.of('ConfigurationState'), [
    { metadata: { name: 'speaker-n1', ownerReferences: [POD] }, status: { result: 'Valid' } },
  ])
})

t.test('outside Kubernetes nothing has an owner', async t => {
  const bench = new Bench({ reference: undefined })
  await bench.pass(...service('a', '10.0.0.1'))
  const owned = [...KINDS, 'ConfigurationState'].flatMap(kind => bench.of(kind)).filter(o => o.metadata.ownerReferences)
  t.strictSame(owned, [])
})

t.test('who announces by layer 2 deletes what others left; by BGP everybody has their own', async t => {
  const bench = new Bench()
  bench.store.apply(
    left('ServiceL2Status', 'l2-theirs', labels('a', 'n2')),
    left('ServiceL2Status', 'l2-unannounced', labels('b', 'n2')),
    left('ServiceBGPStatus', 'bgp-theirs', labels('a', 'n2')),
    left('ServiceL2Status', 'l2-nobodys', {}),
  )
  await bench.pass(...service('a', '10.0.0.1'))
  const names = (kind: string): readonly string[] => bench.of(kind).map(({ metadata }) => metadata.name)
  t.notOk(names('ServiceL2Status').includes('l2-theirs'))
  t.ok(names('ServiceL2Status').includes('l2-unannounced'), 'what we do not announce is not ours to judge')
  t.ok(names('ServiceL2Status').includes('l2-nobodys'))
  t.ok(names('ServiceBGPStatus').includes('bgp-theirs'))
  t.match(
    bench.log.lines.filter(line => line['op'] === 'readStatus'),
    [{ level: 'error', name: 'metallb-system/l2-nobodys' }],
  )
})

t.test('of several own objects the first stays; those of an earlier Pod are made anew', async t => {
  const bench = new Bench()
  const mine = { ownerReferences: [POD] }
  bench.store.apply(
    left('ServiceBGPStatus', 'bgp-1', labels('a'), mine),
    left('ServiceBGPStatus', 'bgp-2', labels('a'), mine),
    left('ServiceL2Status', 'l2-1', labels('a'), { ownerReferences: [{ ...POD, uid: 'pod-0' }] }),
    left('ConfigurationState', 'speaker-n1', {}, { ownerReferences: [{ ...POD, uid: 'pod-0' }] }),
    left('ServiceL2Status', 'l2-gone', labels('gone'), mine),
  )
  await bench.pass(...service('a', '10.0.0.1'))
  t.match(bench.of('ServiceBGPStatus'), [{ metadata: { name: 'bgp-1' }, status: { node: 'n1', peers: ['r'] } }])
  const [l2, ...more] = bench.of('ServiceL2Status')
  t.strictSame(more, [], 'that of a Service which is gone is deleted')
  t.not(l2?.metadata.name, 'l2-1')
  t.match(l2, { metadata: { ownerReferences: [POD] }, status: { node: 'n1' } })
  t.match(bench.of('ConfigurationState'), [{ metadata: { ownerReferences: [POD] }, status: { result: 'Valid' } }])
})

t.test('two nodes that both announce undo each other ever more seldom, until one gives way', async t => {
  const one = new Bench()
  const { store, clock } = one
  const other = new Bench({ node: 'n2' }, store, clock)
  one.members = ['n1']
  other.members = ['n2']
  store.delay = () => new Promise(resolve => clock.after(5, resolve))
  await one.pass(...service('a', '10.0.0.1'))
  await other.pass()
  await clock.advance(60_000)
  const first = store.writes.length
  t.ok(first < 60, `${first} writes in a minute`)
  await clock.advance(3_600_000)
  const more = store.writes.length - first
  t.ok(more < 100, `${more} in an hour more`)
  one.members = other.members = ['n1', 'n2']
  await one.pass()
  await other.pass()
  await clock.advance(1_200_000)
  const [mine, ...others] = one.of('ServiceL2Status')
  t.strictSame(others, [])
  t.match(mine?.status, { node: electionOrder(['n1', 'n2'], '10.0.0.1')[0] })
  store.delay = undefined
  const quiet = store.writes.length
  await store.delete({ kind: 'ServiceL2Status', namespace: 'metallb-system', name: mine?.metadata.name ?? '' })
  await clock.advance(0)
  t.equal(store.writes.length, quiet + 2, 'after a while it is put right at once again')
})

t.test('the object of another node is no reason to write', async t => {
  const bench = new Bench()
  await bench.pass(...service('a', '10.0.0.1'))
  const writes = bench.store.writes.length
  bench.store.apply(left('ServiceL2Status', 'l2-theirs', labels('a', 'n2')))
  await bench.clock.advance(100_000)
  t.equal(bench.store.writes.length, writes, 'their object is no reason to write')
  await bench.pass(...service('a', '10.0.0.2'))
  t.notOk(
    bench.of('ServiceL2Status').some(({ metadata }) => metadata.name === 'l2-theirs'),
    'the next own one is',
  )
})

t.test('what somebody deletes or edits is put right', async t => {
  const bench = new Bench()
  await bench.pass(...service('a', '10.0.0.1'))
  for (const kind of [...KINDS, 'ConfigurationState']) {
    const [object] = bench.of(kind)
    if (!object) throw new Error(kind)
    await bench.store.delete(object.metadata.name ? { kind, ...object.metadata } : { kind, name: '' })
    await bench.clock.advance(0)
    t.equal(bench.of(kind).length, 1, `${kind} is there again`)
    const [made] = bench.of(kind)
    if (!made) throw new Error(kind)
    await bench.store.updateStatus({ ...made, status: {} })
    await bench.clock.advance(0)
    t.not(Object.keys(bench.of(kind)[0]?.status ?? {}).length, 0)
  }
})

t.test('a change of one Service costs one write, and looks at no object of another', async t => {
  const bench = new Bench()
  const services = Array.from({ length: 500 }, (_, i) => service(`s${i}`, `10.0.${i >> 8}.${i & 255}`))
  await bench.pass(...services.flat())
  t.equal(bench.of('ServiceL2Status').length, 500)
  const { store } = bench
  const writes = store.writes.length
  let scans = 0
  const snapshot = store.snapshot.bind(store)
  store.snapshot = (): Snapshot => {
    const whole = snapshot()
    return {
      ...whole,
      objects: kind => {
        const map = whole.objects(kind)
        if (!(KINDS as readonly string[]).includes(kind)) return map
        const counted = new Map(map)
        for (const method of ['values', 'entries', 'keys', 'forEach', Symbol.iterator] as const) {
          Object.defineProperty(counted, method, { value: () => scans++ && [] })
        }
        return counted
      },
    }
  }
  const [first] = bench.of('ServiceL2Status')
  if (!first) throw new Error('none')
  await store.updateStatus({ ...first, status: {} })
  await bench.clock.advance(0)
  await bench.pass(...service('s7', '10.0.0.7', { externalTrafficPolicy: 'Cluster' }))
  const made = store.writes.slice(writes)
  t.strictSame(
    made,
    Array.from({ length: 2 }, () => `updateStatus ServiceL2Status ${first.metadata.name}`),
  )
  t.equal(scans, 0)
})

t.test('thousands are written some at a time', async t => {
  const bench = new Bench()
  bench.store.delay = () => new Promise(resolve => void bench.clock.after(10, resolve))
  const services = Array.from({ length: 1_000 }, (_, i) => service(`s${i}`, `10.1.${i >> 8}.${i & 255}`))
  await bench.pass(...services.flat())
  let ms = 0
  for (; bench.statuses.counters.depth > 0 && ms < 60_000; ms += 100) await bench.clock.advance(100)
  t.equal(bench.of('ServiceL2Status').length + bench.of('ServiceBGPStatus').length, 2_000)
  t.equal(bench.store.load.most, 16)
  t.equal(bench.statuses.counters.adds, 2_001, 'nothing is looked at again when the store shows what was written')
  t.ok(ms <= 2_000, `2,000 writes of 10 ms in ${ms} ms`)
})

t.test('a watch that tells of a write before the write itself is answered costs no second look', async t => {
  const bench = new Bench()
  const create = bench.store.create.bind(bench.store)
  bench.store.create = async object => {
    const created = await create(object)
    await settle()
    return created
  }
  const services = Array.from({ length: 20 }, (_, i) => service(`s${i}`, `10.1.0.${i}`))
  await bench.pass(...services.flat())
  while (bench.statuses.counters.depth > 0) await settle()
  await settle()
  t.equal(bench.of('ServiceL2Status').length + bench.of('ServiceBGPStatus').length, 40)
  t.same([bench.looks, bench.store.writes.length], [41, 41])
})

t.test('a store that is away is asked rarely, by one at a time, and caught up with at once', async t => {
  const bench = new Bench()
  await bench.pass(...service('a', '10.0.0.1'))
  bench.store.outage = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
  bench.store.load.most = 0
  let attempts = 0
  bench.store.delay = async () => void attempts++
  const services = Array.from({ length: 200 }, (_, i) => service(`s${i}`, `10.0.1.${i}`))
  await bench.pass(...services.flat())
  await bench.clock.advance(600_000)
  t.ok(attempts < 60, `${attempts} attempts in 10 minutes`)
  const said = bench.log.lines.filter(line => line['op'] === 'writeStatus')
  t.ok(said.length <= 20, `${said.length} lines`)
  t.match(said[0], { level: 'warn', error: /ECONNREFUSED/, retryMs: 1000 })
  bench.store.outage = undefined
  bench.store.emit('outage', undefined)
  await bench.clock.advance(0)
  t.equal(bench.of('ServiceL2Status').length, 201)
  t.equal(bench.statuses.counters.depth, 0)
})

t.test('one object that is refused does not keep the others from being written', async t => {
  const bench = new Bench()
  const refuse = new ApiError(422, 'is invalid')
  bench.store.failures.push(refuse)
  await bench.pass(...service('a', '10.0.0.1'), ...service('b', '10.0.0.2'))
  t.equal(bench.of('ServiceL2Status').length, 1)
  t.match(bench.log.lines.at(-1), { op: 'writeStatus', kind: 'ServiceL2Status', service: 'default/a' })
  await bench.clock.advance(1_000)
  t.equal(bench.of('ServiceL2Status').length, 2, 'it is tried again')
})

t.test('names that no label can have: said once, the others are written', async t => {
  const long = new Bench({ node: `n1.${'x'.repeat(70)}.example` })
  await long.pass(...service('a', '10.0.0.1'))
  await long.pass(...service('b', '10.0.0.2'))
  t.strictSame(
    KINDS.flatMap(kind => long.of(kind)),
    [],
  )
  t.equal(long.log.lines.filter(line => line['op'] === 'writeStatus').length, 1)
  t.match(long.of('ConfigurationState'), [{ status: { result: 'Valid' } }], 'whose it is says its name')
  t.strictSame(long.of('ConfigurationState')[0]?.metadata.labels, { 'metallb.io/component-type': 'speaker' })

  const longest = new Bench({ node: `${'x'.repeat(60)}.`.repeat(4) + 'y'.repeat(8) })
  await longest.pass(...service('a', '10.0.0.1'))
  await longest.pass(...service('b', '10.0.0.2'))
  t.strictSame(longest.store.writes, [], 'not even speaker-<node> is a name')
  t.equal(longest.log.lines.filter(line => line['op'] === 'writeStatus').length, 2)

  const bench = new Bench()
  const name = 's'.repeat(64)
  await bench.pass(...service(name, '10.0.0.1'), ...service('a', '10.0.0.2'))
  await bench.pass(...service(name, '10.0.0.3'))
  t.equal(bench.of('ServiceL2Status').length, 1)
  t.match(
    bench.log.lines.filter(line => line['op'] === 'writeStatus'),
    [{ level: 'error', service: `default/${name}` }],
  )
})

t.test(
  'a store that is slow to show writes does not get them twice; one that never shows them gets them again',
  async t => {
    const bench = new Bench()
    bench.store.apply(...service('a', '10.0.0.1'), ...service('c', '10.0.0.3'))
    await settle()
    bench.store.deaf = true
    await bench.pass()
    const writes = bench.store.writes.length
    t.equal(writes, 5, 'two statuses of each Service, and that of the configuration')
    bench.store.emit('change', [{ kind: 'ServiceL2Status', key: 'metallb-system/l2-other', type: 'modified' }])
    await bench.pass()
    await bench.clock.advance(30_000)
    t.equal(bench.store.writes.length, writes)
    // Made and deleted before the watch has told of it: nobody will ever tell.
    const made = bench
      .of('ServiceL2Status')
      .find(({ metadata }) => metadata.labels?.['metallb.io/service-name'] === 'c')
    if (!made) throw new Error('no status of c')
    bench.store.cluster.delete('ServiceL2Status', `metallb-system/${made.metadata.name}`)
    await bench.clock.advance(29_000)
    const ofC = (): number =>
      bench.of('ServiceL2Status').filter(({ metadata }) => metadata.labels?.['metallb.io/service-name'] === 'c').length
    t.equal(ofC(), 0)
    await bench.clock.advance(2_000)
    t.equal(ofC(), 1, 'after a minute it is not believed any more')
  },
)

t.test('the end takes back what says that the node announces, as far as patience goes', async t => {
  const bench = new Bench()
  await bench.pass(...service('a', '10.0.0.1'))
  const cleared = bench.statuses.clear(1_000)
  await bench.clock.advance(0)
  await cleared
  t.strictSame(
    KINDS.flatMap(kind => bench.of(kind)),
    [],
  )
  t.equal(bench.of('ConfigurationState').length, 1, 'the garbage collector takes this one')
  t.equal(bench.clock.pending, 0)

  const away = new Bench()
  await away.pass(...service('a', '10.0.0.1'))
  away.store.outage = new Error('away')
  const given = away.statuses.clear(1_000)
  await away.clock.advance(1_000)
  await given
  t.equal(away.clock.pending, 0, 'nothing is left behind')
})

t.test('a message of a condition never has more than the 32,768 characters of the API', async t => {
  const stranded = Array.from({ length: 5_000 }, (_, i) => ({
    service: `namespace-of-some-length/service-${i}`,
    addresses: ['192.0.2.1', '2001:db8::1'],
  }))
  const [waiting] = conditionsOf({ state: 'waiting', stranded }, [])
  t.ok((waiting?.message.length ?? 0) <= 32_768)
  t.match(waiting?.message, /service-0 \(192\.0\.2\.1, 2001:db8::1\), .* and \d{4} more$/)
  const limits = stranded.map(({ service: name }) => ({
    peer: name,
    field: 'spec.vrf',
    reason: 'there is no such device: session not opened',
    notOpened: true,
  }))
  const [, peers] = conditionsOf({ state: 'inForce' }, limits)
  t.ok((peers?.message.length ?? 0) <= 32_768)
  t.match(peers?.message, /\nand \d{4} more$/)
  const [short] = conditionsOf({ state: 'waiting', stranded: stranded.slice(0, 2) }, [])
  t.notMatch(short?.message, / more$/)
})

t.test('changes of kinds that are not written are not looked at', async t => {
  const bench = new Bench()
  await bench.pass(...service('a', '10.0.0.1'))
  const { adds } = bench.statuses.counters
  const changes: readonly Change[] = [{ kind: 'Node', key: 'n1', type: 'modified' }]
  bench.store.emit('change', changes)
  t.equal(bench.statuses.counters.adds, adds)
})

t.test('conditions of others stay, and count in the summary', async t => {
  const bench = new Bench()
  const foreign = {
    type: 'other',
    status: 'False',
    reason: 'ConfigurationError',
    message: 'no',
    lastTransitionTime: 'x',
  }
  const state = left('ConfigurationState', 'speaker-n1', {}, { ownerReferences: [POD] })
  bench.store.apply({ ...state, status: { conditions: [foreign] } })
  await bench.pass()
  t.match(bench.of('ConfigurationState')[0]?.status, {
    result: 'Invalid',
    errorSummary: 'no',
    conditions: [foreign, { type: 'configReconcilerValid', status: 'True' }],
  })
})
