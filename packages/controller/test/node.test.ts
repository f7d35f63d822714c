/** What surrounds the decisions: writing statuses, metrics, starting and stopping. Virtual time. */
import { setImmediate } from 'node:timers/promises'
import { ConflictError, type KubernetesObject, NotFoundError } from '@typemetal/cluster'
import type { Logger } from '@typemetal/cluster/process'
import { Controller } from '@typemetal/controller'
import { Registry } from 'prom-client'
import t from 'tap'
import { createControllerMetrics } from '../dist/node/metrics.js'
import { StatusWriter } from '../dist/node/status-writer.js'
import { MemoryCluster } from './scenario/memory-store.js'
import { Bench } from './scenario/run.js'
import { VirtualClock } from './scenario/virtual-clock.js'

/** A writer on objects whose wanted state is a text; every attempt is written down. */
class Desk {
  readonly clock = new VirtualClock()
  readonly wanted = new Map<string, string>()
  readonly version = new Map<string, string>()
  readonly attempts: string[] = []
  readonly errors: string[] = []
  /** Answers in order; what is not there goes well. */
  readonly answers: (Error | Promise<void>)[] = []
  readonly writer = new StatusWriter({
    clock: this.clock,
    concurrency: 2,
    wanted: key => {
      const text = this.wanted.get(key)
      return text === undefined
        ? undefined
        : { version: this.version.get(key), perform: () => this.#perform(key, text) }
    },
    onError: (key, error) => this.errors.push(`${key}: ${(error as Error).message}`),
  })

  async #perform(key: string, text: string): Promise<string | undefined> {
    const version = this.version.get(key)
    this.attempts.push(`${key}=${text}`)
    const answer = this.answers.shift()
    if (answer instanceof Error) throw answer
    await answer
    return version
  }
}

t.test('StatusWriter', async t => {
  t.test('many decisions while a write is under way cost one more write, of the newest', async t => {
    const desk = new Desk()
    let finish = (): void => {}
    desk.answers.push(new Promise(resolve => (finish = resolve)))
    for (const text of ['1', '2', '3']) {
      desk.wanted.set('a', text)
      desk.writer.mark('a')
    }
    finish()
    await setImmediate()
    t.same(desk.attempts, ['a=1', 'a=3'])
    t.equal(desk.writer.pending, 0)
  })

  t.test('no more at once than allowed', async t => {
    const desk = new Desk()
    let finish = (): void => {}
    desk.answers.push(new Promise(resolve => (finish = resolve)), new Promise(() => {}))
    for (const key of ['a', 'b', 'c']) {
      desk.wanted.set(key, 'x')
      desk.writer.mark(key)
    }
    t.same(desk.attempts, ['a=x', 'b=x'])
    t.equal(desk.writer.pending, 3)
    finish()
    await setImmediate()
    t.same(desk.attempts, ['a=x', 'b=x', 'c=x'])
  })

  t.test(
    'an object that somebody else writes as often: twenty at once, then one a second; nobody else waits',
    async t => {
      const desk = new Desk()
      /** Our write, and at once the other's, which makes a new version and wants ours again. */
      const fight = async (rounds: number): Promise<number> => {
        const before = desk.attempts.length
        for (let round = 0; round < rounds; round++) {
          desk.version.set('a', `${before} ${round}`)
          desk.writer.wake('a')
          await setImmediate()
        }
        return desk.attempts.length - before
      }
      const pass = async (milliseconds: number): Promise<void> => {
        const end = desk.clock.now().getTime() + milliseconds
        desk.clock.after(milliseconds, () => {})
        while (desk.clock.now().getTime() < end) {
          desk.clock.advance()
          await setImmediate()
        }
      }
      desk.wanted.set('a', 'x').set('b', 'y')
      t.equal(await fight(100), 20)
      desk.writer.mark('b')
      await setImmediate()
      t.equal(desk.attempts.at(-1), 'b=y')
      await pass(1000)
      t.equal(await fight(100), 0, 'what was saved up is written already')
      t.equal(desk.attempts.at(-1), 'a=x')
      await pass(10_000)
      t.equal(desk.attempts.length, 23)
      desk.wanted.clear()
      await pass(60_000)
      desk.wanted.set('a', 'x')
      t.equal(await fight(30), 20, 'all is forgotten after a while')
    },
  )

  t.test('a failure rests its object, longer each time, and nobody else; a change wakes it', async t => {
    const desk = new Desk()
    desk.wanted.set('a', 'x').set('b', 'y')
    desk.answers.push(new Error('no'), Promise.resolve(), new ConflictError('old'))
    desk.writer.mark('a')
    await setImmediate()
    const start = desk.clock.now().getTime()
    desk.writer.mark('a')
    desk.writer.mark('b')
    await setImmediate()
    t.same(desk.attempts, ['a=x', 'b=y'])
    desk.clock.advance()
    await setImmediate()
    t.equal(desk.clock.now().getTime() - start, 5)
    t.same(desk.errors, ['a: no', 'a: old'])
    desk.writer.wake('a')
    await setImmediate()
    t.same(desk.attempts, ['a=x', 'b=y', 'a=x', 'a=x'])
    t.equal(desk.writer.pending, 0)
    t.notOk(desk.clock.advance(), 'no timer is left')
  })

  t.test('an object that is gone is not written again', async t => {
    const desk = new Desk()
    desk.wanted.set('a', 'x')
    desk.answers.push(new NotFoundError('gone'))
    desk.writer.mark('a')
    await setImmediate()
    desk.wanted.delete('a')
    desk.clock.advance()
    await setImmediate()
    t.same([desk.attempts, desk.errors, desk.writer.pending, desk.clock.advance()], [['a=x'], [], 0, false])
  })

  t.test(
    'an object that is said to be gone, and is wanted all the same, is tried again; in the end people hear of it',
    async t => {
      const desk = new Desk()
      desk.wanted.set('a', 'x')
      const times = 10
      desk.answers.push(...Array.from({ length: times }, () => new NotFoundError('gone')))
      desk.writer.mark('a')
      for (let i = 0; i < times; i++) {
        await setImmediate()
        desk.clock.advance()
      }
      await setImmediate()
      t.equal(desk.attempts.length, times + 1)
      t.equal(desk.errors.length, 2, 'not of what a late watch explains')
      t.equal(desk.writer.pending, 0)
    },
  )

  t.test('a second write on one version waits until the store shows the first', async t => {
    const desk = new Desk()
    desk.version.set('a', '1')
    desk.wanted.set('a', 'x')
    desk.writer.mark('a')
    await setImmediate()
    desk.wanted.set('a', 'y')
    desk.writer.mark('a')
    await setImmediate()
    t.same(desk.attempts, ['a=x'])
    desk.version.set('a', '2')
    desk.writer.wake('a')
    await setImmediate()
    t.same(desk.attempts, ['a=x', 'a=y'])
  })

  t.test('disposed, it waits for what is under way and begins nothing', async t => {
    const desk = new Desk()
    let finish = (): void => {}
    desk.answers.push(new Promise(resolve => (finish = resolve)), new Error('no'))
    desk.wanted.set('a', 'x').set('b', 'y')
    desk.writer.mark('a')
    desk.writer.mark('b')
    await setImmediate()
    let ended = false
    const end = desk.writer[Symbol.asyncDispose]().then(() => (ended = true))
    desk.writer.mark('c')
    await setImmediate()
    t.notOk(ended)
    finish()
    await end
    t.notOk(desk.clock.advance(), 'no timer is left')
  })
})

t.test("MetalLB's metric names, and zeros from the start; who only waits says nothing that alerts go by", async t => {
  const registry = new Registry()
  const store = new MemoryCluster().connect()
  const controller = new Controller({ store, options: { namespace: 'metallb-system' }, registry })
  t.type(controller, Controller)
  const names = registry.getMetricsAsArray().map(({ name }) => name)
  t.same(names.toSorted(), [
    'metallb_allocator_addresses_allocated_total',
    'metallb_allocator_addresses_in_use_total',
    'metallb_allocator_addresses_total',
    'metallb_allocator_ipv4_addresses_in_use_total',
    'metallb_allocator_ipv4_addresses_total',
    'metallb_allocator_ipv6_addresses_in_use_total',
    'metallb_allocator_ipv6_addresses_total',
    'metallb_allocator_services_allocated_total',
    'metallb_k8s_client_config_loaded_bool',
    'metallb_k8s_client_config_stale_bool',
    'metallb_k8s_client_update_errors_total',
    'metallb_k8s_client_updates_total',
  ])
  const series = async (): Promise<readonly string[]> =>
    (await registry.metrics())
      .split('\n')
      .filter(line => line && !line.startsWith('#'))
      .toSorted()
  const counts = ['metallb_k8s_client_update_errors_total 0', 'metallb_k8s_client_updates_total 0']
  t.same(await series(), counts, 'a standby: MetalLBConfigNotLoaded is for those that work')
  const stop = new AbortController()
  store.start = () => new Promise(() => {})
  const ended = controller.run(stop.signal)
  const works = ['metallb_k8s_client_config_loaded_bool 0', 'metallb_k8s_client_config_stale_bool 0', ...counts]
  t.same(await series(), works)
  stop.abort()
  await ended
  t.same(await series(), counts, 'and whose term is over')
})

t.test('the series of a pool go with it', async t => {
  const registry = new Registry()
  const metrics = createControllerMetrics(registry)
  const [four, one, zero] = [4n, 1n, 0n]
  const counters = {
    assignedIPv4: one, assignedIPv6: zero, availableIPv4: 3n, availableIPv6: zero,
    capacity: four, capacityIPv4: four, capacityIPv6: zero,
  } // prettier-ignore
  metrics.setPool('web', counters)
  metrics.countGiven('web', 1)
  t.match(await registry.metrics(), /addresses_allocated_total\{pool="web"\} 1/)
  metrics.setPool('web', undefined)
  t.notMatch(await registry.metrics(), /"web"/)
})

t.test('Controller: starting and stopping', async t => {
  const options = { namespace: 'metallb-system' }

  t.test('an aborted signal starts nothing; a start that fails is what run throws', async t => {
    const store = new MemoryCluster().connect()
    store.start = async () => {
      throw new Error('no such cluster')
    }
    await new Controller({ store, options }).run(AbortSignal.abort())
    await t.rejects(new Controller({ store, options }).run(new AbortController().signal), {
      message: 'no such cluster',
    })
    t.equal(store.listenerCount('change'), 0)
  })

  t.test('a start that never ends can be aborted', async t => {
    const store = new MemoryCluster().connect()
    store.start = () => new Promise(() => {})
    const stop = new AbortController()
    const controller = new Controller({ store, options })
    const ended = controller.run(stop.signal)
    t.equal(controller.ready, 'the cluster has not been listed yet')
    stop.abort()
    await ended
  })

  t.test('readiness says what is missing: a valid configuration, and the store', async t => {
    const cluster = new MemoryCluster()
    cluster.apply({ apiVersion: 'metallb.io/v1beta1', kind: 'IPAddressPool', metadata: { name: 'p' } })
    const store = cluster.connect()
    const stop = new AbortController()
    const lines: string[] = []
    const controller = new Controller({ store, options, log: collect(lines), clock: new VirtualClock() })
    const ended = controller.run(stop.signal)
    await setImmediate()
    t.equal(controller.ready, 'there has been no valid configuration yet')
    t.match(lines.join('\n'), /error reload failed, no retry .*IPAddressPool metallb-system\/p:.*spec/)
    cluster.delete({ kind: 'IPAddressPool', name: 'p' })
    await setImmediate()
    await setImmediate()
    t.equal(controller.ready, true)
    store.emit('outage', 'the disk is gone')
    t.equal(controller.ready, 'the disk is gone')
    store.emit('outage', undefined)
    t.equal(controller.ready, true)
    stop.abort()
    await ended
    t.equal(store.listenerCount('change'), 0)
  })
})

t.test('an annotation of 256 kB is refused in few words, at once, and nobody else notices', async t => {
  await using bench = new Bench()
  const service = (name: string, annotations: Record<string, string>): KubernetesObject => {
    const spec = { type: 'LoadBalancer', clusterIP: '10.96.0.1' }
    return {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace: 'default', annotations },
      spec,
    } as KubernetesObject
  }
  const pool = {
    apiVersion: 'metallb.io/v1beta1',
    kind: 'IPAddressPool',
    metadata: { name: 'p' },
    spec: { addresses: ['10.0.0.0/24'] },
  }
  const bad = ['x,'.repeat(128 * 1024), '10.0.0.1,'.repeat(28 * 1024), '10.0.0.1'.repeat(32 * 1024)]
  const hostile = bad.map((text, i) => service(`bad-${i}`, { 'metallb.io/loadBalancerIPs': text }))
  const pinned = service('bad-pool', { 'metallb.io/address-pool': 'p'.repeat(256 * 1024) })
  // Of the processor, which on a busy machine is less than the time that passes.
  const began = process.cpuUsage()
  await bench.step({ apply: [pool, ...hostile, pinned, service('good', {})] })
  const { user, system } = process.cpuUsage(began)
  t.ok(user + system < 5_000_000, `${(user + system) / 1000} ms of the processor`)
  t.ok(bench.cluster.events.every(({ message }) => message.length <= 1024))
  t.same(bench.cluster.events.map(({ reason }) => reason).toSorted(), [
    ...Array(4).fill('AllocationFailed'),
    'IPAllocated',
  ])
})

t.test('an object that cannot be read is named once, and the rest goes on', async t => {
  await using bench = new Bench()
  bench.cluster.faults = [
    {
      kind: 'Service',
      namespace: 'default',
      name: 'x',
      field: 'spec.ports',
      reason: 'not a list',
      file: 'x.yaml',
      affectsConfig: false,
    },
  ]
  await bench.step({ apply: [{ apiVersion: 'metallb.io/v1beta1', kind: 'Community', metadata: { name: 'c' } }] })
  const said = bench.cluster.events.map(({ regarding, reason, message }) => `${regarding.name} ${reason} ${message}`)
  t.same(said, ['x ConfigurationError spec.ports: not a list'])
  await bench.step({ apply: [{ apiVersion: 'metallb.io/v1beta1', kind: 'Community', metadata: { name: 'd' } }] })
  t.same(bench.cluster.events, [])
  t.match(bench.cluster.get('ConfigurationState', 'metallb-system/controller')?.status, { result: 'Valid' })
})

t.test('a fault that only concerns speakers does not stop the controller, one that may hide pools does', async t => {
  for (const [kind, result] of [
    ['BGPPeer', 'Valid'],
    ['File', 'Invalid'],
  ] as const) {
    await using bench = new Bench()
    bench.cluster.faults = [{ kind, name: 'x', field: '', reason: 'broken', affectsConfig: true }]
    await bench.step({})
    t.match(bench.cluster.get('ConfigurationState', 'metallb-system/controller')?.status, { result })
  }
})

/** A logger that writes down level, event and fields. */
function collect(lines: string[]): Logger {
  const line = (level: string) => (fields: object) =>
    void lines.push(`${level} ${(fields as { event?: string }).event} ${JSON.stringify(fields)}`)
  const log = { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') }
  return { ...log, child: () => collect(lines) }
}
