/** Events of rows: what goes out when one of many has changed, and that whoever hears them all has the facts. */
import type { NoticeFacts, PageFacts, ServiceFacts } from '@typemetal/cluster/page'
import { exampleCluster, exampleServices } from '@typemetal/lab/browser'
import * as fc from 'fast-check'
import t from 'tap'
import { Listener, start, sum } from './page-client.js'

t.setTimeout(1_200_000)
const plain = (facts: PageFacts): unknown => JSON.parse(JSON.stringify(facts))

t.test('one of 5,000 Services changes: its row goes out, and no other', async t => {
  const { server, source } = await start(t)
  const services = exampleServices(5000)
  source.change({ services })
  const listener = await Listener.start(t, server)
  const next = (count: number): Promise<void> => listener.wait('an event', ({ facts }) => facts.length === count)
  await next(1)
  // Sources make all rows anew.
  const anew = (change: (row: ServiceFacts, place: number) => ServiceFacts): readonly ServiceFacts[] =>
    services.map((row, place) => change({ ...row }, place))
  const moved = { ...services[1234]!, reason: 'moved just now' }
  source.change({ services: anew((row, place) => (place === 1234 ? moved : row)) })
  await next(2)
  t.same(listener.facts[1]?.sections, {})
  t.same(listener.facts[1]?.changes, { services: { gone: [], rows: [[1234, moved]] } })
  t.ok(JSON.stringify(listener.facts[1]).length < 1000)

  source.change({ services: [...services.slice(0, 10), ...services.slice(11), { ...moved, service: 'a/last' }] })
  await next(3)
  t.same(listener.facts[2]?.changes, {
    services: {
      gone: [services[10]?.service],
      rows: [
        [1233, services[1234]],
        [4999, { ...moved, service: 'a/last' }],
      ],
    },
  })
  t.same(sum(listener.facts), plain(source.facts()))

  source.change({ services: services.toReversed() })
  await next(4)
  t.ok(listener.facts[3]?.sections?.['services'], 'the whole, where rows would be longer')
  t.same(sum(listener.facts), plain(source.facts()))
})

t.test('a row is put in words once, however many look', async t => {
  const { server, source } = await start(t)
  let written = 0
  const counted = (row: ServiceFacts): ServiceFacts =>
    Object.defineProperty({ ...row }, 'toJSON', { value: () => (written++, row), enumerable: false })
  const services = exampleServices(1000).map(counted)
  source.change({ services })
  const listeners = await Promise.all(Array.from({ length: 8 }, () => Listener.start(t, server)))
  for (const listener of listeners) await listener.wait('everything', ({ facts }) => facts.length === 1)
  t.equal(written, 1000)
  source.change({ services: services.map((row, place) => (place === 7 ? counted({ ...row, pool: 'other' }) : row)) })
  for (const listener of listeners) await listener.wait('the change', ({ facts }) => facts.length === 2)
  t.equal(written, 1001)
})

/** Up to eight rows of a section, each with a name of nine; seldom two with one. */
const rows = fc.uniqueArray(fc.tuple(fc.nat(8), fc.nat(3)), {
  maxLength: 8,
  selector: ([name, other]) => name * 4 + (name > 0 ? 0 : other),
})
const change = fc.record({
  services: rows,
  sessions: rows,
  layer2: rows,
  members: rows,
  transitions: rows,
  nodes: rows,
  pools: fc.option(rows),
})

t.test('whatever changes, in whatever order: who hears all events has the facts', async t => {
  const { server, source } = await start(t)
  const listener = await Listener.start(t, server)
  await listener.wait('everything', ({ facts }) => facts.length === 1)
  const { services, sessions, layer2, members, transitions, nodes, pools } = exampleCluster(0)
  const make = <T extends object>(
    list: readonly T[] = [],
    wanted: readonly (readonly [number, number])[],
    name: keyof T,
  ): readonly T[] =>
    wanted.map(([id, other]) => ({
      ...list[0]!,
      [name]: typeof list[0]?.[name] === 'number' ? id : `name ${id}`,
      other,
    }))
  const changes = fc.sample(change, { numRuns: 60, seed: Date.now() })
  for (const [index, each] of changes.entries()) {
    t.comment(JSON.stringify(each))
    source.change({
      services: make(services, each.services, 'service'),
      sessions: make(sessions, each.sessions, 'peer'),
      layer2: make(layer2, each.layer2, 'address'),
      members: make(members, each.members, 'node'),
      transitions: make(transitions, each.transitions, 'id'),
      nodes: make(nodes, each.nodes, 'node'),
      pools: (each.pools ? make(pools, each.pools, 'pool') : undefined) as never,
      notices: [{ verdict: 'note', what: `change ${index}` }],
    })
    await listener.wait(`change ${index}`, ({ facts }) =>
      JSON.stringify(facts.at(-1)?.sections).includes(`change ${index}"`),
    )
    t.same(sum(listener.facts), plain(source.facts()))
  }
  t.ok(listener.facts.some(({ changes }) => changes !== undefined))
})

t.test('who has missed a change of rows gets the whole list, and rows from then on', async t => {
  const { server, source } = await start(t)
  const [slow, fast] = [await Listener.start(t, server), await Listener.start(t, server)]
  const services = exampleServices(200)
  source.change({ services })
  for (const listener of [slow, fast])
    await listener.wait('the Services', ({ facts }) => (sum(facts)['services'] as unknown[]).length === 200)
  slow.pause()
  const state = async (number: number): Promise<void> => {
    // More than the kernel keeps for a connection, several times over.
    const notices: readonly NoticeFacts[] = [{ verdict: 'note', what: `${number} ${'x'.repeat(3_000_000)}` }]
    source.change({
      notices,
      services: services.map((row, place) => (place === number ? { ...row, reason: 'x' } : row)),
    })
    await fast.wait(`state ${number}`, ({ facts }) => JSON.stringify(facts.at(-1)?.sections).includes(`"${number} x`))
  }
  for (let number = 1; number <= 20; number++) await state(number)
  t.ok(fast.facts.at(-1)?.changes?.['services'], 'rows for who has heard all')
  slow.resume()
  await slow.wait('the newest state', ({ facts }) => JSON.stringify(sum(facts)['notices']).includes('"20 x'))
  t.ok(slow.facts.length < fast.facts.length)
  t.ok(slow.facts.at(-1)?.sections?.['services'], 'all of them for who has not')
  t.same(sum(slow.facts), plain(source.facts()))
  source.change({ services: services.map((row, place) => (place === 9 ? { ...row, reason: 'y' } : row)) })
  await slow.wait('a row', ({ facts }) => JSON.stringify(facts.at(-1)?.changes).includes('"y"'))
  t.same(sum(slow.facts), plain(source.facts()))
})
