/** Objects of any kind of ours that are right for the most part, for properties about what is taken and refused. */
import * as fc from 'fast-check'
import type { Schema } from '@typemetal/cluster'

/** Values that are wrong nearly everywhere. */
const JUNK: fc.Arbitrary<unknown> = fc.constantFrom<unknown>(
  null,
  true,
  0,
  1.5,
  'x',
  [],
  [null],
  {},
  { x: null },
  { a: 'x' },
)
const EDGES = [
  -1,
  0,
  1,
  32,
  33,
  255,
  256,
  65_535,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32,
  -(2 ** 31) - 1,
  2n ** 63n - 1n,
  2n ** 63n,
]
const TEXTS = [
  '',
  'a',
  '1s',
  '1.5s',
  '0s',
  '1000ms',
  '65536s',
  'internal',
  'True',
  '2026-01-31T12:00:00Z',
  '2026-02-30T12:00:00Z',
  '2026-06-30t23:59:60z',
  '2026-01-31t12:00:00.5+99:00',
  'a b',
  'ä',
]

/** A value that mostly has the shape that a schema asks for; fields come and go, some are unknown. */
export function arbitraryOf(schema: Schema): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 14, arbitrary: shaped(schema) }, { weight: 1, arbitrary: JUNK })
}

function shaped(schema: Schema): fc.Arbitrary<unknown> {
  const { type, minimum, maximum, items } = schema
  if (type === 'object') return mapping(schema)
  if (type === 'array') return items ? fc.array(arbitraryOf(items), { maxLength: 3 }) : fc.constant([])
  if (type === 'boolean') return fc.boolean()
  if (type === 'string') return fc.constantFrom(...TEXTS, ...(schema.enum ?? []))
  const ends = [minimum, maximum].flatMap(end => (end === undefined ? [] : [end - 1, end, end + 1]))
  return fc.constantFrom<unknown>(...EDGES, ...ends)
}

function mapping({ properties = {}, required = [], additionalProperties }: Schema): fc.Arbitrary<unknown> {
  if (additionalProperties) {
    return fc.dictionary(fc.constantFrom('a', 'b', 'c/d'), arbitraryOf(additionalProperties), { maxKeys: 2 })
  }
  const fields = Object.fromEntries(Object.entries(properties).map(([name, field]) => [name, arbitraryOf(field)]))
  const known = fc.record(fields, { requiredKeys: [] })
  const whole = fc.record(fields, { requiredKeys: [...required] })
  const unknown = fc.dictionary(fc.constantFrom('surprise', 'nam'), JUNK, { maxKeys: 1 })
  // What is required is there most of the time, or nothing would ever be taken.
  const mostly = fc.oneof({ weight: 9, arbitrary: whole }, { weight: 1, arbitrary: known })
  return fc.tuple(mostly, unknown).map(([some, more]): unknown => ({ ...some, ...more }))
}
