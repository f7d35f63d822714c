/** What is kept of objects decides as the whole objects do, and says of statuses what the whole ones say. */
import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import t from 'tap'
import type { Kind, Kinds, Node, ObjectKey, Service, ServiceBGPStatus, Snapshot } from '@typemetal/cluster'
import { buildConfig, configResources } from '@typemetal/cluster'
import { isExcluded, keepRules, plan } from '@typemetal/speaker'
import type { Plan } from '@typemetal/speaker'
import { MemoryCluster } from './scenario/cluster.js'
import { clusterChange, furnish } from './plan/cluster-changes.js'
import type { World } from './plan/cluster-changes.js'

const rules = keepRules()

function kept<K extends Kind>(kind: K, object: Kinds[K]): Kinds[K] {
  const rule: ((object: Kinds[K]) => Kinds[K]) | undefined = rules[kind]
  return rule ? rule(object) : object
}

/** The same cluster as a store has it that keeps what the rules say. */
const keptOf = (whole: Snapshot): Snapshot => ({
  ...whole,
  objects: <K extends Kind>(kind: K) =>
    new Map([...whole.objects(kind)].map(([key, object]): [ObjectKey, Kinds[K]] => [key, kept(kind, object)])),
  endpointSlicesOf: key => whole.endpointSlicesOf(key).map(slice => kept('EndpointSlice', slice)),
})

const contentOf = ({ services, layer2, routes, peersOf }: Plan): object => ({
  services: new Map(services),
  layer2: new Map(layer2),
  routes: new Map(routes),
  peersOf: new Map(peersOf),
})

t.test('property: a plan of what is kept is the plan of the whole', async () => {
  fc.assert(
    fc.property(fc.array(clusterChange, { maxLength: 30 }), changes => {
      const world: World = { cluster: new MemoryCluster(), members: undefined, interfaces: undefined }
      furnish(world)
      for (const change of changes) change(world)
      const plans = [world.cluster.snapshot(), keptOf(world.cluster.snapshot())].map(snapshot => {
        const built = buildConfig(configResources(snapshot), {
          component: 'speaker',
          node: 'n1',
          namespace: 'metallb-system',
        })
        return plan(snapshot, 'config' in built ? built.config : undefined, 'n1', world.members)
      })
      const [whole, small] = plans
      assert.ok(whole && small)
      assert.deepEqual(contentOf(small), contentOf(whole))
    }),
    { numRuns: 200 },
  )
})

const metadata = {
  name: 'web',
  namespace: 'default',
  uid: 'u',
  resourceVersion: '7',
  creationTimestamp: '2026-01-01T00:00:00Z',
  labels: { app: 'web' },
  annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}', 'metallb.io/allow-shared-ip': 'k' },
}

t.test('of a Service stays what decides, what selects it and what tells its versions apart', async t => {
  const whole: Service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata,
    spec: {
      type: 'LoadBalancer',
      loadBalancerClass: 'x',
      externalTrafficPolicy: 'Local',
      clusterIP: '10.96.0.1',
      ports: [{ port: 80 }],
      selector: { app: 'web' },
    },
    status: { loadBalancer: { ingress: [{ ip: '10.0.0.1', ipMode: 'VIP' }, { hostname: 'a.example' }] } },
  }
  t.strictSame(kept('Service', whole), {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: 'web',
      namespace: 'default',
      uid: 'u',
      resourceVersion: '7',
      labels: { app: 'web' },
      annotations: { 'metallb.io/allow-shared-ip': 'k' },
    },
    spec: { type: 'LoadBalancer', loadBalancerClass: 'x', externalTrafficPolicy: 'Local' },
    status: { loadBalancer: { ingress: [{ ip: '10.0.0.1' }, {}] } },
  })
})

t.test('of a thousand endpoints one of each sort stays', async t => {
  const endpoints = Array.from({ length: 1000 }, (_, i) => ({
    addresses: [`10.244.${i >> 8}.${i & 255}`, 'more'],
    nodeName: `n${i % 3}`,
    conditions: { ready: i % 2 === 0, serving: true, terminating: i % 2 === 1 },
    targetRef: { kind: 'Pod', name: `web-${i}` },
  }))
  const labels = { 'kubernetes.io/service-name': 'web', more: 'x' }
  const slice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { ...metadata, labels },
    endpoints,
  }
  const small = kept('EndpointSlice', slice as Kinds['EndpointSlice'])
  t.strictSame(small.metadata.labels, { 'kubernetes.io/service-name': 'web' })
  t.equal(small.endpoints?.length, 6)
  t.strictSame(small.endpoints?.[0], {
    addresses: ['10.244.0.0'],
    conditions: { ready: true, serving: true },
    nodeName: 'n0',
  })
})

t.test('of a Node its images go, and what it is judged by stays', async t => {
  const whole = {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'n1', labels: { 'node.kubernetes.io/exclude-from-external-load-balancers': '' } },
    spec: { unschedulable: true, taints: [{ key: 'k', effect: 'NoSchedule' }] },
    status: {
      addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
      conditions: [{ type: 'Ready', status: 'True' }],
      images: [{ names: ['x'], sizeBytes: 1 }],
    },
  }
  const { images: _, ...status } = whole.status
  const small = kept('Node', whole as Node)
  t.strictSame(small, { ...whole, status })
  t.ok(isExcluded(small))
})

t.test('a status says all that it said, and whose it is', async t => {
  const owner = { apiVersion: 'v1', kind: 'Pod', name: 'speaker-x', uid: 'p' }
  const labels = {
    'metallb.io/node': 'n1',
    'metallb.io/service-name': 'web',
    'metallb.io/service-namespace': 'default',
    theirs: 'x',
  }
  const { annotations: _, creationTimestamp: __, ...identity } = metadata
  const status = { node: 'n1', serviceName: 'web', serviceNamespace: 'default', peers: ['a', 'b'] }
  const whole = {
    apiVersion: 'metallb.io/v1beta1',
    kind: 'ServiceBGPStatus',
    metadata: { ...metadata, labels, ownerReferences: [owner], deletionTimestamp: '2026-01-02T00:00:00Z' },
    status,
  } as ServiceBGPStatus
  const small = kept('ServiceBGPStatus', whole)
  t.strictSame(small, {
    apiVersion: whole.apiVersion,
    kind: whole.kind,
    metadata: { ...identity, labels, ownerReferences: [owner], deletionTimestamp: '2026-01-02T00:00:00Z' },
    status,
  })
  const other = kept('ServiceBGPStatus', { ...whole, status: { ...status, peers: ['a', 'b'] } })
  t.equal(other.status?.peers, small.status?.peers, 'one list for all')
  const { status: ___, ...fresh } = whole
  t.notOk('status' in kept('ServiceBGPStatus', fresh))
})
