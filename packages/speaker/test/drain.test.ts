/** A drain carried out: by the driver on hands that only remember, and what it reads of Nodes and the cluster. */
import { Registry } from 'prom-client'
import t from 'tap'
import {
  Decider,
  Drainer,
  createDrainMetrics,
  drainCauseOf,
  heirsOf,
  isLeaving,
  parseDrainCauses,
  Succession,
  drainHands,
  parseFlags,
} from '@typemetal/speaker'
import type { DrainHands, DrainOptions, DrainableSessions } from '@typemetal/speaker'
import { MemoryCluster } from './scenario/cluster.js'
import { recordingLog } from './support/log.js'
import { metallb, node, pool, service } from './support/objects.js'
import { VirtualClock } from './support/virtual-clock.js'

const HEIRS = new Map([['10.0.0.1', 'n2']])

class Hands implements DrainHands {
  readonly done: string[] = []
  established = 1
  isTold = true
  /** Operations that fail. */
  readonly broken = new Set<string>()

  constructor(readonly clock: VirtualClock) {}

  told(): boolean {
    return this.isTold
  }

  peers(): number {
    return this.established
  }

  lowerPreference(scope: string): void {
    this.#note(`lowerPreference ${scope}`)
  }

  withdraw(scope: string): void {
    this.#note(`withdraw ${scope}`)
  }

  release(addresses: readonly string[]): void {
    this.#note(`release ${addresses.join(' ')}`)
  }

  answerAgain(): void {
    this.#note('answerAgain')
  }

  leaveRing(): Promise<void> {
    return this.#work('leaveRing')
  }

  rejoinRing(): Promise<void> {
    return this.#work('rejoinRing')
  }

  closeSessions({ communication, gracefulRestart }: Parameters<DrainHands['closeSessions']>[0]): Promise<void> {
    return this.#work('closeSessions', ` "${communication}" ${gracefulRestart}`)
  }

  clearStatuses(): Promise<void> {
    return this.#work('clearStatuses')
  }

  #note(text: string): void {
    this.done.push(`${this.clock.now()} ${text}`)
  }

  async #work(name: string, more = ''): Promise<void> {
    this.#note(name + more)
    if (this.broken.has(name)) throw new Error(`${name} does not work`)
  }
}

function drainer(drain: Partial<DrainOptions> = {}) {
  const clock = new VirtualClock()
  const hands = new Hands(clock)
  const registry = new Registry()
  const log = recordingLog()
  const drainer = new Drainer({ node: 'n1', hands, drain, metrics: createDrainMetrics(registry), log, clock })
  return { clock, hands, registry, log, drainer }
}

t.test('a signal: every step in order, said and counted', async t => {
  const { clock, hands, registry, log, drainer: drain } = drainer({ peerWait: 1_000 })
  drain.others(HEIRS, false)
  let over = false
  void drain.signal(false).then(() => (over = true))
  await clock.advance(1_000)
  t.strictSame(drain.held, HEIRS)
  t.match(await registry.metrics(), /typemetal_drain_state\{state="handingOver"\} 1[^]*addresses_held 1/)
  drain.taken('10.0.0.1')
  await clock.advance(1_000)
  t.ok(over)
  t.strictSame(hands.done, [
    '0 lowerPreference all',
    '1000 leaveRing',
    '1000 release 10.0.0.1',
    '1000 withdraw all',
    '1000 closeSessions "speaker on n1 stops" false',
    '1000 clearStatuses',
  ])
  const states = log.lines.filter(line => 'to' in line).map(({ to, reason, spentMs }) => [to, reason, spentMs])
  t.strictSame(states, [
    ['lowering', 'signal', 0],
    ['handingOver', 'peersHadTime', 1_000],
    ['withdrawing', 'successorsSeen', 0],
    ['parting', 'peersTold', 0],
    ['ended', 'parted', 0],
  ])
  const metrics = await registry.metrics()
  t.match(metrics, 'typemetal_drains_total{cause="signal"} 1')
  t.match(metrics, 'typemetal_drain_state{state="ended"} 1')
  t.match(metrics, 'typemetal_drain_state_seconds{state="lowering"} 1')
  t.match(metrics, 'typemetal_drain_seconds 1')
  t.equal(clock.pending, 0)
})

t.test('RFC 9003: the communication says who and why; an upgrade leaves peers with graceful restart alone', async t => {
  const upgrade = drainer()
  void upgrade.drainer.signal(true)
  await upgrade.clock.advance(10_000)
  t.ok(upgrade.hands.done.some(line => line.endsWith('closeSessions "speaker on n1 stops" true')))
  const { clock, hands, drainer: drain } = drainer()
  drain.nodeChanged('shutdown')
  void drain.signal(true)
  await clock.advance(10_000)
  t.ok(
    hands.done.some(line => line.endsWith('closeSessions "node n1 is drained: shutdown" false')),
    hands.done.join('\n'),
  )
})

t.test('a step that fails is named and holds up nothing', async t => {
  const { clock, hands, log, drainer: drain } = drainer()
  for (const name of ['leaveRing', 'closeSessions', 'clearStatuses']) hands.broken.add(name)
  const over = drain.signal(false)
  await clock.advance(10_000)
  await over
  const failed = log.lines.filter(({ level }) => level === 'warn').map(line => line['op'])
  t.strictSame(failed.map(String).toSorted(), ['clearStatuses', 'closeSessions', 'leaveRing'])
})

t.test('a peer that takes nothing is waited for so long and no longer', async t => {
  const { clock, hands, drainer: drain } = drainer()
  hands.isTold = false
  const over = drain.signal(false)
  await clock.advance(20_000)
  await over
  t.ok(hands.done.includes('1000 leaveRing') && hands.done.includes('2000 clearStatuses'), hands.done.join('\n'))
})

t.test('a node that returns takes everything back, addresses first, and tells who plans', async t => {
  const { clock, hands, drainer: drain } = drainer({ peerWait: 100, successorWait: 200 })
  let changes = 0
  drain.on('change', () => changes++)
  drain.others(HEIRS, false)
  drain.nodeChanged('cordon')
  await clock.advance(1_000)
  t.equal(drain.state, 'drained')
  t.strictSame([drain.outOfRing, drain.withdrawn, drain.held.size], [true, 'all', 0])
  hands.done.length = 0
  drain.nodeChanged(undefined)
  t.strictSame([drain.outOfRing, drain.returning], [false, true], 'planned as a member before the others know')
  const before = changes
  await clock.advance(100)
  t.equal(drain.returning, false)
  t.equal(changes, before + 1)
  t.strictSame(hands.done, ['1000 answerAgain', '1000 lowerPreference none', '1000 withdraw none', '1000 rejoinRing'])
  t.equal(clock.pending, 0)
})

t.test('an address whose Service goes while it is held is let go', async t => {
  const { clock, hands, drainer: drain } = drainer()
  hands.established = 0
  drain.others(HEIRS, false)
  void drain.signal(false)
  drain.others(new Map(), false)
  t.ok(hands.done.includes('0 release 10.0.0.1'), hands.done.join('\n'))
  await clock.advance(100)
  t.equal(drain.state, 'ended')
})

t.test('flags: their defaults, durations as Go writes them, and what is wrong by name', async t => {
  const { drainOn, drainExit, drainTimeout, drainPeerWait, drainSuccessorWait } = parseFlags([], {})
  t.strictSame(
    [drainOn.size, drainExit, drainTimeout, drainPeerWait, drainSuccessorWait],
    [0, 'auto', 20_000, 3_000, 5_000],
  )
  const given = parseFlags(
    ['--drain-on=drain', '--drain-timeout', '1m30s', '-drain-peer-wait=250ms', '--drain-exit=handover'],
    {},
  )
  t.match(given, { drainTimeout: 90_000, drainPeerWait: 250, drainExit: 'handover' })
  t.strictSame([...given.drainOn].toSorted(), ['cordon', 'disruption'])
  const wrong = (...argv: string[]): string => {
    try {
      parseFlags(argv, {})
      return 'taken'
    } catch (error) {
      return (error as Error).message
    }
  }
  t.match(wrong('--drain-on=reboot'), /--drain-on.*"reboot" is none of shutdown, out-of-service/)
  t.match(wrong('--drain-timeout=soon'), /--drain-timeout.*"soon" is not a duration/)
  t.match(wrong('--drain-timeout=-1s'), /--drain-timeout.*must not be negative/)
  t.match(wrong('--drain-exit=later'), /--drain-exit.*auto, handover, restart/)
})

t.test('BGP comes back from both at once, and keeps the lower preference while it is the last resort', async t => {
  const calls: string[] = []
  const bgp: DrainableSessions = {
    lowerPreference: scope => calls.push(`lower ${scope}`),
    withdraw: (scope, keep) => calls.push(`withdraw ${scope} but ${[...keep].join(' ')}`),
    restore: () => calls.push('restore'),
    settled: true,
    peersUp: () => 1,
    shutdown: async text => void calls.push(`shutdown ${text}`),
    leave: async text => void calls.push(`leave ${text}`),
  }
  const layer2 = {
    hold: () => calls.push('hold'),
    release: () => calls.push('release'),
    resume: () => calls.push('resume'),
  }
  const hands = drainHands({
    bgp,
    layer2,
    ring: undefined,
    clearStatuses: async () => {},
    sole: () => new Set(['192.0.2.1/32']),
  })
  hands.lowerPreference('all')
  hands.withdraw('all')
  hands.withdraw('none')
  hands.withdraw('all')
  hands.lowerPreference('none')
  hands.withdraw('none')
  const expected = [
    'lower all',
    'withdraw all but 192.0.2.1/32',
    'restore',
    'lower all',
    'withdraw all but 192.0.2.1/32',
    'restore',
  ]
  t.strictSame(calls.splice(0), expected)
  await hands.leaveRing()
  await hands.rejoinRing()
  await hands.closeSessions({ communication: 'bye', gracefulRestart: true })
  await hands.closeSessions({ communication: 'bye', gracefulRestart: false })
  t.strictSame(calls, ['leave bye', 'shutdown bye'])
})

t.test('--drain-on: words, and one that is none', async t => {
  t.strictSame([...parseDrainCauses('cordon, shutdown')], ['cordon', 'shutdown'])
  t.strictSame([...parseDrainCauses('drain')].toSorted(), ['cordon', 'disruption'])
  t.equal(parseDrainCauses('all').size, 4)
  t.equal(parseDrainCauses('none').size, 0)
  t.throws(() => parseDrainCauses('cordoned'), { name: 'RangeError', message: /^"cordoned" is none of/ })
})

t.test('what a Node says: taints, conditions, unschedulable; the most final cause counts', async t => {
  const all = parseDrainCauses('all')
  const of = (spec: object, status: object = {}): ReturnType<typeof drainCauseOf> =>
    drainCauseOf({ ...node('n1'), spec, status } as never, all)
  const taint = (key: string): object => ({ taints: [{ key, effect: 'NoExecute' }] })
  t.equal(of({}), undefined)
  t.equal(of({ unschedulable: true }), 'cordon')
  t.equal(of(taint('node.kubernetes.io/out-of-service')), 'out-of-service')
  t.equal(of({ unschedulable: true, ...taint('node.cloudprovider.kubernetes.io/shutdown') }), 'shutdown')
  for (const key of ['ToBeDeletedByClusterAutoscaler', 'karpenter.sh/disrupted']) t.equal(of(taint(key)), 'disruption')
  const ready = (status: string, message: string): object => ({ conditions: [{ type: 'Ready', status, message }] })
  t.equal(of({}, ready('False', 'node is shutting down')), 'shutdown')
  t.equal(of({}, ready('False', 'PLEG is not healthy')), undefined)
  t.equal(
    drainCauseOf({ ...node('n1'), spec: { unschedulable: true } } as never, parseDrainCauses('shutdown')),
    undefined,
  )
  t.equal(isLeaving({ ...node('n1'), spec: { unschedulable: true } } as never), true)
  t.equal(isLeaving(undefined), false)
})

t.test('heirs: whom the others would elect; nobody without endpoints where they are local', async t => {
  const cluster = new MemoryCluster()
  const local = service('b', '10.1.0.2', { externalTrafficPolicy: 'Local' })
  const objects = [node('n1'), node('n2'), node('n3'), pool(['10.1.0.0/24']), metallb('L2Advertisement', 'l2')]
  for (const object of [...objects, ...service('a', '10.1.0.1'), ...local]) cluster.apply(object)
  const snapshot = cluster.snapshot()
  const decider = new Decider({ node: 'n1', namespace: 'metallb-system' })
  decider.step(snapshot)
  const input = { snapshot, config: decider.config, options: {}, addresses: ['10.1.0.1', '10.1.0.2', '10.1.0.9'] }
  const heirs = heirsOf({ ...input, others: ['n2', 'n3'] })
  t.ok(['n2', 'n3'].includes(heirs.get('10.1.0.1') ?? ''))
  t.equal(heirs.has('10.1.0.2') && heirs.get('10.1.0.2'), undefined, 'its only endpoint is here')
  t.notOk(heirs.has('10.1.0.9'), 'no Service has it')
  t.strictSame([...heirsOf({ ...input, others: [] }).values()], [undefined, undefined])
})

t.test('succession: prefixes that nobody else would announce; asked again it knows what has changed', async t => {
  const cluster = new MemoryCluster()
  const local = service('b', '10.1.0.2', { externalTrafficPolicy: 'Local' })
  const objects = [node('n1'), node('n2'), node('n3'), pool(['10.1.0.0/24']), metallb('BGPAdvertisement', 'bgp')]
  for (const object of [...objects, ...service('a', '10.1.0.1'), ...local]) cluster.apply(object)
  const decider = new Decider({ node: 'n1', namespace: 'metallb-system' })
  const succession = new Succession()
  const find = (others: readonly string[]) => {
    const snapshot = cluster.snapshot()
    const { services } = decider.step(snapshot).plan
    return succession.find({
      snapshot,
      config: decider.config,
      others,
      gossips: true,
      options: {},
      addresses: [],
      services,
    })
  }
  t.strictSame(find(['n2', 'n3']), { heirs: new Map(), sole: new Set(['10.1.0.2/32']) })
  const [, slice] = local
  cluster.apply({
    ...slice,
    endpoints: [
      { addresses: ['10.244.0.3'], nodeName: 'n3' },
      { addresses: ['10.244.0.1'], nodeName: 'n1' },
    ],
  } as never)
  t.strictSame(find(['n2', 'n3']).sole, new Set(), 'an endpoint has come up on n3')
  t.strictSame(find(['n2']).sole, new Set(['10.1.0.2/32']), 'and n3 has died')
  t.strictSame(find([]).sole, new Set(['10.1.0.1/32', '10.1.0.2/32']))
})
