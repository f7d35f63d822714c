/** The moving parts, each in virtual time and with what it talks to in its place. */
import { EventEmitter, once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Registry } from 'prom-client'
import t from 'tap'
import {
  BGPAnnouncer,
  Coalescer,
  Layer2Announcer,
  Ring,
  Speaker,
  internalAddresses,
  parseExcludedInterfaces,
  parseFlags,
  readExcludedInterfaces,
} from '@typemetal/speaker'
import type { Gossip, Interfaces, Responder, SpeakerOptions } from '@typemetal/speaker'
import { FakeEngine } from './support/fake-engine.js'
import { recordingLog } from './support/log.js'
import { MemoryStore } from './support/memory-store.js'
import { metallb, node, peer, pool, service } from './support/objects.js'
import { VirtualClock, settle } from './support/virtual-clock.js'

t.test('command line: defaults, environment, one or two dashes', async t => {
  const flags = parseFlags([], {})
  t.match(flags, { port: 7472, healthProbePort: 17472, mlBindport: 7946, electionLevel: 'main', logLevel: 'info' })
  t.match(flags, { ignoreExcludeLb: false, configDir: [], mlJoin: [], ignored: [], mlBindaddr: '' })
  const env = {
    METALLB_NODE_NAME: 'n1',
    METALLB_ML_BIND_ADDR: '10.0.0.1',
    METALLB_ML_BIND_PORT: '7000',
    METALLB_HOST: 'x',
  }
  t.match(parseFlags([], env), { nodeName: 'n1', mlBindaddr: '10.0.0.1', mlBindport: 7000 })
  t.match(parseFlags(['-node-name=n2', '--ml-bindport', '7001'], env), { nodeName: 'n2', mlBindport: 7001 })
  t.match(parseFlags(['--ignore-exclude-lb=true', '-ml-wan-config', '--config-dir', 'a', '--config-dir=b'], {}), {
    ignoreExcludeLb: true,
    mlWanConfig: true,
    configDir: ['a', 'b'],
  })
  t.match(parseFlags(['--ignore-exclude-lb=false', '--ml-join', 'a, b:1,'], {}), {
    ignoreExcludeLb: false,
    mlJoin: ['a', 'b:1'],
  })
  t.match(parseFlags(['--host=0.0.0.0', '--frrk8s-secret-passthrough'], {}).ignored, [
    /--host/,
    /--frrk8s-secret-passthrough/,
  ])
})

t.test('command line: what cannot be used ends with 2 and a usage text', async t => {
  for (const [argv, text] of [
    [['--nonsense'], /unknown option '--nonsense'[^]*Usage:/],
    [['--port', 'http'], /--port <port>.*must be a port/],
    [['--port=70000'], /must be a port/],
    [['--election-level', '0.13'], /Allowed choices are 0.15, 0.16, main/],
    [['--log-level', 'loud'], /Allowed choices/],
    [['stray'], /too many arguments/],
    [['--ignore-exclude-lb=maybe'], /unknown option|does not take/],
  ] as const) {
    t.throws(() => parseFlags(argv, {}), { exitCode: 2, message: text }, argv.join(' '))
  }
  t.throws(() => parseFlags([], { METALLB_ML_BIND_PORT: 'x' }), /must be a port/)
  t.throws(() => parseFlags(['--help'], {}), { exitCode: 0, message: /Usage: typemetal-speaker/ })
  t.throws(() => parseFlags(['--metrics-cert-dir', '/x'], {}), /TLS are not available/)
})

t.test('interfaces that layer 2 leaves alone', async t => {
  t.strictSame(parseExcludedInterfaces(''), [])
  t.strictSame(parseExcludedInterfaces('announcedInterfacesToExclude: ["^veth.*", ^cali]'), ['^veth.*', '^cali'])
  t.throws(() => parseExcludedInterfaces('announcedInterfacesToExclude: lo'), /must be a list/)
  t.throws(() => parseExcludedInterfaces('announcedInterfacesToExclude: [1]'), /which is no text/)
  t.throws(() => parseExcludedInterfaces('announcedInterfacesToExclude: ["("]'), /which is no regular expression/)
  const folder = await mkdtemp(join(tmpdir(), 'typemetal-speaker-'))
  t.teardown(() => rm(folder, { recursive: true }))
  t.strictSame(await readExcludedInterfaces(join(folder, 'none.yaml')), ['^lo$'], 'lo is never announced on')
  await writeFile(join(folder, 'bad.yaml'), 'announcedInterfacesToExclude: ["("]')
  await t.rejects(readExcludedInterfaces(join(folder, 'bad.yaml')), {
    code: 'ERR_STARTUP',
    message: /bad.yaml cannot be used/,
  })
})

t.test('work is done at once, then at most once in an interval, and never twice at a time', async t => {
  const clock = new VirtualClock()
  const times: number[] = []
  let running = 0
  const coalescer = new Coalescer(
    async () => {
      t.equal(++running, 1)
      times.push(clock.now())
      await settle()
      running--
    },
    100,
    clock,
  )
  for (let i = 0; i < 5; i++) coalescer.request()
  await clock.advance(50)
  coalescer.request()
  coalescer.request()
  await clock.advance(500)
  t.strictSame(times, [0, 100], 'the requests made during the first run and after it share the second')
  coalescer.request()
  await coalescer.close()
  coalescer.request()
  await clock.advance(500)
  t.strictSame(times, [0, 100, 550])
})

class FakeGossip extends EventEmitter implements Gossip {
  readonly joined: string[] = []
  readonly calls: string[] = []
  readonly alive = [{ name: 'n1', address: '10.0.0.1' }]
  reachable: readonly string[] = []

  async join([host = '']: readonly string[]): Promise<number> {
    this.joined.push(host)
    if (!this.reachable.includes(host)) throw new Error('no node reached')
    return 1
  }

  members(): readonly { name: string; address: string }[] {
    return this.alive
  }

  async leave(): Promise<void> {
    this.calls.push('leave')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.calls.push('close')
  }
}

t.test('the ring is joined every few seconds until somebody answers, then every minute', async t => {
  const clock = new VirtualClock()
  const gossip = new FakeGossip()
  const log = recordingLog()
  const ring = new Ring({ gossip, peers: () => ['10.0.0.1', '10.0.0.2', '10.0.0.3'], clock, log })
  await ring.nudge()
  t.strictSame(gossip.joined.splice(0), ['10.0.0.2', '10.0.0.3'], 'members are not joined again')
  await clock.advance(3_000)
  t.equal(gossip.joined.splice(0).length, 2, 'again after 3 s')
  gossip.reachable = ['10.0.0.3']
  await clock.advance(3_000)
  t.match(log.lines.at(-1), { op: 'memberDiscovery', level: 'error', joined: 1, expected: 2 })
  gossip.joined.length = 0
  gossip.alive.push({ name: 'n3', address: '10.0.0.3' })
  await clock.advance(59_000)
  t.strictSame(gossip.joined, [], 'joined: a minute of peace')
  await clock.advance(1_000)
  t.strictSame(gossip.joined.splice(0), ['10.0.0.2'])
  let changes = 0
  ring.on('members', () => changes++)
  gossip.emit('leave', { name: 'n3', address: '10.0.0.3' })
  t.equal(changes, 1)
  t.match(log.lines.at(-1), { msg: 'node event - forcing sync', 'node event': 'NodeLeave', 'node name': 'n3' })
  t.strictSame(ring.members, ['n1', 'n3'])
  await ring.leave()
  await ring[Symbol.asyncDispose]()
  t.strictSame(gossip.calls, ['leave', 'close'])
  await clock.advance(600_000)
  t.strictSame(gossip.joined, [])
  t.equal(clock.pending, 0)
})

t.test('the other speakers are where the Nodes say', async t => {
  const nodes = new Map([node('n1', '10.0.0.1'), node('n2', '10.0.0.2')].map(object => [object.metadata.name, object]))
  t.strictSame(internalAddresses(nodes as never, 'n1'), ['10.0.0.2'])
})

class FakeResponder extends EventEmitter implements Responder {
  wanted: readonly { readonly address: string; readonly interfaces: Interfaces }[] = []
  disposed = false
  names: readonly string[] = ['eth0']

  setAddresses(wanted: FakeResponder['wanted']): void {
    this.wanted = wanted
  }

  interfaces(): readonly string[] {
    return this.names
  }

  async counters() {
    return new Map([['10.1.0.1', { requestsReceived: 2, responsesSent: 1, gratuitousSent: 0 }]])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.disposed = true
  }
}

t.test('layer 2 runs while it is needed, and again when it has died', async t => {
  const clock = new VirtualClock()
  const started: FakeResponder[] = []
  const log = recordingLog()
  const start = async (): Promise<Responder> => {
    const responder = new FakeResponder()
    started.push(responder)
    return responder
  }
  const layer2 = new Layer2Announcer({ start, clock, log })
  t.equal(layer2.interfaces, undefined)
  await layer2.need(false)
  t.equal(started.length, 0, 'nothing is started that is not needed')
  await layer2.need(true)
  await layer2.need(true)
  t.equal(started.length, 1)
  layer2.apply(new Map([['10.1.0.1', ['eth0']]]))
  t.strictSame(started[0]?.wanted, [{ address: '10.1.0.1', interfaces: ['eth0'] }])
  started[0]?.emit('responder', { action: 'create', protocol: 'arp', interface: 'eth0' })
  t.match(log.lines.at(-1), { event: 'createARPResponder', interface: 'eth0', level: 'info' })
  started[0]?.emit('error', new Error('gone'))
  t.strictSame(layer2.interfaces, [], 'needed and not there: no interface')
  await layer2.need(true)
  t.equal(started.length, 1, 'not at once')
  const again = once(layer2, 'interfaces')
  await clock.advance(1_000)
  await again
  await layer2.need(true)
  t.equal(started.length, 2)
  await layer2.need(false)
  t.ok(started[1]?.disposed)
  t.equal(layer2.interfaces, undefined)
})

/** A speaker on a store in memory, in virtual time. */
function startSpeaker(
  t: { teardown(fn: () => void): unknown },
  options: Partial<SpeakerOptions> & { readonly objects?: MemoryStore } = {},
) {
  const store = options.objects ?? new MemoryStore()
  const clock = new VirtualClock()
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

t.test('what a BGPPeer asks for and cannot have is said, harmless or not', async t => {
  const { store, clock, engine, log, registry, stop } = startSpeaker(t)
  store.apply(...base, metallb('BFDProfile', 'fast'))
  store.apply(
    peer('r', { bfdProfile: 'fast', enableGracefulRestart: true }),
    peer('red', { vrf: 'red', peerAddress: '127.0.0.2' }),
  )
  await clock.advance(1_000)
  t.strictSame(
    engine.open.map(({ options }) => options.name),
    ['r'],
    'a session into another VRF would go to a stranger',
  )
  const fields = log.lines
    .filter(line => line['event'] === 'peerLimited')
    .map(({ level, peer, field }) => [level, peer, field])
  t.strictSame(fields, [
    ['warn', 'r', 'spec.bfdProfile'],
    ['warn', 'r', 'spec.enableGracefulRestart'],
    ['warn', 'red', 'spec.vrf'],
  ])
  t.match(store.get('ConfigurationState', 'metallb-system/speaker-n1')?.status, {
    result: 'Invalid',
    errorSummary: /BGPPeer red: spec\.vrf: .*not opened/,
    conditions: [
      { type: 'configReconcilerValid', status: 'True' },
      { type: 'peersValid', status: 'False' },
    ],
  })
  t.match(await registry.metrics(), 'metallb_bgp_session_up{peer="127.0.0.2:179",vrf="red"} 0')
  store.cluster.delete('BGPPeer', 'metallb-system/red')
  store.apply(node('n1'))
  await clock.advance(1_000)
  t.match(store.get('ConfigurationState', 'metallb-system/speaker-n1')?.status, {
    result: 'Valid',
    conditions: [{ status: 'True' }, { type: 'peersValid', status: 'True', reason: 'FeatureNotAvailable' }],
  })
  t.match(
    log.lines.find(line => line['event'] === 'peerRemoved'),
    { reason: 'removedFromConfig', peer: '127.0.0.2' },
  )
  await stop()
})

t.test('a session is opened anew only when the protocol demands it, and the log says which field', async t => {
  const engine = new FakeEngine()
  const log = recordingLog()
  const bgp = new BGPAnnouncer({ node: 'n1', createEngine: engine.create, log })
  const session = {
    name: 'r', peerAddress: '127.0.0.1', peerPort: 179, myASN: 64512, peerASN: 64513, holdTimeSeconds: 90,
    keepaliveTimeSeconds: 30, ebgpMultiHop: false, gracefulRestart: false, families: ['ipv4'], routerID: '10.0.0.1',
  } as const // prettier-ignore
  const route = { prefix: '10.1.0.1/32', nextHop: 'self', communities: [] } as const
  const apply = async (sessions: object): Promise<void> => {
    const map = new Map(Object.entries(sessions))
    const routes = new Map([...map.keys()].map(name => [name, [route]]))
    bgp.apply(
      { node: 'n1', services: new Map(), layer2: new Map(), sessions: map, routes, peersOf: new Map(), notes: [] },
      () => true,
    )
    await settle()
  }
  await apply({ r: session })
  const [first] = engine.open
  first?.become('Established', 'KeepAliveMsg')
  t.match(log.lines.at(-1), { event: 'sessionUp', peer: '127.0.0.1', localASN: 64512, peerASN: 64513 })
  await apply({ r: { ...session, connectTimeSeconds: 5 } })
  t.strictSame(engine.open, [first], 'an Established session knows nothing of ConnectRetryTime')
  t.match(
    log.lines.find(line => line['event'] === 'sessionUpdated'),
    { fields: ['connectTimeSeconds'] },
  )
  first?.become('Idle', 'HoldTimer_Expires')
  await settle()
  const [second] = engine.open
  t.not(second, first)
  t.equal(second?.options.connectRetryTime, 5, 'but the next one does')
  t.match(
    log.lines.find(line => line['event'] === 'sessionDown'),
    { level: 'warn', reason: 'HoldTimer_Expires' },
  )
  t.strictSame(second?.routes, [route])
  await apply({ r: { ...session, peerASN: 64514 } })
  t.ok(second?.closed)
  t.match(
    log.lines.find(line => line['event'] === 'sessionReset'),
    { level: 'warn', fields: ['connectTimeSeconds', 'peerASN'].slice(1) },
  )
  const [third] = engine.open
  t.match(third?.options, { asn: 64514 })
  third?.become('Connect')
  third?.become('Active', 'TcpConnectionFails: ECONNREFUSED')
  third?.become('Connect')
  third?.become('Active', 'TcpConnectionFails: ECONNREFUSED')
  t.equal(log.lines.filter(line => line['op'] === 'connect').length, 1, 'a peer that is down is said once')
  third?.become('Idle', 'NotifMsg 2/2')
  t.match(log.lines.at(-1), { event: 'peerNotification', level: 'error', error: 'NotifMsg 2/2' })
  await apply({})
  t.match(log.lines.at(-1), { event: 'updatedAdvertisements', numAds: 0 })
  t.match(
    log.lines.find(line => line['event'] === 'peerRemoved'),
    { reason: 'filteredByNodeSelector' },
  )
  t.strictSame(engine.open, [])
  await bgp[Symbol.asyncDispose]()
  t.ok(engine.disposed)
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
