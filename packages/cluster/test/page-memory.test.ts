/** What sources of a status page keep: transitions, sections, and who looks. */
import { isDeepStrictEqual } from 'node:util'
import { condense, FactsMemory, type Line, TransitionLog, Watchers } from '@typemetal/cluster/page'
import * as fc from 'fast-check'
import t from 'tap'

const happening = (n: number) => ({ at: `t${n}`, verdict: 'good', object: `Service s${n}`, what: 'assigned' }) as const

t.test('the newest transitions are kept, and the list is the same object until there is another', async t => {
  const log = new TransitionLog(3)
  t.same(log.newestFirst, [])
  for (let n = 0; n < 8; n++) log.add(happening(n))
  t.same(
    log.newestFirst.map(({ id, at }) => [id, at]),
    [
      [7, 't7'],
      [6, 't6'],
      [5, 't5'],
    ],
  )
  const before = log.newestFirst
  t.equal(log.newestFirst, before)
  log.add(happening(8))
  t.equal(log.newestFirst[0]?.id, 8)
  t.equal(before[0]?.id, 7, 'what was handed out stays')
  for (const size of [0, -1, 1.5, Number.NaN]) t.throws(() => new TransitionLog(size), { message: /^size must be/ })
})

t.test('many lines of one kind are one; few stay, and so do those of another kind', async t => {
  const lines = (count: number, what: string, verdict: Line['verdict'] = 'good'): readonly Line[] =>
    Array.from({ length: count }, (_, i) => ({ verdict, object: `Service s${i}`, what, why: `of ${i}` }))
  t.same(condense(lines(20, 'assigned')), lines(20, 'assigned'))
  t.same(condense([...lines(21, 'assigned'), ...lines(2, 'released')]), [
    { verdict: 'good', object: '21 Services', what: 'assigned', why: 's0, s1, s2 and 18 more' },
    ...lines(2, 'released'),
  ])
  t.equal(condense(lines(50, 'refused', 'bad')).length, 50, 'each for a reason of its own')
})

t.test(
  'a section is made again only when what it is made of is another value, and stays when it says the same',
  async t => {
    const memory = new FactsMemory()
    let made = 0
    const make = (what: string) => (): readonly { verdict: 'bad'; what: string }[] => {
      made++
      return [{ verdict: 'bad', what }]
    }
    const [one, two] = [{}, {}]
    const first = memory.section('notices', [one], make('x'))
    t.equal(memory.section('notices', [one], make('y')), first)
    t.equal(made, 1)
    t.equal(memory.section('notices', [two], make('x')), first, 'another value, the same words')
    t.same(memory.section('notices', [two, 1], make('z')), [{ verdict: 'bad', what: 'z' }])
    const unknown = memory.section('notices', [], make('z'))
    t.same([made, memory.section('notices', [], make('w'))], [4, [{ verdict: 'bad', what: 'w' }]])
    t.same(unknown, [{ verdict: 'bad', what: 'z' }])
  },
)

t.test('a section says the same only where its JSON has the same values', async t => {
  const plain = fc.json({ maxDepth: 3 }).map((text): unknown => JSON.parse(JSON.stringify(JSON.parse(text))))
  const same = (one: unknown, other: unknown): boolean => {
    const memory = new FactsMemory()
    const first = memory.section('notices', [1], () => one as never)
    return memory.section('notices', [2], () => other as never) === first
  }
  fc.assert(
    fc.property(plain, plain, (one, other) => {
      t.equal(same([one], [other]), isDeepStrictEqual(one, other))
      t.ok(same([one], structuredClone([one])))
    }),
    { numRuns: 300 },
  )
  for (const [one, other] of [
    [{ a: undefined }, { b: 1 }],
    [{ a: 1 }, { a: 1, b: 2 }],
    [{ a: 1, b: 2 }, { a: 1 }],
    [[], {}],
    [{}, []],
    [[1], [1, 2]],
    [null, {}],
  ]) {
    t.notOk(same([one], [other]), JSON.stringify([one, other]))
  }
})

t.test('those who look hear of changes, and every second; without them no timer runs', async t => {
  const timers = new Set<() => void>()
  const watchers = new Watchers((ms, fn) => {
    t.equal(ms, 1_000)
    timers.add(fn)
    return () => timers.delete(fn)
  })
  const fire = (): void => {
    const [timer] = timers
    if (!timer) return
    timers.delete(timer)
    timer()
  }
  const heard = { a: 0, b: 0 }
  watchers.tell()
  const [undoA, undoB] = [watchers.add(() => heard.a++), watchers.add(() => heard.b++)]
  t.equal(timers.size, 1)
  watchers.tell()
  fire()
  t.same([heard, timers.size], [{ a: 2, b: 2 }, 1])
  undoA()
  undoA()
  fire()
  t.same([heard, timers.size], [{ a: 2, b: 3 }, 1])
  undoB()
  t.equal(timers.size, 0)
  watchers.tell()
  t.same(heard, { a: 2, b: 3 })
})
