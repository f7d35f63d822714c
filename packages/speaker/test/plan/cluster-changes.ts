/** Random clusters that change one object at a time, for properties of plans. */
import * as fc from 'fast-check'
import type { MemoryCluster } from '../scenario/cluster.js'
import type { AnyObject } from '../scenario/cluster.js'

/** Nodes of the cluster. */
export const NODES: readonly string[] = ['n1', 'n2', 'n3']
const NAMESPACE = 'metallb-system'

/** One change of the cluster, or of what a node knows beside it. */
export type ClusterChange = (world: World) => void

/** What a plan is made of. */
export interface World {
  readonly cluster: MemoryCluster
  members: readonly string[] | undefined
  interfaces: readonly string[] | undefined
}

const metallb = (kind: string, name: string, spec: object): AnyObject =>
  ({
    apiVersion: kind === 'BGPPeer' ? 'metallb.io/v1beta2' : 'metallb.io/v1beta1',
    kind,
    metadata: { name, namespace: NAMESPACE },
    spec,
  }) as AnyObject

const services = ['a', 'b', 'c', 'd'] as const
/** What changes about a Service. */
interface ServiceFacts {
  readonly name: string
  readonly type: string
  readonly ips: readonly string[]
  readonly local: boolean
  readonly app: string
}
const service: fc.Arbitrary<ServiceFacts> = fc.record({
  name: fc.constantFrom(...services),
  type: fc.constantFrom('LoadBalancer', 'LoadBalancer', 'LoadBalancer', 'ClusterIP'),
  ips: fc.constantFrom<readonly string[]>(
    ['10.0.0.1'],
    ['10.0.0.2'],
    ['10.0.0.200'],
    ['10.0.0.1', 'fd00::1'],
    [],
    ['10.9.9.9'],
    ['host'],
  ),
  local: fc.boolean(),
  app: fc.constantFrom('web', 'db'),
})

const applyService =
  ({ name, type, ips, local, app }: ServiceFacts): ClusterChange =>
  ({ cluster }) =>
    cluster.apply({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, labels: { app } },
      spec: { type, externalTrafficPolicy: local ? 'Local' : 'Cluster' },
      status: { loadBalancer: { ingress: ips.map(ip => ({ ip })) } },
    } as AnyObject)

const slice = fc
  .tuple(
    fc.nat(4),
    fc.constantFrom(...services),
    fc.array(fc.tuple(fc.constantFrom(...NODES), fc.boolean()), { maxLength: 2 }),
  )
  .map(
    ([n, owner, endpoints]): ClusterChange =>
      ({ cluster }) =>
        cluster.apply({
          apiVersion: 'discovery.k8s.io/v1',
          kind: 'EndpointSlice',
          metadata: { name: `slice-${n}`, labels: { 'kubernetes.io/service-name': owner } },
          endpoints: endpoints.map(([nodeName, ready]) => ({
            nodeName,
            addresses: ['10.244.0.1'],
            conditions: { ready },
          })),
        } as AnyObject),
  )

const node = fc.tuple(fc.constantFrom(...NODES), fc.constantFrom('1', '2'), fc.boolean(), fc.boolean()).map(
  ([name, rack, excluded, dark]): ClusterChange =>
    ({ cluster }) =>
      cluster.apply({
        apiVersion: 'v1',
        kind: 'Node',
        metadata: {
          name,
          labels: { rack, ...(excluded && { 'node.kubernetes.io/exclude-from-external-load-balancers': '' }) },
        },
        status: { conditions: [{ type: 'NetworkUnavailable', status: dark ? 'True' : 'False' }] },
      }),
)

const selectors = (key: string, values: readonly string[]) =>
  fc.constantFrom([], ...values.map(value => [{ matchLabels: { [key]: value } }]))

const advertisement = fc
  .record({
    name: fc.constantFrom('x', 'y'),
    nodeSelectors: selectors('rack', ['1', '2']),
    serviceSelectors: selectors('app', ['web']),
    aggregationLength: fc.constantFrom(32, 32, 24),
    localPref: fc.constantFrom(0, 200),
    communities: fc.constantFrom([], ['65000:1'], ['65000:2', 'large:1:2:3']),
    peers: fc.constantFrom([], ['r1'], ['r2']),
  })
  .map(
    ({ name, ...spec }): ClusterChange =>
      ({ cluster }) =>
        cluster.apply(
          metallb('BGPAdvertisement', name, {
            ...spec,
            ...(spec.serviceSelectors.length > 0 && { aggregationLength: 32 }),
          }),
        ),
  )

const layer2 = fc
  .record({
    name: fc.constantFrom('x', 'y'),
    nodeSelectors: selectors('rack', ['1', '2']),
    serviceSelectors: selectors('app', ['web']),
    interfaces: fc.constantFrom([], ['eth0'], ['eth0', 'eth1']),
    preferredNodeSelectors: fc.constantFrom(
      [],
      [{ weight: 10, preference: { matchLabels: { rack: '2' } } }],
      [{ weight: 20, preference: {} }],
    ),
  })
  .map(
    ({ name, ...spec }): ClusterChange =>
      ({ cluster }) =>
        cluster.apply(metallb('L2Advertisement', name, spec)),
  )

const peer = fc
  .record({
    name: fc.constantFrom('r1', 'r2', 'r3'),
    peerASN: fc.constantFrom(64_512, 64_513),
    dualStackAddressFamily: fc.boolean(),
    nodeSelectors: selectors('rack', ['1', '2']),
  })
  .map(
    ({ name, ...spec }): ClusterChange =>
      ({ cluster }) =>
        cluster.apply(metallb('BGPPeer', name, { myASN: 64_512, peerAddress: `10.1.0.${name.slice(1)}`, ...spec })),
  )

const pool = fc.constantFrom(['10.0.0.0/24', 'fd00::/120'], ['10.0.0.0/25', 'fd00::/120'], ['10.0.0.0/24']).map(
  (addresses): ClusterChange =>
    ({ cluster }) =>
      cluster.apply(metallb('IPAddressPool', 'p', { addresses })),
)

const removal = fc
  .constantFrom(
    ...services.map(name => ['Service', `default/${name}`] as const),
    ...[0, 1, 2, 3, 4].map(n => ['EndpointSlice', `default/slice-${n}`] as const),
    ...['x', 'y'].flatMap(name =>
      ['BGPAdvertisement', 'L2Advertisement'].map(kind => [kind, `${NAMESPACE}/${name}`] as const),
    ),
    ...['r1', 'r2', 'r3'].map(name => ['BGPPeer', `${NAMESPACE}/${name}`] as const),
    ...NODES.map(name => ['Node', name] as const),
  )
  .map(
    ([kind, key]): ClusterChange =>
      ({ cluster }) =>
        cluster.delete(kind, key),
  )

const members = fc.option(fc.subarray([...NODES]), { nil: undefined }).map((names): ClusterChange => world => {
  world.members = names
})

const interfaces = fc.constantFrom(undefined, ['eth0'], ['eth1', 'eth2'], []).map((names): ClusterChange => world => {
  world.interfaces = names
})

/** Any single change; those of Services and slices come most often. */
export const clusterChange: fc.Arbitrary<ClusterChange> = fc.oneof(
  { weight: 5, arbitrary: service.map(applyService) },
  { weight: 4, arbitrary: slice },
  { weight: 3, arbitrary: removal },
  { weight: 1, arbitrary: node },
  { weight: 1, arbitrary: advertisement },
  { weight: 1, arbitrary: layer2 },
  { weight: 1, arbitrary: peer },
  { weight: 1, arbitrary: pool },
  { weight: 1, arbitrary: members },
  { weight: 1, arbitrary: interfaces },
)

/** A cluster in which most things are announced. */
export const furnish: ClusterChange = world => {
  for (const name of NODES)
    world.cluster.apply({ apiVersion: 'v1', kind: 'Node', metadata: { name, labels: { rack: '1' } } })
  world.cluster.apply(metallb('IPAddressPool', 'p', { addresses: ['10.0.0.0/24', 'fd00::/120'] }))
  world.cluster.apply(metallb('L2Advertisement', 'x', {}))
  world.cluster.apply(metallb('BGPAdvertisement', 'x', {}))
  world.cluster.apply(metallb('BGPPeer', 'r1', { myASN: 64_512, peerASN: 64_513, peerAddress: '10.1.0.1' }))
  for (const [i, name] of services.entries()) {
    applyService({ name, type: 'LoadBalancer', ips: [`10.0.0.${i}`], local: false, app: 'web' })(world)
    world.cluster.apply({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: `slice-${i}`, labels: { 'kubernetes.io/service-name': name } },
      endpoints: [{ nodeName: 'n1', addresses: ['10.244.0.1'] }],
    } as AnyObject)
  }
}
