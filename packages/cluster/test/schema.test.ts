import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import t from 'tap'
import { type FieldFault, type KubernetesObject, reviewObject } from '@typemetal/cluster'
import { type Case, CASES, OLDER_CASES } from './crd-cases.js'
import { l2, peer, pool } from './objects.js'

const lines = (faults: readonly FieldFault[]): readonly string[] =>
  faults.map(({ field, reason }) => `${field}: ${reason}`)

/** The part of an object that a case writes. */
const written = (subresource: Case['subresource'], object: KubernetesObject): unknown =>
  (object as unknown as Record<string, unknown>)[subresource ?? 'spec']

for (const { name, object, old, subresource, refused = [], unknown = [], stored } of [...CASES, ...OLDER_CASES]) {
  t.test(`${object.kind}: ${name}`, async t => {
    const review = reviewObject(object, { ...(old && { old }), ...(subresource && { subresource }) })
    t.same(lines(review.faults), refused)
    t.same(lines(review.unknown), unknown)
    if (refused.length === 0) t.same(written(subresource, review.object), stored ?? written(subresource, object))
  })
}

t.test('an object that is no resource of ours is a mistake of the caller', async t => {
  const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'x' } }
  t.throws(() => reviewObject(service), { name: 'RangeError', message: /^object: Service of v1 is no resource/ })
  t.throws(() => reviewObject({ ...pool('x', []), apiVersion: 'metallb.io/v1' }), RangeError)
})

t.test('property: whatever an object contains, it is reviewed, and reviewed again it is the same', async () => {
  const anything = fc.anything({ withBigInt: true, withNullPrototype: true, withSparseArray: true, maxDepth: 6 })
  const objects = fc.constantFrom<KubernetesObject>(pool('x', []), peer('x'), l2('x'), {
    ...peer('x'),
    apiVersion: 'metallb.io/v1beta1',
  })
  fc.assert(
    fc.property(objects, anything, anything, (head, spec, stray) => {
      const object = Object.assign({ ...head }, { spec, stray })
      const { object: stored, faults } = reviewObject(object)
      const again = reviewObject(stored)
      assert.deepEqual(again, { object: stored, faults, unknown: [] })
    }),
    { numRuns: 2000 },
  )
})

t.test('what lies deeper than a schema is not looked at, however deep it is', async t => {
  const deep = JSON.parse(`${'['.repeat(50_000)}${']'.repeat(50_000)}`) as unknown
  const { faults, unknown } = reviewObject(pool('x', { addresses: [deep], surprise: deep, autoAssign: deep }))
  t.same(lines(faults), [
    'spec.addresses[0]: must be a text, not a list',
    'spec.autoAssign: must be true or false, not a list',
  ])
  t.equal(unknown.length, 1)
})

t.test('reviews change nothing of what they are given', async t => {
  const object = Object.freeze(peer('x', { bfdProfile: null, unknown: Object.freeze({ a: null }) }))
  const before = JSON.stringify(object)
  reviewObject(object)
  t.equal(JSON.stringify(object), before)
})

t.test('metadata is kept as it is, but for nulls', async t => {
  const metadata = { name: 'x', namespace: 'n', labels: { a: 'b' }, creationTimestamp: null, odd: [{ b: null }] }
  const { object, unknown } = reviewObject({ ...l2('x'), metadata } as unknown as KubernetesObject)
  t.same(object.metadata, { name: 'x', namespace: 'n', labels: { a: 'b' }, odd: [{}] })
  t.same(unknown, [])
})

t.test('what every object inherits is no field', async t => {
  const spec = JSON.parse('{"addresses":["10.0.0.0/24"],"constructor":1,"__proto__":{"autoAssign":false}}') as object
  const { object, unknown } = reviewObject({ ...pool('x', []), spec } as KubernetesObject)
  t.same(lines(unknown), [
    'spec.constructor: unknown field; there are addresses, autoAssign, avoidBuggyIPs, serviceAllocation',
    'spec.__proto__: unknown field; there are addresses, autoAssign, avoidBuggyIPs, serviceAllocation',
  ])
  t.same(object, { ...pool('x', []), spec: { addresses: ['10.0.0.0/24'], autoAssign: true, avoidBuggyIPs: false } })
})

t.test('misplaced fields are told their place, misspelt ones their name', async t => {
  const object = {
    ...pool('x', { addresses: ['10.0.0.0/24'], namespaces: ['a'], service_allocation: {}, nonsense: 1 }),
    autoAssign: true,
    Spec: {},
  } as unknown as KubernetesObject
  t.same(lines(reviewObject(object).unknown), [
    'autoAssign: unknown field; did you mean spec.autoAssign?',
    'Spec: unknown field; did you mean spec?',
    'spec.namespaces: unknown field; did you mean spec.serviceAllocation.namespaces?',
    'spec.service_allocation: unknown field; did you mean spec.serviceAllocation?',
    'spec.nonsense: unknown field; there are addresses, autoAssign, avoidBuggyIPs, serviceAllocation',
  ])
})

t.test('times are days that there are, with hours, minutes and seconds', async t => {
  const refused = (lastTransitionTime: string): boolean => {
    const condition = { type: 'a', status: 'True', reason: 'b', message: '', lastTransitionTime }
    const state = { apiVersion: 'metallb.io/v1beta1', kind: 'ConfigurationState', metadata: { name: 'x' } }
    const object = { ...state, status: { conditions: [condition] } } as KubernetesObject
    return reviewObject(object, { subresource: 'status' }).faults.length > 0
  }
  for (const time of ['2024-02-29T23:59:59Z', '2026-01-31t12:00:00.123456z', '2026-12-31T00:00:00+05:30']) {
    t.equal(refused(time), false, time)
  }
  for (const time of [
    '2026-02-29T12:00:00Z',
    '2026-13-01T12:00:00Z',
    '2026-01-00T12:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T12:60:00Z',
    '2026-06-30T23:59:60Z',
    '2026-01-01T12:00:00',
    '2026-01-01 12:00:00Z',
    '2026-01-01',
  ]) {
    t.equal(refused(time), true, time)
  }
})
