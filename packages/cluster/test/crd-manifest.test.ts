/** metallb.io objects in manifests are what they would be on an API server: in the stored version, with defaults. */
import t from 'tap'
import { formatConfigError, type Manifest, parseManifest } from '@typemetal/cluster'

const read = (text: string): Manifest => parseManifest(text, { file: 'x.yaml', namespace: 'metallb-system' })
const specOf = (text: string): unknown => (read(text).objects[0]?.object as { spec?: unknown } | undefined)?.spec
const said = (text: string): readonly string[] => read(text).faults.map(formatConfigError)
const PEER = 'kind: BGPPeer\nmetadata: {name: p}\nspec: {myASN: 1, peerASN: 2, peerAddress: 10.0.0.1'

t.test('defaults', async t => {
  const head = 'apiVersion: metallb.io/v1beta1\nmetadata: {name: a}\n'
  t.strictSame(specOf(`${head}kind: IPAddressPool\nspec: {addresses: [10.0.0.0/24], avoidBuggyIPs: true}`), {
    addresses: ['10.0.0.0/24'],
    avoidBuggyIPs: true,
    autoAssign: true,
  })
  t.strictSame(specOf(`${head}kind: BGPAdvertisement\nspec: {aggregationLength: 24}`), {
    aggregationLength: 24,
    aggregationLengthV6: 128,
  })
  t.equal(specOf(`${head}kind: BGPAdvertisement`), undefined, 'what is not there gets none')
  t.equal(specOf(`${head}kind: BGPAdvertisement\nspec: all`), 'all', 'and neither does what is no mapping')
  t.strictSame(specOf(`apiVersion: metallb.io/v1beta2\n${PEER}}`), {
    myASN: 1,
    peerASN: 2,
    peerAddress: '10.0.0.1',
    peerPort: 179,
    disableMP: false,
    dualStackAddressFamily: false,
  })
})

t.test('unknown fields stay, so that the configuration can name them', async t => {
  const text = 'apiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata: {name: a}\nspec: {adresses: []}'
  t.match(specOf(text), { adresses: [] })
  t.same(said(text), [])
})

t.test('a peer of v1beta1 is one of v1beta2', async t => {
  const [peer] = read(`apiVersion: metallb.io/v1beta1\n${PEER}, peerPort: 0, holdTime: 30s}`).objects
  t.match(peer?.object, {
    apiVersion: 'metallb.io/v1beta2',
    metadata: { name: 'p', namespace: 'metallb-system' },
    spec: { peerPort: 179, holdTime: '30s', disableMP: false },
  })
})

t.test('a peer of v1beta1 has the fields of v1beta1', async t => {
  const text = `apiVersion: metallb.io/v1beta1\n${PEER},\n  vrf: red, peerPort: 16385}`
  t.same(said(text), [
    'BGPPeer metallb-system/p: spec.peerPort: invalid value 16385, must be in 0-16384 range (x.yaml:5)',
    'BGPPeer metallb-system/p: spec.vrf: unknown field in metallb.io/v1beta1; it is one of metallb.io/v1beta2 (x.yaml:5)',
  ])
  t.same(
    read(text).rejected.map(({ kind, key }) => `${kind} ${key}`),
    ['BGPPeer metallb-system/p'],
  )
  t.equal(read(text).whole, true)
})

t.test('a forgotten line between two objects', async t => {
  const pool = (name: string): string =>
    `apiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata:\n  name: ${name}\nspec: {addresses: []}\n`
  t.same(said(pool('a') + pool('b')), [
    'File x.yaml: in IPAddressPool b: apiVersion stands twice in one mapping; is the line "---" missing between two objects? (x.yaml:6)',
  ])
  t.same(said('apiVersion: v1\nkind: Service\nmetadata: {name: a, name: b}'), [
    'File x.yaml: in Service b: name stands twice in one mapping (x.yaml:3)',
  ])
})
