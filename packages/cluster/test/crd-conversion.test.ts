import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import t from 'tap'
import { type BGPPeer, convertBGPPeer, type KubernetesObject, NEWER_FIELDS_ANNOTATION } from '@typemetal/cluster'
import { peer } from './objects.js'

const V1BETA1 = 'metallb.io/v1beta1'
const V1BETA2 = 'metallb.io/v1beta2'

const older = (spec: object, annotations?: Readonly<Record<string, string>>): BGPPeer =>
  ({
    apiVersion: V1BETA1,
    kind: 'BGPPeer',
    metadata: { name: 'p', namespace: 'metallb-system', ...(annotations && { annotations }) },
    spec,
  }) as unknown as BGPPeer
const LEGACY = { myASN: 64_512, peerASN: 64_513, peerAddress: '10.10.0.1' }
const specOf = (object: KubernetesObject): unknown => (object as BGPPeer).spec

t.test('as in MetalLB: v1beta1 to v1beta2 copies what both have', async t => {
  const spec = {
    ...LEGACY,
    sourceAddress: '10.10.0.2',
    peerPort: 1179,
    holdTime: '90s',
    keepaliveTime: '30s',
    routerID: '10.10.0.2',
    nodeSelectors: [{ matchLabels: { a: 'b' } }, {}],
    password: 'x',
    bfdProfile: 'fast',
    ebgpMultiHop: true,
  }
  const converted = convertBGPPeer(older(spec, { 'example.org/a': 'b' }), V1BETA2)
  t.strictSame(converted, { ...older(spec, { 'example.org/a': 'b' }), apiVersion: V1BETA2 })
})

t.test('unlike MetalLB: times that v1beta1 does not say stay unsaid', async t => {
  // MetalLB stores "0s" for both, which turns the hold timer off: nobody who left the fields out has asked for that.
  t.strictSame(specOf(convertBGPPeer(older(LEGACY), V1BETA2)), LEGACY)
  t.strictSame(
    specOf(convertBGPPeer(older({ ...LEGACY, holdTime: '0s' }), V1BETA2)),
    { ...LEGACY, holdTime: '0s' },
    'what MetalLB has stored is kept',
  )
})

t.test('v1beta1: port 0 is no port in v1beta2, where it means the usual one', async t => {
  t.strictSame(specOf(convertBGPPeer(older({ ...LEGACY, peerPort: 0 }), V1BETA2)), LEGACY)
})

t.test('as in MetalLB: an empty legacy selector becomes {}, a missing list stays missing', async t => {
  const converted = convertBGPPeer(older({ ...LEGACY, nodeSelectors: [null, {}] }), V1BETA2)
  t.strictSame(specOf(converted), { ...LEGACY, nodeSelectors: [{}, {}] })
})

t.test('unlike MetalLB: what v1beta1 cannot say is carried along', async t => {
  const newer = peer('p', { vrf: 'red', localASN: 5, peerPort: 179 })
  const shown = convertBGPPeer(newer, V1BETA1)
  t.strictSame(specOf(shown), { ...LEGACY, peerPort: 179 }, 'v1beta1 has fields of v1beta1 only')
  t.same(JSON.parse(shown.metadata.annotations?.[NEWER_FIELDS_ANNOTATION] ?? ''), { vrf: 'red', localASN: 5 })
  t.strictSame(convertBGPPeer(shown, V1BETA2), newer)
})

t.test('a peer that v1beta1 can say needs no annotation', async t => {
  t.equal(convertBGPPeer(peer('p'), V1BETA1).metadata.annotations, undefined)
})

t.test('v1beta1 demands a peer ASN and address: zero values stand for those that are not there', async t => {
  const newer = peer('p', { peerASN: undefined, peerAddress: undefined, dynamicASN: 'external', interface: 'eth0' })
  const { peerASN: _, peerAddress: __, ...spec } = newer.spec
  const stored = { ...newer, spec } as BGPPeer
  const shown = convertBGPPeer(stored, V1BETA1)
  t.strictSame(specOf(shown), { peerASN: 0, peerAddress: '', myASN: 64_512 })
  t.strictSame(convertBGPPeer(shown, V1BETA2), stored)
})

t.test('what a v1beta1 client changes wins over what is carried', async t => {
  const newer = peer('p', { peerASN: 0, dynamicASN: 'external', vrf: 'red' })
  const { peerASN: _, ...spec } = newer.spec
  const shown = convertBGPPeer({ ...newer, spec: spec as BGPPeer['spec'] }, V1BETA1)
  const edited = { ...shown, spec: { ...shown.spec, peerASN: 64_600, peerAddress: '10.10.0.9' } } as BGPPeer
  t.same(specOf(convertBGPPeer(edited, V1BETA2)), {
    myASN: 64_512,
    peerASN: 64_600,
    peerAddress: '10.10.0.9',
    dynamicASN: 'external',
    vrf: 'red',
  })
})

t.test('an annotation that somebody broke does not break the peer', async t => {
  for (const text of ['', '{', '[1]', 'null', '"vrf"']) {
    const converted = convertBGPPeer(older(LEGACY, { [NEWER_FIELDS_ANNOTATION]: text }), V1BETA2)
    t.strictSame(converted, { ...older(LEGACY), apiVersion: V1BETA2 }, text)
  }
})

t.test('a version that BGPPeer does not have is a mistake of the caller', async t => {
  t.throws(() => convertBGPPeer(peer('p'), 'metallb.io/v1'), { name: 'RangeError', message: /^apiVersion: / })
  t.throws(() => convertBGPPeer({ ...peer('p'), apiVersion: 'v1' }, V1BETA2), RangeError)
})

t.test('the same version is the same object', async t => {
  const same = peer('p')
  t.equal(convertBGPPeer(same, V1BETA2), same)
  t.equal(convertBGPPeer(older(LEGACY), V1BETA1).apiVersion, V1BETA1)
})

const text = fc.string({ maxLength: 8 })
const selectorOf = fc.record(
  {
    matchLabels: fc.dictionary(text, text, { maxKeys: 2 }),
    matchExpressions: fc.array(
      fc.record(
        { key: text, operator: text, values: fc.array(text, { maxLength: 2 }) },
        { requiredKeys: ['key', 'operator'] },
      ),
      { maxLength: 2 },
    ),
  },
  { requiredKeys: [] },
)
const shared = {
  myASN: fc.nat(),
  sourceAddress: text,
  peerPort: fc.integer({ min: 1, max: 16_384 }),
  holdTime: text,
  keepaliveTime: text,
  routerID: text,
  nodeSelectors: fc.array(selectorOf, { maxLength: 3 }),
  password: text,
  bfdProfile: text,
  ebgpMultiHop: fc.boolean(),
}
const newerSpec = fc.record(
  {
    ...shared,
    peerASN: fc.nat(),
    peerAddress: text,
    dynamicASN: fc.constantFrom('internal', 'external'),
    localASN: fc.nat(),
    interface: text,
    connectTime: text,
    passwordSecret: fc.record({ name: text, namespace: text }, { requiredKeys: [] }),
    enableGracefulRestart: fc.boolean(),
    vrf: text,
    disableMP: fc.boolean(),
    dualStackAddressFamily: fc.boolean(),
  },
  { requiredKeys: ['myASN'] },
)
const olderSpec = fc.record(
  { ...shared, peerASN: fc.nat(), peerAddress: text },
  { requiredKeys: ['myASN', 'peerASN', 'peerAddress'] },
)
const annotations = fc.option(fc.dictionary(fc.constantFrom('a', 'b/c'), text, { minKeys: 1 }), { nil: undefined })
/** Plain data, as it is after a trip over the network. */
const plain = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T

t.test('property: v1beta2 to v1beta1 and back is the same peer', async () => {
  fc.assert(
    fc.property(newerSpec, annotations, (spec, marks) => {
      const stored = plain({ ...older(spec, marks), apiVersion: V1BETA2 })
      assert.deepEqual(convertBGPPeer(plain(convertBGPPeer(stored, V1BETA1)), V1BETA2), stored)
    }),
    { numRuns: 500 },
  )
})

t.test('property: v1beta1 to v1beta2 and back is the same peer', async () => {
  fc.assert(
    fc.property(olderSpec, annotations, (spec, marks) => {
      const written = plain(older(spec, marks))
      assert.deepEqual(convertBGPPeer(plain(convertBGPPeer(written, V1BETA2)), V1BETA1), written)
    }),
    { numRuns: 500 },
  )
})
