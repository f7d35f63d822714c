/** Several controllers on one cluster, of which one works: virtual time, and processes that are cut off, paused or killed at any moment. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import { ApiError, type Store } from '@typemetal/cluster'
import { type Logger, silentLogger, StartupError } from '@typemetal/cluster/process'
import { lead, type Lease } from '@typemetal/cluster/leader'
import { Controller } from '@typemetal/controller'
import * as fc from 'fast-check'
import { Registry } from 'prom-client'
import t from 'tap'
import { Candidacy } from '../dist/node/candidacy.js'
import { ipsOf } from './scenario/compare.js'
import { keyOf, MemoryCluster } from './scenario/memory-store.js'
import { LeaseBox, NetworkClock, ProcessClock, RemoteStore, REQUEST_TIMEOUT } from './scenario/remote-store.js'

const pool = (addresses: string) => ({
  apiVersion: 'metallb.io/v1beta1',
  kind: 'IPAddressPool',
  metadata: { name: 'small', namespace: 'metallb-system' },
  spec: { addresses: [addresses] },
})
const service = (name: string) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'default' },
  spec: { type: 'LoadBalancer', clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1'], ports: [{ port: 80 }] },
})

/** A controller process; `name` is its identity. */
class Replica {
  readonly store: RemoteStore
  readonly clock: ProcessClock
  readonly stop = new AbortController()
  readonly ended: Promise<void>
  working = false

  constructor(name: string, cluster: MemoryCluster, network: NetworkClock, leases: LeaseBox) {
    const clock = (this.clock = new ProcessClock(network))
    this.store = new RemoteStore(cluster, network, clock, leases)
    const timer = { now: () => clock.date(), after: clock.after.bind(clock) }
    const controller = new Controller({ store: this.store, options: { namespace: 'metallb-system' }, clock: timer })
    const options = { leases: this.store.leases, name: 'x', namespace: 'metallb-system', identity: name, clock }
    this.ended = lead({ ...options, random: () => 0.5 }, this.stop.signal, async term => {
      this.working = true
      await controller.run(term.signal, term.leads).finally(() => (this.working = false))
    })
  }
}

/** A cluster with replicas of the controller; every status that is written is looked at. */
class Site {
  readonly cluster = new MemoryCluster()
  readonly clock = new NetworkClock()
  readonly leases = new LeaseBox()
  readonly replicas: Replica[] = []
  readonly gone: Replica[] = []
  readonly violations: string[] = []
  #count = 0

  constructor(addresses = '192.0.2.0/30') {
    this.cluster.apply(pool(addresses))
    this.cluster.onStatusWrite = written => {
      const key = keyOf(written)
      const status = written.status as { loadBalancer?: { ingress?: { ip: string }[] } } | undefined
      const ips = status?.loadBalancer?.ingress?.map(({ ip }) => ip) ?? []
      for (const other of this.cluster.all('Service')) {
        const common = ipsOf(this.cluster, keyOf(other)).filter(ip => ips.includes(ip))
        if (keyOf(other) !== key && common.length > 0)
          this.violations.push(`${common.join()} given to ${key} while ${keyOf(other)} has it`)
      }
    }
  }

  start(): Replica {
    const replica = new Replica(`r${this.#count++}`, this.cluster, this.clock, this.leases)
    this.replicas.push(replica)
    return replica
  }

  kill(replica: Replica): void {
    this.replicas.splice(this.replicas.indexOf(replica), 1)
    this.gone.push(replica)
    replica.store.kill()
    replica.stop.abort()
  }

  async pass(milliseconds: number): Promise<void> {
    const end = this.clock.now() + milliseconds
    do {
      for (let turn = 0; turn < 4; turn++) await setImmediate()
    } while (this.clock.step(end))
  }

  /** Names of Services with their addresses. */
  get addresses(): readonly string[] {
    return this.cluster.all('Service').map(each => `${each.metadata.name} ${ipsOf(this.cluster, keyOf(each)).join()}`)
  }

  async end(): Promise<void> {
    for (const { stop } of this.replicas) stop.abort()
    await this.pass(REQUEST_TIMEOUT * 4)
    await Promise.all([...this.replicas, ...this.gone].map(({ ended }) => ended))
  }
}

t.test('the standby writes nothing; it takes over when the leader is stopped, killed, or cut off', async t => {
  const site = new Site()
  const [a, b] = [site.start(), site.start()]
  site.cluster.apply(service('one'))
  await site.pass(1000)
  t.same([a.working, b.working], [true, false])
  t.same(site.addresses, ['one 192.0.2.0'])

  a.store.isCut = true
  site.cluster.apply(service('two'))
  await site.pass(11_000)
  t.equal(a.working, false, 'a leader that cannot renew stops')
  await site.pass(8000)
  t.same([b.working, site.addresses], [true, ['one 192.0.2.0', 'two 192.0.2.1']])

  a.store.isCut = false
  site.kill(b)
  site.cluster.apply(service('three'))
  await site.pass(20_000)
  t.same([a.working, site.addresses.at(-1)], [true, 'three 192.0.2.2'])

  const c = site.start()
  await site.pass(5000)
  site.cluster.apply(service('four'))
  a.stop.abort()
  await site.pass(3000)
  t.same(
    [a.working, c.working, site.addresses.at(-1)],
    [false, true, 'four 192.0.2.3'],
    'a released Lease is taken at once',
  )
  t.same(site.violations, [])
  await site.end()
})

t.test('a leader that was paused for long writes nothing when it wakes', async t => {
  const site = new Site()
  const [a, b] = [site.start(), site.start()]
  await site.pass(1000)
  a.clock.pause(30_000)
  site.cluster.apply(service('one'))
  await site.pass(29_000)
  t.same(
    [a.working, b.working, site.addresses],
    [true, true, ['one 192.0.2.0']],
    'nobody has told the one that is paused',
  )
  b.store.isCut = true
  site.cluster.apply(service('two'))
  site.cluster.statusWrites = []
  await site.pass(5000)
  t.same([a.working, site.cluster.statusWrites], [false, []])
  await site.end()
})

t.test('who takes over looks at what was written last, and not at what its watch has told so far', async t => {
  const site = new Site()
  const [a, b] = [site.start(), site.start()]
  await site.pass(1000)
  b.store.delays = { there: 1, back: 1, watch: 60_000 }
  site.cluster.apply(service('one'))
  await site.pass(100)
  t.same(site.addresses, ['one 192.0.2.0'])
  site.kill(a)
  site.cluster.apply(service('two'))
  await site.pass(20_000)
  t.same([b.working, site.addresses], [true, ['one 192.0.2.0', 'two 192.0.2.1']])
  t.same(site.violations, [])
  await site.end()
})

t.test(
  'property: kill, pause and partition at every step of an allocation: no address twice, and in the end all is given',
  async () => {
    const delays = fc.record({
      there: fc.integer({ min: 0, max: 4999 }),
      back: fc.integer({ min: 0, max: 3000 }),
      watch: fc.integer({ min: 0, max: 20_000 }),
    })
    const step = fc.record({
      replica: fc.nat({ max: 2 }),
      pause: fc.integer({ min: 1, max: 40_000 }),
      does: fc.constantFrom('cut', 'heal', 'kill', 'delay', 'stop', 'pause', 'nothing'),
      delays,
      apply: fc.option(fc.constantFrom('a', 'b', 'c', 'd'), { nil: undefined }),
      remove: fc.option(fc.constantFrom('a', 'b', 'c', 'd'), { nil: undefined, freq: 4 }),
      lasts: fc.oneof(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 12_000 })),
    })
    const run = fc.asyncProperty(fc.array(step, { maxLength: 25 }), async steps => {
      const site = new Site('192.0.2.0/31')
      for (let i = 0; i < 3; i++) site.start()
      for (const { replica: index, does, delays, pause, apply, remove, lasts } of steps) {
        const replica = site.replicas[index]!
        if (does === 'cut' || does === 'heal') replica.store.isCut = does === 'cut'
        if (does === 'delay') replica.store.delays = delays
        if (does === 'pause') replica.clock.pause(pause)
        if (does === 'kill') site.kill(replica)
        if (does === 'stop') {
          replica.stop.abort()
          site.gone.push(...site.replicas.splice(index, 1))
        }
        if (site.replicas.length < 3) site.start()
        if (remove !== undefined) site.cluster.delete({ kind: 'Service', namespace: 'default', name: remove })
        if (apply !== undefined) site.cluster.apply(service(apply))
        await site.pass(lasts)
        assert.deepEqual(site.violations, [])
      }
      for (const { store } of site.replicas) {
        store.delays = { there: 1, back: 1, watch: 1 }
        store.isCut = false
      }
      await site.pass(90_000)
      assert.deepEqual(site.violations, [])
      const served = site.addresses.filter(each => /192\.0\.2\.[01]$/.test(each))
      assert.equal(served.length, Math.min(2, site.addresses.length))
      await site.end()
    })
    await fc.assert(run, { numRuns: 40, interruptAfterTimeLimit: 20_000 })
  },
)

t.test('Candidacy', async t => {
  const times = { leaseDuration: 15_000, renewDeadline: 10_000, retryPeriod: 2000 }
  const options = { name: 'x', namespace: 'ns', times, log: silentLogger }
  const status = async (registry: Registry) => (await registry.metrics()).match(/^leader_.* (\d)$/m)?.[1]

  t.test('without Leases, or told so, it works at once', async t => {
    const site = new Site()
    for (const enabled of [true, false]) {
      const store = enabled ? site.cluster.connect() : site.start().store
      const candidacy = new Candidacy({ ...options, enabled, registry: new Registry() })
      let mayWrite: unknown = 'not called'
      await candidacy.run(store, AbortSignal.abort(), async (_, given) => void (mayWrite = given))
      t.equal(mayWrite, undefined)
      t.equal(candidacy.standby, false)
    }
    await site.end()
  })

  t.test('a standby is ready until it loses the API; the metric tells who leads', async t => {
    const registry = new Registry()
    const candidacy = new Candidacy({ ...options, enabled: true, registry })
    const network = new NetworkClock()
    const store = new RemoteStore(new MemoryCluster(), network, new ProcessClock(network), new LeaseBox())
    const stop = new AbortController()
    const ended = candidacy.run(store, stop.signal, async () => {})
    await setImmediate()
    t.equal(candidacy.standby, true)
    t.equal(await status(registry), '0')
    store.emit('outage', 'the API is gone')
    t.equal(candidacy.standby, 'the API is gone')
    store.emit('outage', undefined)
    t.equal(candidacy.standby, true)
    stop.abort()
    await ended
    t.equal(candidacy.standby, false)
  })

  t.test('without the right to Leases, as in the roles of MetalLB, it is not ready and says what to do', async t => {
    const said = 'leases.coordination.k8s.io "x" is forbidden'
    let mayAsk = false
    const asked: number[] = []
    const read = async (): Promise<undefined> => {
      asked.push(asked.length)
      if (!mayAsk) throw new ApiError(403, said)
      return undefined
    }
    const write = async (lease: Lease): Promise<Lease> => lease
    const store: Store = Object.assign(new MemoryCluster().connect(), { leases: { read, write } })
    const quick = { leaseDuration: 30_000, renewDeadline: 20_000, retryPeriod: 10 }
    const complaints: number[] = []
    const log: Logger = { ...silentLogger, error: () => complaints.push(asked.length) }
    const candidacy = new Candidacy({ ...options, times: quick, log, enabled: true, registry: new Registry() })
    const stop = new AbortController()
    let led = (): void => {}
    const leads = new Promise<void>(resolve => (led = resolve))
    const ended = candidacy.run(store, stop.signal, async signal => {
      led()
      await once(signal, 'abort')
    })
    while (candidacy.standby === true || candidacy.standby === false) await setImmediate()
    t.match(candidacy.standby, `${said}; give the right, or --leader-elect=false`)
    t.same(complaints, [], 'a server that has just started does not know its roles yet')
    while (asked.length < 8) await setImmediate()
    t.same(complaints, [5], 'it complains when that lasts, once')
    mayAsk = true
    await leads
    t.equal(candidacy.standby, false, 'as soon as it is given')
    stop.abort()
    await ended
  })

  t.test('times that would let two lead are refused in words', async t => {
    const create = (): unknown =>
      new Candidacy({ ...options, enabled: true, registry: new Registry(), times: { ...times, leaseDuration: 5000 } })
    t.throws(create, new StartupError('--leader-elect: leaseDuration must be above renewDeadline'))
  })
})
