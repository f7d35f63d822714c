/** Server-sent events of the status page: what is sent, to whom, how often, and when nothing is done at all. */
import { servePage } from '@typemetal/cluster/page'
import type { NoticeFacts, PageFacts, PageSource } from '@typemetal/cluster/page'
import { silentLogger } from '@typemetal/cluster/process'
import { until } from '@typemetal/lab'
import { ExampleSource, exampleCluster } from '@typemetal/lab/browser'
import t from 'tap'
import { ask, get, Listener, start, sum } from './page-client.js'

t.setTimeout(1_200_000)

t.test('everything first, then the sections that have changed', async t => {
  const { server, source } = await start(t)
  const listener = await Listener.start(t, server)
  await listener.wait('everything', ({ facts }) => facts.length === 1)
  t.equal(listener.facts[0]?.whole, true)
  t.same(listener.facts[0]?.sections, JSON.parse(JSON.stringify(source.facts())))

  source.change({ nodes: [] })
  await listener.wait('a change', ({ facts }) => facts.length === 2)
  t.match(listener.facts[1], { whole: false })
  t.same(listener.facts[1]?.sections, { nodes: [] })

  // Says the same in other objects: no news. What comes after it tells that it was looked at.
  const { pools = [] } = source.facts()
  source.change({ pools: pools.map(pool => ({ ...pool })), layer2: [] })
  await listener.wait('the next change', ({ facts }) => facts.length === 3)
  t.same(listener.facts[2]?.sections, { layer2: [] })

  source.change({ members: undefined as never })
  await listener.wait('a section that is gone', ({ facts }) => facts.length === 4)
  t.same(listener.facts[3]?.sections, { members: null })

  const later = await Listener.start(t, server)
  await later.wait('everything', ({ facts }) => facts.length === 1)
  t.notOk('members' in (later.facts[0]?.sections ?? {}), 'who comes later never hears of it')
})

t.test('many changes are one, and the last one counts', async t => {
  const { server, source } = await start(t)
  const listener = await Listener.start(t, server)
  await listener.wait('everything', ({ facts }) => facts.length === 1)
  const [before, began] = [source.asked, performance.now()]
  const { transitions: [first] = [] } = source.facts()
  if (!first) throw new Error('the example has transitions')
  for (let id = 1; id <= 2000; id++) {
    source.change({ transitions: [{ ...first, id }] })
    if (id % 100 === 0) await new Promise(resolve => setTimeout(resolve, 30))
  }
  await listener.wait('the last', ({ facts }) => JSON.stringify(facts.at(-1)?.sections).includes('"id":2000,'))
  const most = (performance.now() - began) / 250 + 2
  t.ok(source.asked - before <= most, `asked ${source.asked - before} times, at most ${most.toFixed(1)} allowed`)
  t.ok(listener.facts.length - 1 <= most)
})

t.test('nothing is done while nobody looks', async t => {
  const { server, source } = await start(t)
  source.change({ nodes: [] })
  await get(server)
  t.equal(source.asked, 0, 'the document alone asks nothing')
  t.equal(source.watchers, 0)
  const listeners = [await Listener.start(t, server), await Listener.start(t, server)]
  for (const listener of listeners) await listener.wait('everything', ({ facts }) => facts.length === 1)
  t.equal(source.watchers, 1, 'watched once for all')
  t.equal(source.asked, 1, 'asked once for both')
  for (const listener of listeners) listener.close()
  await until('the watch is undone', () => (source.watchers === 0 ? true : undefined))
  source.change({ nodes: [] })
  t.equal(source.asked, 1)
})

t.test('facts.json is as new as the stream, and does not ask more often than that', async t => {
  const { server, source } = await start(t)
  const began = performance.now()
  for (let number = 0; number < 20; number++) await get(server, { path: '/facts.json' })
  const most = (performance.now() - began) / 250 + 1
  t.ok(source.asked <= most, `asked ${source.asked} times for 20 answers, at most ${most.toFixed(1)} allowed`)
  source.change({ nodes: [] })
  const fresh = await until('the change', async () => {
    const { nodes } = JSON.parse((await get(server, { path: '/facts.json' })).body.toString()) as PageFacts
    return nodes?.length === 0 ? true : undefined
  })
  t.ok(fresh)
})

t.test('a slow reader costs no memory and gets the newest state', async t => {
  const { server, source } = await start(t)
  const [slow, fast] = [await Listener.start(t, server), await Listener.start(t, server)]
  for (const listener of [slow, fast]) await listener.wait('everything', ({ facts }) => facts.length === 1)
  slow.pause()
  // More than the kernel keeps for a connection, several times over.
  const states = 30
  const notices = (state: number): readonly NoticeFacts[] => [
    { verdict: 'note', what: `${state} ${'x'.repeat(3_000_000)}` },
  ]
  for (let state = 1; state <= states; state++) {
    source.change({ notices: notices(state), ...(state === 2 && { nodes: [] }) })
    await fast.wait(`state ${state}`, ({ facts }) => facts.length === state + 1)
  }
  slow.resume()
  const isNewest = ({ facts }: Listener): boolean => {
    const { notices: [notice] = [] } = sum(facts) as Partial<PageFacts>
    return notice?.what.startsWith(`${states} `) ?? false
  }
  await slow.wait('the newest state', isNewest)
  t.ok(slow.facts.length < states / 2, `${slow.facts.length} of ${fast.facts.length} events`)
  t.same(sum(slow.facts), JSON.parse(JSON.stringify(source.facts())), 'nothing that happened meanwhile is missing')
  source.change({ pools: [] })
  await slow.wait('what comes next', ({ facts }) => JSON.stringify(facts.at(-1)?.sections) === '{"pools":[]}')
})

t.test('there is room for so many readers, and for others when they go', async t => {
  const { server } = await start(t)
  const listeners: Listener[] = []
  const refused = await until('a refusal', async () => {
    const response = await ask(server, { path: '/events' })
    if (response.statusCode === 503) return response
    response.destroy()
    listeners.push(await Listener.start(t, server))
    return undefined
  })
  t.equal(refused.headers['retry-after'], '10')
  refused.resume()
  t.equal(listeners.length, 32)
  t.equal((await get(server, { path: '/facts.json' })).status, 200, 'who does not stay is answered all the same')
  listeners[0]?.close()
  await until('room', async () => {
    const response = await ask(server, { path: '/events' })
    response.destroy()
    return response.statusCode === 200 ? true : undefined
  })
})

t.test('a sign of life comes now and then', async t => {
  const { server } = await start(t)
  const listener = await Listener.start(t, server)
  await listener.wait('two signs', ({ heard }) => heard.filter(({ name }) => name === 'alive').length === 2)
  t.match(listener.heard.at(-1), { name: 'alive', data: { at: /^\d{4}-/ } })
  t.equal(listener.facts.length, 1)
})

t.test('all ends when the signal aborts, or on disposal, as often as that is asked for', async t => {
  const abort = new AbortController()
  const { server, source } = await start(t, { signal: abort.signal })
  const listener = await Listener.start(t, server)
  await listener.wait('everything', ({ facts }) => facts.length === 1)
  abort.abort()
  await listener.wait('the end', ({ ended }) => ended)
  t.equal(source.watchers, 0)
  await server[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
  await t.rejects(get(server), { code: 'ECONNREFUSED' })
  source.change({ nodes: [] })
  t.equal(source.asked, 1)
  await t.rejects(servePage({ source, port: 0, signal: abort.signal }), { name: 'AbortError' })
})

t.test('a source that throws ends streams, is told in the log, and may get well', async t => {
  const good = new ExampleSource(exampleCluster(0))
  let fault: Error | undefined
  const source: PageSource = {
    facts: () => {
      if (fault) throw fault
      return good.facts()
    },
    watch: changed => good.watch(changed),
  }
  const told: unknown[] = []
  const log = { ...silentLogger, error: (fields: object) => told.push(fields) }
  const { server } = await start(t, { source, log })
  const listener = await Listener.start(t, server)
  fault = new Error('broken')
  good.change({ nodes: [] })
  await listener.wait('the end', ({ ended }) => ended)
  t.match(told, [{ op: 'page', error: fault }])
  t.equal(good.watchers, 0)
  await t.rejects(ask(server, { path: '/events' }), 'no stream, which browsers take for a reason to try again')
  await until('the moment for which facts are kept is over', async () =>
    (await get(server, { path: '/facts.json' })).status === 500 ? true : undefined,
  )
  fault = undefined
  const again = await Listener.start(t, server)
  await again.wait('everything', ({ facts }) => facts.length === 1)
  t.same(again.facts[0]?.sections?.['nodes'], [])
})
