/** The pure parts: election, keys, router ids, plans. Vectors are those of the behaviour specification. */
import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import t from 'tap'
import type { Config, L2AdvertisementConfig, Pool, Snapshot } from '@typemetal/cluster'
import { parseCIDR } from '@typemetal/cluster'
import {
  Decider,
  compareCommunities,
  crc32,
  electionDigest,
  electionOrder,
  electionWinner,
  memberlistKey,
  nodeRouterId,
  parseGoDuration,
  parseGossipSettings,
  plan,
  routerIdOf,
  sessionChange,
} from '@typemetal/speaker'
import type { SessionPlan } from '@typemetal/speaker'
import { MemoryCluster } from './scenario/cluster.js'
import type { AnyObject } from './scenario/cluster.js'
import { metallb, peer } from './support/objects.js'

const hex = (octets: Uint8Array | undefined): string => Buffer.from(octets ?? []).toString('hex')

t.test('election: order of the hashes', async t => {
  const five = ['node1', 'node2', 'node3', 'iris1', 'iris2']
  const seven = ['node-a', 'node-b', 'node-c', 'worker-a', 'worker-b', 'edge-a', 'edge-b']
  for (const [ip, nodes, order] of [
    ['10.20.30.1', five, 'node1 iris2 node2 node3 iris1'],
    ['10.20.30.2', five, 'node2 iris1 iris2 node3 node1'],
    ['192.168.1.1', five, 'node3 node2 iris1 iris2 node1'],
    ['192.0.2.1', five, 'node3 node2 node1 iris2 iris1'],
    ['2001:db8::1', five, 'iris2 node3 iris1 node2 node1'],
    ['10.0.0.1', seven, 'worker-a node-b edge-a worker-b node-a edge-b node-c'],
    ['10.0.0.2', seven, 'worker-b node-b worker-a edge-b node-c node-a edge-a'],
    ['10.20.30.1', seven, 'node-b edge-b worker-a node-c node-a edge-a worker-b'],
  ] as const) {
    t.equal(electionOrder(nodes, ip).join(' '), order, ip)
  }
  t.equal(electionDigest('node1', '192.0.2.1'), '790e16d64339ab82e60931245af394ad265f5b1817d059c427c90b611ad1625e')
  t.equal(electionDigest('node1', '2001:db8::1'), '7ff27e9e2526b12bfa6a6c09471ab4fd3d4bad234c18426aad908739ce249756')
})

t.test('election: scores before hashes; the winner is the first, whatever the order of input', async t => {
  t.strictSame(electionOrder(['node1', 'node2', 'node3'], '192.0.2.1', new Map([['node1', 5]])), [
    'node1',
    'node3',
    'node2',
  ])
  t.equal(electionWinner([], '192.0.2.1'), undefined)
  const names = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 8 }), { maxLength: 8 })
  fc.assert(
    fc.property(names, fc.ipV4(), fc.array(fc.nat(2)), fc.nat(), (nodes, ip, weights, turn) => {
      const scores = new Map(nodes.map((node, i) => [node, weights[i] ?? 0]))
      const order = electionOrder(nodes, ip, scores)
      const at = nodes.length === 0 ? 0 : turn % nodes.length
      const rotated = [...nodes.slice(at), ...nodes.slice(0, at)].toReversed()
      assert.deepEqual(electionOrder(rotated, ip, scores), order)
      assert.equal(electionWinner(rotated, ip, scores), order[0])
      const among = new Set(nodes.slice(0, at))
      const winner = electionWinner(among, ip, scores)
      assert.equal(electionWinner(nodes, ip, scores, winner === undefined ? undefined : { winner, among }), order[0])
      assert.equal(
        electionWinner(nodes.slice(1), ip, scores, { winner: order[0] ?? '', among: new Set(nodes) }),
        electionOrder(nodes.slice(1), ip, scores)[0],
      )
    }),
  )
})

t.test('gossip key: the secret padded with SHA-256 of nothing', async t => {
  for (const [secret, key] of [
    ['0123456789ABCDEFGHIJKL', '303132333435363738394142434445464748494a4b4ce3b0c44298fc1c149afb'],
    ['x', '78e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b8'],
    ['x\n', '780ae3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852'],
    ['a'.repeat(40), '61'.repeat(32)],
  ] as const) {
    t.equal(hex(memberlistKey(Buffer.from(secret))), key, JSON.stringify(secret))
  }
  t.equal(memberlistKey(new Uint8Array()), undefined, 'an empty secret means no encryption')
})

t.test('gossip tuning file', async t => {
  const durations = {
    TCPTimeout: '10s', PushPullInterval: '1m30s', ProbeTimeout: '500ms', ProbeInterval: '1s', GossipInterval: '200ms',
    GossipToTheDeadTime: '30s', QueueCheckInterval: '30s',
  } // prettier-ignore
  const { settings, missing } = parseGossipSettings(
    JSON.stringify({ ...durations, indirectchecks: 3, EnableCompression: true, Unknown: 1 }),
  )
  t.match(settings, { pushPullInterval: 90_000, probeTimeout: 500, indirectChecks: 3, enableCompression: true })
  t.match(settings, { gossipNodes: 0, gossipVerifyIncoming: false }, 'as in MetalLB, what is missing is 0 or false')
  t.ok(missing.includes('GossipNodes') && !missing.includes('IndirectChecks'))
  t.throws(() => parseGossipSettings('{"TCPTimeout":"10s"}'), { message: 'PushPullInterval is missing' })
  t.throws(
    () => parseGossipSettings(JSON.stringify({ ...durations, GossipNodes: '3' })),
    /GossipNodes must be a whole number/,
  )
  t.throws(() => parseGossipSettings(JSON.stringify({ ...durations, TCPTimeout: 10 })), /TCPTimeout must be a duration/)
  t.throws(() => parseGossipSettings('[]'), { message: 'it is not a JSON object' })
  t.throws(() => parseGossipSettings('{'), { message: 'it is not JSON' })
  for (const [text, ms] of [
    ['0', 0],
    ['1.5h', 5_400_000],
    ['-2s', -2_000],
    ['1us', 0.001],
    ['1m30s', 90_000],
  ] as const) {
    t.equal(parseGoDuration(text), ms, text)
  }
  for (const text of ['', '5', '1 s', '1d', 's']) t.throws(() => parseGoDuration(text), RangeError, text)
})

t.test('router id', async t => {
  t.equal(crc32(Buffer.from('123456789')), 0xcbf4_3926, 'check value of CRC-32')
  t.equal(nodeRouterId('node1'), '64.37.239.133')
  t.equal(nodeRouterId('pandora'), '117.188.221.68')
  t.equal(nodeRouterId('iris1'), '150.80.252.129')
  const info = (address: string, family: 'IPv4' | 'IPv6') =>
    ({ address, family, netmask: '', mac: '', internal: false, cidr: null, scopeid: 0 }) as const
  const interfaces = {
    lo: [info('127.0.0.1', 'IPv4')],
    eth0: [info('fd00::1', 'IPv6'), info('10.1.0.2', 'IPv4')],
    eth1: [info('fd01::1', 'IPv6')],
  }
  t.equal(routerIdOf('10.9.9.9', 'node1', interfaces), '10.9.9.9', 'the local IPv4 address')
  t.equal(routerIdOf('fd00::1', 'node1', interfaces), '10.1.0.2', 'first IPv4 of the interface')
  t.equal(routerIdOf('fd01::1', 'node1', interfaces), '64.37.239.133', 'else the name of the node')
  t.equal(routerIdOf(undefined, 'node1', interfaces), '64.37.239.133')
})

t.test('communities sort as MetalLB sorts them', async t => {
  const sorted = ['large:1:0:0', '65535:65281', '1:2', '0:1', 'large:65536:0:0', 'large:1:0:5'].toSorted(
    compareCommunities,
  )
  t.strictSame(sorted, ['0:1', 'large:1:0:0', 'large:1:0:5', 'large:65536:0:0', '1:2', '65535:65281'])
})

t.test('session changes name the fields, what becomes of the session, and why', async t => {
  const session: SessionPlan = {
    name: 'r', peerAddress: '10.0.0.1', peerPort: 179, myASN: 1, peerASN: 2, holdTimeSeconds: 90,
    keepaliveTimeSeconds: 30, ebgpMultiHop: false, gracefulRestart: false, families: ['ipv4'],
  } // prettier-ignore
  t.strictSame(sessionChange(session, { ...session }), { resets: [], carried: [], changes: [] })
  const { peerASN: _, ...rest } = session
  const change = sessionChange(session, {
    ...rest,
    dynamicASN: 'external',
    connectTimeSeconds: 3,
    families: ['ipv4', 'ipv6'],
  })
  t.match(change, { resets: ['dynamicASN', 'families', 'peerASN'], carried: ['connectTimeSeconds'] })
  t.strictSame(
    change.changes.map(({ field, effect }) => `${field} ${effect}`),
    ['connectTimeSeconds carried', 'dynamicASN reset', 'families reset', 'peerASN reset'],
  )
  for (const { why } of change.changes) t.match(why, /^.{10,}[^.]$/)
  const bfd = {
    receiveInterval: 300, transmitInterval: 300, detectMultiplier: 3, echoInterval: 50, echoMode: false, passiveMode: false,
    minimumTtl: 254,
  } // prettier-ignore
  const watched = { ...session, bfdProfile: 'fast', bfd }
  t.match(sessionChange(session, watched), { resets: [], carried: ['bfd', 'bfdProfile'] })
  t.match(sessionChange(watched, { ...watched, bfd: { ...bfd, transmitInterval: 50 } }), {
    resets: [],
    carried: ['bfd'],
  })
  t.match(
    sessionChange(session, { ...session, localASN: 1 }),
    { resets: [], carried: ['localASN'] },
    'the peer sees no difference',
  )
  t.match(sessionChange(session, { ...session, localASN: 3 }), { resets: ['localASN'] })
  t.match(sessionChange({ ...session, localASN: 3 }, { ...session, localASN: 3, myASN: 9 }), {
    carried: ['myASN'],
    resets: [],
  })
})

t.test('a session carries its BFD profile whole, with the defaults of MetalLB', async t => {
  const cluster = new MemoryCluster()
  for (const object of [
    { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } },
    metallb('BFDProfile', 'slow'),
    metallb('BFDProfile', 'fast', { receiveInterval: 20, transmitInterval: 30, detectMultiplier: 5, echoInterval: 60 }),
    metallb('BFDProfile', 'far', { passiveMode: true, echoMode: true, minimumTtl: 250 }),
    ...['slow', 'fast', 'far'].map((name, i) => peer(name, { bfdProfile: name, peerAddress: `10.1.0.${i}` })),
    peer('none', { peerAddress: '10.1.0.9' }),
  ]) {
    cluster.apply(object)
  }
  const { sessions } = new Decider({ node: 'n1', namespace: 'metallb-system' }).step(cluster.snapshot()).plan
  const defaults = {
    receiveInterval: 300, transmitInterval: 300, detectMultiplier: 3, echoInterval: 50, echoMode: false, passiveMode: false,
    minimumTtl: 254,
  } // prettier-ignore
  t.strictSame(sessions.get('slow')?.bfd, defaults)
  const fast = { receiveInterval: 20, transmitInterval: 30, detectMultiplier: 5, echoInterval: 60 }
  t.strictSame(sessions.get('fast')?.bfd, { ...defaults, ...fast })
  t.strictSame(sessions.get('far')?.bfd, { ...defaults, passiveMode: true, echoMode: true, minimumTtl: 250 })
  t.equal(sessions.get('none')?.bfd, undefined)
})

const NODES = ['n1', 'n2', 'n3', 'n4']

/** A configuration with one pool and the given layer-2 advertisements. */
function configWith(ads: readonly L2AdvertisementConfig[]): Config {
  const pool: Pool = {
    name: 'p', labels: {}, blocks: [parseCIDR('10.0.0.0/24')], autoAssign: true, avoidBuggyIPs: false,
    l2Advertisements: ads, bgpAdvertisements: [],
  } // prettier-ignore
  return { pools: new Map([['p', pool]]), peers: new Map(), bfdProfiles: new Map() }
}

const node = (name: string, unavailable: boolean, excluded: boolean): AnyObject => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: {
    name,
    labels: excluded ? { 'node.kubernetes.io/exclude-from-external-load-balancers': '' } : {},
  },
  status: { conditions: [{ type: 'NetworkUnavailable', status: unavailable ? 'True' : 'False' }] },
})

interface Wish {
  readonly host: number
  readonly local: boolean
  readonly endpoints: readonly { readonly node: number; readonly ready: boolean }[]
}

function clusterOf(wishes: readonly Wish[], bad: readonly number[]): Snapshot {
  const cluster = new MemoryCluster()
  for (const [i, name] of NODES.entries()) cluster.apply(node(name, bad[i] === 1, bad[i] === 2))
  for (const [i, { host, local, endpoints }] of wishes.entries()) {
    cluster.apply({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: `s${i}` },
      spec: { type: 'LoadBalancer', externalTrafficPolicy: local ? 'Local' : 'Cluster' },
      status: { loadBalancer: { ingress: [{ ip: `10.0.0.${host}` }] } },
    } as AnyObject)
    cluster.apply({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: `s${i}-1`, labels: { 'kubernetes.io/service-name': `s${i}` } },
      endpoints: endpoints.map(({ node, ready }) => ({ nodeName: NODES[node], conditions: { ready } })),
    } as AnyObject)
  }
  return cluster.snapshot()
}

const wishes = fc.array(
  fc.record({
    host: fc.integer({ min: 1, max: 20 }),
    local: fc.boolean(),
    endpoints: fc.array(fc.record({ node: fc.nat(3), ready: fc.boolean() }), { maxLength: 3 }),
  }),
  { maxLength: 4 },
)
const advertisements = fc.array(
  fc.record({ nodes: fc.subarray(NODES), preferred: fc.subarray(NODES), interfaces: fc.subarray(['eth0', 'eth1']) }),
  { maxLength: 3 },
)
const l2 = (
  ads: readonly { nodes: string[]; preferred: string[]; interfaces: string[] }[],
): readonly L2AdvertisementConfig[] =>
  ads.map(({ nodes, preferred, interfaces }, i) => ({
    name: `ad${i}`,
    nodes: new Set(nodes),
    interfaces,
    allInterfaces: interfaces.length === 0,
    serviceSelectors: [],
    preferredNodes: new Map(preferred.map(name => [name, 10])),
  }))

t.test('over any cluster at most one node owns an address, and one does when there is a candidate', async () => {
  fc.assert(
    fc.property(
      wishes,
      advertisements,
      fc.array(fc.nat(2), { maxLength: 4 }),
      fc.subarray(NODES),
      (services, ads, bad, members) => {
        const snapshot = clusterOf(services, bad)
        const config = configWith(l2(ads))
        const plans = NODES.map(name => plan(snapshot, config, name, members))
        for (const [key, service] of snapshot.objects('Service')) {
          const owners = plans.filter(({ services }) => services.get(key)?.layer2.announce).map(({ node }) => node)
          const ready = (snapshot.endpointSlicesOf(key)[0]?.endpoints ?? []).filter(
            ({ conditions }) => conditions?.ready,
          )
          const candidates = members.filter(
            name =>
              !bad[NODES.indexOf(name)] &&
              ads.some(({ nodes }) => nodes.includes(name)) &&
              (service.spec?.externalTrafficPolicy !== 'Local' || ready.some(({ nodeName }) => nodeName === name)),
          )
          assert.equal(owners.length, ready.length > 0 && candidates.length > 0 ? 1 : 0)
          assert.ok(owners.every(name => candidates.includes(name)))
        }
      },
    ),
    { numRuns: 300 },
  )
})
