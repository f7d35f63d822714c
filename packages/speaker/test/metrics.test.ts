/** Metrics by their names, probes by what they mean, log lines by their keys. */
import {
  createLogger,
  createReconcileMetrics,
  createRegistry,
  GUIDE_ALIASES,
  registerGuideAliases,
} from '@typemetal/cluster/process'
import { Gauge, Registry } from 'prom-client'
import t from 'tap'
import {
  Health,
  Speaker,
  createSpeakerMetrics,
  createWriteMetrics,
  registerBGPMetrics,
  registerLayer2Metrics,
} from '@typemetal/speaker'
import type { AnyObject } from './scenario/cluster.js'
import { FakeEngine } from './support/fake-engine.js'
import { FakeResponder } from './support/fake-responder.js'
import { recordingLog } from './support/log.js'
import { MemoryStore } from './support/memory-store.js'
import { metallb, node, peer, pool, service } from './support/objects.js'
import { planOf } from './support/sessions.js'
import { VirtualClock } from './support/virtual-clock.js'

/** MetalLB's names of the speaker, BFD's apart, which come with its worker. */
const NAMES = [
  'metallb_bgp_announced_prefixes_total', 'metallb_bgp_keepalives_received', 'metallb_bgp_keepalives_sent',
  'metallb_bgp_notifications_sent', 'metallb_bgp_opens_received', 'metallb_bgp_opens_sent',
  'metallb_bgp_pending_prefixes_total', 'metallb_bgp_route_refresh_sent', 'metallb_bgp_session_up',
  'metallb_bgp_total_received', 'metallb_bgp_total_sent', 'metallb_bgp_updates_total',
  'metallb_bgp_updates_total_received', 'metallb_k8s_client_config_loaded_bool',
  'metallb_k8s_client_config_stale_bool', 'metallb_k8s_client_update_errors_total',
  'metallb_k8s_client_updates_total', 'metallb_layer2_gratuitous_sent', 'metallb_layer2_requests_received',
  'metallb_layer2_responses_sent', 'metallb_speaker_announced',
] // prettier-ignore

t.test('every metric of MetalLB has its name and its type', async t => {
  const registry = new Registry()
  createSpeakerMetrics(registry)
  registerBGPMetrics(registry, () => [])
  registerLayer2Metrics(registry, { counters: async () => new Map(), conflicts: [], resolved: { defend: 0, yield: 0 } })
  const names = (await registry.getMetricsAsJSON()).map(({ name }) => name)
  t.same(
    NAMES.filter(name => !names.includes(name)),
    [],
  )
  const text = await registry.metrics()
  for (const gauge of ['metallb_bgp_announced_prefixes_total', 'metallb_bgp_pending_prefixes_total']) {
    t.match(text, `# TYPE ${gauge} gauge`, 'a gauge in spite of its name')
  }
  for (const zero of NAMES.filter(name => name.startsWith('metallb_k8s_client_'))) t.match(text, `${zero} 0\n`)
})

t.test('an address that a status names twice is one series', async t => {
  const registry = new Registry()
  const { announced } = createSpeakerMetrics(registry)
  const silent = { announce: false, reason: 'notOwner' } as const
  const decision = {
    service: 'default/a',
    addresses: ['10.1.0.1', '10.1.0.1'],
    layer2: { announce: true, interfaces: 'all' },
    bgp: silent,
  } as const
  announced.plan = { ...planOf([]), services: new Map([['default/a', decision]]) }
  const series = (await registry.metrics()).match(/^metallb_speaker_announced\{.*$/gm)
  t.strictSame(series, ['metallb_speaker_announced{service="default/a",protocol="layer2",node="n1",ip="10.1.0.1"} 1'])
})

t.test('names of the guide have the values of those they stand for', async t => {
  const registry = new Registry()
  const labelNames = ['pool']
  const total = new Gauge({ name: 'metallb_allocator_addresses_total', help: 'x', labelNames, registers: [registry] })
  const used = new Gauge({
    name: 'metallb_allocator_addresses_in_use_total',
    help: 'x',
    labelNames,
    registers: [registry],
  })
  registerGuideAliases(registry)
  total.set({ pool: 'web' }, 254)
  used.set({ pool: 'web' }, 3)
  const text = await registry.metrics()
  t.match(text, 'metallb_ip_addresses_total{pool="web"} 254\n')
  t.match(text, 'metallb_ip_addresses_in_use_total{pool="web"} 3\n')
  t.match(text, 'metallb_allocator_addresses_in_use{pool="web"} 3\n')
  total.remove({ pool: 'web' })
  t.notMatch(await registry.metrics(), /metallb_ip_addresses_total\{/, 'they go with them')
  const bare = new Registry()
  registerGuideAliases(bare)
  t.same(await bare.getMetricsAsJSON(), [], 'a process has only what it has')
  t.equal(Object.keys(GUIDE_ALIASES).length, 3)
})

t.test('the names that controllers and work queues have everywhere', async t => {
  const registry = createRegistry()
  const clock = new VirtualClock()
  const reconciles = createReconcileMetrics(registry, 'speaker', () => clock.now())
  createWriteMetrics(registry, () => ({ depth: 3, active: 1, adds: 7, retries: 2 })).observe(20)
  await reconciles.run(async () => {
    t.equal(reconciles.runningSince, 0)
    t.match(await registry.metrics(), 'controller_runtime_active_workers{controller="speaker"} 1\n')
    await clock.advance(300)
  })
  const fault = new Error('no')
  await t.rejects(
    reconciles.run(() => Promise.reject(fault)),
    fault,
  )
  t.equal(reconciles.runningSince, undefined)
  const text = await registry.metrics()
  for (const line of [
    'controller_runtime_reconcile_total{controller="speaker",result="success"} 1',
    'controller_runtime_reconcile_total{controller="speaker",result="error"} 1',
    'controller_runtime_reconcile_errors_total{controller="speaker"} 1',
    'controller_runtime_reconcile_time_seconds_bucket{le="0.25",controller="speaker"} 1',
    'controller_runtime_reconcile_time_seconds_bucket{le="0.5",controller="speaker"} 2',
    'controller_runtime_max_concurrent_reconciles{controller="speaker"} 1',
    'workqueue_depth{name="status"} 3',
    'workqueue_adds_total{name="status"} 7',
    'workqueue_retries_total{name="status"} 2',
    'workqueue_work_duration_seconds_count{name="status"} 1',
  ]) {
    t.ok(text.includes(`${line}\n`), line)
  }
  t.match(text, /^process_resident_memory_bytes \d/m)
})

t.test('/healthz: decisions end, the worker answers; /readyz: the cluster was heard of within a minute', async t => {
  const clock = new VirtualClock()
  const store = new MemoryStore()
  let since: number | undefined
  let answer: () => void = () => {}
  let asked = 0
  let silent = false
  const health = new Health({
    store,
    clock,
    ready: () => 'no configuration yet',
    passSince: () => since,
    probe: () => {
      asked++
      return silent ? new Promise<void>(resolve => (answer = resolve)) : Promise.reject(new Error('dead'))
    },
  })
  t.same([health.healthy(), health.ready()], [true, 'no configuration yet'])
  await clock.advance(120_000)
  t.equal(health.healthy(), true, 'a worker that says that it is dead has answered')
  t.equal(asked, 12)
  since = clock.now()
  await clock.advance(60_000)
  t.equal(health.healthy(), true)
  await clock.advance(1_000)
  t.equal(health.healthy(), 'a decision has been under way for 61 s')
  t.equal(health.ready(), health.healthy(), 'who is not alive is not ready')
  since = undefined
  silent = true
  await clock.advance(80_000)
  t.match(health.healthy(), /^the layer-2 worker has not answered for [67]\d s$/)
  silent = false
  answer()
  await clock.advance(0)
  t.equal(health.healthy(), true)

  store.emit('outage', 'connection refused')
  await clock.advance(60_000)
  t.equal(health.ready(), 'no configuration yet')
  store.emit('outage', 'no route')
  await clock.advance(30_000)
  t.equal(health.ready(), 'the cluster cannot be read for 90 s, the last known state is announced: no route')
  store.emit('outage', undefined)
  t.equal(health.ready(), 'no configuration yet')
  health[Symbol.dispose]()
  await clock.advance(60_000)
  t.equal(clock.pending, 0)
})

t.test('a password is in no log line, status, event or metric', async t => {
  const [store, clock, engine, log] = [new MemoryStore(), new VirtualClock(), new FakeEngine(), recordingLog()]
  const registry = new Registry()
  const abort = new AbortController()
  const makers = { startLayer2: async () => new FakeResponder(), createEngine: engine.create }
  const speaker = new Speaker({ node: 'n1', namespace: 'metallb-system', store, registry, log, clock, ...makers })
  const done = speaker.run(abort.signal)
  const secret = (name: string, password: string): AnyObject => {
    const { spec: _, ...object } = metallb('Secret', name) as AnyObject & { readonly spec: object }
    const data = { password: Buffer.from(password).toString('base64') }
    return { ...object, apiVersion: 'v1', type: 'kubernetes.io/basic-auth', data } as AnyObject
  }
  store.apply(node('n1'), pool(['10.1.0.0/24']), metallb('BGPAdvertisement', 'bgp'), ...service('a', '10.1.0.1'))
  store.apply(peer('plain', { password: 'hush-plain-1' }), secret('s', 'hush-secret-1'))
  store.apply(peer('referring', { peerAddress: '127.0.0.2', passwordSecret: { name: 's' } }))
  await clock.advance(1_000)
  t.same(
    engine.open.map(({ options }) => options.md5Key),
    ['hush-plain-1', 'hush-secret-1'],
    'the sessions have them',
  )
  store.apply(peer('plain', { password: 'hush-plain-2' }), secret('s', 'hush-secret-2'))
  await clock.advance(1_000)
  store.apply(peer('plain', { password: 'hush-plain-3', passwordSecret: { name: 's' } }))
  await clock.advance(1_000)
  t.match(store.list('ConfigurationState')[0]?.status, { result: 'Invalid' }, 'both at once is an error')
  const statuses = ['ConfigurationState', 'ServiceL2Status', 'ServiceBGPStatus'].map(kind => store.list(kind))
  t.notMatch(JSON.stringify([log.lines, statuses, store.events, await registry.metrics()]), /hush|aHVzaC/)
  abort.abort()
  await clock.advance(60_000)
  await done
})

t.test('log lines: level, ts in RFC 3339, fields, msg; all and none', async t => {
  const lines: string[] = []
  const destination = { write: (line: string) => void lines.push(line) }
  const log = createLogger({ level: 'all', destination })
  log.debug({ op: 'x', error: new Error('why') }, 'told')
  const [line = ''] = lines
  const { ts, ...rest } = JSON.parse(line) as Record<string, unknown>
  t.same(rest, { level: 'debug', op: 'x', error: 'why', msg: 'told' })
  t.match(ts, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  for (const [level, told] of [
    ['info', 3],
    ['warn', 2],
    ['error', 1],
    ['none', 0],
  ] as const) {
    lines.length = 0
    const log = createLogger({ level, destination })
    for (const at of ['debug', 'info', 'warn', 'error'] as const) log[at]({}, at)
    t.equal(lines.length, told, level)
  }
})
