/** What the status page of a speaker says, in virtual time. */
import { Registry } from 'prom-client'
import type { PageFacts } from '@typemetal/cluster/page'
import t from 'tap'
import { Ring, Speaker, electionOrder, parseFlags } from '@typemetal/speaker'
import type { SpeakerOptions } from '@typemetal/speaker'
import { FakeBfd } from './support/fake-bfd.js'
import { FakeEngine } from './support/fake-engine.js'
import { FakeGossip } from './support/fake-gossip.js'
import { FakeResponder } from './support/fake-responder.js'
import { MemoryStore } from './support/memory-store.js'
import { metallb, node, peer, pool, service } from './support/objects.js'
import { VirtualClock } from './support/virtual-clock.js'

/** A speaker with a page, between a store in memory and announcers that only remember. */
class Scene {
  readonly store = new MemoryStore()
  readonly clock = new VirtualClock()
  readonly engine = new FakeEngine()
  readonly responder = new FakeResponder()
  readonly bfd = new FakeBfd()
  readonly page: ReturnType<Speaker['openPage']>
  readonly #abort = new AbortController()
  readonly #done: Promise<void>
  ready: true | string = true

  constructor(
    t: { teardown(fn: () => void): unknown },
    options: (scene: Scene) => Partial<SpeakerOptions> = () => ({}),
  ) {
    const { store, clock, engine, responder, bfd } = this
    const speaker = new Speaker({
      node: 'n1',
      namespace: 'metallb-system',
      store,
      registry: new Registry(),
      clock,
      startLayer2: async () => responder,
      startBfd: bfd.start,
      createEngine: engine.create,
      ...options(this),
    })
    this.page = speaker.openPage({ version: '1.2.3', host: 'speaker-x', ready: () => this.ready })
    this.#done = speaker.run(this.#abort.signal)
    this.#done.catch(() => {})
    t.teardown(() => this.#abort.abort())
  }

  async run(ms = 1_000): Promise<void> {
    await this.clock.advance(ms)
  }

  get facts(): PageFacts {
    return this.page.facts()
  }

  service(name: string): NonNullable<PageFacts['services']>[number] | undefined {
    return this.facts.services?.find(row => row.service === `default/${name}`)
  }

  /** Transitions in short, the newest first. */
  get lines(): readonly string[] {
    return (this.facts.transitions ?? []).map(({ object, what, why }) =>
      [object, what, why].filter(Boolean).join(' | '),
    )
  }

  /** The process is told to end. */
  async end(): Promise<void> {
    this.#abort.abort()
    await this.run(100)
  }
}

const base = [
  node('n1'),
  pool(['10.1.0.0/24']),
  metallb('L2Advertisement', 'l2'),
  metallb('BGPAdvertisement', 'bgp'),
  peer('tor', { password: 'swordfish' }),
]

t.test('who it is, what it announces and why, and nothing before the first plan', async t => {
  const scene = new Scene(t)
  t.match(scene.facts, {
    server: { component: 'speaker', node: 'n1', host: 'speaker-x', namespace: 'metallb-system', version: '1.2.3' },
    services: undefined,
    layer2: undefined,
    members: undefined,
    transitions: [],
  })
  scene.store.apply(...base, ...service('web', '10.1.0.1'), ...service('bare', '10.1.0.2').slice(0, 1))
  await scene.run()
  t.match(scene.facts, { server: { role: 'announcing', ready: true }, notices: [] })
  t.strictSame(scene.service('web'), {
    service: 'default/web',
    verdict: 'good',
    addresses: ['10.1.0.1'],
    pool: 'p',
    layer2: { nodes: ['n1'], to: [] },
    bgp: { nodes: ['n1'], to: ['tor'] },
    reason: 'this node was elected to answer for it; told to tor',
  })
  t.match(scene.service('bare'), { verdict: 'note', bgp: { reason: 'no ready endpoint (noEndpoints)' } })
  t.strictSame(scene.facts.layer2, [
    { address: '10.1.0.1', verdict: 'good', services: ['default/web'], interfaces: [] },
  ])
  t.match(scene.facts.nodes, [{ node: 'n1', self: true, verdict: 'good', layer2: 1, bgp: 1, notes: [] }])
  t.strictSame(scene.lines, [
    'Service default/web | announced by layer 2 | 10.1.0.1 of pool p',
    'Service default/web | announced by BGP | 10.1.0.1 of pool p',
    'configuration | in force',
  ])
  t.notMatch(JSON.stringify(scene.facts), /swordfish/, 'no password')
})

t.test('Services that nobody announces say what is missing; those of others are left out', async t => {
  const scene = new Scene(t)
  scene.store.apply(
    node('n1'),
    pool(['10.1.0.0/24'], 'silent'),
    pool(['10.2.0.0/24'], 'lan'),
    metallb('L2Advertisement', 'lan', { ipAddressPools: ['lan'], interfaces: ['eth7'] }),
    ...service('nowhere', '10.1.0.1'),
    ...service('foreign', '172.16.0.1'),
    ...service('elsewhere', '10.2.0.1'),
    ...service('inner', '10.2.0.2', { type: 'ClusterIP' }),
    ...service('other', '10.2.0.3', { loadBalancerClass: 'example.com/other' }),
  )
  await scene.run()
  t.match(scene.service('nowhere'), {
    verdict: 'bad',
    reason: 'no L2Advertisement and no BGPAdvertisement is for its pool',
  })
  t.match(scene.service('foreign'), { verdict: 'bad', reason: 'no single pool contains its addresses (ipNotAllowed)' })
  t.match(scene.service('elsewhere'), {
    verdict: 'bad',
    reason: 'elected, but none of the interfaces to answer on exists on this node: eth7 (noMatchingInterface)',
  })
  t.equal(scene.facts.services?.length, 3)
  t.ok(
    scene.lines.includes(
      'Service default/elsewhere | cannot be announced by layer 2 | none of these interfaces exists: eth7',
    ),
  )
  t.ok(
    scene.lines.includes(
      'Service default/foreign | refused for BGP | no single pool contains its addresses (ipNotAllowed)',
    ),
  )
})

t.test('sessions: since when, and what went wrong', async t => {
  const scene = new Scene(t)
  scene.store.apply(...base)
  await scene.run()
  const [router] = scene.engine.open
  t.match(scene.facts.sessions, [{ peer: 'tor', verdict: 'bad', state: 'Idle', since: undefined, reason: undefined }])

  for (const cause of ['TcpConnectionFails: ECONNREFUSED', 'TcpConnectionFails: ECONNREFUSED']) {
    router?.become('Connect', 'AutomaticStart')
    router?.become('Idle', cause)
    await scene.run()
  }
  t.match(scene.facts.sessions, [
    {
      verdict: 'bad',
      since: '1970-01-01T00:00:01.000Z',
      reason: 'no TCP connection (TcpConnectionFails: ECONNREFUSED)',
    },
  ])
  t.strictSame(
    scene.lines.filter(line => line.startsWith('BGPPeer')),
    ['BGPPeer tor | no session | no TCP connection (TcpConnectionFails: ECONNREFUSED)'],
    'the same failure again is no news',
  )

  Object.assign(router ?? {}, { negotiated: { holdTime: 90, families: ['ipv4-unicast'] } })
  router?.become('Established', 'KeepAliveMsg')
  t.match(scene.facts.sessions, [
    { node: 'n1', target: '127.0.0.1', verdict: 'good', state: 'Established', since: '1970-01-01T00:00:03.000Z' },
  ])
  t.match(scene.facts.sessions?.[0], { localAS: 64512, peerAS: 64513, families: ['ipv4'], wanted: 0, announced: 1 })
  await scene.run()
  const details = { errorCode: 6, errorSubcode: 2, reason: 'Cease/Administrative Shutdown', communication: 'so long' }
  router?.emit('notification', 'received', details)
  router?.become('Idle', 'NotifMsg 6/2')
  const why = 'the peer sent a NOTIFICATION: Cease/Administrative Shutdown, "so long"'
  t.match(scene.facts.sessions, [{ verdict: 'bad', since: '1970-01-01T00:00:04.000Z', reason: why }])
  t.equal(scene.lines[0], `BGPPeer tor | session down | ${why}`)
})

t.test('BFD beside a session', async t => {
  const scene = new Scene(t)
  scene.store.apply(...base.slice(0, 4), metallb('BFDProfile', 'fast'), peer('tor', { bfdProfile: 'fast' }))
  await scene.run()
  const bfd = (): unknown => scene.facts.sessions?.[0]?.bfd
  t.strictSame(bfd(), { verdict: 'bad', state: 'Down', profile: 'fast', reason: 'BFD does not run for this peer' })
  // As the engine does for a peer with BFD.
  scene.engine.options?.bfd.session({ address: '127.0.0.1' })
  await scene.run()
  const session = scene.bfd.workers[0]?.sessions[0]
  session?.become('Up')
  const up = { profile: 'fast', detectionTime: 900, since: '1970-01-01T00:00:02.000Z' }
  t.strictSame(bfd(), { verdict: 'good', state: 'Up', ...up })
  await scene.run()
  session?.become('Down', 'Control Detection Time Expired')
  t.match(bfd(), {
    verdict: 'bad',
    state: 'Down',
    since: '1970-01-01T00:00:03.000Z',
    reason: 'Control Detection Time Expired',
  })
  t.strictSame(scene.lines.slice(0, 2), [
    'BFD 127.0.0.1 | session Down | Control Detection Time Expired',
    'BFD 127.0.0.1 | session up',
  ])
})

t.test('a configuration that cannot be used, limits of the machine and outages are notices', async t => {
  const scene = new Scene(t)
  scene.store.apply(...base)
  await scene.run()
  scene.store.apply(pool(['10.1.0.0/33']))
  await scene.run()
  const [notice] = scene.facts.notices ?? []
  t.match(notice, { verdict: 'bad', what: /newest configuration cannot be used/, since: String })
  t.match(notice?.details?.[0], /^IPAddressPool metallb-system\/p: spec\.addresses\[0\]/)
  t.match(scene.lines[0], /^configuration \| not in force \| IPAddressPool/)
  scene.store.apply(pool(['10.1.0.0/24']))
  await scene.run()
  t.strictSame([scene.facts.notices, scene.lines[0]], [[], 'configuration | in force'])

  scene.store.emit('outage', 'connect ECONNREFUSED')
  scene.ready = 'layer 2 is not running'
  t.match(scene.facts.notices, [
    { verdict: 'bad', what: /cluster cannot be read/, details: ['connect ECONNREFUSED'] },
    { verdict: 'bad', what: 'Not ready: layer 2 is not running' },
  ])
  scene.store.emit('outage', undefined)
  t.equal(scene.lines[0], 'cluster | can be read again')
})

t.test('members, owners on other nodes, and a drain', async t => {
  const gossip = new FakeGossip(['n1', 'n2'])
  gossip.self = 'n1'
  const scene = new Scene(t, ({ clock }) => ({ ring: new Ring({ gossip, peers: () => [], clock }) }))
  const [there = '', here = ''] = ['10.1.0.1', '10.1.0.2', '10.1.0.3', '10.1.0.4', '10.1.0.5', '10.1.0.6']
    .toSorted((a, b) => Number(winner(a) === 'n1') - Number(winner(b) === 'n1'))
    .filter((_, i, all) => i === 0 || i === all.length - 1)
  t.strictSame([winner(there), winner(here)], ['n2', 'n1'])
  scene.store.apply(...base, node('n2', '10.0.0.2'), ...service('there', there), ...service('here', here))
  await scene.run(2_000)
  t.match(scene.service('there'), {
    verdict: 'good',
    layer2: { nodes: ['n2'], reason: 'node n2 was elected (notOwner)' },
  })
  t.match(scene.facts.nodes, [
    { node: 'n1', alive: true, layer2: 1 },
    { node: 'n2', alive: true, layer2: 1 },
  ])
  t.match(scene.facts.members, [
    { node: 'n1', state: 'alive', verdict: 'good' },
    { node: 'n2', state: 'alive', address: '10.0.0.2' },
  ])
  gossip.accuse('n2')
  t.match(scene.facts.members?.[1], { state: 'suspect', verdict: 'note', since: '1970-01-01T00:00:02.000Z' })
  t.match(scene.lines[0], /^node n2 \| does not answer/)
  gossip.kill('n2')
  await scene.run()
  t.match(scene.facts.nodes?.[1], { node: 'n2', alive: false, verdict: 'bad', notes: ['no speaker is heard there'] })
  t.ok(scene.lines.includes('node n2 | gone from the ring'))
  t.match(scene.service('there'), { layer2: { nodes: ['n1'] } })

  await scene.end()
  t.match(scene.facts.server.role, /draining|ending/)
  t.match(scene.facts.notices, [{ verdict: 'note', what: /^This node is being drained/ }])
  t.ok(scene.lines.some(line => /^node n1 \| drain: \w+ \| the process was asked to end$/.test(line)))
})

t.test('another node answers for an address, and neither hears of the other', async t => {
  const scene = new Scene(t, ({ clock }) => ({
    ring: new Ring({ gossip: new FakeGossip(['n1']), peers: () => [], clock }),
    segment: { identify: async () => 'n0', answers: async () => true },
  }))
  const mine = Array.from({ length: 50 }, (_, i) => `10.1.0.${i + 1}`).find(
    address => electionOrder(['n0', 'n1'], address)[0] === 'n0',
  )
  scene.store.apply(...base, node('n0'), ...service('web', mine ?? ''))
  await scene.run(2_000)
  t.match(scene.facts.layer2, [{ address: mine, verdict: 'good' }])
  scene.responder.emit('conflict', { address: mine, interface: 'eth0', mac: '02:00:00:00:00:09', kind: 'claim' })
  await scene.run(5_000)
  const text = 'node n0 (02:00:00:00:00:09) answers for it too, on eth0: that one comes first, and this node is silent'
  t.match(scene.facts.layer2, [{ address: mine, verdict: 'bad', reason: text }])
  t.match(scene.service('web'), { verdict: 'bad', reason: text })
  t.equal(scene.lines[0], `address ${mine} | conflict | ${text}`)
})

t.test('sections that say the same are the same objects; whoever looks hears of changes, and nobody else', async t => {
  const scene = new Scene(t)
  scene.store.apply(...base, ...service('web', '10.1.0.1'))
  await scene.run()
  let heard = 0
  const undo = scene.page.watch(() => heard++)
  const before = scene.facts
  scene.store.apply(...service('web', '10.1.0.1', { sessionAffinity: 'None' }))
  await scene.run()
  t.ok(heard > 0, 'something may have changed')
  const after = scene.facts
  for (const name of ['server', 'notices', 'services', 'nodes', 'sessions', 'layer2', 'transitions'] as const) {
    t.equal(after[name], before[name], name)
  }
  scene.store.apply(...service('mail', '10.1.0.2'))
  await scene.run()
  const [web] = scene.facts.services ?? []
  t.equal(web, before.services?.[0], 'nothing has touched it')
  heard = 0
  await scene.run(3_000)
  t.ok(heard >= 3, 'counters change without a word')
  undo()
  const silence = heard
  scene.store.apply(...service('mail', '10.1.0.3'))
  await scene.run()
  t.equal(heard, silence)
  t.equal(scene.service('mail')?.addresses[0], '10.1.0.3')
})

t.test('1,000 Services at once are one line, and a change of one makes one row', async t => {
  const scene = new Scene(t)
  const names = Array.from({ length: 1_000 }, (_, i) => ({ name: `s${i}`, ip: `10.1.${i >> 8}.${i & 255}` }))
  scene.store.apply(node('n1'), pool(['10.1.0.0/16']), metallb('BGPAdvertisement', 'bgp'), peer('tor'))
  scene.store.apply(...names.flatMap(({ name, ip }) => service(name, ip)))
  await scene.run(5_000)
  t.equal(scene.facts.services?.length, 1_000)
  t.strictSame(scene.lines, [
    '1000 Services | announced by BGP | default/s0, default/s1, default/s2 and 997 more',
    'configuration | in force',
  ])
  const before = new Set(scene.facts.services)
  scene.store.cluster.delete('EndpointSlice', 'default/s7-1')
  scene.store.apply(...service('s7', '10.1.0.7').slice(0, 1))
  await scene.run(5_000)
  const fresh = (scene.facts.services ?? []).filter(row => !before.has(row))
  t.match(fresh, [{ service: 'default/s7', bgp: { reason: 'no ready endpoint (noEndpoints)' } }])
  t.equal(scene.lines[0], 'Service default/s7 | no longer announced | no ready endpoint (noEndpoints)')
})

t.test('flags: there is no page unless it is asked for, and then on the loopback address', async t => {
  t.match(parseFlags([], {}), { statusPort: 0, statusAddress: '127.0.0.1' })
  t.match(parseFlags(['--status-port=7476', '-status-address', '::1'], {}), { statusPort: 7476, statusAddress: '::1' })
  t.throws(() => parseFlags(['--status-address=everywhere'], {}), { message: /must be an IP address/ })
  t.throws(() => parseFlags(['--status-port=70000'], {}), { message: /must be a port/ })
})

const winner = (address: string): string | undefined => electionOrder(['n1', 'n2'], address)[0]
