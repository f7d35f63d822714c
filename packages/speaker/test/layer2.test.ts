/** The layer-2 announcer: differences, hand-over, conflicts, in virtual time with the worker in its place. */
import { Registry } from 'prom-client'
import t from 'tap'
import { Layer2Announcer, Layer2Elections, electionOrder, registerLayer2Metrics } from '@typemetal/speaker'
import type { Conflict, Interfaces, Segment } from '@typemetal/speaker'
import { FakeResponder } from './support/fake-responder.js'
import { recordingLog } from './support/log.js'
import { VirtualClock, settle } from './support/virtual-clock.js'

type Wanted = Map<string, Interfaces>
const wanted = (...addresses: readonly string[]): Wanted => new Map(addresses.map(address => [address, 'all']))
const MAC = '02:00:00:00:00:77'
const claim = (address: string) => ({ address, interface: 'eth0', mac: MAC, kind: 'claim' }) as const

/** With it the nodes `first`, `n1` and `second` come in this order. */
const KEY =
  Array.from({ length: 200 }, (_, i) => `10.9.0.${i}`).find(
    key => electionOrder(['first', 'n1', 'second'], key).join() === 'first,n1,second',
  ) ?? ''

/** An announcer that runs; conflicts are with the node `owner`, which answers while `answers` says so. */
async function announcer(owner?: string) {
  const clock = new VirtualClock()
  const responder = new FakeResponder()
  const log = recordingLog()
  const world = { answers: true }
  const segment: Segment = {
    identify: async () => owner,
    answers: async () => world.answers,
  }
  const electionOf = () => ({ key: KEY, scores: new Map<string, number>() })
  const layer2 = new Layer2Announcer({
    start: async () => responder,
    clock,
    log,
    ...(owner !== undefined && { splitBrain: { node: 'n1', segment, electionOf } }),
  })
  await layer2.need(true)
  return { clock, responder, log, layer2, world }
}

t.test('a change of one address hands over one, of 5,000', async t => {
  const { layer2, responder } = await announcer()
  const many = Array.from({ length: 5_000 }, (_, i) => `10.1.${i >> 8}.${i & 255}`)
  layer2.apply(wanted(...many))
  t.equal(responder.handed, 5_000)
  layer2.apply(wanted(...many, '10.2.0.1'), new Map([['10.2.0.1', 'all']]))
  t.equal(responder.handed, 5_001)
  layer2.apply(wanted(...many), new Map([['10.2.0.1', undefined]]))
  t.equal(responder.handed, 5_002)
  layer2.apply(new Map([...wanted(...many), ['10.1.0.7', ['eth1']]]))
  t.equal(responder.handed, 5_003, 'without a delta it finds the difference itself')
  layer2.apply(new Map([...wanted(...many), ['10.1.0.7', ['eth1']]]))
  t.equal(responder.handed, 5_003)
  t.equal(responder.wanted.length, 5_000)
})

t.test('a responder that died gets the whole set again, whatever the delta', async t => {
  const { layer2, responder, clock } = await announcer()
  layer2.apply(wanted('10.1.0.1', '10.1.0.2'))
  responder.emit('error', new Error('gone'))
  layer2.apply(wanted('10.1.0.1', '10.1.0.2', '10.1.0.3'), wanted('10.1.0.3'))
  t.equal(responder.handed, 2, 'nobody is there')
  await clock.advance(1_000)
  await layer2.need(true)
  layer2.apply(wanted('10.1.0.1', '10.1.0.2', '10.1.0.3'), wanted('10.1.0.3'))
  t.equal(responder.handed, 5)
})

t.test(
  'a responder that dies at each start is tried ever more seldom, and at once again after a good life',
  async t => {
    const clock = new VirtualClock()
    const started: number[] = []
    let responder = new FakeResponder()
    const start = async (): Promise<FakeResponder> => {
      started.push(clock.now() / 1_000)
      responder = new FakeResponder()
      return responder
    }
    const layer2 = new Layer2Announcer({ start, clock })
    let fragile = true
    const needed = async (): Promise<void> => {
      await layer2.need(true)
      const died = new Error('gone')
      if (fragile) for (let i = 0; i < 2; i++) responder.emit('error', died)
    }
    layer2.on('interfaces', () => void needed())
    await needed()
    await clock.advance(190_000)
    t.strictSame(started, [0, 1, 3, 7, 15, 31, 63, 123, 183])
    fragile = false
    await clock.advance(130_000)
    responder.emit('error', new Error('gone'))
    await clock.advance(1_000)
    t.strictSame(started.slice(9), [243, 321])
    await layer2[Symbol.asyncDispose]()
    t.equal(clock.pending, 0)
  },
)

t.test(
  'hand-over: held addresses are answered quietly until the next owner announces, released ones never',
  async t => {
    const { layer2, responder } = await announcer('n2')
    const taken: string[] = []
    layer2.on('taken', (address, by) => taken.push(`${address} ${by.mac} ${by.interface}`))
    layer2.apply(wanted('10.1.0.1', '10.1.0.2', '10.1.0.3'))
    responder.emit('conflict', claim('10.1.0.1'))
    t.strictSame(taken, [], 'not held yet')
    t.strictSame(layer2.hold(), ['10.1.0.1', '10.1.0.2', '10.1.0.3'])
    t.strictSame(responder.orders, ['hush 10.1.0.1', 'hush 10.1.0.2', 'hush 10.1.0.3'])
    layer2.apply(wanted('10.1.0.3'))
    t.strictSame(responder.answered, ['10.1.0.1', '10.1.0.2', '10.1.0.3'], 'the plan does not want them any more')
    responder.emit('conflict', { ...claim('10.1.0.1'), kind: 'probe' })
    responder.emit('conflict', claim('10.1.0.1'))
    t.strictSame(taken, [`10.1.0.1 ${MAC} eth0`])
    layer2.release(['10.1.0.1', '10.1.0.3'])
    t.strictSame(responder.answered, ['10.1.0.2'], 'released, though the plan wants one of them')
    layer2.apply(wanted('10.1.0.3'))
    layer2.release('all')
    layer2.apply(wanted('10.1.0.3', '10.1.0.4'))
    t.strictSame(responder.answered, [])
    responder.orders.length = 0
    layer2.resume()
    t.strictSame(responder.answered, ['10.1.0.3', '10.1.0.4'], 'the plan alone counts again')
  },
)

t.test('a hold that is taken back announces what is still ours', async t => {
  const { layer2, responder } = await announcer()
  layer2.apply(wanted('10.1.0.1', '10.1.0.2'))
  layer2.hold()
  layer2.apply(wanted('10.1.0.2'))
  responder.orders.length = 0
  layer2.resume()
  t.strictSame(responder.answered, ['10.1.0.2'])
  t.strictSame(responder.orders, ['announce 10.1.0.2'], 'neighbours may have heard another meanwhile')
})

t.test('a hold survives the death of the worker', async t => {
  const { layer2, responder, clock } = await announcer()
  layer2.apply(wanted('10.1.0.1'))
  layer2.hold()
  layer2.apply(wanted())
  responder.emit('error', new Error('gone'))
  responder.changeAddresses([], ['10.1.0.1'])
  await clock.advance(1_000)
  await layer2.need(true)
  layer2.apply(wanted())
  t.strictSame(responder.answered, ['10.1.0.1'])
})

t.test('a node that comes first has the address: no answer until it has gone; metrics and log say so', async t => {
  const { layer2, responder, clock, world, log } = await announcer('first')
  const registry = new Registry()
  registerLayer2Metrics(registry, layer2)
  const events: [string, Conflict][] = []
  layer2.on('conflict', (...event) => events.push(event))
  layer2.apply(wanted('10.1.0.1', '10.1.0.2'))
  responder.emit('conflict', claim('10.1.0.1'))
  await clock.advance(300)
  t.strictSame(responder.answered, ['10.1.0.2'])
  t.match(events, [['begun', { address: '10.1.0.1', mac: MAC, node: 'first', resolution: 'yield' }]])
  const series = `typemetal_layer2_conflicts{ip="10.1.0.1",mac="${MAC}",owner="first",resolution="yield"} 1`
  t.match(await registry.metrics(), series)
  t.match(await registry.metrics(), 'typemetal_layer2_conflicts_total{resolution="yield"} 1')
  t.match(log.lines.at(-1), { level: 'warn', event: 'layer2Conflict', ip: '10.1.0.1', mac: MAC, owner: 'first' })
  layer2.apply(wanted('10.1.0.1', '10.1.0.2'))
  t.strictSame(responder.answered, ['10.1.0.2'], 'another pass changes nothing')
  world.answers = false
  await clock.advance(3_000)
  t.strictSame(responder.answered, ['10.1.0.2', '10.1.0.1'], 'it has gone: answered again, which announces it')
  t.equal(events.at(-1)?.[0], 'over')
  t.notMatch(await registry.metrics(), series)
})

t.test('a scrape asks for the counters of all addresses once, a probe of health never', async t => {
  const { layer2, responder } = await announcer()
  const registry = new Registry()
  registerLayer2Metrics(registry, layer2)
  await layer2.probe()
  t.equal(responder.asked, 0)
  for (const scrapes of [1, 2]) {
    t.match(await registry.metrics(), 'metallb_layer2_requests_received{ip="10.1.0.1"} 2')
    t.equal(responder.asked, scrapes)
  }
  responder.statistics = () => Promise.reject(new Error('gone'))
  await t.rejects(layer2.probe(), { message: 'gone' }, 'it is the responder that is asked')
})

t.test('thousands of conflicts at once are counted, and only some are lines of the log', async t => {
  const { layer2, responder, clock, log } = await announcer('first')
  const many = Array.from({ length: 1_000 }, (_, i) => `10.1.${i >> 8}.${i & 255}`)
  layer2.apply(wanted(...many))
  for (const address of many) responder.emit('conflict', claim(address))
  await clock.advance(2_000)
  t.strictSame([layer2.conflicts.length, layer2.resolved.yield, responder.answered], [1_000, 1_000, []])
  t.equal(log.lines.filter(({ level }) => level === 'warn').length, 64)
  await clock.advance(60_000)
  layer2.apply(wanted('10.1.0.1'))
  t.equal(log.lines.filter(({ level, event }) => level === 'info' && event === 'layer2Conflict').length, 64)
})

t.test('a plan that gives the address up ends the conflict, and its return begins anew', async t => {
  const { layer2, responder, clock } = await announcer('first')
  layer2.apply(wanted('10.1.0.1'))
  responder.emit('conflict', claim('10.1.0.1'))
  await clock.advance(300)
  t.equal(layer2.conflicts.length, 1)
  layer2.apply(wanted(), new Map([['10.1.0.1', undefined]]))
  t.strictSame(layer2.conflicts, [])
  await clock.advance(5_000)
  t.strictSame(responder.answered, [])
  layer2.apply(wanted('10.1.0.1'), wanted('10.1.0.1'))
  t.strictSame(responder.answered, ['10.1.0.1'])
  await layer2[Symbol.asyncDispose]()
  t.equal(clock.pending, 0, 'nothing is left behind')
})

t.test('a node that comes behind is answered with announcements, and told of only when it stays', async t => {
  const { layer2, responder, clock } = await announcer('second')
  let told = 0
  layer2.on('conflict', () => told++)
  layer2.apply(wanted('10.1.0.1'))
  responder.emit('conflict', claim('10.1.0.1'))
  await settle()
  t.strictSame(responder.orders, ['defend 10.1.0.1'], 'at once')
  await clock.advance(300)
  t.strictSame(responder.orders, ['defend 10.1.0.1', 'announce 10.1.0.1'], 'and with all rounds when it is sure')
  t.equal(told, 0)
  await clock.advance(1_000)
  t.equal(told, 1)
  t.strictSame(responder.answered, ['10.1.0.1'])
})

t.test('elections of addresses: by the first address of the first Service, with its preferences', async t => {
  const announce = { announce: true, interfaces: 'all' } as const
  const services = new Map(
    [
      { service: 'x/b', addresses: ['10.0.0.9', '10.0.0.1'], pool: 'p', layer2: announce },
      { service: 'x/a', addresses: ['fd00::1', '10.0.0.1'], pool: 'p', layer2: announce },
      { service: 'x/c', addresses: ['10.0.0.2'], pool: 'p', layer2: { announce: false, reason: 'notOwner' } },
      { service: 'x/0', addresses: ['10.0.0.1'], layer2: { announce: false, reason: 'ipNotAllowed' } },
    ].map(decision => [decision.service, decision] as const),
  )
  const ads = [
    { serviceSelectors: [], preferredNodes: new Map([['n1', 5]]) },
    { serviceSelectors: [{ matchLabels: { app: 'web' } }], preferredNodes: new Map([['n1', 2], ['n2', 1]]) },
    { serviceSelectors: [{ matchLabels: { app: 'db' } }], preferredNodes: new Map([['n3', 9]]) },
  ] // prettier-ignore
  const state = {
    plan: { services } as never,
    config: { pools: new Map([['p', { l2Advertisements: ads }]]) } as never,
    snapshot: { objects: () => new Map([['x/a', { metadata: { labels: { app: 'web' } } }]]) } as never,
  }
  const elections = new Layer2Elections(() => state)
  t.strictSame(elections.servicesOf('10.0.0.1'), ['x/a', 'x/b'])
  const { key, scores } = elections.of('10.0.0.1') ?? {}
  t.strictSame([key, scores], ['fd00::1', new Map([['n1', 7], ['n2', 1]])]) // prettier-ignore
  t.equal(elections.of('10.0.0.2'), undefined, 'not announced here')
  const older = new Layer2Elections(() => state, { electionLevel: '0.16' })
  t.strictSame(older.of('10.0.0.9')?.scores.size, 0, 'that release knows no weights')
})
