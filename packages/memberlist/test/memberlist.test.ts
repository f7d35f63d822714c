import { once } from 'node:events'
import { Memberlist } from '@typemetal/memberlist'
import t from 'tap'

const names = (m: Memberlist): string[] =>
  m
    .members()
    .map(member => member.name)
    .toSorted()

t.test('three nodes join, one leaves', async t => {
  const nodes = ['a', 'b', 'c'].map(
    name => new Memberlist({ name, bindAddress: '127.0.0.1', bindPort: 0, preset: 'local' }),
  )
  t.teardown(() => Promise.all(nodes.map(node => node.close())))
  await Promise.all(nodes.map(node => node.start()))
  const [a, b, c] = nodes as [Memberlist, Memberlist, Memberlist]
  const seed = `127.0.0.1:${a.port}`
  const heard = once(b, 'join')
  t.equal(await b.join([seed]), 1)
  t.equal(await c.join([seed]), 1)
  await heard
  while (names(b).length < 3) await once(b, 'join')
  t.same(nodes.map(names), [
    ['a', 'b', 'c'],
    ['a', 'b', 'c'],
    ['a', 'b', 'c'],
  ])
  const gone = once(a, 'leave')
  await c.leave(2000)
  t.match((await gone)[0], { name: 'c', state: 'left' })
})
