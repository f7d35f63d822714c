/** The plans of many nodes are those that each node makes by itself. */
import t from 'tap'
import { plan } from '@typemetal/speaker'
import { parse } from 'yaml'
import { readCluster, viewOf, type ViewRequest } from 'typemetal'
import { cluster, folder, replace, run } from './support.js'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

// Processes and a busy machine.
t.setTimeout(1_200_000)

const SELECTED = 'nodeSelectors: [{ matchLabels: { kubernetes.io/hostname: node-2 } }]'

for (const [name, edit] of [
  ['as it is', () => {}],
  ['one node may', (path: string) => replace(path, 'layer2.yaml', 'spec:', `spec:\n  ${SELECTED}`)],
  [
    'no Service may',
    (path: string) => replace(path, 'layer2.yaml', 'spec:', 'spec:\n  serviceSelectors: [{ matchLabels: { a: b } }]'),
  ],
  [
    'preferences',
    (path: string) =>
      replace(
        path,
        'layer2.yaml',
        'spec:',
        'spec:\n  preferredNodeSelectors: [{ weight: 5, preference: { matchLabels: { kubernetes.io/hostname: node-2 } } }]',
      ),
  ],
  [
    'no endpoint',
    (path: string) =>
      replace(
        path,
        'web.yaml',
        'nodeName: node-1, conditions: { ready: true }',
        'nodeName: node-1, conditions: { ready: false }',
      ),
  ],
  [
    'a shared address with selectors',
    (path: string) => {
      replace(
        path,
        'layer2.yaml',
        'spec:',
        'spec:\n  serviceSelectors: [{ matchExpressions: [{ key: x, operator: DoesNotExist }] }]',
      )
      replace(
        path,
        'web.yaml',
        'metallb.io/address-pool: lan',
        'metallb.io/address-pool: lan, metallb.io/allow-shared-ip: k',
      )
    },
  ],
  [
    'excluded and of another class',
    (path: string) => {
      replace(
        path,
        'nodes.yaml',
        'kubernetes.io/hostname: node-3',
        'node.kubernetes.io/exclude-from-external-load-balancers: ""',
      )
      replace(path, 'docs.yaml', 'type: LoadBalancer', 'type: LoadBalancer\n  loadBalancerClass: a.b/c')
    },
  ],
  [
    'local endpoints on one node, and a peer for two',
    (path: string) => {
      replace(path, 'shop.yaml', 'type: LoadBalancer', 'type: LoadBalancer\n  externalTrafficPolicy: Local')
      replace(path, 'web.yaml', 'type: LoadBalancer', 'type: LoadBalancer\n  externalTrafficPolicy: Local')
      replace(
        path,
        'bgp.yaml',
        'peerAddress: 10.10.0.1',
        'peerAddress: 10.10.0.1\n  nodeSelectors: [{ matchExpressions: [{ key: kubernetes.io/hostname, operator: In, values: [node-1, node-3] }] }]',
      )
    },
  ],
  [
    'a node without a network, and an advertisement for the others',
    (path: string) => {
      replace(path, 'nodes.yaml', 'status:', "status:\n  conditions: [{ type: NetworkUnavailable, status: 'True' }]")
      replace(path, 'bgp.yaml', 'ipAddressPools:', `${SELECTED}\n  ipAddressPools:`)
    },
  ],
] as const) {
  t.test(name, async t => {
    const namespace = 'metallb-system'
    for (const electionLevel of ['0.15', '0.16', 'main'] as const) {
      const request: ViewRequest = { namespace, members: [], electionLevel }
      const view = viewOf(await readCluster([cluster(t, edit)], namespace), request)
      if (!view) throw new Error('no valid configuration')
      t.equal(view.plans.size, 3)
      for (const [node, { services, layer2, routes, peersOf }] of view.plans) {
        const alone = plan(view.snapshot, view.config, node, view.members, request)
        t.same(Object.fromEntries(services), Object.fromEntries(alone.services), `${electionLevel} ${node}: decisions`)
        t.same(
          [layer2, routes, peersOf].map(map => Object.fromEntries<unknown>(map)),
          [alone.layer2, alone.routes, alone.peersOf].map(map => Object.fromEntries<unknown>(map)),
          `${electionLevel} ${node}: answers and routes`,
        )
      }
    }
  })
}

t.test('nodes of one kind with endpoints of their own, prefixes that Services share', async t => {
  const path = folder(t)
  const objects = [
    ...Array.from({ length: 12 }, (_, i) => ({
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: `n${i}`, labels: { rack: `r${i % 2}` } },
    })),
    ...Array.from({ length: 60 }, (_, i) => [
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: `s${i}`, annotations: { 'metallb.io/address-pool': i % 3 === 0 ? 'lan' : 'routed' } },
        spec: { type: 'LoadBalancer', ...(i % 2 === 0 && { externalTrafficPolicy: 'Local' }) },
      },
      {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: { name: `s${i}`, labels: { 'kubernetes.io/service-name': `s${i}` } },
        addressType: 'IPv4',
        endpoints: [i, i * 7 + 1].map(n => ({ addresses: ['10.1.0.7'], nodeName: `n${n % 12}` })),
      },
    ]).flat(),
    ...['lan', 'routed'].map((name, i) => pool(name, `10.5${i}.0.0/24`)),
    metallb('L2Advertisement', 'lan', { ipAddressPools: ['lan'] }),
    metallb('BGPAdvertisement', 'one', { ipAddressPools: ['routed'], peers: ['a'] }),
    metallb('BGPAdvertisement', 'wide', { ipAddressPools: ['routed'], aggregationLength: 28, localPref: 50 }),
    ...['a', 'b'].map((name, i) => ({
      ...metallb('BGPPeer', name, {
        myASN: 64512,
        peerASN: 64512,
        peerAddress: `10.9.9.${i + 1}`,
        ...(i === 1 && { nodeSelectors: [{ matchLabels: { rack: 'r1' } }] }),
      }),
      apiVersion: 'metallb.io/v1beta2',
    })),
  ]
  writeFileSync(join(path, 'all.yaml'), objects.map(object => JSON.stringify(object)).join('\n---\n'))
  const namespace = 'metallb-system'
  const view = viewOf(await readCluster([path], namespace), { namespace, members: [] })
  if (!view) throw new Error('no valid configuration')
  for (const [node, { services, layer2, sessions, routes, peersOf, notes }] of view.plans) {
    const alone = plan(view.snapshot, view.config, node, view.members, { lbClass: '' })
    const entries = (map: ReadonlyMap<string, unknown>): unknown => [...map].toSorted(([a], [b]) => (a < b ? -1 : 1))
    t.same(entries(services), entries(alone.services), `${node}: decisions`)
    t.same(entries(layer2), entries(alone.layer2), `${node}: answers`)
    t.same([sessions, routes, peersOf].map(entries), [alone.sessions, alone.routes, alone.peersOf].map(entries), node)
    t.same(notes, alone.notes, `${node}: notes`)
  }
  const local = [...view.plans.values()].map(({ services }) => services.get('default/s2')?.bgp.announce)
  t.equal(local.filter(Boolean).length, 2, 'a Service with local endpoints is announced by the nodes that have them')
})

const metallb = (kind: string, name: string, spec: object): object => ({
  apiVersion: 'metallb.io/v1beta1',
  kind,
  metadata: { name, namespace: 'metallb-system' },
  spec,
})
const pool = (name: string, addresses: string): object => metallb('IPAddressPool', name, { addresses: [addresses] })

t.test('100 nodes and 500 Services: no table is too long, no election is held twice', async t => {
  const path = folder(t)
  const nodes = Array.from({ length: 100 }, (_, i) => `apiVersion: v1\nkind: Node\nmetadata: { name: n${i} }\n`)
  const services = Array.from(
    { length: 500 },
    (_, i) =>
      `apiVersion: v1\nkind: Service\nmetadata: { name: s${i} }\nspec: { type: LoadBalancer }\n---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: { name: s${i}, labels: { kubernetes.io/service-name: s${i} } }\naddressType: IPv4\nendpoints: [{ addresses: [10.1.0.7], nodeName: n1 }]\n`,
  )
  const config =
    'apiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata: { name: a }\nspec: { addresses: [10.50.0.0/16] }\n---\napiVersion: metallb.io/v1beta1\nkind: L2Advertisement\nmetadata: { name: a }\n'
  writeFileSync(join(path, 'all.yaml'), [...nodes, ...services, config].join('---\n'))
  const { text } = await run('plan', path)
  t.equal(text.split('\n').length, 100 * 500 + 2)
  t.equal(text.split('\n').filter(line => / yes /.test(line)).length, 500, 'each address has one owner')
  const { services: said } = parse((await run('status', path, '-o', 'yaml')).text) as { services: readonly object[] }
  t.equal(said.length, 500)
})
