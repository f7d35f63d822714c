/** What the program above hears of a silent neighbour, and what it may say of one: for those who can ask a host by other means. */
import t from 'tap'
import { Bench, QUIET } from './bench.js'
import { names, ring, until } from './nodes.js'

const WATCHING = { ...QUIET, watchInterval: 400 }

t.test(
  'silence: told of a watched node with each ping that it misses, from the first on, and of nobody else',
  async t => {
    const bench = new Bench(WATCHING).alive('n002', 3).alive('n003', 4).alive('n004', 5).runAnswered(20_000)
    // Ours watch one neighbour; these never say that they watch, so those behind it are watched, too.
    t.same(bench.taken('silence'), [], 'who answers is not silent')
    const began = bench.now
    bench.runAnswered(560, to => to === '127.0.1.3')
    const [first, ...more] = bench.taken('silence')
    t.match(first, { member: { name: 'n002', address: '127.0.1.3', state: 'alive' } }, 'one missed ping is enough')
    t.same(more, [])
    bench.runAnswered(2_000, to => to === '127.0.1.3')
    const again = bench.taken('silence')
    t.same([...new Set(again.map(({ member }) => member.name))], ['n002'])
    t.ok(again.length >= 4, `${again.length} in two seconds`)
    bench.runAnswered(1_000).take()
    bench.runAnswered(5_000)
    t.same(bench.taken('silence'), [], 'it answers again')
    t.ok(bench.now - began < 9_000)
  },
)

t.test('section 14: an accusation from above is an ordinary one, and is contradicted as such', async t => {
  const bench = new Bench({ ...QUIET, gossipInterval: 200 }).alive('n002', 3, 7).alive('n003', 4).run(2_000)
  bench.take()
  bench.input({ type: 'accuse', node: 'n002' })
  t.equal(bench.swim.stateOf('n002'), 'suspect')
  t.match(bench.run(1_000).sent().find(({ type }) => type === 'suspect'), {
    body: { node: 'n002', incarnation: 7, from: 'n001' },
  }) // prettier-ignore
  bench.alive('n002', 3, 8)
  t.match(bench.swim.member('n002'), { state: 'alive', incarnation: 8 })
})

t.test('section 14: accused are the living, by a node that is in the ring, and not itself', async t => {
  const bench = new Bench(QUIET).alive('n002', 3).alive('n003', 4).suspect('n003', 'n002').alive('n004', 5)
  bench.dead('n004', 'n004').take()
  for (const node of ['n001', 'n003', 'n004', 'nobody']) bench.input({ type: 'accuse', node })
  t.same(
    ['n001', 'n003', 'n004', 'nobody'].map(name => bench.swim.stateOf(name)),
    ['alive', 'suspect', 'left', undefined],
  )
  t.same(bench.taken('suspect'), [])
  bench.input({ type: 'leave' }).input({ type: 'accuse', node: 'n002' })
  t.equal(bench.swim.stateOf('n002'), 'alive', 'who has left accuses nobody')
})

t.test('on sockets: who is accused by mistake contradicts, and no member is lost by it', async t => {
  // It has forty seconds to contradict, and needs a round of gossip.
  const nodes = await ring(t, 'a b c', { probeInterval: 10_000, probeTimeout: 5000 })
  const [a, b] = nodes
  const heard: string[] = []
  for (const node of nodes) node.on('suspect', ({ name }) => heard.push(name))
  for (const node of nodes) node.on('leave', ({ name }) => t.fail(`${name} left`))
  a.accuse('b')
  await until(() => (a.members().find(({ name }) => name === 'b')?.incarnation ?? 0) > 1, 'the contradiction')
  t.equal(a.members().find(({ name }) => name === 'b')?.state, 'alive')
  t.ok(heard.length > 0 && heard.every(name => name === 'b'))
  t.equal(names(b), 'a b c')
  await a.close()
  t.throws(() => a.accuse('b'), { code: 'ERR_MEMBERLIST_STATE' })
})

t.test('on sockets: a neighbour that is stopped short is heard of as silent', async t => {
  // Nobody finds it by its probes before.
  const [a, b] = await ring(t, 'a b c', { probeInterval: 60_000 })
  const heard: string[] = []
  a.on('silence', ({ name }) => heard.push(name))
  await b.close()
  await until(() => heard.includes('b'), 'its silence')
  t.pass('b')
})
