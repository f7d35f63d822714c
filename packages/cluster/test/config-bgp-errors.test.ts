import type { KubernetesObject } from '@typemetal/cluster'
import { badOperator, rack, type Row, selector, table, twice } from './config-table.js'
import { bfd, bgp, community, l2, node, peer, pool, secret } from './objects.js'

table('peers', [
  [
    'valid',
    [
      peer('p'),
      peer('q', {
        peerAddress: 'fd00::1',
        holdTime: '90s',
        keepaliveTime: '30s',
        connectTime: '5s',
        routerID: '1.2.3.4',
      }),
    ],
  ],
  ['1: myASN 0', [peer('p', { myASN: 0 })], 'BGPPeer p: spec.myASN: missing local ASN'],
  ['1: myASN absent', [peer('p', { myASN: undefined })], 'BGPPeer p: spec.myASN: missing local ASN'],
  ['2: no peer ASN', [peer('p', { peerASN: 0 })], 'BGPPeer p: spec.peerASN: missing peer ASN and dynamicASN'],
  [
    '3: both',
    [peer('p', { dynamicASN: 'external' })],
    'BGPPeer p: spec.dynamicASN: both peer ASN and dynamicASN specified',
  ],
  [
    '4: unknown dynamicASN, and nothing else about it',
    [peer('p', { peerASN: undefined, dynamicASN: 'any' })],
    'BGPPeer p: spec.dynamicASN: invalid dynamicASN "any": must be internal or external',
  ],
  [
    '5: ebgpMultiHop with an internal peer',
    [peer('p', { peerASN: 64512, ebgpMultiHop: true })],
    'BGPPeer p: spec.ebgpMultiHop: invalid ebgp-multihop parameter set for an ibgp peer',
  ],
  [
    '6: neither address nor interface',
    [peer('p', { peerAddress: undefined })],
    'BGPPeer p: spec.peerAddress: peer has no Address or Interface specified',
  ],
  [
    '6: both',
    [peer('p', { interface: 'eth0' })],
    'BGPPeer p: spec.interface: peer has both Address and Interface specified',
  ],
  [
    '8: addresses',
    [peer('p', { peerAddress: '10.0.0.256', sourceAddress: 'here', routerID: 'x' }), peer('q', { routerID: '::1' })],
    'BGPPeer p: spec.peerAddress: invalid BGPPeer address "10.0.0.256"',
    'BGPPeer p: spec.sourceAddress: invalid source IP "here"',
    'BGPPeer p: spec.routerID: invalid router ID "x": must be written as an IPv4 address',
    'BGPPeer q: spec.routerID: invalid router ID "::1": must be written as an IPv4 address',
  ],
  [
    '9: node selectors, doubled',
    [peer('p', { nodeSelectors: twice })],
    'BGPPeer p: spec.nodeSelectors[1]: duplicate definition of nodeSelectors "a=1"',
  ],
  [
    '9: node selectors, malformed',
    [peer('p', { nodeSelectors: [selector('is', 'x')] })],
    `BGPPeer p: spec.nodeSelectors[0].matchExpressions[0].operator: "is" ${badOperator}`,
  ],
  [
    '10: password and passwordSecret',
    [peer('p', { password: 'x', passwordSecret: { name: 's' } }), secret('s', { stringData: { password: 'x' } })],
    'BGPPeer p: spec.passwordSecret: can not have both password and secret ref set in peer config "metallb-system"/"p"',
  ],
  [
    '11: no Secret, wrong type, no password',
    [
      peer('p', { passwordSecret: { name: 'none' } }),
      peer('q', { peerPort: 1, passwordSecret: { name: 'typed' } }),
      peer('r', { peerPort: 2, passwordSecret: { name: 'empty' } }),
      secret('typed', { type: 'Opaque' }),
      secret('empty', {}),
    ],
    'BGPPeer p: spec.passwordSecret.name: secret ref not found for peer config "metallb-system"/"p": there is no Secret "none": failed to parse peer p password secret',
    'BGPPeer q: spec.passwordSecret.name: secret type mismatch on "metallb-system"/"typed", type "kubernetes.io/basic-auth" is expected: failed to parse peer q password secret',
    'BGPPeer r: spec.passwordSecret.name: password not specified in the secret "metallb-system"/"empty": failed to parse peer r password secret',
  ],
  [
    '12: unknown BFD profile',
    [peer('p', { bfdProfile: 'fast' })],
    'BGPPeer p: spec.bfdProfile: peer p referencing non existing bfd profile fast',
  ],
  [
    '12: a BFD profile with faults is there all the same',
    [peer('p', { bfdProfile: 'fast' }), bfd('fast', { echoMode: 'on' })],
    'BFDProfile fast: spec.echoMode: must be true or false, not the text "on"',
  ],
  [
    'schema ranges',
    [peer('p', { peerPort: 16_385, localASN: 0 })],
    'BGPPeer p: spec.localASN: invalid value 0, must be in 1-4294967295 range',
    'BGPPeer p: spec.peerPort: invalid value 16385, must be in 1-16384 range',
  ],
])

const hold = (text: string): string =>
  `BGPPeer p: spec.holdTime: invalid BGPPeer timers: invalid hold time "${text}": must be 0 or >=3s`
const keep = (keepalive: string, text: string): string =>
  `BGPPeer p: spec.keepaliveTime: invalid keepaliveTime "${keepalive}", must be lower than holdTime "${text}"`
const timers = (holdTime: string | undefined, keepaliveTime?: string): readonly KubernetesObject[] => [
  peer('p', { holdTime, keepaliveTime }),
]
const connect = (text: string, reason: string): Row => [
  `connectTime ${text}`,
  [peer('p', { connectTime: text })],
  `BGPPeer p: spec.connectTime: invalid value "${text}": ${reason}`,
]
const CONNECT_RANGE = 'connectTime must be a duration from 1s to 65535s, such as 90s or 1m30s'

table('timers', [
  ['0 turns the hold timer off', timers('0s')],
  ['500ms counts as 0', timers('500ms')],
  ['2.9s', timers('2.9s'), hold('2.9s')],
  ['3s', timers('3s')],
  ['negative', timers('-90s'), hold('-90s'), keep('-30', '-90s')],
  ['keepalive equal to hold', timers('30s', '30s')],
  ['keepalive above hold', timers('30s', '31s'), keep('31s', '30s')],
  ['keepalive with hold 0', timers('0s', '1s'), keep('1s', '0s')],
  ['keepalive alone gives hold', timers(undefined, '1s')],
  [
    'keepalive alone, too short',
    timers(undefined, '900ms'),
    'BGPPeer p: spec.keepaliveTime: invalid BGPPeer timers: invalid hold time "2.7s": must be 0 or >=3s',
  ],
  [
    'no durations',
    timers('90', 'x'),
    'BGPPeer p: spec.holdTime: invalid duration "90", must be like 90s or 1m30s',
    'BGPPeer p: spec.keepaliveTime: invalid duration "x", must be like 90s or 1m30s',
  ],
  ['connectTime 1s and 65535s', [peer('p', { connectTime: '1s' }), peer('q', { peerPort: 1, connectTime: '65535s' })]],
  connect('0s', CONNECT_RANGE),
  connect('65536s', CONNECT_RANGE),
  connect('90', CONNECT_RANGE),
  connect('1.5s', 'connectTime must be a whole number of seconds'),
])

table('decision 3: two peers that are one session on one node', [
  [
    'same address on all nodes',
    [peer('p'), peer('q', { myASN: 1 })],
    'BGPPeer q: spec.peerAddress: peer 10.10.0.1 already exists as "p", duplicate BGPPeers selecting the same node are not supported',
  ],
  [
    'same address, written otherwise',
    [peer('p', { peerAddress: 'fd00::1' }), peer('q', { peerAddress: 'FD00:0::1', vrf: '' })],
    'BGPPeer q: spec.peerAddress: peer fd00::1 already exists as "p", duplicate BGPPeers selecting the same node are not supported',
  ],
  [
    'same interface and VRF',
    [
      peer('p', { peerAddress: '', interface: 'eth0', vrf: 'red' }),
      peer('q', { peerAddress: '', interface: 'eth0', vrf: 'red' }),
    ],
    'BGPPeer q: spec.interface: peer eth0-red already exists as "p", duplicate BGPPeers selecting the same node are not supported',
  ],
  ['another port, another VRF', [peer('p'), peer('q', { peerPort: 1179 }), peer('r', { vrf: 'red' })]],
  [
    'another routerID or myASN is fine',
    [peer('p', { routerID: '1.1.1.1' }), peer('q', { peerAddress: '10.10.0.2', routerID: '2.2.2.2', myASN: 5 })],
  ],
  [
    'on different nodes',
    [
      node('n1', { rack: '1' }),
      node('n2', { rack: '2' }),
      peer('p', { nodeSelectors: [{ matchLabels: { rack: '1' } }] }),
      peer('q', { nodeSelectors: [{ matchLabels: { rack: '2' } }] }),
    ],
  ],
  [
    'on a node that both select',
    [node('n1', { rack: '1' }), peer('p', { nodeSelectors: [{ matchLabels: { rack: '1' } }] }), peer('q')],
    'BGPPeer q: spec.peerAddress: peer 10.10.0.1 already exists as "p", duplicate BGPPeers selecting the same node are not supported',
  ],
])

const advertised = (...communities: string[]): readonly KubernetesObject[] => [bgp('b', { communities })]
const bad = (text: string, reason: string): string =>
  `BGPAdvertisement b: spec.communities[0]: invalid community "${text}" in BGP advertisement: ${reason}`
const section = (part: string, text: string, most = 65_535): string =>
  `invalid community value: invalid section "${part}" of community "${text}", must be in 0-${most} range`

table('communities', [
  ['valid', advertised('0:0', '65535:65535', '064512:1', 'large:1:2:4294967295')],
  ['too large', advertised('65536:1'), bad('65536:1', section('65536', '65536:1'))],
  ['empty part', advertised(':1'), bad(':1', section('', ':1'))],
  ['sign', advertised('+1:1'), bad('+1:1', section('+1', '+1:1'))],
  [
    'large, too large',
    advertised('large:1:2:4294967296'),
    bad('large:1:2:4294967296', section('4294967296', 'large:1:2:4294967296', 4_294_967_295)),
  ],
  [
    'four parts without marker',
    advertised('1:2:3:4'),
    bad('1:2:3:4', 'invalid community value: invalid marker for large community, expected "large" but got "1"'),
  ],
  ['three parts', advertised('1:2:3'), bad('1:2:3', 'invalid community format: 1:2:3')],
  ['unknown name', advertised('no-export'), bad('no-export', 'invalid community format: no-export')],
  ['known name', [...advertised('no-export'), community('c', { 'no-export': '65535:65281' })]],
  [
    'a bad value is reported where it is',
    [...advertised('x'), community('c', { x: '1:2:3' })],
    'Community c: spec.communities[0].value: parsing community "x": invalid community format: 1:2:3',
  ],
  [
    'a name may not point to a name',
    [community('c', { x: '1:1', y: 'x' })],
    'Community c: spec.communities[1].value: parsing community "y": invalid community format: x',
  ],
  [
    'names are unique over all objects',
    [community('c', { x: '1:1' }), community('d', { x: '1:2' })],
    'Community d: spec.communities[0].name: duplicate definition of community "x"',
  ],
  [
    'doubled',
    advertised('1:1', '1:1'),
    'BGPAdvertisement b: spec.communities[1]: duplicate definition of community "1:1"',
  ],
])

table('duplicates and selectors in advertisements', [
  [
    'L2',
    [
      l2('l', {
        ipAddressPools: ['a', 'a'],
        ipAddressPoolSelectors: twice,
        nodeSelectors: twice,
        serviceSelectors: twice,
      }),
    ],
    'L2Advertisement l: spec.ipAddressPools[1]: duplicate definition of ipAddressPools "a"',
    'L2Advertisement l: spec.ipAddressPoolSelectors[1]: duplicate definition of ipAddressPoolSelectors "a=1"',
    'L2Advertisement l: spec.nodeSelectors[1]: duplicate definition of nodeSelectors "a=1"',
    'L2Advertisement l: spec.serviceSelectors[1]: duplicate definition of serviceSelectors "a=1"',
  ],
  [
    'decision 5: interfaces and preferences may be doubled',
    [
      l2('l', {
        interfaces: ['eth0', 'eth0'],
        preferredNodeSelectors: [
          { weight: 1, preference: {} },
          { weight: 1, preference: {} },
        ],
      }),
    ],
  ],
  [
    'BGP',
    [bgp('b', { ipAddressPools: ['a', 'a'], peers: ['p', 'p'], nodeSelectors: twice })],
    'BGPAdvertisement b: spec.ipAddressPools[1]: duplicate definition of ipAddressPools "a"',
    'BGPAdvertisement b: spec.nodeSelectors[1]: duplicate definition of nodeSelectors "a=1"',
    'BGPAdvertisement b: spec.peers[1]: duplicate definition of peers "p"',
  ],
  [
    'malformed selectors',
    [
      l2('l', {
        serviceSelectors: [selector('is', 'x')],
        preferredNodeSelectors: [{ weight: 1, preference: selector('is', 'x') }],
      }),
      bgp('b', { ipAddressPoolSelectors: [selector('is', 'x')] }),
    ],
    `L2Advertisement l: spec.serviceSelectors[0].matchExpressions[0].operator: "is" ${badOperator}`,
    `L2Advertisement l: spec.preferredNodeSelectors[0].preference.matchExpressions[0].operator: "is" ${badOperator}`,
    `BGPAdvertisement b: spec.ipAddressPoolSelectors[0].matchExpressions[0].operator: "is" ${badOperator}`,
  ],
])

const range = pool('a', ['3.3.3.2-3.3.3.254'])
const tooShort = (length: number, prefix: number, item: string): string =>
  `BGPAdvertisement b: spec.aggregationLength: invalid aggregation length ${length}: prefix ${prefix} in pool "a" is more specific than the aggregation length for addresses ${item}`

table('aggregation', [
  ['/26 fits the range', [range, bgp('b', { aggregationLength: 26 })]],
  ['/24 does not', [range, bgp('b', { aggregationLength: 24 })], tooShort(24, 26, '3.3.3.2-3.3.3.254')],
  [
    'a /30 with 26',
    [pool('a', ['10.20.30.40/30']), bgp('b', { aggregationLength: 26 })],
    tooShort(26, 30, '10.20.30.40/30'),
  ],
  ['a /24 with 24', [pool('a', ['10.20.30.0/24']), bgp('b', { aggregationLength: 24 })]],
  [
    'a pool of another advertisement',
    [range, pool('z', ['10.0.0.0/8']), bgp('b', { aggregationLength: 24, ipAddressPools: ['z'] })],
  ],
  [
    'IPv6 says its own length',
    [pool('a', ['fd00::/120']), bgp('b', { aggregationLengthV6: 64 })],
    'BGPAdvertisement b: spec.aggregationLengthV6: invalid aggregation length 64: prefix 120 in pool "a" is more specific than the aggregation length for addresses fd00::/120',
  ],
  [
    'above 32',
    [bgp('b', { aggregationLength: 33 })],
    'BGPAdvertisement b: spec.aggregationLength: invalid aggregation length 33 for IPv4',
  ],
  [
    'above 128',
    [bgp('b', { aggregationLengthV6: 129 })],
    'BGPAdvertisement b: spec.aggregationLengthV6: invalid aggregation length 129 for IPv6',
  ],
  [
    'below 0',
    [pool('a', ['fd00::/120']), bgp('b', { aggregationLengthV6: -1 })],
    'BGPAdvertisement b: spec.aggregationLengthV6: invalid aggregation length -1 for IPv6',
  ],
  [
    '0 is below the schema',
    [bgp('b', { aggregationLength: 0 })],
    'BGPAdvertisement b: spec.aggregationLength: invalid value 0, must be at least 1',
  ],
  [
    'with serviceSelectors',
    [
      pool('a', ['10.0.0.0/8', 'fd00::/8']),
      bgp('b', { aggregationLength: 24, aggregationLengthV6: 64, serviceSelectors: [{}] }),
    ],
    'BGPAdvertisement b: spec: serviceSelectors and aggregationLength are mutually exclusive: only the default lengths (32 and 128) may be combined with serviceSelectors',
  ],
  [
    'with serviceSelectors and the default lengths',
    [bgp('b', { aggregationLength: 32, aggregationLengthV6: 128, serviceSelectors: [{}] })],
  ],
])

const conflict =
  'BGPAdvertisement c: spec.localPref: invalid local preference 200: local preference 100 was already set for the same type of BGP update by BGPAdvertisement "b" on pool "a". Check existing BGP advertisements with common pools and aggregation lengths'
const two = (
  first: object,
  second: object,
  addresses: readonly string[] = ['10.0.0.0/8'],
): readonly KubernetesObject[] => [
  node('n1', { rack: '1' }),
  node('n2', { rack: '2' }),
  pool('a', addresses),
  bgp('b', { localPref: 100, ...first }),
  bgp('c', { localPref: 200, ...second }),
]

table('one LOCAL_PREF for one kind of update', [
  ['conflict', two({}, {}), conflict],
  ['1: equal', two({}, { localPref: 100 })],
  ['2: IPv4 pool, other IPv4 length', two({}, { aggregationLength: 24 })],
  ['2: IPv4 pool, other IPv6 length only', two({}, { aggregationLengthV6: 64 }), conflict],
  ['2: IPv6 pool, other IPv6 length', two({}, { aggregationLengthV6: 64 }, ['fd00::/8'])],
  ['2: IPv6 pool, other IPv4 length only', two({}, { aggregationLength: 24 }, ['fd00::/8']), conflict],
  ['2: dual pool, one length differs', two({}, { aggregationLength: 24 }, ['10.0.0.0/8', 'fd00::/8']), conflict],
  [
    '2: dual pool, both differ',
    two({}, { aggregationLength: 24, aggregationLengthV6: 64 }, ['10.0.0.0/8', 'fd00::/8']),
  ],
  ['3: other peers', two({ peers: ['p'] }, { peers: ['q'] })],
  ['3: a peer in common', two({ peers: ['p', 'r'] }, { peers: ['q', 'r'] }), conflict],
  ['3: no peers are all peers', two({ peers: ['p'] }, {}), conflict],
  ['4: other nodes', two(rack('1'), rack('2'))],
  ['4: a node in common', two(rack('1'), {}), conflict],
  ['4: no node at all', two(rack('3'), {})],
  ['with serviceSelectors it is decided for each Service', two({ serviceSelectors: [{}] }, {})],
  [
    'another pool',
    [
      pool('a', ['10.0.0.0/8']),
      pool('z', ['11.0.0.0/8']),
      bgp('b', { localPref: 100, ipAddressPools: ['a'] }),
      bgp('c', { localPref: 200, ipAddressPools: ['z'] }),
    ],
  ],
  [
    'no Node known: they may meet',
    [pool('a', ['10.0.0.0/8']), bgp('b', { localPref: 100 }), bgp('c', { localPref: 200 })],
    conflict,
  ],
])

const echo = 'pool a has bgpadvertisement b which references peer p which has bfd echo enabled, which is not possible'
const echoing = (addresses: readonly string[], spec: object = {}): readonly KubernetesObject[] => [
  pool('a', addresses),
  peer('p', { bfdProfile: 'e' }),
  bfd('e', { echoMode: true }),
  bgp('b', { ...spec }),
]

table('BFD echo and IPv6', [
  ['IPv6 to all peers', echoing(['10.0.0.0/24', 'fd00::/64']), `BGPAdvertisement b: spec: ${echo}`],
  ['IPv6 to this peer', echoing(['fd00::/64'], { peers: ['q', 'p'] }), `BGPAdvertisement b: spec.peers: ${echo}`],
  ['IPv6 to another peer', echoing(['fd00::/64'], { peers: ['q'] })],
  ['IPv4 only', echoing(['10.0.0.0/24'])],
])
