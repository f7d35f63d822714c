/** What all checks of options are made of. */
import t from 'tap'
import {
  checkOptions,
  flag,
  kind,
  listOf,
  number,
  optional,
  record,
  shown,
  text,
  whole,
  type Kinds,
} from '@typemetal/options'

interface Sample {
  readonly name: string
  readonly count?: number
  readonly inner?: { readonly on: boolean }
}
const KINDS: Kinds<Sample> = {
  name: text,
  count: optional(whole(0, 9)),
  inner: optional(record<{ on: boolean }>({ on: flag })),
}
const check = (given: unknown): void => checkOptions(given, KINDS, { label: 'name' })

t.test('the compiler holds names and types together', async t => {
  // @ts-expect-error an option without a kind
  const missing: Kinds<Sample> = { name: text, count: optional(whole(0)) }
  // @ts-expect-error a kind without an option
  const surplus: Kinds<{ readonly name: string }> = { name: text, count: optional(whole(0)) }
  // @ts-expect-error a kind that lets another type pass
  const other: Kinds<{ readonly name: string }> = { name: flag }
  // @ts-expect-error an option that may be left out, and a kind that does not let it
  const strict: Kinds<{ readonly name?: string }> = { name: text }
  // @ts-expect-error an option that may not be left out, and a kind that lets it
  const lax: Kinds<{ readonly name: string }> = { name: optional(text) }
  t.equal([missing, surplus, other, strict, lax].length, 5)
})

t.test('what is as it should be passes', async t => {
  for (const given of [
    { name: 'a' },
    { name: 'a', count: 9, inner: { on: true } },
    { name: 'a', count: undefined, inner: undefined },
    Object.create({ name: 'from its class' }),
  ]) {
    check(given)
  }
  t.pass()
})

t.test('the nearest name, or all there are', async t => {
  const said = (name: string): string => {
    try {
      check({ [name]: 1 })
    } catch (error) {
      return (error as Error).message.replace(/^.* is not an option: /, '')
    }
    return ''
  }
  t.equal(said('nmae'), 'did you mean name?')
  t.equal(said('COUNT'), 'did you mean count?')
  t.equal(said('counts'), 'did you mean count?')
  t.equal(said('label'), 'did you mean name?', 'as others call it')
  t.equal(said('inne'), 'did you mean inner?', 'what it begins')
  t.equal(said('x'), 'the options here are name, count and inner')
  t.equal(said('toString'), 'the options here are name, count and inner', 'what every object has is no option')
  t.equal(said('__proto__x'), 'the options here are name, count and inner')
  t.throws(() => check({ name: 'a', inner: { of: true } }), {
    message: 'inner.of is not an option: did you mean inner.on?',
  })
})

t.test('a list names the place, holes included', async t => {
  const texts = listOf(text)
  t.same(texts('list', ['a', 'b']), ['a', 'b'])
  t.throws(() => texts('list', ['a', 5]), { name: 'TypeError', message: 'list[1] must be a string, not 5' })
  // oxlint-disable-next-line no-sparse-arrays -- what is tried
  t.throws(() => texts('list', ['a', , 'b']), { message: 'list[1] must be a string, not undefined' })
})

t.test('what was given is shown so that it can be found, and never all of it', async t => {
  t.same(
    [
      undefined,
      null,
      5,
      Number.NaN,
      5n,
      true,
      'x',
      [],
      [1],
      {},
      Object.create(null),
      new AbortController(),
      new Map(),
      () => 0,
    ].map(shown),
    [
      'undefined',
      'null',
      '5',
      'NaN',
      'the bigint 5n',
      'true',
      "the string 'x'",
      'an empty array',
      'an array',
      'an object',
      'an object',
      'an AbortController',
      'a Map',
      'a function',
    ],
  )
  t.equal(shown('y'.repeat(1000)).length, "the string ''".length + 61)
  t.equal(shown(Symbol('s')), 'Symbol(s)')
})

t.test('numbers', async t => {
  const any = number('a number')
  t.equal(any('n', Infinity), Infinity)
  t.throws(() => any('n', Number.NaN), { name: 'RangeError', message: 'n must be a number, not NaN' })
  t.throws(() => any('n', '1'), { name: 'TypeError', message: "n must be a number, not the string '1'" })
  t.throws(() => whole(1)('n', 0.5), { name: 'RangeError', message: 'n must be a whole number from 1 on, not 0.5' })
  const even = kind('even', (value): value is number => typeof value === 'number' && value % 2 === 0)
  t.throws(() => even('n', 3), { name: 'TypeError', message: 'n must be even, not 3' })
})
