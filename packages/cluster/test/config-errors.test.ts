import t from 'tap'
import { buildConfig, formatConfigError, type KubernetesObject } from '@typemetal/cluster'
import { badOperator, errorsOf, rack, selector, table, twice } from './config-table.js'
import { bfd, bgp, community, configMap, l2, NAMESPACE, namespace, node, peer, pool, resources } from './objects.js'

table('pools', [
  ['valid', [pool('a', ['10.0.0.0/24', '10.0.1.1-10.0.1.9', 'fd00::/64'])]],
  ['no addresses', [pool('a', [])], 'IPAddressPool a: spec.addresses: pool has no prefixes defined'],
  ['addresses absent', [pool('a', {})], 'IPAddressPool a: spec.addresses: pool has no prefixes defined'],
  [
    'every bad item is named',
    [pool('a', ['10.0.0.0/33', '10.0.0.1', ' 10.0.0.0/24', '', '10.0.0.9-10.0.0.1', '10.0.0.1-fd00::1'])],
    'IPAddressPool a: spec.addresses[0]: invalid CIDR "10.0.0.0/33" in pool "a"',
    'IPAddressPool a: spec.addresses[1]: invalid CIDR "10.0.0.1" in pool "a": a single address needs its length, /32 or /128',
    'IPAddressPool a: spec.addresses[2]: invalid CIDR " 10.0.0.0/24" in pool "a": blanks around it',
    'IPAddressPool a: spec.addresses[3]: invalid CIDR "" in pool "a"',
    'IPAddressPool a: spec.addresses[4]: invalid CIDR "10.0.0.9-10.0.0.1" in pool "a": invalid IP range "10.0.0.9-10.0.0.1": start IP "10.0.0.9" is after the end IP "10.0.0.1"',
    'IPAddressPool a: spec.addresses[5]: invalid CIDR "10.0.0.1-fd00::1" in pool "a": invalid IP range "10.0.0.1-fd00::1": start IP and end IP are of different families',
  ],
  [
    'two of one name',
    [pool('a', ['10.0.0.0/24']), pool('a', ['10.0.1.0/24'])],
    'IPAddressPool a: metadata.name: duplicate definition of IPAddressPool "a"',
  ],
  [
    'overlap in one pool and between pools',
    [
      pool('b', ['10.0.0.63-10.0.0.66']),
      pool('a', ['10.0.0.0/24', '10.0.0.7/32', 'fd00::/64']),
      pool('c', ['fd00::9-fd00::9']),
    ],
    'IPAddressPool a: spec.addresses[1]: CIDR "10.0.0.7/32" in pool "a" overlaps with already defined CIDR "10.0.0.0/24" of pool "a"',
    'IPAddressPool b: spec.addresses[0]: CIDR "10.0.0.63/32" in pool "b" overlaps with already defined CIDR "10.0.0.0/24" of pool "a"',
    'IPAddressPool c: spec.addresses[0]: CIDR "fd00::9/128" in pool "c" overlaps with already defined CIDR "fd00::/64" of pool "a"',
  ],
  [
    'a later, larger block overlaps as well',
    [pool('a', ['10.0.0.7/32']), pool('b', ['10.0.0.0/8'])],
    'IPAddressPool b: spec.addresses[0]: CIDR "10.0.0.0/8" in pool "b" overlaps with already defined CIDR "10.0.0.7/32" of pool "a"',
  ],
  ['neighbours do not overlap', [pool('a', ['10.0.0.0/25']), pool('b', ['10.0.0.128/25', '::/0'])]],
  [
    'serviceAllocation: duplicates',
    [
      pool('a', {
        addresses: ['10.0.0.0/24'],
        serviceAllocation: { namespaces: ['x', 'y', 'x'], namespaceSelectors: twice, serviceSelectors: twice },
      }),
    ],
    'IPAddressPool a: spec.serviceAllocation.namespaces[2]: duplicate definition of namespaces field: "x"',
    'IPAddressPool a: spec.serviceAllocation.namespaceSelectors[1]: duplicate definition of namespaceSelectors "a=1"',
    'IPAddressPool a: spec.serviceAllocation.serviceSelectors[1]: duplicate definition of serviceSelectors "a=1"',
  ],
  [
    'decision 4: serviceAllocation with malformed selectors',
    [
      pool('a', {
        addresses: ['10.0.0.0/24'],
        serviceAllocation: { namespaceSelectors: [selector('is', 'x')], serviceSelectors: [selector('In')] },
      }),
    ],
    `IPAddressPool a: spec.serviceAllocation.namespaceSelectors[0].matchExpressions[0].operator: invalid namespace label selector: "is" ${badOperator}`,
    'IPAddressPool a: spec.serviceAllocation.serviceSelectors[0].matchExpressions[0].values: invalid service label selector: values must not be empty when operator is In',
  ],
])

table('schema: types, unknown fields, and nothing that follows from them', [
  [
    'types',
    [
      pool('a', {
        addresses: ['10.0.0.0/24', 5],
        autoAssign: 'yes',
        serviceAllocation: { priority: 1.5, namespaces: 'x' },
      }),
    ],
    'IPAddressPool a: spec.addresses[1]: must be a text, not 5',
    'IPAddressPool a: spec.autoAssign: must be true or false, not the text "yes"',
    'IPAddressPool a: spec.serviceAllocation.priority: must be a whole number, not 1.5',
    'IPAddressPool a: spec.serviceAllocation.namespaces: must be a list, not the text "x"',
  ],
  [
    'unknown fields, with what may have been meant',
    [pool('a', { addresses: ['10.0.0.0/24'], autoAsign: true, adresses: [], protocol: 'layer2', priority: 5 })],
    'IPAddressPool a: spec.autoAsign: unknown field; did you mean spec.autoAssign?',
    'IPAddressPool a: spec.adresses: unknown field; did you mean spec.addresses?',
    'IPAddressPool a: spec.protocol: unknown field; there are addresses, autoAssign, avoidBuggyIPs, serviceAllocation',
    'IPAddressPool a: spec.priority: unknown field; did you mean spec.serviceAllocation.priority?',
  ],
  [
    'a field beside spec',
    [{ ...pool('a', ['10.0.0.0/24']), autoAssign: false } as KubernetesObject],
    'IPAddressPool a: autoAssign: unknown field; did you mean spec.autoAssign?',
  ],
  [
    'null counts as absent, as in Kubernetes',
    [pool('a', { addresses: ['10.0.0.0/24'], serviceAllocation: null, autoAssign: null })],
  ],
  [
    'null in a list does not',
    [pool('a', ['10.0.0.0/24', null])],
    'IPAddressPool a: spec.addresses[1]: must be a text, not null',
  ],
  [
    'a bigint is a whole number',
    [peer('p', { peerASN: 2n ** 64n })],
    'BGPPeer p: spec.peerASN: invalid value 18446744073709551616, must be in 0-4294967295 range',
  ],
  [
    'passwords are not shown',
    [peer('p', { password: 12345 })],
    'BGPPeer p: spec.password: must be a text, not what is there',
  ],
  [
    'selectors that are no selectors',
    [
      l2('l', {
        nodeSelectors: [{ matchExpressions: [{ operator: 'In' }] }, 'x'],
        preferredNodeSelectors: [{ weight: 101, preference: {} }, {}],
      }),
    ],
    'L2Advertisement l: spec.nodeSelectors[0].matchExpressions[0].key: missing required field',
    'L2Advertisement l: spec.nodeSelectors[1]: must be a mapping, not the text "x"',
    'L2Advertisement l: spec.preferredNodeSelectors[0].weight: invalid value 101, must be in 1-100 range',
    'L2Advertisement l: spec.preferredNodeSelectors[1].weight: missing required field',
    'L2Advertisement l: spec.preferredNodeSelectors[1].preference: missing required field',
  ],
  [
    '4.1: BFD profile ranges',
    [bfd('b', { receiveInterval: 9, transmitInterval: 60_001, detectMultiplier: 1, echoInterval: 0, minimumTtl: 255 })],
    'BFDProfile b: spec.receiveInterval: invalid value 9, must be in 10-60000 range',
    'BFDProfile b: spec.transmitInterval: invalid value 60001, must be in 10-60000 range',
    'BFDProfile b: spec.detectMultiplier: invalid value 1, must be in 2-255 range',
    'BFDProfile b: spec.echoInterval: invalid value 0, must be in 10-60000 range',
    'BFDProfile b: spec.minimumTtl: invalid value 255, must be in 1-254 range',
  ],
  [
    '4.1: two profiles of one name, or without one',
    [bfd('b'), bfd('b'), bfd('')],
    'BFDProfile : metadata.name: missing BFDProfile name',
    'BFDProfile b: metadata.name: duplicate definition of BFDProfile "b"',
  ],
])

t.test('decision 7: bgpextras is refused', async t => {
  t.match(errorsOf([configMap('bgpextras', { extras: 'neighbor x' })], 'speaker'), [
    /ConfigMap bgpextras: data.extras: bgp extra info is not supported/,
  ])
  t.same(errorsOf([configMap('bgpextras', { extras: '' }), configMap('other', { extras: 'x' })], 'speaker'), [])
  t.same(errorsOf([configMap('bgpextras', { extras: 'x' })], 'controller'), [])
})

t.test('objects of other namespaces', async t => {
  const elsewhere: KubernetesObject = { ...pool('a', ['x']), metadata: { name: 'a', namespace: 'default' } }
  t.same(errorsOf([elsewhere]), [
    'IPAddressPool default/a: metadata.namespace: resource must be created in metallb-system namespace',
  ])
  t.same(errorsOf([elsewhere], 'controller'), [], 'are invisible to a running component')
})

t.test('the controller looks at pools, communities and namespaces only', async t => {
  const broken = [
    peer('p', { myASN: 0 }),
    l2('l', { ipAddressPools: ['a', 'a'] }),
    bgp('b', { aggregationLength: 33 }),
    bfd('x', { echoMode: 1 }),
  ]
  t.same(errorsOf(broken, 'controller'), [])
  t.equal(errorsOf(broken, 'validate').length, 4)
  t.equal(errorsOf([community('c', { x: 'y' }), pool('a', [])], 'controller').length, 2)
})

t.test('a speaker looks at the peers and BGP advertisements of its node', async t => {
  const nodes = [node('n1', { rack: '1' }), node('n2', { rack: '2' })]
  const onRack = (n: string): readonly KubernetesObject[] => [
    peer('p', { myASN: 0, ...rack(n) }),
    bgp('b', { aggregationLength: 33, ...rack(n) }),
  ]
  t.equal(errorsOf([...nodes, ...onRack('1')], 'speaker').length, 2)
  t.same(errorsOf([...nodes, ...onRack('2')], 'speaker'), [])
  t.same(errorsOf(onRack('1'), 'speaker'), [], 'a node that does not exist is concerned by none')
  t.equal(
    errorsOf([...nodes, l2('l', { ipAddressPools: ['a', 'a'], ...rack('2') })], 'speaker').length,
    1,
    'all L2Advertisements: the election needs them',
  )
  const malformed = [{ matchLabels: { rack: '2' } }, { matchExpressions: [{ key: 'a', operator: 'is' }] }]
  t.match(
    errorsOf([...nodes, peer('p', { nodeSelectors: malformed })], 'speaker'),
    [/BGPPeer p: spec.nodeSelectors\[1\]/],
    'decision 4: who is meant cannot be told',
  )
  t.equal(errorsOf([...nodes, peer('p', { nodeSelectors: 'x' })], 'speaker').length, 1)
  t.equal(errorsOf([...nodes, bgp('b', { nodeSelectors: [{ matchExpressions: 'x' }] })], 'speaker').length, 1)
})

t.test('what could not be read, and where things were read from', async t => {
  const fault = { kind: 'File', name: 'x.yaml', field: '', reason: 'broken', file: 'x.yaml', line: 3 }
  const { errors } = buildConfig(
    {
      ...resources(pool('a', ['x']), namespace('n')),
      faults: [fault],
      origin: (kind, key, field) => ({ file: `${kind} ${key}`, line: (field ?? '').length }),
    },
    { component: 'controller', namespace: NAMESPACE },
  )
  t.same(errors?.map(formatConfigError), [
    'File x.yaml: broken (x.yaml:3)',
    'IPAddressPool metallb-system/a: spec.addresses[0]: invalid CIDR "x" in pool "a" (IPAddressPool metallb-system/a:17)',
  ])
})

t.test('what an object still to come may heal is marked', async t => {
  const { errors } = buildConfig(
    resources(
      peer('p', { bfdProfile: 'x', passwordSecret: { name: 's' } }),
      bgp('b', { communities: ['later', '1:99999'] }),
    ),
    { component: 'validate', namespace: NAMESPACE },
  )
  t.same(
    errors?.map(({ field, transient }) => [field, transient ?? false]),
    [
      ['spec.bfdProfile', true],
      ['spec.passwordSecret.name', true],
      ['spec.communities[0]', true],
      ['spec.communities[1]', false],
    ],
  )
})
