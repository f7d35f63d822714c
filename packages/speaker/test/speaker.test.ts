/** The whole speaker between a store in memory and announcers that only remember, in virtual time. */
import { Registry } from 'prom-client'
import t from 'tap'
import { Ring, Speaker, electionOrder } from '@typemetal/speaker'
import type { Responder, SpeakerOptions } from '@typemetal/speaker'
import { FakeBfd } from './support/fake-bfd.js'
import { FakeEngine } from './support/fake-engine.js'
import { FakeGossip } from './support/fake-gossip.js'
import { FakeResponder } from './support/fake-responder.js'
import { recordingLog } from './support/log.js'
import { MemoryStore } from './support/memory-store.js'
import { metallb, node, peer, pool, service } from './support/objects.js'
import { VirtualClock, settle } from './support/virtual-clock.js'

/** A speaker on a store in memory, in virtual time. */
function startSpeaker(
  t: { teardown(fn: () => void): unknown },
  options: Partial<SpeakerOptions> & { readonly clock?: VirtualClock } = {},
) {
  const store = new MemoryStore()
  const clock = options.clock ?? new VirtualClock()
  const engine = new FakeEngine()
  const responder = new FakeResponder()
  const log = recordingLog()
  const registry = new Registry()
  const abort = new AbortController()
  const speaker = new Speaker({
    node: 'n1',
    namespace: 'metallb-system',
    store,
    registry,
    log,
    clock,
    startLayer2: async () => responder,
    createEngine: engine.create,
    ...options,
  })
  const done = speaker.run(abort.signal)
  done.catch(() => {})
  const stop = async (): Promise<void> => {
    abort.abort()
    await clock.advance(2_000)
    await done
  }
  t.teardown(() => abort.abort())
  return { store, clock, engine, responder, log, registry, speaker, done, stop }
}

const base = [
  node('n1'),
  pool(['10.1.0.0/24']),
  metallb('L2Advertisement', 'l2'),
  metallb('BGPAdvertisement', 'bgp'),
  peer('r'),
]

t.test('from the store to the announcers, statuses, events and metrics, and back', async t => {
  const { store, clock, engine, responder, log, registry, speaker, stop } = startSpeaker(t)
  store.apply(...base, ...service('a', '10.1.0.1'))
  await clock.advance(1_000)
  t.equal(speaker.ready(), true)
  t.strictSame(responder.wanted, [{ address: '10.1.0.1', interfaces: 'all' }])
  const [session] = engine.open
  t.match(session?.options, {
    address: '127.0.0.1',
    port: 179,
    asn: 64513,
    localAsn: 64512,
    bgpIdentifier: '127.0.0.1',
  })
  t.match(session?.options, { holdTime: 90, keepaliveTime: 30, families: ['ipv4-unicast'], multihop: false })
  t.strictSame(session?.routes, [{ prefix: '10.1.0.1/32', nextHop: 'self', communities: [] }])
  const messages = store.events.map(({ reason, message }) => `${reason} ${message}`)
  t.strictSame(messages, [
    'nodeAssigned announcing from node "n1" with protocol "bgp"',
    'nodeAssigned announcing from node "n1" with protocol "layer2"',
  ])
  t.match(store.events[0], {
    regarding: { kind: 'Service', namespace: 'default', name: 'a' },
    component: 'metallb-speaker',
  })
  t.match(store.list('ServiceL2Status'), [{ status: { node: 'n1', serviceName: 'a', serviceNamespace: 'default' } }])
  t.match(store.list('ServiceBGPStatus'), [{ status: { node: 'n1', serviceName: 'a', peers: ['r'] } }])
  t.match(store.get('ConfigurationState', 'metallb-system/speaker-n1'), {
    metadata: { labels: { 'metallb.io/component-type': 'speaker', 'metallb.io/node-name': 'n1' } },
    status: {
      result: 'Valid',
      errorSummary: '',
      conditions: [{ type: 'configReconcilerValid', status: 'True', reason: 'Reconciled' }],
    },
  })
  const metrics = await registry.metrics()
  for (const line of [
    'metallb_speaker_announced{service="default/a",protocol="layer2",node="n1",ip="10.1.0.1"} 1',
    'metallb_bgp_session_up{peer="127.0.0.1:179",vrf="default"} 0',
    'metallb_bgp_updates_total{peer="127.0.0.1:179",vrf="default"} 2',
    'metallb_bgp_pending_prefixes_total{peer="127.0.0.1:179",vrf="default"} 2',
    'metallb_layer2_requests_received{ip="10.1.0.1"} 2',
    'metallb_k8s_client_config_loaded_bool 1',
  ]) {
    t.ok(metrics.includes(`${line}\n`), line)
  }
  t.notMatch(metrics, /gratuitous_sent\{/, 'no series before the first packet')

  const writes = store.writes.length
  store.apply(...service('a', '10.1.0.1', { sessionAffinity: 'None' }))
  await clock.advance(1_000)
  t.equal(store.events.length, 2, 'events tell changes, not passes')
  t.equal(store.writes.length, writes, 'and statuses are not written again')
  t.ok(log.lines.some(line => line['event'] === 'serviceAnnounced' && line['protocol'] === 'layer2'))

  store.cluster.delete('Service', 'default/a')
  store.apply(node('n1', '10.0.0.1', { changed: 'yes' }))
  await clock.advance(1_000)
  t.strictSame([responder.wanted, session?.routes], [[], []])
  t.strictSame([...store.list('ServiceL2Status'), ...store.list('ServiceBGPStatus')], [])
  t.match(
    log.lines.find(line => line['event'] === 'serviceWithdrawn'),
    { reason: 'serviceDeleted', ips: ['10.1.0.1'], pool: 'p' },
  )
  t.notMatch(await registry.metrics(), /metallb_speaker_announced\{/)

  await stop()
  t.ok(responder.disposed && engine.disposed)
  t.equal(clock.pending, 0, 'nothing is left behind')
})

t.test('the first plan waits for the own Node', async t => {
  const { store, clock, engine, responder, speaker, log, stop } = startSpeaker(t)
  store.apply(...base.slice(1), ...service('a', '10.1.0.1'))
  await clock.advance(1_000)
  t.equal(speaker.ready(), 'no Node object named n1')
  t.strictSame([engine.peers, store.writes], [[], []])
  t.ok(log.lines.some(({ msg }) => msg === 'waiting for the own Node object'))
  store.apply(node('n1'))
  await clock.advance(1_000)
  t.equal(speaker.ready(), true)
  t.equal(responder.wanted.length, 1)
  await stop()
  t.strictSame(
    [...store.list('ServiceL2Status'), ...store.list('ServiceBGPStatus')],
    [],
    'a stop takes its statuses back',
  )
  t.equal(store.list('ConfigurationState').length, 1)
})

t.test('a layer 2 that cannot start ends the start, and later does not end BGP', async t => {
  const refuse = async (): Promise<Responder> => {
    throw Object.assign(new Error('needs CAP_NET_RAW'), { code: 'EPERM' })
  }
  const first = startSpeaker(t, { startLayer2: refuse })
  first.store.apply(...base)
  await first.clock.advance(1_000)
  await t.rejects(first.done, { code: 'EPERM' })

  const { store, clock, engine, speaker, log, stop } = startSpeaker(t, { startLayer2: refuse })
  store.apply(...base.filter(({ kind }) => kind !== 'L2Advertisement'), ...service('a', '10.1.0.1'))
  await clock.advance(1_000)
  t.equal(speaker.ready(), true)
  store.apply(metallb('L2Advertisement', 'l2'))
  await clock.advance(1_000)
  t.equal(speaker.ready(), 'layer 2 is not running')
  t.equal(engine.open[0]?.routes.length, 1)
  t.strictSame(store.list('ServiceL2Status'), [], 'nobody is told that we answer')
  t.match(
    log.lines.find(line => line['op'] === 'layer2'),
    { level: 'error', error: /CAP_NET_RAW/ },
  )
  await stop()
})

t.test('a node without an interface for layer 2 is ready all the same, and says what it cannot announce', async t => {
  const responder = new FakeResponder()
  responder.names = []
  const { store, clock, engine, speaker, stop } = startSpeaker(t, { startLayer2: async () => responder })
  store.apply(...base, ...service('a', '10.1.0.1'))
  await clock.advance(1_000)
  t.equal(speaker.ready(), true)
  t.equal(engine.open[0]?.routes.length, 1)
  t.match(
    store.events.find(({ reason }) => reason === 'announceFailed'),
    { message: /10\.1\.0\.1/ },
  )
  await stop()
})

t.test('what a BGPPeer asks for and cannot have is said, also when it shows later, and when it is over', async t => {
  const bfd = new FakeBfd()
  bfd.refusal = 'UDP port 3784 is in use'
  const { store, clock, engine, log, stop } = startSpeaker(t, { startBfd: bfd.start })
  store.apply(...base, metallb('BFDProfile', 'fast'), peer('r', { bfdProfile: 'fast' }))
  await clock.advance(100)
  const status = () => store.get('ConfigurationState', 'metallb-system/speaker-n1')?.status
  t.match(status(), { result: 'Valid', conditions: [{ type: 'configReconcilerValid', status: 'True' }] })
  const session = engine.options?.bfd.session({ address: '127.0.0.1' })
  await clock.advance(500)
  t.match(
    log.lines.filter(line => line['event'] === 'peerLimited'),
    [{ level: 'warn', peer: 'r', field: 'spec.bfdProfile', reason: /^UDP port 3784 is in use: / }],
  )
  t.match(status(), { conditions: [{ status: 'True' }, { type: 'peersValid', reason: 'FeatureNotAvailable' }] })
  bfd.refusal = undefined
  await clock.advance(5_000)
  t.equal(bfd.workers.length, 1)
  t.notMatch(JSON.stringify(status()), /FeatureNotAvailable/)
  session?.close()
  store.cluster.delete('BGPPeer', 'metallb-system/r')
  store.apply(node('n1'))
  await clock.advance(1_000)
  t.match(
    log.lines.find(line => line['event'] === 'peerRemoved'),
    { reason: 'removedFromConfig', peer: '127.0.0.1' },
  )
  await stop()
})

t.test('statuses: what others did is put right, and a store that fails is tried again', async t => {
  const { store, clock, log, stop } = startSpeaker(t)
  const stale = metallb('ServiceL2Status', 'l2-old')
  const labels = { 'metallb.io/node': 'n2', 'metallb.io/service-name': 'a', 'metallb.io/service-namespace': 'default' }
  store.apply(...base, ...service('a', '10.1.0.1'), { ...stale, metadata: { ...stale.metadata, labels } })
  await clock.advance(1_000)
  t.equal(
    store.get('ServiceL2Status', 'metallb-system/l2-old'),
    undefined,
    'the owner clears away what the last one left',
  )
  const [mine] = store.list('ServiceL2Status')
  if (!mine) throw new Error('no status')
  await store.updateStatus({ ...mine, status: { node: 'somebody' } })
  await clock.advance(1_000)
  t.match(store.list('ServiceL2Status'), [{ status: { node: 'n1' } }])
  store.failures.push(new Error('no space left'))
  store.apply(...service('b', '10.1.0.2'))
  await clock.advance(900)
  t.match(
    log.lines.find(line => line['op'] === 'writeStatus'),
    { level: 'warn', error: 'Error: no space left' },
  )
  await clock.advance(2_000)
  t.equal(store.list('ServiceL2Status').length, 2)
  await stop()
})

t.test('statuses: a store that is slow to show our writes does not get them twice', async t => {
  const { store, clock, stop } = startSpeaker(t)
  store.apply(...base, ...service('a', '10.1.0.1'))
  await settle()
  store.deaf = true
  await clock.advance(1_000)
  const writes = store.writes.length
  store.emit('change', [{ kind: 'ServiceL2Status', key: 'x', type: 'modified' }])
  await clock.advance(1_000)
  t.equal(store.writes.length, writes)
  t.equal(new Set(store.writes).size, writes, store.writes.join(', '))
  store.deaf = false
  await stop()
})

t.test('BGP: Services that disagree are told of once, and routes that cannot be sent disturb nobody', async t => {
  const { store, clock, engine, log, stop } = startSpeaker(t)
  const selective = (name: string, localPref: number) =>
    metallb('BGPAdvertisement', name, { localPref, serviceSelectors: [{ matchLabels: { app: name } }] })
  const labelled = (name: string) =>
    service(name, '10.1.0.1').map(object => ({
      ...object,
      metadata: { ...object.metadata, labels: { ...object.metadata.labels, app: name } },
    }))
  store.apply(node('n1'), pool(['10.1.0.0/24']), peer('r', { peerASN: 64512 }), selective('a', 50), selective('b', 70))
  store.apply(...labelled('a'), ...labelled('b'))
  await clock.advance(1_000)
  const notes = () => log.lines.filter(line => line['event'] === 'mergedAdvertisements')
  t.match(notes(), [
    { prefix: '10.1.0.1/32', services: ['default/a', 'default/b'], localPrefs: [50, 70], localPref: 70 },
  ])
  const [session] = engine.open
  t.match(session?.routes, [{ localPref: 70 }])
  if (session) session.unsendable = '10.1.0.3/32'
  store.apply(...service('c', '10.1.0.3'), metallb('BGPAdvertisement', 'rest'))
  await clock.advance(1_000)
  t.match(
    log.lines.find(line => line['op'] === 'setRoutes'),
    { level: 'error', error: /too many communities/ },
  )
  t.equal(notes().length, 1, 'once')
  await stop()
})

t.test('gossip: a member that dies hands its addresses over', async t => {
  const gossip = new FakeGossip(['n1', 'n2', 'n3'])
  const clock = new VirtualClock()
  const ring = new Ring({ gossip, peers: () => [], clock })
  const { store, responder, registry, stop } = startSpeaker(t, { ring, clock, node: 'n2' })
  store.apply(...base, node('n2'), node('n3'), ...service('a', '10.1.0.1'))
  await clock.advance(1_000)
  const [first = '', second = ''] = electionOrder(['n1', 'n2', 'n3'], '10.1.0.1')
  t.match(await registry.metrics(), 'typemetal_memberlist_members 3')
  const owned = (): boolean => responder.wanted.length > 0
  t.equal(owned(), first === 'n2')
  for (const name of [first, second].filter(name => name !== 'n2')) gossip.kill(name)
  await clock.advance(1_000)
  t.equal(owned(), true)
  await stop()
  t.strictSame(gossip.calls, ['leave', 'close'])
})

t.test(
  'a store that cannot be read changes nothing; a configuration that strands an address waits and says for whom',
  async t => {
    const { store, clock, responder, registry, log, stop } = startSpeaker(t)
    store.apply(...base, ...service('a', '10.1.0.1'))
    await clock.advance(1_000)
    store.emit('outage', 'the folder is gone')
    t.match(log.lines.at(-1), { level: 'error', op: 'store', error: 'the folder is gone' })
    store.emit('outage', undefined)
    t.match(log.lines.at(-1), { level: 'info', op: 'store' })
    store.apply(pool(['10.2.0.0/24']))
    await clock.advance(1_000)
    t.equal(responder.wanted.length, 1)
    const state = () => store.get('ConfigurationState', 'metallb-system/speaker-n1')?.status
    t.match(state(), {
      result: 'Invalid',
      errorSummary: /^configuration error: general handler sync state error: .*default\/a \(10\.1\.0\.1\)/,
    })
    t.match(await registry.metrics(), 'metallb_k8s_client_config_stale_bool 1')
    t.match(
      log.lines.find(line => line['event'] === 'reload failed, retry'),
      { level: 'error' },
    )
    store.apply(...service('a', '10.2.0.1'))
    await clock.advance(1_000)
    t.strictSame(responder.wanted, [{ address: '10.2.0.1', interfaces: 'all' }])
    t.match(state(), { result: 'Valid', errorSummary: '' })
    t.match(await registry.metrics(), 'metallb_k8s_client_config_stale_bool 0')
    await stop()
  },
)

t.test('a configuration that waits for many Services is one short line of the log, however they move', async t => {
  const { store, clock, registry, log, stop } = startSpeaker(t)
  const many = Array.from({ length: 30 }, (_, i) => `s${i + 10}`)
  store.apply(...base, ...many.flatMap((name, i) => service(name, `10.1.0.${i + 1}`)))
  await clock.advance(1_000)
  store.apply(pool(['10.2.0.0/24']))
  for (const [i, name] of many.entries()) {
    await clock.advance(1_000)
    store.apply(...service(name, `10.2.0.${i + 1}`))
  }
  await clock.advance(1_000)
  const lines = () => log.lines.filter(({ event }) => event === 'reload failed, retry')
  t.match(lines(), [{ level: 'error', services: 30, error: / default\/s10 \(10\.1\.0\.1\), .* and 20 more$/ }])
  t.equal(lines().length, 1)
  t.ok(String(lines()[0]?.['error']).length < 500)
  t.match(await registry.metrics(), 'metallb_k8s_client_update_errors_total 1\n')
  t.match(await registry.metrics(), 'metallb_k8s_client_config_stale_bool 0')
  store.apply(pool(['10.3.0.0/24']))
  await clock.advance(1_000)
  t.equal(lines().length, 2, 'the next one that waits is news')
  await stop()
})

t.test('a file that breaks is told even when it comes with changes of our own statuses', async t => {
  const { store, clock, log, stop } = startSpeaker(t)
  store.apply(...base, ...service('a', '10.1.0.1'))
  await clock.advance(1_000)
  const state = () => store.get('ConfigurationState', 'metallb-system/speaker-n1')?.status
  const own = [{ kind: 'ConfigurationState', key: 'metallb-system/controller', type: 'modified' }] as const
  const fault = {
    kind: 'File',
    name: 'bgp.yaml',
    field: '',
    reason: 'is no YAML',
    file: 'bgp.yaml',
    affectsConfig: true,
  }
  store.faults = [fault]
  store.emit('change', own)
  await clock.advance(1_000)
  t.match(state(), { result: 'Invalid', errorSummary: /bgp\.yaml: is no YAML/ })
  t.ok(log.lines.some(line => line['file'] === 'bgp.yaml' && line['level'] === 'error'))
  store.faults = []
  store.emit('change', own)
  await clock.advance(1_000)
  t.match(state(), { result: 'Valid' })
  await stop()
})

t.test('a node labelled out of load balancing says so once', async t => {
  const { store, clock, log, stop } = startSpeaker(t)
  const label = 'node.kubernetes.io/exclude-from-external-load-balancers'
  store.apply(...base.slice(1), node('n1', '10.0.0.1', { [label]: '' }), ...service('a', '10.1.0.1'))
  await clock.advance(1_000)
  store.apply(...service('b', '10.1.0.2'))
  await clock.advance(1_000)
  t.match(
    log.lines.filter(line => line['event'] === 'nodeExcluded'),
    [{ level: 'warn', label }],
  )
  t.match(
    log.lines.filter(line => line['event'] === 'skipping should announce bgp').map(line => line.level),
    ['warn', 'warn'],
  )
  await stop()
})

t.test('layer 2 that cannot be started later is tried again by itself, and said once', async t => {
  const responder = new FakeResponder()
  let [tries, works] = [0, false]
  const startLayer2 = async (): Promise<Responder> => {
    tries++
    if (!works) throw new Error('too many open files')
    return responder
  }
  const { store, clock, log, stop } = startSpeaker(t, { startLayer2 })
  store.apply(...base.filter(({ kind }) => kind !== 'L2Advertisement'), ...service('a', '10.1.0.1'))
  await clock.advance(1_000)
  store.apply(metallb('L2Advertisement', 'l2'))
  for (let i = 2; i < 30; i++) {
    store.apply(...service(`b${i}`, `10.1.0.${i}`))
    await clock.advance(200)
  }
  t.equal(tries, 3, 'now, and after one and three seconds, however much happens')
  t.equal(log.lines.filter(({ msg }) => msg.startsWith('layer 2 cannot be started')).length, 1)
  works = true
  await clock.advance(60_000)
  t.equal(responder.answered.length, 29)
  await stop()
})
