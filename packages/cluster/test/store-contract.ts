/** What every store must do, whatever the cluster behind it is. Run on each of them. */
import assert from 'node:assert/strict'
import t, { type Test } from 'tap'
import {
  type Change,
  ConflictError,
  type IPAddressPool,
  type KubernetesObject,
  type ObjectReference,
  referenceTo,
  type Secret,
  type Service,
  type ServiceL2Status,
  type Snapshot,
  type Store,
} from '@typemetal/cluster'
import { NAMESPACE, node, pool, service, slice } from './objects.js'

/** One event, as the cluster tells it to people. */
export interface SeenEvent {
  readonly reason: string
  readonly message: string
  readonly type: string
  readonly count: number
}

/** A cluster for one test. */
export interface TestCluster extends AsyncDisposable {
  /** Does what a user does who applies a manifest. */
  apply(...objects: readonly KubernetesObject[]): Promise<void>
  /** Does what a user does who deletes an object. */
  remove(object: KubernetesObject): Promise<void>
  /** Opens and starts one more store on this cluster. */
  open(component: string): Promise<Store>
  events(): Promise<readonly SeenEvent[]>
}

const PATIENCE = 60_000
/** A real API server has itself as a Service. */
const API_SERVICE = 'default/kubernetes'
const CONFLICT = { code: 'ERR_STORE_CONFLICT' }
const NOT_FOUND = { code: 'ERR_STORE_NOT_FOUND' }

/** Waits until a snapshot of the store satisfies `holds`, and who listens has been told; looks again at each change. */
export async function eventually(
  store: Store,
  holds: (snapshot: Snapshot) => boolean,
  what = holds.toString(),
): Promise<Snapshot> {
  const deadline = Date.now() + PATIENCE
  while (!holds(store.snapshot())) {
    const changed = new Promise<void>(resolve => {
      const timer = setTimeout(resolve, Math.max(0, deadline - Date.now()))
      const listener = (): void => {
        clearTimeout(timer)
        store.off('change', listener)
        resolve()
      }
      store.on('change', listener)
    })
    await changed
    if (Date.now() >= deadline) throw new assert.AssertionError({ message: `never came true: ${what}` })
  }
  await told()
  return store.snapshot()
}

/** A snapshot shows a change before the batch with it is handed on, which happens when the code that runs now has ended. */
export const told = (): Promise<unknown> => new Promise(resolve => setImmediate(resolve))

/** Keys of the Services that a test made. */
const services = (snapshot: Snapshot): readonly string[] =>
  [...snapshot.objects('Service').keys()].filter(key => key !== API_SERVICE).toSorted()

const ips = (snapshot: Snapshot, key = 'default/web'): readonly unknown[] | undefined =>
  snapshot
    .objects('Service')
    .get(key)
    ?.status?.loadBalancer?.ingress?.map(({ ip }) => ip)

/** The Service with these addresses and this annotation, as the controller writes it. */
function withAddress(object: Service | undefined, ip: string, pool = 'first'): Service {
  assert.ok(object)
  const annotations = { ...object.metadata.annotations, 'metallb.io/ip-allocated-from-pool': pool }
  return { ...object, metadata: { ...object.metadata, annotations }, status: { loadBalancer: { ingress: [{ ip }] } } }
}

const web = (store: Store): Service | undefined => store.snapshot().objects('Service').get('default/web')

const l2Status = (name: { readonly name: string } | { readonly generateName: string }): ServiceL2Status => ({
  apiVersion: 'metallb.io/v1beta1',
  kind: 'ServiceL2Status',
  metadata: { name: '', namespace: NAMESPACE, labels: { 'metallb.io/node': 'n1' }, ...name },
  status: { node: 'n1', serviceName: 'web', serviceNamespace: 'default' },
})

/**
 * Runs the contract on one kind of store.
 *
 * @param within the test that these are parts of
 * @returns when all have ended
 */
export async function testStore(
  name: string,
  makeCluster: () => Promise<TestCluster>,
  within: Test = t,
): Promise<void> {
  const running: Promise<unknown>[] = []
  const contract: Contract = (title, run) => {
    const test = within.test(`${name}: ${title}`, async t => {
      await using cluster = await makeCluster()
      await run(t, cluster)
    })
    running.push(test)
  }
  testReading(contract)
  testStatuses(contract)
  testOwnObjects(contract)
  await Promise.all(running)
}

type Contract = (title: string, run: (t: Test, cluster: TestCluster) => Promise<void>) => void

function testReading(contract: Contract): void {
  contract('start lists what is there', async (t, cluster) => {
    await cluster.apply(service('web'), service('api'), pool('first', ['10.0.0.0/24']), node('n1', { rack: '1' }))
    await using store = await cluster.open('a')
    const snapshot = store.snapshot()
    t.same(services(snapshot), ['default/api', 'default/web'])
    t.equal([...snapshot.objects('Service')].length, snapshot.objects('Service').size)
    t.same([...snapshot.objects('IPAddressPool').keys()], [`${NAMESPACE}/first`])
    t.match(snapshot.objects('Node').get('n1'), { kind: 'Node', metadata: { labels: { rack: '1' } } })
    t.equal(snapshot.objects('BGPPeer').size, 0)
    t.same(snapshot.faults, [])
    t.ok(snapshot.objects('Service').get('default/web')?.metadata.uid)
    t.ok(snapshot.objects('Service').get('default/web')?.metadata.resourceVersion)
  })

  contract('changes come as events, and old snapshots stay as they were', async (t, cluster) => {
    await cluster.apply(service('web'))
    await using store = await cluster.open('a')
    const seen: Change[] = []
    store.on('change', changes => seen.push(...changes))
    const first = store.snapshot()
    await cluster.apply(service('api'))
    const second = await eventually(store, s => s.objects('Service').has('default/api'))
    await cluster.apply(
      service('web', { spec: { type: 'ClusterIP', clusterIP: '10.96.0.9', clusterIPs: ['10.96.0.9'] } }),
    )
    await eventually(store, s => s.objects('Service').get('default/web')?.spec?.type === 'ClusterIP')
    await cluster.remove(service('api'))
    await eventually(store, s => !s.objects('Service').has('default/api'))
    t.same(seen, [
      { kind: 'Service', key: 'default/api', type: 'added' },
      { kind: 'Service', key: 'default/web', type: 'modified' },
      { kind: 'Service', key: 'default/api', type: 'deleted' },
    ])
    t.same(services(first), ['default/web'])
    t.equal(second.objects('Service').get('default/web')?.spec?.type, 'LoadBalancer')
    t.ok(second.objects('Service').has('default/api'))
  })

  contract('endpointSlicesOf follows the label', async (t, cluster) => {
    await cluster.apply(slice('web-1', 'web'), slice('web-2', 'web'), slice('api-1', 'api'))
    await using store = await cluster.open('a')
    const names = (of: string): readonly string[] =>
      store
        .snapshot()
        .endpointSlicesOf(`default/${of}`)
        .map(s => s.metadata.name)
        .toSorted()
    t.same(names('web'), ['web-1', 'web-2'])
    t.same(names('none'), [])
    await cluster.apply(slice('web-2', 'api'))
    await eventually(store, s => s.endpointSlicesOf('default/api').length === 2)
    t.same(names('web'), ['web-1'])
    t.same(names('api'), ['api-1', 'web-2'])
    await cluster.remove(slice('web-1', 'web'))
    await eventually(store, s => s.endpointSlicesOf('default/web').length === 0)
    t.same(names('web'), [])
  })
}

function testStatuses(contract: Contract): void {
  contract('a status is seen by its writer and by the others', async (t, cluster) => {
    await cluster.apply(service('web', { metadata: { name: 'web', namespace: 'default', annotations: { own: 'x' } } }))
    await using a = await cluster.open('a')
    await using b = await cluster.open('b')
    const before = web(a)
    await a.updateStatus(withAddress(before, '10.0.0.1'))
    for (const store of [a, b]) {
      const after = (await eventually(store, s => ips(s)?.[0] === '10.0.0.1')).objects('Service').get('default/web')
      t.same(after?.metadata.annotations, { own: 'x', 'metallb.io/ip-allocated-from-pool': 'first' })
      t.same(after?.spec, before?.spec)
      t.equal(after?.metadata.uid, before?.metadata.uid)
      t.not(after?.metadata.resourceVersion, before?.metadata.resourceVersion)
    }
    await using late = await cluster.open('c')
    t.same(ips(late.snapshot()), ['10.0.0.1'], 'and by those that come later')
    const { 'metallb.io/ip-allocated-from-pool': _, ...rest } = web(a)?.metadata.annotations ?? {}
    const now = web(a)
    assert.ok(now)
    await a.updateStatus({ ...now, metadata: { ...now.metadata, annotations: rest }, status: { loadBalancer: {} } })
    const cleared = await eventually(b, s => ips(s) === undefined)
    t.same(
      cleared.objects('Service').get('default/web')?.metadata.annotations,
      { own: 'x' },
      'annotations can be taken away',
    )
  })

  contract('a status made of an old version is a conflict', async (t, cluster) => {
    await cluster.apply(service('web'))
    await using a = await cluster.open('a')
    await using b = await cluster.open('b')
    const old = web(b)
    await a.updateStatus(withAddress(web(a), '10.0.0.1'))
    await t.rejects(b.updateStatus(withAddress(old, '10.0.0.2')), CONFLICT)
    await eventually(b, s => ips(s)?.[0] === '10.0.0.1')
    await b.updateStatus(withAddress(web(b), '10.0.0.2'))
    await eventually(a, s => ips(s)?.[0] === '10.0.0.2')
    const stale = web(a)
    const { spec } = service('web')
    await cluster.apply(service('web', { spec: { ...spec, externalTrafficPolicy: 'Local' } }))
    await eventually(a, s => s.objects('Service').get('default/web')?.spec?.externalTrafficPolicy === 'Local')
    await t.rejects(a.updateStatus(withAddress(stale, '10.0.0.3')), CONFLICT, 'also when the user changed the object')
    t.same(ips(a.snapshot()), ['10.0.0.2'], 'whose change leaves the status alone')
  })

  contract('no update is lost between writers', async (t, cluster) => {
    await cluster.apply(service('web'))
    const stores = await Promise.all(['a', 'b', 'c'].map(name => cluster.open(name)))
    let conflicts = 0
    const addOne = async (store: Store): Promise<void> => {
      for (;;) {
        const object = web(store)
        const count = Number(object?.metadata.annotations?.['metallb.io/ip-allocated-from-pool'] ?? 0)
        try {
          return await store.updateStatus(withAddress(object, `10.0.0.${count + 1}`, String(count + 1)))
        } catch (error) {
          assert.ok(error instanceof ConflictError, String(error))
          conflicts++
          await eventually(
            store,
            s => s.objects('Service').get('default/web')?.metadata.resourceVersion !== object?.metadata.resourceVersion,
          )
        }
      }
    }
    const rounds = Array.from({ length: 8 })
    await Promise.all(
      stores.map(store => rounds.reduce<Promise<void>>(done => done.then(() => addOne(store)), Promise.resolve())),
    )
    await Promise.all(stores.map(store => eventually(store, s => ips(s)?.[0] === '10.0.0.24')))
    t.ok(conflicts > 0, `${conflicts} conflicts`)
    for (const store of stores) await store[Symbol.asyncDispose]()
  })

  contract('without a version, a status overwrites what is there', async (t, cluster) => {
    await cluster.apply(service('web'))
    const stores = await Promise.all(['a', 'b', 'c'].map(name => cluster.open(name)))
    const write = (store: Store, ip: string): Promise<void> => {
      const { resourceVersion: _, ...metadata } = web(store)?.metadata ?? { name: 'web' }
      return store.updateStatus({ ...withAddress(service('web'), ip), metadata })
    }
    await Promise.all(stores.flatMap((store, i) => [1, 2, 3, 4].map(n => write(store, `10.0.${i}.${n}`))))
    const last = `10.0.9.9`
    await Promise.all(stores.map(store => write(store, last)))
    for (const store of stores) await eventually(store, s => ips(s)?.[0] === last)
    t.pass('all were taken')
    for (const store of stores) await store[Symbol.asyncDispose]()
  })

  contract('a status that says nothing new is no change', async (t, cluster) => {
    await cluster.apply(service('web'))
    await using store = await cluster.open('a')
    await store.updateStatus(withAddress(web(store), '10.0.0.1'))
    const { metadata } =
      (await eventually(store, s => ips(s)?.[0] === '10.0.0.1')).objects('Service').get('default/web') ?? {}
    await store.updateStatus(withAddress(web(store), '10.0.0.1'))
    await using late = await cluster.open('b')
    t.equal(web(late)?.metadata.resourceVersion, metadata?.resourceVersion)
  })

  contract('an object that is gone has no status', async (t, cluster) => {
    await cluster.apply(service('web'))
    await using store = await cluster.open('a')
    await t.rejects(store.updateStatus(withAddress(service('none'), '10.0.0.1')), NOT_FOUND)
    const old = web(store)
    await store.updateStatus(withAddress(old, '10.0.0.1'))
    await cluster.remove(service('web'))
    await eventually(store, s => !s.objects('Service').has('default/web'))
    await t.rejects(store.updateStatus(withAddress(old, '10.0.0.2')), NOT_FOUND)
  })

  contract('pool counters are exact beyond 2^53', async (t, cluster) => {
    await cluster.apply(pool('first', ['fd00::/64']))
    await using a = await cluster.open('a')
    await using b = await cluster.open('b')
    const get = (s: Snapshot): IPAddressPool | undefined => s.objects('IPAddressPool').get(`${NAMESPACE}/first`)
    const object = get(a.snapshot())
    assert.ok(object)
    const status = { assignedIPv4: 0, assignedIPv6: 1, availableIPv4: 0, availableIPv6: 9223372036854775806n }
    await a.updateStatus({ ...object, status })
    const seen = get(await eventually(b, s => get(s)?.status !== undefined))
    t.equal(BigInt(seen?.status?.availableIPv6 ?? 0), 9223372036854775806n)
    t.equal(BigInt(seen?.status?.assignedIPv6 ?? 0), 1n)
  })
}

function testOwnObjects(contract: Contract): void {
  contract('objects of our own are created, updated and deleted', async (t, cluster) => {
    await using a = await cluster.open('a')
    await using b = await cluster.open('b')
    const made = await a.create(l2Status({ generateName: 'l2-' }))
    t.match(made.metadata.name, /^l2-[a-z0-9]{5}$/)
    t.ok(made.metadata.uid && made.metadata.resourceVersion && made.metadata.creationTimestamp)
    const key = `${NAMESPACE}/${made.metadata.name}`
    const get = (s: Snapshot): ServiceL2Status | undefined => s.objects('ServiceL2Status').get(key)
    const seen = get(await eventually(b, s => get(s)?.status?.node === 'n1'))
    t.match(seen, { metadata: { labels: { 'metallb.io/node': 'n1' } }, status: { serviceName: 'web' } })
    await eventually(a, s => get(s)?.status?.node === 'n1')
    const mine = get(a.snapshot())
    assert.ok(mine)
    await a.updateStatus({ ...mine, status: { ...mine.status, interfaces: [{ name: 'eth0' }] } })
    await eventually(b, s => get(s)?.status?.interfaces?.[0]?.name === 'eth0')
    await t.rejects(a.updateStatus({ ...mine, status: {} }), CONFLICT, 'of an old version')
    const reference: ObjectReference = referenceTo(mine)
    await a.delete(reference)
    await eventually(b, s => !get(s))
    await eventually(a, s => !get(s))
    await a.delete(reference)
    await t.rejects(a.updateStatus(mine), NOT_FOUND)
  })

  contract('a name is given once', async (t, cluster) => {
    await using a = await cluster.open('a')
    await using b = await cluster.open('b')
    await a.create(l2Status({ name: 'one' }))
    await t.rejects(b.create(l2Status({ name: 'one' })), CONFLICT)
    const both = await Promise.allSettled([a.create(l2Status({ name: 'two' })), b.create(l2Status({ name: 'two' }))])
    t.same(both.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected'])
    const many = await Promise.all(Array.from({ length: 20 }, () => a.create(l2Status({ generateName: 'l2-' }))))
    t.equal(new Set(many.map(object => object.metadata.name)).size, 20)
  })

  contract('a Secret can be made and is read by the others', async (t, cluster) => {
    await using a = await cluster.open('a')
    await using b = await cluster.open('b')
    const data = { secretkey: Buffer.from('hush').toString('base64') }
    const secret: Secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'memberlist', namespace: NAMESPACE },
      type: 'Opaque',
      data,
    }
    await a.create(secret)
    const seen = await eventually(b, s => s.objects('Secret').has(`${NAMESPACE}/memberlist`))
    t.same(seen.objects('Secret').get(`${NAMESPACE}/memberlist`)?.data, data)
  })

  contract('the same event again raises its count', async (t, cluster) => {
    await cluster.apply(service('web'))
    await using store = await cluster.open('a')
    const emit = (message: string): void =>
      store.emitEvent({
        regarding: referenceTo(service('web')),
        type: 'Warning',
        reason: 'AllocationFailed',
        message,
        component: 'metallb-controller',
      })
    emit('no address')
    emit('no address')
    emit('no pool')
    emit('no address')
    await store[Symbol.asyncDispose]()
    const seen = (await cluster.events()).map(({ reason, message, type, count }) => ({ reason, message, type, count }))
    t.same(
      seen.toSorted((a, b) => b.count - a.count),
      [
        { reason: 'AllocationFailed', message: 'no address', type: 'Warning', count: 3 },
        { reason: 'AllocationFailed', message: 'no pool', type: 'Warning', count: 1 },
      ],
    )
  })
}
