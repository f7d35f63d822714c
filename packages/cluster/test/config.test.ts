import t from 'tap'
import {
  buildConfig,
  type BuildOptions,
  type Config,
  configResources,
  type KubernetesObject,
  parseCommunity,
  parseDuration,
} from '@typemetal/cluster'
import { bfd, bgp, community, l2, NAMESPACE, namespace, node, peer, pool, resources, secret } from './objects.js'

/** A configuration that must be valid. */
function configOf(objects: readonly KubernetesObject[], component: BuildOptions['component'] = 'speaker'): Config {
  const result = buildConfig(resources(...objects), { component, node: 'n1', namespace: NAMESPACE })
  if (!result.config) throw new Error(JSON.stringify(result.errors))
  return result.config
}

const nodes = [node('n1', { rack: '1' }), node('n2', { rack: '2' }), node('n3', { rack: '2' })]
const rack = (n: string): object => ({ matchLabels: { rack: n } })

t.test('pools in order of their names, blocks in the order of the spec', async t => {
  const { pools } = configOf([
    pool(
      'b',
      { addresses: ['10.0.1.9/24', '10.0.0.1-10.0.0.2'], autoAssign: false, avoidBuggyIPs: true },
      { tier: 'x' },
    ),
    pool('a', ['fd00::/64']),
  ])
  t.same([...pools.keys()], ['a', 'b'])
  t.match(pools.get('b'), { autoAssign: false, avoidBuggyIPs: true, labels: { tier: 'x' } })
  t.same(
    pools.get('b')?.blocks.map(block => block.cidr),
    ['10.0.1.0/24', '10.0.0.1/32', '10.0.0.2/32'],
  )
  t.match(pools.get('a'), { autoAssign: true, avoidBuggyIPs: false, serviceAllocation: undefined })
})

t.test('serviceAllocation', async t => {
  const allocation = (serviceAllocation: object): unknown =>
    configOf([
      namespace('dev', { stage: 'dev' }),
      namespace('prod'),
      pool('a', { addresses: ['10.0.0.0/24'], serviceAllocation }),
    ]).pools.get('a')?.serviceAllocation
  t.same(allocation({}), { priority: 0, serviceSelectors: [{}] }, 'present but empty: pinned to everybody')
  t.same(allocation({ priority: 5 }), { priority: 5, serviceSelectors: [{}] })
  t.same(allocation({ namespaces: ['x'] }), { priority: 0, namespaces: new Set(['x']), serviceSelectors: [] })
  t.same(
    allocation({
      namespaces: ['x'],
      namespaceSelectors: [{ matchLabels: { stage: 'dev' } }],
      serviceSelectors: [{ matchLabels: { a: 'b' } }],
    }),
    { priority: 0, namespaces: new Set(['x', 'dev']), serviceSelectors: [{ matchLabels: { a: 'b' } }] },
    'names and selectors are united',
  )
  t.same(
    allocation({ namespaceSelectors: [{ matchLabels: { stage: 'test' } }] }),
    { priority: 0, namespaces: new Set(), serviceSelectors: [] },
    'decision 13: selectors that match no namespace let nobody in',
  )
})

t.test('which pools an advertisement applies to', async t => {
  const pools = [
    pool('a', ['10.0.0.0/24']),
    pool('b', ['10.0.1.0/24'], { tier: 'x' }),
    pool('c', ['10.0.2.0/24'], { tier: 'x' }),
  ]
  const attached = (spec: Readonly<Record<string, unknown>>): readonly string[] => {
    const config = configOf([...nodes, ...pools, l2('l', spec), bgp('m', spec)])
    const byL2 = [...config.pools.values()].filter(p => p.l2Advertisements.length > 0).map(p => p.name)
    const byBGP = [...config.pools.values()].filter(p => p.bgpAdvertisements.length > 0).map(p => p.name)
    t.same(byL2, byBGP)
    return byL2
  }
  const tier = (value: string): object => ({ matchLabels: { tier: value } })
  t.same(attached({}), ['a', 'b', 'c'], 'neither names nor selectors: all')
  t.same(attached({ ipAddressPools: ['a', 'none'] }), ['a'], 'names without a pool are passed over')
  t.same(attached({ ipAddressPools: ['none'] }), [])
  t.same(attached({ ipAddressPoolSelectors: [tier('x')] }), ['b', 'c'])
  t.same(attached({ ipAddressPoolSelectors: [tier('y')] }), [])
  t.same(attached({ ipAddressPools: ['a', 'b'], ipAddressPoolSelectors: [tier('x')] }), ['a', 'b', 'c'], 'united')
})

t.test('nodes, interfaces and preferences', async t => {
  const first = (spec: Readonly<Record<string, unknown>>): unknown =>
    configOf([...nodes, pool('a', ['10.0.0.0/24']), l2('l', spec)]).pools.get('a')?.l2Advertisements[0]
  t.match(first({}), {
    nodes: new Set(['n1', 'n2', 'n3']),
    interfaces: [],
    allInterfaces: true,
    preferredNodes: new Map(),
  })
  t.match(first({ nodeSelectors: [rack('2')], interfaces: ['eth0', 'eth1', 'eth0'] }), {
    nodes: new Set(['n2', 'n3']),
    interfaces: ['eth0', 'eth1'],
    allInterfaces: false,
  })
  t.match(first({ nodeSelectors: [rack('9')] }), { nodes: new Set() })
  t.match(
    first({
      nodeSelectors: [rack('2'), { matchLabels: { rack: '9' } }],
      preferredNodeSelectors: [
        { weight: 10, preference: rack('1') },
        { weight: 20, preference: rack('2') },
        { weight: 5, preference: {} },
      ],
    }),
    {
      preferredNodes: new Map([
        ['n2', 25],
        ['n3', 25],
      ]),
    },
    'weights add up, for eligible nodes only',
  )
})

t.test('an advertisement that says the same again is attached once, unless it has preferences', async t => {
  const count = (...specs: readonly Readonly<Record<string, unknown>>[]): number | undefined =>
    configOf([...nodes, pool('a', ['10.0.0.0/24']), ...specs.map((spec, i) => l2(`l${i}`, spec))]).pools.get('a')
      ?.l2Advertisements.length
  t.equal(count({}, {}), 1)
  t.equal(count({}, { nodeSelectors: [rack('1'), rack('2')] }), 1, 'the same nodes, selected otherwise')
  t.equal(count({ interfaces: ['a', 'b'] }, { interfaces: ['b', 'a'] }), 1)
  t.equal(count({}, { interfaces: ['a'] }), 2)
  t.equal(count({}, { nodeSelectors: [rack('1')] }), 2)
  t.equal(count({}, { serviceSelectors: [rack('1')] }), 2)
  t.equal(
    count(
      { serviceSelectors: [{ matchLabels: { a: '1', b: '2' } }] },
      { serviceSelectors: [{ matchLabels: { b: '2', a: '1' } }] },
    ),
    1,
  )
  const preferring = { preferredNodeSelectors: [{ weight: 1, preference: {} }] }
  t.equal(count(preferring, preferring), 2, 'scores add up')
  t.equal(count({}, preferring), 2)
})

t.test('BGP advertisements', async t => {
  const objects = [
    ...nodes,
    pool('a', ['10.0.0.0/24']),
    community('c', { blackhole: '65535:666', wide: 'large:1:2:3', also: '1:1' }),
    bgp('m', {
      communities: ['wide', 'blackhole', '0064512:1', '1:1', 'also'],
      localPref: 200,
      peers: ['p'],
      aggregationLength: 24,
      nodeSelectors: [rack('1')],
    }),
  ]
  t.match(configOf(objects).pools.get('a')?.bgpAdvertisements, [
    {
      name: 'm',
      aggregationLength: 24,
      aggregationLengthV6: 128,
      localPref: 200,
      communities: ['large:1:2:3', '1:1', '64512:1', '65535:666'],
      nodes: new Set(['n1']),
      peers: ['p'],
    },
  ])
  t.match(configOf([...nodes, pool('a', ['10.0.0.0/24']), bgp('m')]).pools.get('a')?.bgpAdvertisements, [
    { aggregationLength: 32, localPref: 0, communities: [] },
  ])
  t.same(configOf(objects, 'controller').pools.get('a')?.bgpAdvertisements, [], 'the controller needs none')
})

t.test('a speaker gets the peers and BGP advertisements of its node', async t => {
  const objects = [
    ...nodes,
    pool('a', ['10.0.0.0/24']),
    peer('p', { nodeSelectors: [rack('1')] }),
    peer('q', { nodeSelectors: [rack('2')] }),
    bgp('m', { nodeSelectors: [rack('2')] }),
  ]
  t.same([...configOf(objects).peers.keys()], ['p'])
  t.same(configOf(objects).pools.get('a')?.bgpAdvertisements, [])
  t.same([...configOf(objects, 'validate').peers.keys()], ['p', 'q'])
  const elsewhere = { ...pool('b', ['10.0.0.0/24']), metadata: { name: 'b', namespace: 'default' } }
  t.same([...configOf([...objects, elsewhere]).pools.keys()], ['a'], 'objects of other namespaces are invisible')
})

t.test('peers', async t => {
  const only = (spec: Readonly<Record<string, unknown>>, ...others: readonly KubernetesObject[]): unknown =>
    configOf([...nodes, peer('p', spec), ...others]).peers.get('p')
  t.strictSame(only({}), {
    name: 'p',
    myASN: 64512,
    peerASN: 64513,
    peerAddress: '10.10.0.1',
    peerPort: 179,
    nodeSelectors: [],
    gracefulRestart: false,
    ebgpMultiHop: false,
    dualStackAddressFamily: false,
  })
  t.match(
    only({
      peerAddress: '',
      interface: 'eth0',
      peerASN: 0,
      dynamicASN: 'internal',
      localASN: 5,
      routerID: '1.2.3.4',
      sourceAddress: '::ffff:10.0.0.1',
      vrf: 'red',
      disableMP: true,
      enableGracefulRestart: true,
      dualStackAddressFamily: true,
      ebgpMultiHop: true,
    }),
    {
      interface: 'eth0',
      peerAddress: undefined,
      peerASN: undefined,
      dynamicASN: 'internal',
      localASN: 5,
      sourceAddress: '10.0.0.1',
      vrf: 'red',
      gracefulRestart: true,
      dualStackAddressFamily: true,
      ebgpMultiHop: true,
    },
  )
  t.match(only({ password: 'x' }), { password: 'x' })
  t.match(
    only({ passwordSecret: { name: 's', namespace: 'ignored' } }, secret('s', { data: { password: 'c8OlY3JldA==' } })),
    { password: 'såcret' },
  )
  t.match(only({ passwordSecret: { name: 's' } }, secret('s', { stringData: { password: 'plain' } })), {
    password: 'plain',
  })
  t.match(only({ bfdProfile: 'fast' }, bfd('fast', { receiveInterval: 50 })), { bfdProfile: 'fast' })
  t.strictSame(
    [...configOf([bfd('fast', { receiveInterval: 50 })]).bfdProfiles],
    [['fast', { echoMode: false, passiveMode: false, receiveInterval: 50, name: 'fast' }]],
  )
})

t.test('each of hold and keepalive time gives the other', async t => {
  const timers = (spec: object): unknown => {
    const { holdTimeSeconds, keepaliveTimeSeconds, connectTimeSeconds } =
      configOf([node('n1'), peer('p', { ...spec })]).peers.get('p') ?? {}
    return [holdTimeSeconds, keepaliveTimeSeconds, connectTimeSeconds]
  }
  t.same(timers({}), [undefined, undefined, undefined])
  t.same(timers({ holdTime: '1m30s' }), [90, 30, undefined])
  t.same(timers({ keepaliveTime: '2s' }), [6, 2, undefined])
  t.same(timers({ holdTime: '180s', keepaliveTime: '10s', connectTime: '1m' }), [180, 10, 60])
  t.same(timers({ connectTime: '120s' }), [undefined, undefined, 120])
  t.same(timers({ holdTime: '0s' }), [0, 0, undefined])
  t.same(timers({ holdTime: '3.9s' }), [3, 1.3, undefined], 'a hold time is whole seconds')
})

t.test("durations in Go's syntax", async t => {
  for (const [text, seconds] of [
    ['0', 0],
    ['90s', 90],
    ['1h2m3.5s', 3723.5],
    ['300ms', 0.3],
    ['1.s', 1],
    ['.5s', 0.5],
    ['-1m', -60],
    ['+1m', 60],
    ['1us1µs1μs', 0.000003],
    ['1500000000ns', 1.5],
  ] as const) {
    t.equal(parseDuration(text), seconds, text)
  }
  for (const text of ['', '90', 's', '1x', '1 s', '1s ', '.s', '--1s', '1d', 'Infinity'])
    t.equal(parseDuration(text), undefined, text)
})

t.test('communities sort as triples', async t => {
  t.match(parseCommunity('1:2'), { text: '1:2', order: [65_538, 0, 0] })
  t.match(parseCommunity('large:1:2:3'), { text: 'large:1:2:3', order: [1, 2, 3] })
  t.match(parseCommunity('word'), { maybeName: true })
  t.match(parseCommunity('1:70000'), { maybeName: false })
})

t.test('a configuration is immutable', async t => {
  const config = configOf([...nodes, pool('a', ['10.0.0.0/24']), l2('l', { interfaces: ['eth0'] }), peer('p')])
  const held = config.pools.get('a')
  t.throws(() => Object.assign(config, { pools: new Map() }), TypeError)
  t.throws(() => Object.assign(held ?? {}, { autoAssign: false }), TypeError)
  t.throws(() => Object.assign(held?.blocks ?? [], { 0: undefined }), TypeError)
  t.throws(() => Object.assign(held?.l2Advertisements[0]?.interfaces ?? [], { 0: 'x' }), TypeError)
  t.throws(() => Object.assign(config.peers.get('p') ?? {}, { myASN: 1 }), TypeError)
})

t.test('the objects of a snapshot are taken as they are', async t => {
  const kinds = resources(pool('a', ['10.0.0.0/24'])) as Readonly<Record<string, readonly KubernetesObject[]>>
  const faults = [
    { kind: 'Service', name: 'x', field: '', reason: '', affectsConfig: false },
    { kind: 'File', name: 'y', field: '', reason: 'broken', affectsConfig: true },
  ]
  const snapshot = (listed: typeof faults): Parameters<typeof configResources>[0] => ({
    objects: kind => new Map((kinds[kind] ?? []).map(object => [object.metadata.name, object])) as never,
    endpointSlicesOf: () => [],
    faults: listed,
  })
  const options = { component: 'validate', namespace: NAMESPACE } as const
  t.match(
    buildConfig(configResources(snapshot(faults.slice(0, 1))), options).config?.pools.get('a'),
    { name: 'a' },
    'a broken Service is no matter of configuration',
  )
  t.match(buildConfig(configResources(snapshot(faults)), options).errors, [{ kind: 'File', name: 'y' }])
})
