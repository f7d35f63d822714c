/** A speaker that starts while its Node is drained: the ring never hears of it before it may serve, so nobody leaves anything to it. */
import { Registry } from 'prom-client'
import t from 'tap'
import type { Test } from 'tap'
import { Ring, Speaker, servingNodes } from '@typemetal/speaker'
import type { Node } from '@typemetal/cluster'
import type { AnyObject } from './scenario/cluster.js'
import { FakeEngine } from './support/fake-engine.js'
import { FakeGossip } from './support/fake-gossip.js'
import { FakeResponder } from './support/fake-responder.js'
import { recordingLog } from './support/log.js'
import { MemoryStore } from './support/memory-store.js'
import { metallb, node, pool, service } from './support/objects.js'
import { VirtualClock } from './support/virtual-clock.js'

/** Owned by n1 of n1 and n2: decisions.test.ts has the digests. */
const VIP = '10.1.0.1'
const NAMES = ['n1', 'n2']
const addressOf = (name: string): string => `10.0.0.${name.slice(1)}`
const plain = (name: string): AnyObject => node(name, addressOf(name))
const cordoned = (name: string): AnyObject => ({ ...plain(name), spec: { unschedulable: true } }) as AnyObject

/** Gossip that others hear of when its port is opened, and which knows nobody before it has joined. */
class ClosedGossip extends FakeGossip {
  opened = 0
  readonly #others: FakeGossip['alive']

  constructor() {
    super(NAMES)
    this.#others = this.alive.splice(0)
    this.reachable = ['10.0.0.2']
    this.self = 'n1'
  }

  async open(): Promise<void> {
    this.opened++
    if (this.broken) throw this.broken
    this.alive.push(...this.#others.filter(({ name }) => name === this.self))
  }

  override async join(addresses: readonly string[]): Promise<number> {
    const count = await super.join(addresses)
    for (const member of this.#others) {
      if (this.alive.includes(member)) continue
      this.alive.push(member)
      this.emit('join', member)
    }
    return count
  }
}

/** A speaker on n1 that begins with these Nodes. */
function world(t: Test, nodes: readonly AnyObject[], peers: readonly string[] = ['10.0.0.2']) {
  const clock = new VirtualClock()
  const gossip = new ClosedGossip()
  const log = recordingLog()
  const ring = new Ring({ gossip, node: 'n1', open: () => gossip.open(), peers: () => peers, clock, log })
  const store = new MemoryStore()
  const engine = new FakeEngine()
  const responder = new FakeResponder()
  const abort = new AbortController()
  t.teardown(() => abort.abort())
  store.apply(...nodes, pool(['10.1.0.0/24']), metallb('L2Advertisement', 'l2'), ...service('a', VIP))
  const speaker = new Speaker({
    node: 'n1', namespace: 'metallb-system', store, ring, clock, log, registry: new Registry(), drainOn: new Set(['cordon']),
    startLayer2: async () => responder, createEngine: engine.create,
  }) // prettier-ignore
  const done = speaker.run(abort.signal)
  return { clock, gossip, log, store, responder, speaker, abort, done }
}

t.test('a cordoned node: no port, no member, no answer; uncordoned, it joins and has its address', async t => {
  const { clock, gossip, store, responder, speaker, abort, done } = world(t, [cordoned('n1'), plain('n2')])
  await clock.advance(120_000)
  t.strictSame([gossip.opened, gossip.joined, gossip.calls, responder.handed], [0, [], [], 0])
  t.equal(speaker.ready(), true, 'a rolling update goes on')
  // What would have it look for others.
  store.apply(plain('n2'), plain('n3'))
  await clock.advance(5_000)
  t.strictSame([gossip.opened, gossip.joined], [0, []])
  let answeredAtOnce: readonly string[] = []
  gossip.on('join', () => (answeredAtOnce = responder.answered))
  store.apply(plain('n1'))
  await clock.advance(1_000)
  t.strictSame([gossip.opened, gossip.joined], [1, ['10.0.0.2']])
  t.strictSame([answeredAtOnce, responder.answered], [[VIP], [VIP]], 'it answers before anybody can leave it anything')
  store.apply(cordoned('n1'))
  await clock.advance(20_000)
  t.strictSame(
    [gossip.opened, gossip.calls.includes('leave')],
    [1, true],
    'from then on it leaves and returns as others do',
  )
  store.apply(plain('n1'))
  await clock.advance(1_000)
  t.strictSame([gossip.opened, gossip.calls.at(-1), responder.answered], [1, 'rejoin', [VIP]])
  abort.abort()
  await clock.advance(20_000)
  await done
  t.equal(clock.pending, 0)
})

t.test('cordoned, and ended as such: nobody ever heard of it', async t => {
  const { clock, gossip, responder, abort, done } = world(t, [cordoned('n1'), plain('n2')])
  await clock.advance(5_000)
  abort.abort()
  await clock.advance(20_000)
  await done
  t.strictSame([gossip.opened, gossip.joined, gossip.calls, responder.handed], [0, [], ['close'], 0])
  t.equal(clock.pending, 0)
})

t.test('every node is cordoned: it serves as the last resort, until one returns and is heard', async t => {
  const { clock, gossip, store, responder, abort, done } = world(t, [cordoned('n1'), cordoned('n2')])
  await clock.advance(1_000)
  t.strictSame([gossip.opened, responder.answered], [0, [VIP]])
  store.apply(plain('n2'))
  await clock.advance(1_000)
  t.strictSame(responder.answered, [VIP], 'held until somebody else answers')
  responder.emit('conflict', { kind: 'claim', address: VIP, interface: 'eth0', mac: '02:00:00:00:00:02' })
  await clock.advance(1_000)
  t.strictSame([responder.answered, gossip.opened], [[], 0])
  abort.abort()
  await clock.advance(20_000)
  await done
})

t.test('nodes without a speaker take over nothing: it is the last resort beside them', async t => {
  const { clock, responder, abort, done } = world(t, [cordoned('n1'), plain('n3')], [])
  await clock.advance(1_000)
  t.strictSame(responder.answered, [VIP])
  abort.abort()
  await clock.advance(20_000)
  await done
})

t.test('a node whose Node object comes late joins only then, and not when it comes drained', async t => {
  for (const isServing of [true, false]) {
    const { clock, gossip, store, responder, speaker, abort, done } = world(t, [plain('n2')])
    await clock.advance(10_000)
    t.strictSame([gossip.opened, gossip.joined, speaker.ready()], [0, [], 'no Node object named n1'])
    store.apply(isServing ? plain('n1') : cordoned('n1'))
    await clock.advance(2_000)
    t.strictSame([gossip.opened, responder.answered], isServing ? [1, [VIP]] : [0, []])
    abort.abort()
    await clock.advance(20_000)
    await done
    t.equal(clock.pending, 0)
  }
})

t.test('uncordoned between the first look and the first plan: it joins', async t => {
  const { clock, gossip, store, responder, abort, done } = world(t, [cordoned('n1'), plain('n2')])
  store.apply(plain('n1'))
  await clock.advance(2_000)
  t.strictSame([gossip.opened, responder.answered], [1, [VIP]])
  abort.abort()
  await clock.advance(20_000)
  await done
})

t.test('a port that cannot be opened when the node returns ends the process, as it does at the start', async t => {
  const { clock, gossip, store, done } = world(t, [cordoned('n1'), plain('n2')])
  const failed = t.rejects(done, { message: 'EADDRINUSE' })
  await clock.advance(5_000)
  gossip.broken = new Error('EADDRINUSE')
  store.apply(plain('n1'))
  await clock.advance(10_000)
  await failed
})

t.test('a return to the ring that fails is tried again, and the node answers meanwhile', async t => {
  const { clock, gossip, log, store, responder, abort, done } = world(t, [plain('n1'), plain('n2')])
  await clock.advance(2_000)
  store.apply(cordoned('n1'))
  await clock.advance(20_000)
  t.strictSame(responder.answered, [])
  gossip.broken = new Error('no socket')
  store.apply(plain('n1'))
  await clock.advance(3_500)
  t.strictSame(responder.answered, [VIP])
  t.equal(log.lines.filter(({ op, level }) => op === 'rejoinRing' && level === 'warn').length, 3, 'after 0, 1 and 3 s')
  gossip.broken = undefined
  await clock.advance(4_000)
  t.ok(
    gossip.alive.some(({ name }) => name === 'n1'),
    'a member again',
  )
  t.strictSame(responder.answered, [VIP])
  gossip.broken = new Error('no socket')
  store.apply(cordoned('n1'))
  await clock.advance(20_000)
  store.apply(plain('n1'))
  await clock.advance(100)
  store.apply(cordoned('n1'))
  await clock.advance(20_000)
  const tries = gossip.calls.length
  await clock.advance(600_000)
  t.strictSame([gossip.calls.length, responder.answered], [tries, []], 'drained again, it does not')
  abort.abort()
  await clock.advance(20_000)
  await done
  t.equal(clock.pending, 0)
})

t.test('who serves, as far as Node objects tell: Ready, not drained, and with a speaker', async t => {
  const nodes = new Map<string, Node>([
    ['n1', plain('n1')],
    ['n2', plain('n2')],
    ['n3', cordoned('n3')],
    ['n4', { ...plain('n4'), status: { conditions: [{ type: 'Ready', status: 'Unknown' }] } }],
    ['n5', plain('n5')],
  ] as [string, never][])
  const drainOn = new Set(['cordon'] as const)
  const of = (hosts?: readonly string[]): readonly string[] => servingNodes(nodes, drainOn, hosts)
  t.strictSame(of(), ['n1', 'n2', 'n5'])
  t.strictSame(of(['10.0.0.2', '10.0.0.3', '10.0.0.9']), ['n2'])
  t.strictSame(of([]), [], 'no other speaker')
  t.strictSame(of(['speaker-2.example']), ['n1', 'n2', 'n5'], 'names that say nothing of nodes')
  t.strictSame(servingNodes(nodes, new Set(), undefined), ['n1', 'n2', 'n3', 'n5'])
})
