/** From MetalLB's speakers to ours, node by node: never two owners, never none, in whatever order, at every election level. */
import t from 'tap'
import { Decider, ELECTION_LEVELS } from '@typemetal/speaker'
import type { ElectionLevel } from '@typemetal/speaker'
import { MemoryCluster } from './scenario/cluster.js'
import type { AnyObject } from './scenario/cluster.js'
import { MetalLBModel } from './support/metallb-election.js'
import type { Release } from './support/metallb-election.js'
import { metallb, node, pool, service } from './support/objects.js'

const NODES = ['n1', 'n2', 'n3', 'n4', 'n5']

t.setTimeout(1_200_000)

/** What runs on each node: MetalLB's speaker, ours, or for a moment none. */
type State = Readonly<Record<string, 'metallb' | 'typemetal' | 'none'>>

const START: State = Object.fromEntries(NODES.map(name => [name, 'metallb']))

/** All orders of the nodes. */
function orders(names: readonly string[]): readonly (readonly string[])[] {
  if (names.length <= 1) return [names]
  return names.flatMap(first => orders(names.filter(name => name !== first)).map(rest => [first, ...rest]))
}

/** Every state that a migration in this order goes through, the first included. */
function statesOf(order: readonly string[]): readonly State[] {
  let state = START
  const states = [state]
  for (const name of order) {
    states.push((state = { ...state, [name]: 'none' }), (state = { ...state, [name]: 'typemetal' }))
  }
  return states
}

/** A Service with what else makes it different: labels, annotations, the nodes of its endpoints. */
function made(
  name: string,
  ips: readonly string[],
  {
    labels = {},
    annotations = {},
    spec = {},
    endpoints = [{ nodeName: 'n1' }],
  }: {
    readonly labels?: object
    readonly annotations?: object
    readonly spec?: object
    readonly endpoints?: readonly object[]
  } = {},
): readonly AnyObject[] {
  const [object, slice] = service(name, ips[0] ?? '', spec)
  if (!object || !slice) return []
  return [
    { ...object, metadata: { ...object.metadata, labels, annotations }, status: { loadBalancer: { ingress: ips.map(ip => ({ ip })) } } },
    { ...slice, endpoints: endpoints.map(endpoint => ({ addresses: ['10.244.0.1'], ...endpoint })) },
  ] as readonly AnyObject[] // prettier-ignore
}

const simple = (count: number): readonly AnyObject[] =>
  Array.from({ length: count }, (_, i) => made(`s${i}`, [`10.1.0.${i + 1}`])).flat()

/** What every release knows. */
const COMMON: readonly AnyObject[] = [
  ...NODES.map((name, i) => node(name, `10.0.0.${i + 1}`, { rack: i < 3 ? 'a' : 'b' })),
  pool(['10.1.0.0/16', '2001:db8::/64']),
  ...simple(20),
  ...made('dual', ['10.1.1.1', '2001:db8::1']),
  ...made('dual6', ['2001:db8:0:0::2', '10.1.1.2']),
  ...made('spelt', ['2001:0DB8:0:0:0:0:0:00AB']),
  ...made('local', ['10.1.1.3'], {
    spec: { externalTrafficPolicy: 'Local' },
    endpoints: [{ nodeName: 'n2' }, { nodeName: 'n4' }, { nodeName: 'n5', conditions: { ready: false } }],
  }),
  ...made('terminating', ['10.1.1.4'], {
    spec: { externalTrafficPolicy: 'Local' },
    endpoints: [{ nodeName: 'n3', conditions: { ready: false, serving: true } }],
  }),
  ...made('nobody', ['10.1.1.5'], { endpoints: [{ nodeName: 'n1', conditions: { ready: false } }] }),
]

const WHOLE = [...COMMON, metallb('L2Advertisement', 'all')]

/** Some nodes cannot be chosen. */
const UNEVEN = [
  ...COMMON.map(object =>
    object.kind !== 'Node'
      ? object
      : object.metadata.name === 'n2'
        ? { ...object, status: { conditions: [{ type: 'NetworkUnavailable', status: 'True' }] } }
        : object.metadata.name === 'n3'
          ? { ...object, metadata: { ...object.metadata, labels: { 'node.kubernetes.io/exclude-from-external-load-balancers': '' } } } // prettier-ignore
          : object,
  ),
  metallb('L2Advertisement', 'b', { nodeSelectors: [{ matchLabels: { rack: 'b' } }] }),
  metallb('L2Advertisement', 'one', { nodeSelectors: [{ matchExpressions: [{ key: 'rack', operator: 'In', values: ['a'] }] }] }), // prettier-ignore
]

/** What only newer releases know: each has to agree with those of its own level. */
const FEATURES = [
  ...COMMON,
  ...made('web', ['10.1.2.1'], { labels: { app: 'web' } }),
  ...made('db', ['10.1.2.2'], { labels: { app: 'db' } }),
  ...made('shared', ['10.1.2.3'], { labels: { app: 'web' }, annotations: { 'metallb.io/allow-shared-ip': 'x' } }),
  metallb('L2Advertisement', 'web', {
    serviceSelectors: [{ matchLabels: { app: 'web' } }],
    nodeSelectors: [{ matchLabels: { rack: 'a' } }],
  }),
  metallb('L2Advertisement', 'rest', {
    serviceSelectors: [{ matchExpressions: [{ key: 'app', operator: 'DoesNotExist' }] }],
    preferredNodeSelectors: [
      { weight: 10, preference: { matchLabels: { rack: 'b' } } },
      { weight: 5, preference: { matchLabels: { rack: 'a' } } },
    ],
  }),
  metallb('L2Advertisement', 'more', {
    serviceSelectors: [{ matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['web', 'db'] }] }],
    preferredNodeSelectors: [{ weight: 7, preference: { matchLabels: { rack: 'a' } } }],
  }),
]

/** Owners of each Service in a state, and whether anybody could be one; states that many orders share are looked at once. */
function world(objects: readonly AnyObject[], release: Release, level: ElectionLevel) {
  const cluster = new MemoryCluster()
  for (const object of objects) cluster.apply(object)
  const snapshot = cluster.snapshot()
  const model = new MetalLBModel(objects, release)
  const names = objects.filter(({ kind }) => kind === 'Service').map(({ metadata }) => metadata.name)
  const ours = (of: string, members: readonly string[]): ReadonlySet<string> => {
    const decider = new Decider({ node: of, namespace: 'metallb-system', electionLevel: level })
    const { services } = decider.step(snapshot, { members }).plan
    return new Set(names.filter(name => services.get(`default/${name}`)?.layer2.announce))
  }
  const known = new Map<string, ReadonlyMap<string, readonly string[]>>()
  return (state: State): ReadonlyMap<string, readonly string[]> => {
    const key = NODES.map(name => state[name]).join()
    const found = known.get(key)
    if (found) return found
    const members = NODES.filter(name => state[name] !== 'none')
    const announced = members.map(of => ({
      of,
      services: state[of] === 'metallb' ? model.announcedBy(of, members) : ours(of, members),
    }))
    const owners = new Map(names.map(name => [name, announced.filter(({ services }) => services.has(name)).map(({ of }) => of)])) // prettier-ignore
    known.set(key, owners)
    return owners
  }
}

/** `mtn..`: what runs on each node. */
const shortOf = (state: State | undefined): string => NODES.map(name => state?.[name]?.[0] ?? '-').join('')

/** What is wrong with a migration in whatever order: owners that are not one, or not the right one, or that move although they stay. */
function faults(objects: readonly AnyObject[], release: Release, level: ElectionLevel): readonly string[] {
  const ownersIn = world(objects, release, level)
  /** What a ring of nothing but MetalLB's speakers would do with the same members. */
  const wantedIn = (state: State): ReadonlyMap<string, readonly string[]> =>
    ownersIn(Object.fromEntries(NODES.map(name => [name, state[name] === 'none' ? 'none' : 'metallb'])))
  const wrong: string[] = []
  const seen = new Set<string>()
  const check = (before: State | undefined, state: State): void => {
    const wanted = wantedIn(state)
    for (const [name, owners] of ownersIn(state)) {
      const at = `${name} at ${shortOf(state)}`
      if (owners.length > 1) wrong.push(`${at}: ${owners.length} owners`)
      if (owners.join() !== wanted.get(name)?.join())
        wrong.push(`${at}: ${owners.join()}, not ${wanted.get(name)?.join()}`)
      const [was] = (before && ownersIn(before).get(name)) ?? []
      const [is = ''] = owners
      const needsTo = was === undefined || state[was] === 'none' || before?.[is] === 'none'
      if (is !== was && !needsTo) wrong.push(`${at}: moved from ${was} to ${is}`)
    }
  }
  for (const order of orders(NODES)) {
    let before: State | undefined
    for (const state of statesOf(order)) {
      const step = `${shortOf(before)} ${shortOf(state)}` // many orders share it
      if (!seen.has(step)) check(before, state)
      seen.add(step)
      before = state
    }
  }
  return wrong
}

t.test('the model is MetalLB as its test vectors have it', async t => {
  const vectors: readonly (readonly [string, string])[] = [
    ['10.20.30.1', 'node1 iris2 node2 node3 iris1'],
    ['10.20.30.2', 'node2 iris1 iris2 node3 node1'],
    ['192.168.1.1', 'node3 node2 iris1 iris2 node1'],
    ['2001:db8::1', 'iris2 node3 iris1 node2 node1'],
    ['10.0.0.1', 'worker-a node-b edge-a worker-b node-a edge-b node-c'],
  ]
  for (const [ip, sorted] of vectors) {
    const left = sorted.split(' ')
    const objects = [...left.map(name => node(name)), pool([]), metallb('L2Advertisement', 'l2'), ...made('s', [ip])]
    const model = new MetalLBModel(objects, 'main')
    const elected: string[] = []
    for (let members = left.toSorted(); members.length > 0; members = members.filter(name => !elected.includes(name))) {
      elected.push(...members.filter(of => model.announcedBy(of, members).size === 1))
    }
    t.equal(elected.join(' '), sorted, ip)
  }
})

t.test('120 orders of five nodes make 112 states', async t => {
  t.equal(orders(NODES).length, 120)
  const states = orders(NODES).flatMap(order => statesOf(order).map(state => JSON.stringify(state)))
  t.equal(new Set(states).size, 112)
})

for (const level of ELECTION_LEVELS) {
  t.test(`MetalLB ${level} and ours at --election-level ${level}: one owner at every step of every order`, async t => {
    for (const [name, objects] of [['all nodes', WHOLE], ['uneven', UNEVEN], ['features', FEATURES]] as const) {
      t.strictSame(faults(objects, level, level).slice(0, 5), [], name)
    }
  }) // prettier-ignore
}

t.test('without features that releases treat differently every level agrees with every release', async t => {
  for (const release of ['0.15', '0.16'] as const) {
    t.strictSame(faults(WHOLE, release, 'main'), [])
    t.strictSame(faults(UNEVEN, release, 'main'), [])
  }
})

t.test('with them a wrong --election-level shows: this test can fail', async t => {
  for (const [release, level] of [['0.15', 'main'], ['0.16', 'main'], ['main', '0.15'], ['main', '0.16'], ['0.15', '0.16']] as const) {
    t.not(faults(FEATURES, release, level).length, 0, `${release} beside ${level}`)
  }
}) // prettier-ignore

t.test('each of the services with a candidate has an owner, the one without has none', async t => {
  const owners = world(WHOLE, 'main', 'main')(START)
  t.strictSame([...owners].filter(([, of]) => of.length !== 1).map(([name]) => name), ['nobody']) // prettier-ignore
  t.ok(new Set([...owners.values()].flat()).size >= 4, 'spread over the nodes')
})
