/** What a program hears of options that are not what is wanted. */
import t from 'tap'
import {
  callback,
  checkOptions,
  flag,
  kind,
  type Kinds,
  listOf,
  methods,
  number,
  octets,
  oneOf,
  optional,
  record,
  shown,
  signal,
  text,
  whole,
} from '@typemetal/options'

interface Timers {
  readonly hold: number
  readonly connect?: number
}

interface Options {
  readonly asn: number
  readonly address?: string
  readonly families?: readonly ('ipv4' | 'ipv6')[]
  readonly timers?: Timers
  readonly log?: { info(): void; warn(): void }
  readonly key?: Uint8Array
  readonly passive?: boolean
  readonly onOpen?: () => void
  readonly signal?: AbortSignal
  readonly share?: number
}

const TIMERS: Kinds<Timers> = { hold: whole(3, 65_535), connect: optional(whole(1)) }
const KINDS: Kinds<Options> = {
  asn: whole(1, 0xffff_ffff),
  address: optional(text),
  families: optional(listOf(oneOf('ipv4', 'ipv6'))),
  timers: optional(record(TIMERS, { holdTime: 'hold' })),
  log: optional(methods('info', 'warn')),
  key: optional(octets),
  passive: optional(flag),
  onOpen: optional(callback()),
  signal: optional(signal),
  share: optional(number('a share from 0 to 1', value => value >= 0 && value <= 1)),
}

/** What is thrown for options. */
function thrown(given: unknown): Error | undefined {
  try {
    checkOptions(given, KINDS, { localAs: 'asn' })
  } catch (error) {
    return error as Error
  }
  return undefined
}

t.test('options that are what is wanted pass', async t => {
  const all: Options = {
    asn: 4_200_000_000,
    address: '',
    families: ['ipv6', 'ipv4'],
    timers: { hold: 3 },
    log: console,
    key: Buffer.alloc(16),
    passive: false,
    onOpen: () => {},
    signal: new AbortController().signal,
    share: 1,
  }
  t.equal(thrown(all), undefined)
  t.equal(thrown({ asn: 1 }), undefined)
  t.equal(thrown({ asn: 1, address: undefined, timers: undefined }), undefined, 'what is undefined is left out')
  t.equal(thrown(Object.assign(Object.create(null) as object, { asn: 1 })), undefined, 'an object without a class')
})

const WRONG: readonly (readonly [what: string, given: unknown, error: typeof Error, message: string])[] = [
  ['nothing', undefined, TypeError, 'options must be an object with asn, not undefined'],
  ['null', null, TypeError, 'options must be an object with asn, not null'],
  ['an array', [], TypeError, 'options must be an object with asn, not an empty array'],
  ['a number', 64_512, TypeError, 'options must be an object with asn, not 64512'],
  ['what has to be there', {}, TypeError, 'asn must be a whole number from 1 to 4294967295, not undefined'],
  [
    'a number as text',
    { asn: '64512' },
    TypeError,
    "asn must be a whole number from 1 to 4294967295, not the string '64512'",
  ],
  ['too little', { asn: 0 }, RangeError, 'asn must be a whole number from 1 to 4294967295, not 0'],
  ['too much', { asn: 2 ** 32 }, RangeError, 'asn must be a whole number from 1 to 4294967295, not 4294967296'],
  ['a fraction', { asn: 1.5 }, RangeError, 'asn must be a whole number from 1 to 4294967295, not 1.5'],
  ['NaN', { asn: NaN }, RangeError, 'asn must be a whole number from 1 to 4294967295, not NaN'],
  ['a bigint', { asn: 1n }, TypeError, 'asn must be a whole number from 1 to 4294967295, not the bigint 1n'],
  ['text', { asn: 1, address: 7 }, TypeError, 'address must be a string, not 7'],
  ['a list', { asn: 1, families: 'ipv4' }, TypeError, "families must be an array, not the string 'ipv4'"],
  [
    'an item of a list',
    { asn: 1, families: ['ipv4', 'ipv5'] },
    RangeError,
    "families[1] must be 'ipv4' or 'ipv6', not the string 'ipv5'",
  ],
  [
    'an option inside',
    { asn: 1, timers: {} },
    TypeError,
    'timers.hold must be a whole number from 3 to 65535, not undefined',
  ],
  [
    'no end',
    { asn: 1, timers: { hold: 9, connect: -1 } },
    RangeError,
    'timers.connect must be a whole number from 1 on, not -1',
  ],
  ['methods', { asn: 1, log: { info() {} } }, TypeError, 'log must be an object with info() and warn(), not an object'],
  ['octets', { asn: 1, key: 'secret' }, TypeError, "key must be a Uint8Array, not the string 'secret'"],
  ['a flag', { asn: 1, passive: 1 }, TypeError, 'passive must be true or false, not 1'],
  ['a function', { asn: 1, onOpen: {} }, TypeError, 'onOpen must be a function, not an object'],
  [
    'a signal',
    { asn: 1, signal: new AbortController() },
    TypeError,
    'signal must be an AbortSignal, not an AbortController',
  ],
  ['a kind in words', { asn: 1, share: 2 }, RangeError, 'share must be a share from 0 to 1, not 2'],
  ['a misspelt name', { asn: 1, adress: '' }, TypeError, 'adress is not an option: did you mean address?'],
  ['its case', { asn: 1, ADDRESS: '' }, TypeError, 'ADDRESS is not an option: did you mean address?'],
  ['its beginning', { asn: 1, fami: [] }, TypeError, 'fami is not an option: did you mean families?'],
  ['another name for it', { localAs: 1 }, TypeError, 'localAs is not an option: did you mean asn?'],
  [
    'a misspelt name inside',
    { asn: 1, timers: { hold: 9, holdTime: 9 } },
    TypeError,
    'timers.holdTime is not an option: did you mean timers.hold?',
  ],
  [
    'a name of all objects',
    { asn: 1, toString: 1 },
    TypeError,
    'toString is not an option: the options here are asn, ',
  ],
]

t.test('what is wrong is named, with what is wanted and what was given', async t => {
  for (const [what, given, error, message] of WRONG) {
    const found = thrown(given)
    t.equal(found?.constructor, error, what)
    t.ok(found?.message.startsWith(message), `${what}: ${found?.message}`)
  }
})

t.test('a value is shown so that it can be found, never all of it', async t => {
  t.equal(shown('x'.repeat(1e6)).length, "the string ''".length + 61)
  t.equal(shown(new Map()), 'a Map')
  t.equal(shown(new Error('no')), 'an Error')
  t.equal(shown([1]), 'an array')
  t.equal(shown(Symbol('s')), 'Symbol(s)')
  t.equal(shown(Object.create(null)), 'an object')
})

t.test('a kind of one’s own', async t => {
  const even = kind('an even number', (value): value is number => typeof value === 'number' && value % 2 === 0)
  t.equal(even('count', 4), 4)
  t.throws(() => even('count', 3), { name: 'TypeError', message: 'count must be an even number, not 3' })
})

t.test('the compiler holds the table to the type', async t => {
  // @ts-expect-error `hold` is missing
  const missing: Kinds<Timers> = { connect: optional(whole(1)) }
  // @ts-expect-error there is no such option
  const strange: Kinds<Timers> = { hold: whole(1), connect: optional(whole(1)), retry: flag }
  // @ts-expect-error it may be left out
  const needed: Kinds<Timers> = { hold: whole(1), connect: whole(1) }
  // @ts-expect-error text is no number
  const other: Kinds<Timers> = { hold: text, connect: optional(whole(1)) }
  t.ok(missing && strange && needed && other)
})
