/** MetalLB's rules, one by one, that the tables of config-errors and config-bgp-errors do not name: addresses, selectors, names. */
import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import t from 'tap'
import {
  buildConfig,
  DEFINITIONS,
  formatConfigError,
  type KubernetesObject,
  type ResourceDefinition,
  summarizeConfigErrors,
} from '@typemetal/cluster'
import { arbitraryOf } from './arbitrary-object.js'
import { badOperator, errorsOf, type Row, selector, table, twice } from './config-table.js'
import { bfd, bgp, community, configMap, l2, namespace, node, peer, pool, resources, secret } from './objects.js'

const refusedItem = (item: string, reason = ''): Row => [
  `item ${JSON.stringify(item)}`,
  [pool('a', [item])],
  `IPAddressPool a: spec.addresses[0]: invalid CIDR "${item}" in pool "a"${reason}`,
]
const badRange = (item: string, reason: string): Row => refusedItem(item, `: invalid IP range "${item}": ${reason}`)

table('addresses: IP literals as net.ParseIP, CIDRs as net.ParseCIDR, ranges split at the first dash', [
  ['a range of one address', [pool('a', ['10.0.0.1-10.0.0.1'])]],
  ['blanks around the dash', [pool('a', ['10.0.0.1 - 10.0.0.9'])]],
  ['host bits set', [pool('a', ['10.20.30.40/24'])]],
  ['IPv4-mapped literals are IPv4', [pool('a', ['::ffff:10.0.0.1-10.0.0.9'])]],
  refusedItem('010.0.0.0/24'),
  refusedItem('10.0.0/24'),
  refusedItem('fe80::%eth0/64'),
  refusedItem('10.0.0.0/24/24'),
  refusedItem('10.0.0.0/-1', ': invalid IP range "10.0.0.0/-1": invalid start IP "10.0.0.0/"'),
  refusedItem('10.0.0.1', ': a single address needs its length, /32 or /128'),
  refusedItem('fd00::1', ': a single address needs its length, /32 or /128'),
  refusedItem('10.0.0.0/24 ', ': blanks around it'),
  badRange('-10.0.0.9', 'invalid start IP ""'),
  badRange('10.0.0.1-', 'invalid end IP ""'),
  badRange('10.0.0.1-9', 'invalid end IP "9"'),
  badRange('10.0.0.1-10.0.0.5-10.0.0.9', 'invalid end IP "10.0.0.5-10.0.0.9"'),
  badRange('10.0.0.2-10.0.0.1', 'start IP "10.0.0.2" is after the end IP "10.0.0.1"'),
  // MetalLB takes this one for an empty list, and may fall over it later.
  badRange('10.0.0.1-fd00::1', 'start IP and end IP are of different families'),
  badRange('::1-10.0.0.1', 'start IP and end IP are of different families'),
])

const overlapping = (at: string, cidr: string, of: string, defined: string, by: string): string =>
  `IPAddressPool ${of}: spec.addresses[${at}]: CIDR "${cidr}" in pool "${of}" overlaps with already defined CIDR "${defined}" of pool "${by}"`

table('overlap: equal, containing, contained; in one pool and between pools; never between families', [
  [
    'equal in one pool',
    [pool('a', ['10.0.0.0/24', '10.0.0.0/24'])],
    overlapping('1', '10.0.0.0/24', 'a', '10.0.0.0/24', 'a'),
  ],
  [
    'a CIDR inside a CIDR of another pool',
    [pool('a', ['10.0.0.0/8']), pool('b', ['10.1.0.0/16'])],
    overlapping('0', '10.1.0.0/16', 'b', '10.0.0.0/8', 'a'),
  ],
  [
    'a CIDR around a range of another pool',
    [pool('a', ['10.0.0.5-10.0.0.5']), pool('b', ['10.0.0.0/29'])],
    overlapping('0', '10.0.0.0/29', 'b', '10.0.0.5/32', 'a'),
  ],
  ['neighbours, and the same numbers in another family', [pool('a', ['0.0.0.0/0']), pool('b', ['::/0'])]],
  ['nodes and pod networks are nobody’s pool', [pool('a', ['10.0.0.0/8']), node('n1')]],
])

const keyFault = (path: string, key: string): string => `${path}: "${key}" is not a valid label key`
const L = 'L2Advertisement l: spec.nodeSelectors[0]'
const nodes = (...selectors: object[]): readonly KubernetesObject[] => [l2('l', { nodeSelectors: selectors })]
const expression = (key: string, operator: string, values?: readonly string[]): object => ({
  matchExpressions: [{ key, operator, ...(values && { values }) }],
})

table('selectors: the standard rules of Kubernetes', [
  [
    'all operators',
    nodes({
      matchLabels: { 'example.org/a': '', b: 'B_1.x-y' },
      matchExpressions: [
        { key: 'c', operator: 'In', values: ['1', '2'] },
        { key: 'c', operator: 'NotIn', values: ['1'] },
        { key: 'c', operator: 'Exists' },
        { key: 'c', operator: 'DoesNotExist', values: [] },
      ],
    }),
  ],
  [
    'an operator is written exactly',
    nodes(selector('in', '1')),
    `${L}.matchExpressions[0].operator: "in" ${badOperator}`,
  ],
  [
    'In without values',
    nodes(selector('In')),
    `${L}.matchExpressions[0].values: values must not be empty when operator is In`,
  ],
  [
    'NotIn without values',
    nodes(selector('NotIn')),
    `${L}.matchExpressions[0].values: values must not be empty when operator is NotIn`,
  ],
  [
    'Exists with values',
    nodes(selector('Exists', '1')),
    `${L}.matchExpressions[0].values: values must be empty when operator is Exists`,
  ],
  [
    'DoesNotExist with values',
    nodes(selector('DoesNotExist', '1')),
    `${L}.matchExpressions[0].values: values must be empty when operator is DoesNotExist`,
  ],
  ['an empty key', nodes(expression('', 'Exists')), keyFault(`${L}.matchExpressions[0].key`, '')],
  [
    'a missing key',
    nodes({ matchExpressions: [{ operator: 'Exists' }] }),
    `${L}.matchExpressions[0].key: missing required field`,
  ],
  ['a key with blanks', nodes({ matchLabels: { 'a b': '1' } }), keyFault(`${L}.matchLabels`, 'a b')],
  ['a prefix in upper case', nodes({ matchLabels: { 'Example/a': '1' } }), keyFault(`${L}.matchLabels`, 'Example/a')],
  [
    'a name of 64 letters',
    nodes(expression('x'.repeat(64), 'Exists')),
    keyFault(`${L}.matchExpressions[0].key`, 'x'.repeat(64)),
  ],
  [
    'a value with blanks',
    nodes({ matchLabels: { a: 'b c' } }),
    `${L}.matchLabels[a]: "b c" is not a valid label value`,
  ],
  [
    'a value among values',
    nodes(selector('In', 'fine', '-')),
    `${L}.matchExpressions[0].values[1]: "-" is not a valid label value`,
  ],
])

const inOne = (...expressions: readonly (readonly string[])[]): object => ({
  matchExpressions: expressions.map(values => ({ key: 'a', operator: 'In', values })),
})
table('selectors: what is said twice', [
  [
    'a value in one expression',
    nodes(inOne(['x', 'y', 'x'])),
    `${L}.matchExpressions[0].values[2]: duplicate definition of match expression value in label selector "x"`,
  ],
  [
    'an expression in one selector, values in any order',
    nodes(inOne(['x', 'y'], ['y', 'x'])),
    `${L}.matchExpressions[1]: duplicate definition of match expressions "a in (x,y)"`,
  ],
  [
    'a selector in the list, labels in any order',
    nodes({ matchLabels: { a: '1', b: '2' } }, { matchLabels: { b: '2', a: '1' } }),
    'L2Advertisement l: spec.nodeSelectors[1]: duplicate definition of nodeSelectors "a=1,b=2"',
  ],
  ['expressions in another order are another selector', nodes(inOne(['x'], ['y']), inOne(['y'], ['x']))],
  [
    'in every list of a BGPAdvertisement',
    [
      bgp('b', {
        ipAddressPoolSelectors: twice,
        nodeSelectors: twice,
        serviceSelectors: twice,
        communities: ['1:1', '1:1'],
      }),
    ],
    'BGPAdvertisement b: spec.ipAddressPoolSelectors[1]: duplicate definition of ipAddressPoolSelectors "a=1"',
    'BGPAdvertisement b: spec.nodeSelectors[1]: duplicate definition of nodeSelectors "a=1"',
    'BGPAdvertisement b: spec.serviceSelectors[1]: duplicate definition of serviceSelectors "a=1"',
    'BGPAdvertisement b: spec.communities[1]: duplicate definition of community "1:1"',
  ],
])

table('selectors that cannot be understood are faults of their object, wherever they stand', [
  [
    'an L2Advertisement',
    [
      l2('l', {
        ipAddressPoolSelectors: [selector('is')],
        nodeSelectors: [selector('is')],
        serviceSelectors: [selector('is')],
        preferredNodeSelectors: [{ weight: 1, preference: selector('is') }],
      }),
    ],
    ...[
      'ipAddressPoolSelectors[0]',
      'nodeSelectors[0]',
      'serviceSelectors[0]',
      'preferredNodeSelectors[0].preference',
    ].map(path => `L2Advertisement l: spec.${path}.matchExpressions[0].operator: "is" ${badOperator}`),
  ],
  [
    'a BGPAdvertisement',
    [
      bgp('b', {
        ipAddressPoolSelectors: [selector('is')],
        nodeSelectors: [selector('is')],
        serviceSelectors: [selector('is')],
      }),
    ],
    ...['ipAddressPoolSelectors', 'nodeSelectors', 'serviceSelectors'].map(
      path => `BGPAdvertisement b: spec.${path}[0].matchExpressions[0].operator: "is" ${badOperator}`,
    ),
  ],
])

const KINDS = [
  ['IPAddressPool', pool('x', ['10.0.0.0/24'])],
  ['L2Advertisement', l2('x')],
  ['BGPAdvertisement', bgp('x')],
  ['BGPPeer', peer('x')],
  ['BFDProfile', bfd('x')],
  ['Community', community('x', {})],
] as const

table('names: every object has one, and one of its own', [
  ...KINDS.map(([kind, object]): Row => {
    const nameless = { ...object, metadata: { ...object.metadata, name: '' } }
    return [`${kind} without a name`, [nameless], `${kind} : metadata.name: missing ${kind} name`]
  }),
  ...KINDS.map(([kind, object]): Row => [
    `two of one name: ${kind}`,
    [object, object],
    `${kind} x: metadata.name: duplicate definition of ${kind} "x"`,
  ]),
])

table('a version that a kind does not have', [
  [
    'of a pool',
    [{ ...pool('a', ['x']), apiVersion: 'metallb.io/v1' }],
    'IPAddressPool a: apiVersion: is "metallb.io/v1", must be metallb.io/v1beta1',
  ],
  [
    'of a peer',
    [{ ...peer('p', { myASN: 0 }), apiVersion: 'metallb.io/v1' }],
    'BGPPeer p: apiVersion: is "metallb.io/v1", must be metallb.io/v1beta2 or metallb.io/v1beta1',
  ],
])

t.test('all that is wrong is said at once, in the order of kinds and names', async t => {
  const errors = errorsOf([
    configMap('bgpextras', { extras: 'x' }),
    secret('s', { type: 'Opaque' }),
    namespace('n'),
    pool('b', ['10.0.0.0/24', 'x']),
    pool('a', ['10.0.0.0/25'], {}),
    l2('l', { ipAddressPools: ['a', 'a'], interface: 'eth0' }),
    bgp('b', { aggregationLength: 8, communities: ['1:x'], serviceSelectors: [{}] }),
    peer('p', { myASN: 0, peerAddress: 'x', passwordSecret: { name: 's' }, bfdProfile: 'none' }),
    bfd('f', { echoInterval: 1 }),
    community('c', { x: '1' }),
  ])
  t.same(
    errors.map(error => error.split(': ').slice(0, 2).join(' ')),
    [
      'L2Advertisement l spec.interface',
      'BGPAdvertisement b spec',
      'BFDProfile f spec.echoInterval',
      'ConfigMap bgpextras data.extras',
      'BGPPeer p spec.myASN',
      'BGPPeer p spec.bfdProfile',
      'BGPPeer p spec.peerAddress',
      'BGPPeer p spec.passwordSecret.name',
      'Community c spec.communities[0].value',
      'IPAddressPool b spec.addresses[1]',
      'IPAddressPool b spec.addresses[0]',
      'L2Advertisement l spec.ipAddressPools[1]',
      'BGPAdvertisement b spec.communities[0]',
      'BGPAdvertisement b spec.aggregationLength',
      'BGPAdvertisement b spec.aggregationLength',
    ],
  )
})

t.test('hostile texts do not fill logs and statuses', async t => {
  const long = 'x'.repeat(1_000_000)
  const [address, field] = errorsOf([pool('a', { addresses: [long], [long]: 1 })])
  t.ok((address ?? '').length < 1500 && (field ?? '').length < 1500)
  t.match(errorsOf([pool('a', [long])]), [/^IPAddressPool a: spec.addresses\[0\]: invalid CIDR "x{900,}…$/])
})

t.test('many errors are summed up', async t => {
  const errors = Array.from({ length: 3000 }, (_, i) => ({ kind: 'A', name: `n${i}`, field: '', reason: 'is bad' }))
  t.equal(summarizeConfigErrors([]), '')
  t.equal(summarizeConfigErrors(errors.slice(0, 2)), 'A n0: is bad\nA n1: is bad')
  t.equal(summarizeConfigErrors(errors.slice(0, 2), 25), 'A n0: is bad\nA n1: is bad', 'to the last character')
  t.equal(summarizeConfigErrors(errors.slice(0, 2), 24), 'A n0: is bad\nand 1 more')
  t.equal(summarizeConfigErrors(errors.slice(0, 2), 12), 'and 2 more')
  const text = summarizeConfigErrors(errors)
  t.ok(text.length <= 32_000 && text.length > 31_900)
  const shown = text.split('\n').length - 1
  t.ok(text.endsWith(`\nand ${3000 - shown} more`))
})

t.test('property: whatever objects contain, there is a configuration or a reason', async () => {
  const heads = [...KINDS.map(([, object]) => object), { ...peer('x'), apiVersion: 'metallb.io/v1beta1' }]
  const anySpec = fc.oneof(
    fc.anything({ maxDepth: 3 }),
    ...Object.values<ResourceDefinition>(DEFINITIONS).map(({ versions: [{ spec }] }) =>
      arbitraryOf(spec ?? { type: 'object' }),
    ),
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom(...heads), anySpec), { maxLength: 4 }), drawn => {
      const objects = drawn.map(([head, spec], i) => Object.assign({ ...head, metadata: { name: `x${i}` } }, { spec }))
      for (const component of ['controller', 'speaker', 'validate'] as const) {
        const { config, errors } = buildConfig(resources(...objects, node('n1')), {
          component,
          node: 'n1',
          namespace: 'metallb-system',
        })
        assert.equal(config === undefined, (errors?.length ?? 0) > 0)
        for (const error of errors ?? []) assert.ok(error.reason !== '' && error.name !== '', formatConfigError(error))
      }
    }),
    { numRuns: 500 },
  )
})
