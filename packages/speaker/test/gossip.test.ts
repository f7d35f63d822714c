/** The ring: who is joined and when, leave and return, what strangers may cause; in virtual time. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Registry } from 'prom-client'
import { claimLoopback } from '@typemetal/lab'
import t from 'tap'
import { PodDirectory, Ring, parseFlags, parseGossipSettings, quietLog, registerRingMetrics, speakerAddresses, startGossip } from '@typemetal/speaker' // prettier-ignore
import type { Flags } from '@typemetal/speaker'
import { FakeGossip } from './support/fake-gossip.js'
import { recordingLog } from './support/log.js'
import { VirtualClock, settle } from './support/virtual-clock.js'

const pod = (name: string, spec: object, status: object, metadata: object = {}) =>
  ({ apiVersion: 'v1', kind: 'Pod', metadata: { name, ...metadata }, spec, status }) as const

t.test('leave: the others hear it, this node goes on to gossip, and comes back under its name', async t => {
  const gossip = new FakeGossip(['n1', 'n2', 'n3'])
  gossip.self = 'n1'
  const clock = new VirtualClock()
  const ring = new Ring({ gossip, peers: () => ['10.0.0.9'], clock })
  await ring.nudge()
  let changes = 0
  ring.on('members', () => changes++)
  t.ok(ring.present)
  await Promise.all([ring.leave(), ring.leave()])
  t.strictSame([gossip.calls, ring.members, ring.present, changes], [['leave'], ['n2', 'n3'], false, 1])
  gossip.joined.length = 0
  await clock.advance(600_000)
  await ring.nudge()
  t.strictSame(gossip.joined, [], 'nobody is joined meanwhile')
  gossip.kill('n3')
  t.strictSame([ring.members, changes], [['n2'], 2], 'but who dies is heard')
  const back = ring.rejoin()
  const again = ring.rejoin()
  await Promise.all([back, again])
  t.strictSame([gossip.calls, ring.members, ring.present], [['leave', 'rejoin'], ['n1', 'n2'], true])
  t.strictSame(gossip.joined, ['10.0.0.9'], 'and who is missing is joined at once')
  void ring.leave()
  await ring.rejoin()
  t.strictSame(gossip.calls.slice(2), ['leave', 'rejoin'], 'one after the other')
  await ring[Symbol.asyncDispose]()
  await ring.leave()
  await ring.rejoin()
  t.equal(gossip.calls.at(-1), 'close')
  t.equal(clock.pending, 0)
})

t.test('a return that failed keeps the node neither from another try nor from leaving', async t => {
  const gossip = new FakeGossip(['n1', 'n2'])
  gossip.self = 'n1'
  const ring = new Ring({ gossip, peers: () => [], clock: new VirtualClock() })
  await ring.leave()
  gossip.broken = new Error('no socket')
  await t.rejects(ring.rejoin(), { message: 'no socket' })
  t.strictSame([ring.present, ring.members], [false, ['n2']], 'it has not come back')
  gossip.broken = undefined
  await ring.rejoin()
  t.strictSame([ring.present, ring.members], [true, ['n1', 'n2']])
  await ring.leave()
  t.strictSame([gossip.calls, ring.members], [['leave', 'rejoin', 'rejoin', 'leave'], ['n2']])
  await ring[Symbol.asyncDispose]()
})

t.test('before the start of the ring nobody is joined, and a leave is no word to anybody', async t => {
  const gossip = new FakeGossip(['n1'])
  const clock = new VirtualClock()
  let opened = 0
  const ring = new Ring({ gossip, open: async () => void opened++, peers: () => ['10.0.0.2'], clock })
  await ring.nudge()
  await ring.leave()
  await ring.rejoin()
  t.strictSame([gossip.joined, gossip.calls, opened, clock.pending], [[], [], 0, 0])
  await Promise.all([ring.start(), ring.nudge()])
  await ring.nudge()
  t.strictSame([gossip.joined, opened], [['10.0.0.2'], 1])
  await ring[Symbol.asyncDispose]()
  const broken = new Ring({ gossip, open: () => Promise.reject(new Error('in use')), peers: () => [], clock })
  await t.rejects(broken.start(), { message: 'in use' })
})

t.test('a ring of one goes on alone, and every minute looks for others', async t => {
  const gossip = new FakeGossip(['n1'])
  const clock = new VirtualClock()
  const ring = new Ring({ gossip, peers: () => ['10.0.0.2', '10.0.0.3'], clock })
  await ring.nudge()
  await clock.advance(60_000)
  t.strictSame(ring.members, ['n1'])
  t.ok(gossip.joined.length > 20 && gossip.joined.length < 60, `${gossip.joined.length} attempts in a minute`)
  await ring[Symbol.asyncDispose]()
})

t.test('metrics of the ring: members, suspects, joins, what was refused', async t => {
  const gossip = new FakeGossip(['n1', 'n2', 'n3'])
  gossip.suspects = 1
  gossip.reachable = ['10.0.0.8']
  gossip.counters = { packetFaults: { decrypt: 4 }, streamFaults: 2 }
  const ring = new Ring({ gossip, peers: () => ['10.0.0.8', '10.0.0.9'], clock: new VirtualClock() })
  const registry = new Registry()
  registerRingMetrics(registry, ring)
  await ring.nudge()
  await settle()
  const text = await registry.metrics()
  for (const line of [
    'typemetal_memberlist_members 3',
    'typemetal_memberlist_suspects 1',
    'typemetal_memberlist_joins_total{result="succeeded"} 1',
    'typemetal_memberlist_joins_total{result="failed"} 1',
    'typemetal_memberlist_refused_total{reason="decrypt"} 4',
    'typemetal_memberlist_refused_total{reason="stream"} 2',
  ])
    t.ok(text.includes(`${line}\n`), line)
  await ring[Symbol.asyncDispose]()
})

t.test('a suspect whose host is silent on the segment is gone at once, and back as soon as it is heard', async t => {
  const clock = new VirtualClock()
  const gossip = new FakeGossip(['n1', 'n2', 'n3'])
  const asked: string[] = []
  let answer: boolean | undefined = false
  const reaches = async (address: string): Promise<boolean | undefined> => {
    asked.push(address)
    return answer
  }
  const ring = new Ring({ gossip, peers: () => [], clock, reaches })
  let changes = 0
  ring.on('members', () => changes++)
  gossip.accuse('n2')
  gossip.accuse('n2')
  await settle()
  t.strictSame([asked, ring.members, changes], [['10.0.0.2'], ['n1', 'n3'], 1])
  await clock.advance(2_000)
  t.strictSame([asked.length, changes], [5, 1], 'asked twice a second')
  answer = true
  await clock.advance(500)
  t.strictSame([ring.members, changes], [['n1', 'n2', 'n3'], 2], 'its host answers: only its process is late')
  answer = false
  await clock.advance(500)
  t.strictSame(ring.members, ['n1', 'n3'])
  gossip.state('n2', 'alive')
  await clock.advance(500)
  t.strictSame(ring.members, ['n1', 'n2', 'n3'], 'it has contradicted')
  await clock.advance(5_000)
  t.equal(clock.pending, 0, 'and nobody asks any more')
  gossip.accuse('n2')
  await settle()
  gossip.kill('n2')
  await clock.advance(5_000)
  t.strictSame([ring.members, clock.pending], [['n1', 'n3'], 0], 'dead for the ring, too')
  gossip.alive.push({ name: 'n2', address: '10.0.0.2', state: 'alive' })
  gossip.emit('join', { name: 'n2', address: '10.0.0.2', state: 'alive' })
  t.strictSame(ring.members, ['n1', 'n3', 'n2'].toSorted(), 'and back')
  await ring[Symbol.asyncDispose]()
})

t.test(
  'one missed ping of a host that is silent on the segment, while others answer: the ring hears of it',
  async t => {
    const clock = new VirtualClock()
    const gossip = new FakeGossip(['n1', 'n2', 'n3', 'n4'])
    const silent = new Set<string>()
    const asked: string[] = []
    let isAskable = true
    const reaches = async (address: string): Promise<boolean | undefined> => {
      asked.push(address)
      return isAskable ? !silent.has(address) : undefined
    }
    const ring = new Ring({ gossip, node: 'n1', peers: () => [], clock, reaches })
    gossip.miss('n2')
    await settle()
    t.strictSame([asked.splice(0), gossip.accused], [['10.0.0.2'], []], 'its host answers: only its process is late')
    silent.add('10.0.0.2').add('10.0.0.3').add('10.0.0.4')
    gossip.miss('n2')
    gossip.miss('n2')
    await settle()
    t.strictSame(asked.splice(0), ['10.0.0.2', '10.0.0.3', '10.0.0.4'], 'nobody answers, this node does not count')
    t.strictSame(gossip.accused, [], 'so it is our own network')
    silent.delete('10.0.0.4')
    gossip.miss('n2')
    await settle()
    t.strictSame([gossip.accused, ring.members], [['n2'], ['n1', 'n3', 'n4']], 'accused, asked again, and gone')
    silent.delete('10.0.0.2')
    await clock.advance(500)
    t.strictSame(ring.members, ['n1', 'n2', 'n3', 'n4'], 'it is heard again')
    gossip.state('n2', 'alive')
    await clock.advance(500)
    isAskable = false
    gossip.miss('n2')
    await settle()
    t.strictSame(gossip.accused, ['n2'], 'where nobody can be asked, it is for gossip to find out')
    gossip.miss('n1')
    t.equal(clock.pending, 0)
    await ring[Symbol.asyncDispose]()
    gossip.miss('n3')
    await settle()
    t.strictSame([gossip.accused, clock.pending], [['n2'], 0])
  },
)

t.test('of two nodes the other is accused; a node that has left the ring accuses nobody', async t => {
  const clock = new VirtualClock()
  const gossip = new FakeGossip(['n1', 'n2'])
  gossip.self = 'n1'
  const ring = new Ring({ gossip, node: 'n1', peers: () => [], clock, reaches: async () => false })
  await ring.leave()
  gossip.miss('n2')
  await settle()
  t.strictSame([gossip.accused, ring.members], [[], ['n2']])
  await ring.rejoin()
  gossip.miss('n2')
  await settle()
  t.strictSame([gossip.accused, ring.members], [['n2'], ['n1']])
  await ring[Symbol.asyncDispose]()
  t.equal(clock.pending, 0)
})

t.test('suspected by another while we still ask: the question in hand is not the last', async t => {
  const clock = new VirtualClock()
  const gossip = new FakeGossip(['n1', 'n2', 'n3'])
  let answer: (reached: boolean) => void = () => {}
  const ask = (): Promise<boolean> => new Promise(resolve => (answer = resolve))
  const ring = new Ring({ gossip, node: 'n1', peers: () => [], clock, reaches: ask })
  gossip.miss('n2')
  gossip.accuse('n2')
  answer(true)
  await settle()
  t.strictSame(ring.members, ['n1', 'n2', 'n3'])
  answer(false)
  await settle()
  t.strictSame([ring.members, gossip.accused], [['n1', 'n3'], ['n2']])
  await ring[Symbol.asyncDispose]()
  t.equal(clock.pending, 0)
})

t.test(
  'a suspect is left to gossip where nobody can be asked, and where all are suspected: that is our own network',
  async t => {
    const clock = new VirtualClock()
    const gossip = new FakeGossip(['n1', 'n2', 'n3', 'n4'])
    let answer: boolean | undefined
    const ring = new Ring({ gossip, peers: () => [], clock, reaches: async () => answer })
    gossip.accuse('n2')
    await clock.advance(2_000)
    t.strictSame(ring.members, ['n1', 'n2', 'n3', 'n4'], 'behind a router')
    answer = false
    gossip.accuse('n3')
    gossip.accuse('n4')
    await clock.advance(2_000)
    t.strictSame(ring.members, ['n1', 'n2', 'n3', 'n4'], 'all of three')
    gossip.state('n4', 'alive')
    await clock.advance(2_000)
    t.strictSame(ring.members, ['n1', 'n4'])
    await ring[Symbol.asyncDispose]()
    await clock.advance(10_000)
    t.equal(clock.pending, 0)
  },
)

t.test('discovery: of the Pods, those that run elsewhere and can be reached', async t => {
  const pods = [
    pod('own', { nodeName: 'n1' }, { podIP: '10.0.0.1' }),
    pod('dual', { nodeName: 'n2' }, { podIP: '10.0.0.2', podIPs: [{ ip: '10.0.0.2' }, { ip: 'fd00::2' }] }),
    pod('pending', { nodeName: 'n3' }, { phase: 'Pending', podIP: '' }),
    pod('unscheduled', {}, {}),
    pod('failed', { nodeName: 'n4' }, { phase: 'Failed', podIP: '10.0.0.4' }),
    pod('going', { nodeName: 'n5' }, { podIP: '10.0.0.5' }, { deletionTimestamp: '2026-01-01T00:00:00Z' }),
    pod('unready', { nodeName: 'n6' }, { phase: 'Running', podIP: '10.0.0.6' }),
  ]
  t.strictSame(speakerAddresses(pods, 'n1', '10.0.0.1'), ['10.0.0.2', '10.0.0.6'])
  t.strictSame(speakerAddresses(pods, 'n1', 'fd00::1'), ['fd00::2'])
  t.strictSame(speakerAddresses(pods, 'n1', '::'), ['10.0.0.2', 'fd00::2', '10.0.0.6'])
})

t.test('discovery: asked every five minutes; a failure is said once and keeps the list', async t => {
  const clock = new VirtualClock()
  const log = recordingLog()
  const asked: string[] = []
  let items: readonly object[] | undefined
  const send = async ({ path }: { readonly path: string }): Promise<unknown> => {
    asked.push(path)
    if (!items) throw new Error('pods is forbidden')
    return { items }
  }
  const options = { namespace: 'metallb-system', labels: 'app=metallb,component=speaker', node: 'n1' }
  const directory = new PodDirectory({ api: { send }, ...options, bindAddress: '10.0.0.1', clock, log })
  await directory.start()
  t.equal(directory.addresses, undefined, 'nothing is known: the Nodes are asked instead')
  await clock.advance(300_000)
  t.equal(log.lines.filter(({ level }) => level === 'error').length, 1)
  items = [pod('x', { nodeName: 'n2' }, { podIP: '10.0.0.2' })]
  await clock.advance(300_000)
  t.strictSame(directory.addresses, ['10.0.0.2'])
  items = undefined
  await clock.advance(600_000)
  t.strictSame(directory.addresses, ['10.0.0.2'])
  t.strictSame(
    [asked.length, asked[0]],
    [5, '/api/v1/namespaces/metallb-system/pods?labelSelector=app%3Dmetallb%2Ccomponent%3Dspeaker'],
  )
  directory[Symbol.dispose]()
  t.equal(clock.pending, 0)
})

t.test('what strangers send to the port is one warning for each of them, not a flood', async t => {
  const clock = new VirtualClock()
  const log = recordingLog()
  const quiet = quietLog(log, clock)
  const dropped = (address: string): void => quiet.warn({ address, fault: 'decrypt' }, 'datagram dropped')
  for (let i = 0; i < 1_000; i++) dropped('10.9.9.9')
  for (let i = 0; i < 1_000; i++) dropped(`10.9.${i >> 8}.${i & 255}`)
  t.equal(log.lines.filter(({ level }) => level === 'warn').length, 64, 'of a thousand sources as many as matter')
  quiet.warn({ node: 'n2' }, 'refuted')
  quiet.warn({ node: 'n2' }, 'refuted')
  t.equal(log.lines.filter(({ msg }) => msg === 'refuted').length, 2, 'what members do is said')
  await clock.advance(3_600_001)
  dropped('10.9.9.9')
  t.equal(log.lines.filter(({ level, address }) => level === 'warn' && address === '10.9.9.9').length, 2)
})

t.test('--ml-preset, --ml-wan-config and the layer-2 flags', async t => {
  t.match(parseFlags([], {}), { mlPreset: undefined, mlLabels: '', l2RefreshInterval: 0, l2GratuitousRate: 200_000 })
  t.match(parseFlags([], {}), { l2RaisePriority: true })
  t.match(parseFlags(['--no-l2-raise-priority'], {}), { l2RaisePriority: false })
  t.match(parseFlags(['--ml-preset=fast', '--l2-refresh-interval', '1m30s', '--l2-gratuitous-rate', '50'], {}), {
    mlPreset: 'fast',
    l2RefreshInterval: 90_000,
    l2GratuitousRate: 50,
  })
  t.match(parseFlags([], { METALLB_ML_LABELS: 'app=metallb' }), { mlLabels: 'app=metallb', ignored: [] })
  for (const argv of [
    ['--ml-preset', 'warp'],
    ['--l2-refresh-interval', '10ms'],
    ['--l2-refresh-interval', 'often'],
    ['--l2-gratuitous-rate', '0'],
  ])
    t.throws(() => parseFlags(argv, {}), { exitCode: 2, message: /error/ }, argv.join(' '))
  const flags = (argv: readonly string[]): Flags =>
    parseFlags(['--node-name=n1', '--ml-bindaddr=127.0.0.1', ...argv], {})
  await t.rejects(
    startGossip(flags(['--ml-wan-config', '--ml-preset=fast']), () => [], recordingLog()),
    {
      code: 'ERR_STARTUP',
      message: /--ml-wan-config and --ml-preset fast contradict each other/,
    },
  )
})

t.test(
  'config.json: names in any case, unknown ones ignored, times required, numbers and truths 0 without (10.3)',
  async t => {
    const times = Object.fromEntries(
    ['TCPTimeout', 'PushPullInterval', 'ProbeTimeout', 'ProbeInterval', 'GossipInterval', 'GossipToTheDeadTime', 'QueueCheckInterval'].map(key => [key, '1s']),
  ) // prettier-ignore
    const { settings, missing } = parseGossipSettings(JSON.stringify({ ...times, PROBETIMEOUT: '1m0.5s', more: 1 }))
    t.match(settings, { probeTimeout: 60_500, indirectChecks: 0, gossipVerifyIncoming: false })
    t.equal(missing.length, 12)
    const { ProbeTimeout: _, ...rest } = times
    t.throws(() => parseGossipSettings(JSON.stringify(rest)), /ProbeTimeout is missing/)
  },
)

t.test('config.json wins over a preset, and says so; what no ring can live with ends the start', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'typemetal-gossip-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const file = join(folder, 'config.json')
  const settings = {
    TCPTimeout: '1s', PushPullInterval: '3s', ProbeTimeout: '100ms', ProbeInterval: '200ms', GossipInterval: '50ms',
    GossipToTheDeadTime: '5s', QueueCheckInterval: '5s', IndirectChecks: 1, RetransmitMult: 4, SuspicionMult: 2,
    SuspicionMaxTimeoutMult: 2, AwarenessMaxMultiplier: 8, GossipNodes: 3, HandoffQueueDepth: 1024, UDPBufferSize: 1400,
    DisableTcpPings: false, GossipVerifyIncoming: true, GossipVerifyOutgoing: true, EnableCompression: true,
  } // prettier-ignore
  const net = await claimLoopback()
  const start = async (more: object) => {
    await writeFile(file, JSON.stringify({ ...settings, ...more }))
    const argv = ['--node-name=n1', `--ml-bindaddr=${net}.1.1`, '--ml-preset=fast', '--ml-config-file', file]
    const log = recordingLog()
    return { log, ring: await startGossip(parseFlags(argv, {}), () => [], log) }
  }
  const { log, ring } = await start({})
  t.ok(log.lines.some(({ level, msg }) => level === 'warn' && msg.startsWith('what the file says is in force')))
  t.strictSame(ring?.members, [], 'nobody hears of it before it is started')
  await ring?.nudge()
  await ring?.start()
  await ring?.start()
  t.strictSame(ring?.members, ['n1'])
  await ring?.[Symbol.asyncDispose]()
  const message = /config.json say: awarenessMaxMultiplier /
  await t.rejects(start({ AwarenessMaxMultiplier: 0 }), { code: 'ERR_STARTUP', message })
  await t.rejects(start({ ProbeTimeout: 100 }), {
    code: 'ERR_STARTUP',
    message: /ProbeTimeout must be a duration in quotes/,
  })
})
