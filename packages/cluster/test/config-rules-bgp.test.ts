/** MetalLB's rules about peers, BGP advertisements and BFD, one by one, and those that fall away here. */
import t from 'tap'
import { buildConfig, type BuildOptions, type KubernetesObject } from '@typemetal/cluster'
import { errorsOf, type Row, table } from './config-table.js'
import { bfd, bgp, community, NAMESPACE, node, peer, pool, resources, secret } from './objects.js'

const pools = [pool('v4', ['10.0.0.0/24']), pool('v6', ['fd00::/64'])]

/** What MetalLB's native implementation of BGP refuses; ours does it all. */
const NATIVE: readonly (readonly [string, readonly KubernetesObject[]])[] = [
  ['bfdProfile of a peer', [peer('p', { bfdProfile: 'f' }), bfd('f')]],
  ['keepaliveTime', [peer('p', { holdTime: '30s', keepaliveTime: '10s' })]],
  ['keepaliveTime 0s, as MetalLB stores it for peers of v1beta1', [peer('p', { holdTime: '0s', keepaliveTime: '0s' })]],
  ['vrf', [peer('p', { vrf: 'red' })]],
  ['connectTime', [peer('p', { connectTime: '10s' })]],
  ['enableGracefulRestart', [peer('p', { enableGracefulRestart: true })]],
  ['disableMP', [peer('p', { disableMP: true })]],
  ['dualStackAddressFamily', [peer('p', { dualStackAddressFamily: true })]],
  ['dynamicASN', [peer('p', { peerASN: undefined, dynamicASN: 'external' })]],
  ['interface', [peer('p', { peerAddress: undefined, interface: 'eth0' })]],
  ['localASN', [peer('p', { localASN: 65_000 })]],
  ['a BFDProfile that nobody uses', [bfd('f', { echoMode: true })]],
  ['IPv6 in a pool of a BGPAdvertisement', [...pools, bgp('b')]],
  ['a large community in a BGPAdvertisement', [...pools, bgp('b', { communities: ['large:1:2:3'] })]],
  ['a large community in a Community', [community('c', { x: 'large:1:2:3' })]],
]

/** What MetalLB refuses of peers that share a node when FRR speaks BGP: there each node has one BGP instance, here each session is its own. */
const FRR: readonly (readonly [string, readonly KubernetesObject[]])[] = [
  ['different routerID', [peer('p', { routerID: '1.1.1.1' }), peer('q', { peerAddress: '10.10.0.2' })]],
  ['different myASN in one VRF', [peer('p'), peer('q', { peerAddress: '10.10.0.2', myASN: 64_999 })]],
]

for (const component of ['controller', 'speaker', 'validate'] as const satisfies readonly BuildOptions['component'][]) {
  table(`${component}: taken here, refused by MetalLB’s native mode`, NATIVE, component)
  table(`${component}: taken here, refused by MetalLB’s FRR modes`, FRR, component)
}

const fine = (name: string, ...objects: readonly KubernetesObject[]): Row => [name, objects]

table('peers: what is not checked', [
  fine('ebgpMultiHop with a dynamic ASN', peer('p', { peerASN: 0, dynamicASN: 'internal', ebgpMultiHop: true })),
  fine('ebgpMultiHop of another AS', peer('p', { ebgpMultiHop: true })),
  fine('the family of sourceAddress', peer('p', { sourceAddress: 'fd00::1' })),
  fine('whether an interface or a VRF exists', peer('p', { peerAddress: '', interface: 'none0', vrf: 'none' })),
  fine(
    'the namespace of a Secret reference: the Secret is in the namespace of Typemetal',
    peer('p', { passwordSecret: { name: 's', namespace: 'elsewhere' } }),
    secret('s', { stringData: { password: 'x' } }),
  ),
  fine('a reference to a Secret without a name', peer('p', { password: 'x', passwordSecret: { namespace: 'n' } })),
  fine('empty texts, as MetalLB writes them', peer('p', { sourceAddress: '', routerID: '', vrf: '', bfdProfile: '' })),
])

table('peers: a hold time has 16 bits', [
  fine('65535s', peer('p', { holdTime: '65535s' })),
  [
    '65536s',
    [peer('p', { holdTime: '65536s' })],
    'BGPPeer p: spec.holdTime: invalid BGPPeer timers: invalid hold time "65536s": must be at most 65535s',
  ],
  [
    'by a keepalive time',
    [peer('p', { keepaliveTime: '10h' })],
    'BGPPeer p: spec.keepaliveTime: invalid BGPPeer timers: invalid hold time "108000s": must be at most 65535s',
  ],
])

table('peers: only one Secret counts', [
  [
    'a Secret of another namespace is none',
    [
      peer('p', { passwordSecret: { name: 's', namespace: 'default' } }),
      { ...secret('s', { stringData: { password: 'x' } }), metadata: { name: 's', namespace: 'default' } },
    ],
    'BGPPeer p: spec.passwordSecret.name: secret ref not found for peer config "metallb-system"/"p": there is no Secret "s": failed to parse peer p password secret',
  ],
  [
    'password and Secret, when the Secret is not there',
    [peer('p', { password: 'x', passwordSecret: { name: 's' } })],
    'BGPPeer p: spec.passwordSecret: can not have both password and secret ref set in peer config "metallb-system"/"p"',
  ],
])

const invalid = (text: string, reason: string): Row => [
  JSON.stringify(text),
  [community('c', { x: text })],
  `Community c: spec.communities[0].value: parsing community "x": ${reason}`,
]
const section = (part: string, text: string, most = 65_535): string =>
  `invalid community value: invalid section "${part}" of community "${text}", must be in 0-${most} range`

table('communities: numbers are decimal digits, in two parts or in three behind the word large', [
  fine('leading zeros', community('c', { x: '00001:0', y: 'large:00:1:2' })),
  invalid('', 'invalid community format: '),
  invalid('1', 'invalid community format: 1'),
  invalid('1:2:3:4:5', 'invalid community format: 1:2:3:4:5'),
  invalid('0x1:2', section('0x1', '0x1:2')),
  invalid('-1:2', section('-1', '-1:2')),
  invalid(' 1:2', section(' 1', ' 1:2')),
  invalid('1:', section('', '1:')),
  invalid('large:1::2', section('', 'large:1::2', 4_294_967_295)),
  invalid(
    'Large:1:2:3',
    'invalid community value: invalid marker for large community, expected "large" but got "Large"',
  ),
])

t.test('communities: a name is looked up before the text is read', async t => {
  const { config } = buildConfig(
    resources(
      node('n1'),
      pool('a', ['10.0.0.0/24']),
      community('c', { '1:1': '2:2' }),
      bgp('b', { communities: ['1:1'] }),
    ),
    { component: 'speaker', node: 'n1', namespace: NAMESPACE },
  )
  t.same(config?.pools.get('a')?.bgpAdvertisements[0]?.communities, ['2:2'])
})

t.test('a pool that is selected by name and by label gets an advertisement once', async t => {
  const { config } = buildConfig(
    resources(
      node('n1'),
      pool('a', ['10.0.0.0/24'], { tier: 'x' }),
      bgp('b', { ipAddressPools: ['a'], ipAddressPoolSelectors: [{ matchLabels: { tier: 'x' } }] }),
    ),
    { component: 'speaker', node: 'n1', namespace: NAMESPACE },
  )
  t.equal(config?.pools.get('a')?.bgpAdvertisements.length, 1)
})

const preference = (localPref: number | bigint): Row => [
  `LOCAL_PREF ${localPref}`,
  [bgp('b', { localPref })],
  `BGPAdvertisement b: spec.localPref: invalid local preference ${localPref}, must be in 0-4294967295 range`,
]
table('advertisements: LOCAL_PREF has 32 bits', [
  fine('LOCAL_PREF 4294967295', bgp('b', { localPref: 4_294_967_295 })),
  preference(-1),
  preference(4_294_967_296),
])

table('advertisements: peers that do not exist are not asked for', [
  fine('unknown names', ...pools, bgp('b', { peers: ['none'], ipAddressPools: ['none'] })),
  fine(
    'BFD echo: a peer that is not there has no profile',
    ...pools,
    bgp('b', { peers: ['none'] }),
    bfd('f', { echoMode: true }),
  ),
])

const range = '10.20.30.5-10.20.30.200'
const wide = (length: number, prefix: number, item: string, name: string): string =>
  `BGPAdvertisement b: spec.aggregationLength: invalid aggregation length ${length}: prefix ${prefix} in pool "${name}" is more specific than the aggregation length for addresses ${item}`
table('aggregation: each item of each pool is held against the length', [
  [
    'two items, two pools',
    [pool('a', ['10.0.0.0/16', range]), pool('z', ['11.0.0.0/25']), bgp('b', { aggregationLength: 24 })],
    wide(24, 26, range, 'a'),
    wide(24, 25, '11.0.0.0/25', 'z'),
  ],
  fine('as long as the largest piece of the range', pool('a', [range]), bgp('b', { aggregationLength: 26 })),
])

t.test('peers of v1beta1 are read as they are', async t => {
  const older = (spec: object): KubernetesObject => ({ ...peer('p', { ...spec }), apiVersion: 'metallb.io/v1beta1' })
  t.same(errorsOf([older({ peerPort: 0 })]), [])
  t.same(errorsOf([older({ vrf: 'red', peerPort: 16_385 })]), [
    'BGPPeer p: spec.peerPort: invalid value 16385, must be in 0-16384 range',
    'BGPPeer p: spec.vrf: unknown field in metallb.io/v1beta1; it is one of metallb.io/v1beta2',
  ])
  t.same(errorsOf([older({ peerASN: undefined, peerAddress: undefined })]), [
    'BGPPeer p: spec.peerASN: missing peer ASN and dynamicASN',
    'BGPPeer p: spec.peerAddress: peer has no Address or Interface specified',
  ])
  const { config } = buildConfig(resources(older({ holdTime: '30s' })), { component: 'validate', namespace: NAMESPACE })
  t.match(config?.peers.get('p'), { peerPort: 179, holdTimeSeconds: 30 })
})
