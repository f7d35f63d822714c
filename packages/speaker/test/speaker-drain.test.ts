/** The drain as the speaker wires it: signal and Node in, announcers, ring and statuses out, in virtual time. */
import { Registry } from 'prom-client'
import t from 'tap'
import { Ring, Speaker } from '@typemetal/speaker'
import type { SpeakerOptions } from '@typemetal/speaker'
import type { AnyObject } from './scenario/cluster.js'
import { FakeEngine } from './support/fake-engine.js'
import { FakeGossip } from './support/fake-gossip.js'
import { FakeResponder } from './support/fake-responder.js'
import { recordingLog } from './support/log.js'
import { MemoryStore } from './support/memory-store.js'
import { metallb, node, peer, pool, service } from './support/objects.js'
import { VirtualClock } from './support/virtual-clock.js'

/** Owned by n1 of n1 and n2: decisions.test.ts has the digests. */
const VIP = '10.1.0.1'

/** A speaker on `n1` whose session stands, with an address of each kind. */
async function world(
  t: { teardown(fn: () => void): unknown },
  names: readonly string[],
  more: Partial<SpeakerOptions> = {},
  peerSpec: object = {},
) {
  const clock = new VirtualClock()
  const gossip = new FakeGossip(names)
  const ring = new Ring({ gossip, peers: () => [], clock })
  const store = new MemoryStore()
  const engine = new FakeEngine()
  const responder = new FakeResponder()
  const log = recordingLog()
  const registry = new Registry()
  const abort = new AbortController()
  const options = { node: 'n1', namespace: 'metallb-system', store, registry, ring, log, clock, ...more }
  const speaker = new Speaker({ ...options, startLayer2: async () => responder, createEngine: engine.create })
  let ended = false
  const done = speaker.run(abort.signal).then(() => (ended = true))
  t.teardown(() => abort.abort())
  const base = [
    pool(['10.1.0.0/24']),
    metallb('L2Advertisement', 'l2'),
    metallb('BGPAdvertisement', 'bgp'),
    peer('r', peerSpec),
  ]
  store.apply(...names.map((name, i) => node(name, `10.0.0.${i + 1}`)), ...base, ...service('a', VIP))
  await clock.advance(1_000)
  const [session] = engine.open
  if (!session) throw new Error('no session')
  session.counters.prefixesPending = 1
  session.become('Established')
  await clock.advance(1_000)
  const since = clock.now()
  /** Milliseconds since the world was ready. */
  const at = (): number => clock.now() - since
  return {
    clock,
    gossip,
    store,
    engine,
    session,
    responder,
    log,
    registry,
    speaker,
    abort,
    done,
    at,
    isOver: () => ended,
  }
}

const cordoned = (name: string): AnyObject => ({ ...node(name), spec: { unschedulable: true } }) as AnyObject

const heard = (responder: FakeResponder): boolean =>
  responder.emit('conflict', { kind: 'claim', address: VIP, interface: 'eth0', mac: '02:00:00:00:00:02' })

t.test('SIGTERM: preference, ring, successor, routes, sessions, statuses', async t => {
  const { clock, gossip, store, engine, session, responder, speaker, abort, isOver } = await world(t, ['n1', 'n2'])
  t.strictSame(responder.answered, [VIP])
  abort.abort()
  await clock.advance(100)
  t.match(session.options, { gracefulShutdown: true }, 'RFC 8326')
  t.equal(session.routes.length, 1)
  t.notOk(gossip.calls.includes('leave'))
  t.equal(speaker.ready(), 'ending: lowering')
  await clock.advance(3_000)
  t.ok(gossip.calls.includes('leave'), 'the others elect anew')
  t.strictSame([responder.answered, session.routes.length], [[VIP], 1], 'while this node answers on')
  t.ok(heard(responder))
  await clock.advance(100)
  t.strictSame(responder.answered, [])
  t.strictSame(session.routes, [])
  await clock.advance(2_000)
  t.ok(isOver())
  t.strictSame(engine.farewell, { communication: 'speaker on n1 stops', gracefulRestart: true })
  t.strictSame([...store.list('ServiceL2Status'), ...store.list('ServiceBGPStatus')], [])
  t.equal(gossip.calls.at(-1), 'close')
  t.equal(clock.pending, 0)
})

t.test(
  'RFC 4724: a peer with graceful restart is neither lowered nor withdrawn for an upgrade; it is when the node goes',
  async t => {
    const upgrade = await world(t, ['n1', 'n2'], {}, { enableGracefulRestart: true })
    upgrade.session.negotiated = { holdTime: 90, gracefulRestart: {} }
    upgrade.abort.abort()
    await upgrade.clock.advance(10_000)
    t.ok(upgrade.isOver())
    t.notMatch(upgrade.session.options, { gracefulShutdown: true })
    t.strictSame([upgrade.session.routes.length, upgrade.engine.farewell?.gracefulRestart], [1, true])

    const leaving = await world(t, ['n1', 'n2'], {}, { enableGracefulRestart: true })
    leaving.session.negotiated = { holdTime: 90, gracefulRestart: {} }
    leaving.store.apply(cordoned('n1'))
    await leaving.clock.advance(100)
    t.equal(leaving.session.routes.length, 1, 'without --drain-on a cordoned node announces, as in MetalLB')
    leaving.abort.abort()
    await leaving.clock.advance(100)
    t.match(leaving.session.options, { gracefulShutdown: true })
    await leaving.clock.advance(20_000)
    t.strictSame([leaving.session.routes, leaving.engine.farewell?.gracefulRestart], [[], undefined])
  },
)

t.test('the only node answers and announces until its process ends', async t => {
  const { clock, engine, session, responder, abort, isOver } = await world(t, ['n1'])
  abort.abort()
  await clock.advance(2_900)
  t.strictSame(
    [responder.answered, session.routes.length, responder.disposed, engine.disposed],
    [[VIP], 1, false, false],
  )
  await clock.advance(2_000)
  t.ok(isOver())
  t.strictSame([responder.disposed, engine.disposed], [true, true])
})

t.test('cordon and uncordon: everything goes, the process stays, everything comes back', async t => {
  const drainOn = new Set(['cordon'] as const)
  const { clock, gossip, store, engine, session, responder, speaker, registry, abort, isOver } = await world(
    t,
    ['n1', 'n2'],
    { drainOn },
  )
  store.apply(cordoned('n1'))
  await clock.advance(3_500)
  t.ok(gossip.calls.includes('leave'))
  heard(responder)
  await clock.advance(1_000)
  t.strictSame([responder.answered, session.routes], [[], []])
  t.strictSame([...store.list('ServiceL2Status'), ...store.list('ServiceBGPStatus')], [])
  t.equal(speaker.ready(), true, 'a rolling update must not wait for a cordoned node')
  const metrics = await registry.metrics()
  t.match(metrics, 'typemetal_drain_state{state="drained"} 1')
  t.match(metrics, 'typemetal_drains_total{cause="cordon"} 1')
  t.notMatch(metrics, /metallb_speaker_announced\{/)
  t.strictSame([engine.disposed, isOver()], [false, false])

  store.apply(node('n1'))
  await clock.advance(1_000)
  t.ok(gossip.calls.includes('rejoin'))
  t.strictSame(responder.answered, [VIP])
  t.equal(session.routes.length, 1)
  t.notMatch(session.options, { gracefulShutdown: true })
  t.equal(store.list('ServiceL2Status').length, 1)
  t.equal(store.list('ServiceBGPStatus').length, 1)
  t.match(await registry.metrics(), 'typemetal_drain_state{state="announcing"} 1')
  abort.abort()
  await clock.advance(20_000)
  t.ok(isOver())
})

t.test(
  'the others die while this node is cordoned: it is the last resort, and goes quiet again when one comes',
  async t => {
    const { clock, gossip, store, session, responder, abort } = await world(t, ['n1', 'n2'], {
      drainOn: new Set(['cordon'] as const),
    })
    store.apply(cordoned('n1'))
    await clock.advance(3_500)
    heard(responder)
    await clock.advance(1_000)
    t.strictSame([responder.answered, session.routes], [[], []])
    const [n2] = gossip.alive.filter(({ name }) => name === 'n2')
    gossip.kill('n2')
    await clock.advance(1_000)
    t.strictSame([responder.answered, session.routes.length], [[VIP], 1])
    t.match(session.options, { gracefulShutdown: true }, 'still the last choice of routers')
    if (n2) gossip.alive.push(n2)
    gossip.emit('join', n2)
    await clock.advance(1_000)
    t.strictSame([responder.answered, session.routes], [[VIP], []], 'answered until it is heard')
    heard(responder)
    await clock.advance(100)
    t.strictSame(responder.answered, [])
    store.apply(node('n1'))
    await clock.advance(1_000)
    t.strictSame([responder.answered, session.routes.length], [[VIP], 1])
    abort.abort()
    await clock.advance(20_000)
  },
)

t.test('two drained nodes that cannot hear of each other: neither takes the other for its successor', async t => {
  const { clock, gossip, store, responder, abort } = await world(t, ['n1', 'n2'], {
    drainOn: new Set(['cordon'] as const),
  })
  store.apply(cordoned('n1'), cordoned('n2'))
  await clock.advance(3_500)
  heard(responder)
  await clock.advance(1_000)
  t.strictSame(responder.answered, [])
  gossip.kill('n2')
  await clock.advance(100)
  t.strictSame(responder.answered, [VIP])
  const { handed } = responder
  heard(responder)
  await clock.advance(5_000)
  t.strictSame([responder.answered, responder.handed], [[VIP], handed], 'that is for the split-brain rule to settle')
  store.apply(node('n1'))
  await clock.advance(1_000)
  t.strictSame([responder.answered, responder.handed], [[VIP], handed])
  abort.abort()
  await clock.advance(20_000)
})

for (const [what, names, more] of [
  ['the last resort', ['n1'], {}],
  ['a node without gossip', ['n1', 'n2'], { ring: undefined }],
] as const) {
  t.test(`${what}, drained: a Service that goes and comes back with its address is answered again`, async t => {
    const drainOn = new Set(['cordon'] as const)
    const { clock, store, responder, abort } = await world(t, names, { drainOn, ...more })
    store.apply(cordoned('n1'))
    await clock.advance(10_000)
    const before = responder.answered
    await store.delete({ apiVersion: 'v1', kind: 'Service', namespace: 'default', name: 'a' })
    await clock.advance(1_000)
    t.strictSame([before, responder.answered], [[VIP], []])
    store.apply(...service('a', VIP))
    await clock.advance(1_000)
    t.strictSame(responder.answered, [VIP])
    abort.abort()
    await clock.advance(20_000)
  })
}

t.test('without gossip: nodes that are drained or not Ready are nobody to leave routes to', async t => {
  const drainOn = new Set(['cordon'] as const)
  const { clock, store, session, abort } = await world(t, ['n1', 'n2', 'n3'], { drainOn, ring: undefined })
  const lost = { ...node('n3'), status: { conditions: [{ type: 'Ready', status: 'Unknown' }] } }
  store.apply(cordoned('n1'), cordoned('n2'), lost)
  await clock.advance(10_000)
  t.equal(session.routes.length, 1, 'the last resort')
  t.match(session.options, { gracefulShutdown: true })
  store.apply(node('n2'))
  await clock.advance(1_000)
  t.strictSame(session.routes, [])
  store.apply(cordoned('n2'))
  await clock.advance(1_000)
  t.equal(session.routes.length, 1)
  abort.abort()
  await clock.advance(20_000)
})

t.test('uncordoned while it still holds its addresses: they are never let go', async t => {
  const { clock, store, responder, abort } = await world(t, ['n1', 'n2'], { drainOn: new Set(['cordon'] as const) })
  store.apply(cordoned('n1'))
  await clock.advance(3_500)
  t.strictSame(responder.answered, [VIP], 'held')
  const { handed } = responder
  store.apply(node('n1'))
  await clock.advance(1_000)
  t.strictSame(responder.answered, [VIP])
  t.equal(responder.handed, handed, 'not for a moment')
  abort.abort()
  await clock.advance(20_000)
})

t.test('cordon: a prefix that no other node would announce stays until one does', async t => {
  const { clock, store, session, abort } = await world(t, ['n1', 'n2'], { drainOn: new Set(['cordon'] as const) })
  const [local, slice] = service('b', '10.1.0.2', { externalTrafficPolicy: 'Local' })
  if (!local || !slice) throw new Error('no service')
  store.apply(local, slice)
  await clock.advance(100)
  t.equal(session.routes.length, 2)
  store.apply(cordoned('n1'))
  await clock.advance(10_000)
  t.strictSame(
    session.routes.map(({ prefix }) => prefix),
    ['10.1.0.2/32'],
    'its only endpoint is here',
  )
  t.match(session.options, { gracefulShutdown: true })
  t.match(
    store.list('ServiceBGPStatus').map(({ status }) => status),
    [{ serviceName: 'b' }],
  )
  const endpoints = ['n1', 'n2'].map((nodeName, i) => ({ addresses: [`10.244.0.${i + 1}`], nodeName }))
  store.apply({ ...slice, endpoints } as AnyObject)
  await clock.advance(1_000)
  t.strictSame(session.routes, [])
  t.strictSame(store.list('ServiceBGPStatus'), [])
  store.apply(node('n1'))
  await clock.advance(1_000)
  t.equal(session.routes.length, 2)
  abort.abort()
  await clock.advance(20_000)
})

t.test('a speaker that starts on a cordoned node announces nothing', async t => {
  const { clock, store, responder, session, abort } = await world(t, ['n1', 'n2'], {
    drainOn: new Set(['cordon'] as const),
  })
  abort.abort()
  heard(responder)
  await clock.advance(20_000)
  t.strictSame(session.routes, [])
  const second = new FakeEngine()
  const answers = new FakeResponder()
  const gossip = new FakeGossip(['n1', 'n2'])
  const ring = new Ring({ gossip, peers: () => [], clock })
  const again = new AbortController()
  store.apply(cordoned('n1'))
  const speaker = new Speaker({
    node: 'n1', namespace: 'metallb-system', store, ring, clock, registry: new Registry(),
    drainOn: new Set(['cordon']), startLayer2: async () => answers, createEngine: second.create,
  }) // prettier-ignore
  const done = speaker.run(again.signal)
  await clock.advance(2_000)
  t.strictSame([answers.handed, second.open[0]?.routes ?? []], [0, []])
  t.ok(gossip.calls.includes('leave'))
  again.abort()
  await clock.advance(20_000)
  await done
})

t.test('a store that cannot be read keeps everything announced, and the log says for how long', async t => {
  const { clock, store, responder, session, log, abort } = await world(t, ['n1', 'n2'])
  store.emit('outage', 'connection refused')
  await clock.advance(90_000)
  store.emit('outage', 'connection refused, again')
  t.strictSame([responder.answered, session.routes.length], [[VIP], 1])
  store.emit('outage', undefined)
  t.match(log.lines.at(-1), { level: 'info', op: 'store', seconds: 90 })
  abort.abort()
  await clock.advance(20_000)
})

t.test('what takes no goodbye does not hold up the end', async t => {
  const { clock, gossip, engine, abort, at, isOver } = await world(t, ['n1', 'n2'])
  engine.close = () => new Promise(() => {})
  gossip.leave = () => new Promise(() => {})
  abort.abort()
  while (!isOver() && at() < 60_000) await clock.advance(100)
  t.ok(isOver())
  t.ok(at() <= 22_000, `${at()} ms`)
  t.equal(clock.pending, 0)
})

t.test('a signal ends a speaker that still waits for its cluster', async t => {
  const clock = new VirtualClock()
  const store = new MemoryStore()
  store.start = () => new Promise(() => {})
  const responder = new FakeResponder()
  const abort = new AbortController()
  const engine = new FakeEngine()
  const common = { node: 'n1', namespace: 'metallb-system', store, clock, registry: new Registry() }
  const speaker = new Speaker({ ...common, startLayer2: async () => responder, createEngine: engine.create })
  const done = speaker.run(abort.signal)
  await clock.advance(60_000)
  t.equal(speaker.ready(), 'no configuration yet')
  abort.abort()
  await clock.advance(5_000)
  await done
  t.equal(engine.peers.length, 0)
  t.equal(clock.pending, 0)
})

t.test('--drain-exit=handover: also peers with graceful restart are drained, for nobody comes back', async t => {
  const { clock, session, engine, abort, isOver } = await world(
    t,
    ['n1', 'n2'],
    { drainExit: 'handover' },
    { enableGracefulRestart: true },
  )
  session.negotiated = { holdTime: 90, gracefulRestart: {} }
  abort.abort()
  await clock.advance(20_000)
  t.ok(isOver())
  t.strictSame([session.routes, engine.farewell], [[], { communication: 'speaker on n1 stops' }])
})

t.test('without gossip nobody hears that a node goes: its addresses are answered on, its routes go', async t => {
  const { clock, store, session, responder, abort, isOver } = await world(t, ['n1', 'n2'], {
    ring: undefined,
    drainOn: new Set(['cordon'] as const),
  })
  // Of two nodes that both count as alive, n1 is the one elected.
  t.strictSame(responder.answered, [VIP])
  store.apply(cordoned('n1'))
  await clock.advance(30_000)
  t.strictSame([responder.answered, session.routes], [[VIP], []])
  abort.abort()
  await clock.advance(10_000)
  t.ok(isOver())
})
