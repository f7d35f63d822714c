/** Nodes that claim one address and do not see the same cluster: never all of them give way. In virtual time, over views at random. */
import * as fc from 'fast-check'
import t from 'tap'
import { electionWinner, resolveConflict } from '@typemetal/speaker'
import { FakeLan } from './support/segment.js'

const NAMES = ['n1', 'n2', 'n3']
const all = new Set(NAMES)
const KEYS = ['10.0.0.1', '10.0.0.2', '192.0.2.1', '2001:db8::1', '203.0.113.9', 'fd00:10::200']

const key = fc.constantFrom(...KEYS)
const scores = fc
  .dictionary(fc.constantFrom(...NAMES), fc.nat({ max: 3 }))
  .map(entries => new Map(Object.entries(entries)))
const pair = fc.tuple(fc.constantFrom(...NAMES), fc.constantFrom(...NAMES)).filter(([a, b]) => a !== b)

t.test('the rule: with any two views of the preferences at most one gives way', async t => {
  fc.assert(
    fc.property(pair, key, scores, scores, (both, key, seenByFirst, seenBySecond) => {
      const first = electionWinner(both, key) ?? ''
      const second = both.find(name => name !== first) ?? ''
      const ofSecond = [false, true].map(stands =>
        resolveConflict(second, first, { key, scores: seenBySecond }, { stands }),
      )
      const election = { key, scores: seenByFirst }
      // Who comes first by the order alone waits for whether the other one stands, which that one alone decides, and at once.
      return ofSecond[0] === ofSecond[1] && resolveConflict(first, second, election, { stands: false }) === 'defend'
    }),
    { numRuns: 2_000 },
  )
  t.pass()
})

t.test(
  'the rule: where nothing else is agreed on, the names and the address decide, and exactly one gives way',
  async t => {
    fc.assert(
      fc.property(pair, key, key, key, scores, scores, ([a, b], bare, ofA, ofB, seenByA, seenByB) => {
        const first = resolveConflict(a, b, { key: ofA, scores: seenByA }, { bare })
        const second = resolveConflict(b, a, { key: ofB, scores: seenByB }, { bare })
        return (
          (first === 'yield') !== (second === 'yield') && (first === 'defend' ? a : b) === electionWinner([a, b], bare)
        )
      }),
      { numRuns: 2_000 },
    )
    t.pass()
  },
)

/** What each of some speakers sees of the preferences, and when it claims the address. */
const view = fc.record({ scores, from: fc.nat({ max: 4_000 }) })

t.test('property: two or three with views of their own, which stay: never a moment without an answer', async t => {
  fc.assert(
    fc.property(key, fc.array(view, { minLength: 2, maxLength: 3 }), (ip, views) => {
      const lan = new FakeLan()
      const speakers = views.map(({ scores }, i) => lan.add({ name: NAMES[i] ?? '', knows: all, scores }))
      for (const [i, { from }] of views.entries()) lan.later(from, () => speakers[i]?.take(ip))
      let hasBegun = false
      let dark = false
      lan.onStep = () => {
        hasBegun ||= lan.owners(ip).length > 0
        dark ||= hasBegun && lan.owners(ip).length === 0
      }
      lan.run(30_000)
      return hasBegun && !dark
    }),
    { numRuns: 400 },
  )
  t.pass()
})

t.test('property: with one view of the preferences, the preferred node alone answers after some seconds', async t => {
  fc.assert(
    fc.property(key, scores, fc.array(fc.nat({ max: 3_000 }), { minLength: 2, maxLength: 3 }), (ip, scores, starts) => {
      const lan = new FakeLan()
      const names = NAMES.slice(0, starts.length)
      const speakers = names.map(name => lan.add({ name, knows: all, scores }))
      for (const [i, from] of starts.entries()) lan.later(from, () => speakers[i]?.take(ip))
      lan.run(Math.max(...starts) + 9_000)
      return lan.owners(ip).join() === electionWinner(names, ip, scores)
    }),
    { numRuns: 300 },
  )
  t.pass()
})

t.test(
  'a preferred node that comes second by the order alone: both answer until the other is sure, and one word is said',
  async t => {
    const ip = '192.0.2.1'
    const first = electionWinner(['n1', 'n2'], ip) ?? ''
    const preferred = first === 'n1' ? 'n2' : 'n1'
    const lan = new FakeLan()
    const scores = new Map([[preferred, 10]])
    const [a, b] = [first, preferred].map(name => lan.add({ name, knows: all, scores }))
    a?.take(ip)
    b?.take(ip)
    lan.run(2_000)
    t.strictSame([lan.owners(ip).length, a?.told, b?.told.length], [2, [], 1], 'nothing is said before it is decided')
    lan.run(2_500)
    t.strictSame(lan.owners(ip), [preferred])
    t.match(a?.told, [{ state: 'begun', conflict: { resolution: 'yield', node: preferred } }])
    t.equal(a?.told.length, 1)
    lan.run(60_000)
    t.strictSame(lan.owners(ip), [preferred])
  },
)

t.test('property: views that change while they dispute: somebody answers again within three seconds', async t => {
  const change = fc.record({ at: fc.nat({ max: 20_000 }), who: fc.nat({ max: 1 }), scores })
  fc.assert(
    fc.property(key, fc.array(change, { maxLength: 8 }), (ip, changes) => {
      const lan = new FakeLan()
      const seen = [new Map<string, number>(), new Map<string, number>()]
      const speakers = seen.map((scores, i) => lan.add({ name: NAMES[i] ?? '', knows: all, scores }))
      for (const { at, who, scores } of changes) {
        lan.later(at, () => {
          seen[who]?.clear()
          for (const [name, score] of scores) seen[who]?.set(name, score)
        })
      }
      for (const speaker of speakers) speaker.take(ip)
      let darkSince: number | undefined
      let darkest = 0
      lan.onStep = () => {
        if (lan.owners(ip).length > 0) darkSince = undefined
        else darkSince ??= lan.now
        darkest = Math.max(darkest, lan.now - (darkSince ?? lan.now))
      }
      lan.run(40_000)
      return darkest <= 3_000 && lan.owners(ip).length > 0
    }),
    { numRuns: 300 },
  )
  t.pass()
})

t.test('property: not even the key of the election is agreed on: both may give way once, and not again', async t => {
  let mutual = 0
  fc.assert(
    fc.property(key, fc.tuple(key, key), fc.tuple(scores, scores), (ip, keys, views) => {
      const lan = new FakeLan()
      const speakers = keys.map((key, i) =>
        lan.add({ name: NAMES[i] ?? '', knows: all, electionOf: () => ({ key, scores: views[i] ?? new Map() }) }),
      )
      for (const speaker of speakers) speaker.take(ip)
      let windows = 0
      let isDark = false
      lan.onStep = () => {
        const nobody = lan.owners(ip).length === 0
        if (nobody && !isDark) windows++
        isDark = nobody
      }
      lan.run(50_000)
      mutual += windows
      return windows <= 1 && lan.owners(ip).length > 0
    }),
    { numRuns: 300 },
  )
  t.ok(mutual > 0, `${mutual} times both gave way`)
})
