/** Controller and speakers as their ServiceAccounts, on a real API server: what the cluster sees of them, and what they do without it. */
import type {
  ConfigurationState,
  KubernetesObject,
  Service,
  ServiceBGPStatus,
  ServiceL2Status,
} from '@typemetal/cluster'
import { type LabProcess, run, until } from '@typemetal/lab'
import {
  type AdminClient,
  type ApiServer,
  DEADLINE,
  deployManifests,
  type FaultProxy,
  grantedRights,
  makeMetricsReaders,
  NAMESPACE,
  rightsOf,
} from '@typemetal/lab/kubernetes'
import { electionOrder } from '@typemetal/speaker'
import type { Test } from 'tap'
import { kubectl, onApiServer } from './envtest.js'
import { makePod, type NodeName, NODES, podOf, World } from './envtest-world.js'
import { metallb, peer, pool } from './support/objects.js'

const OURS = `/apis/metallb.io/v1beta1/namespaces/${NAMESPACE}`
const PATIENT = { timeout: DEADLINE, interval: 100 }
const PLURALS = ['servicel2statuses', 'servicebgpstatuses', 'configurationstates']
const VIP = '10.10.0.200'
const ROUTED = '203.0.113.0'

onApiServer(
  'two speakers and the controller with the shipped rules',
  async (t, server) => {
    const { admin } = server
    await using world = await World.create(server)
    await configure(admin)
    await using controller = await world.controller()
    const through = await server.proxy()
    through.fault = firstConflict()
    const speakers = new Map<NodeName, LabProcess>([
      ['n1', await world.speaker('n1', [], through)],
      ['n2', await world.speaker('n2', ['--metrics-auth'])],
    ])
    const scene = { server, admin, world, speakers }
    await t.test('a Service gets its address, one node answers for it, both route it', async t => announced(t, scene))
    await t.test('statuses are owned by the Pods', async t => owned(t, scene))
    await t.test('what kubectl prints', { skip: kubectl === undefined && 'it is missing' }, async t => prints(t, scene))
    await t.test('metrics, with and without a token', async t => metrics(t, scene))
    await t.test('names that a widely read guide asks for', async t => {
      const [text, spoken] = [await controller.metrics(), await world.fetch('n1', 'http://127.0.0.1:7472/metrics')]
      t.match(text, /^metallb_ip_addresses_total\{pool="lan"\} 4$/m)
      t.match(text, /^metallb_ip_addresses_in_use_total\{pool="lan"\} 1$/m)
      t.match(text, /^metallb_allocator_addresses_in_use\{pool="routed"\} 1$/m)
      t.match(text, /^metallb_allocator_addresses_allocated_total\{pool="routed"\} 1$/m)
      t.match(spoken, /^metallb_bgp_session_up\{peer="10\.10\.0\.1:179",vrf="default"\} 1$/m)
    })
    await t.test('labels of a Node change', async t => relabelled(t, scene))
    await t.test('endpoints go and come: an event is told again', async t => repeated(t, scene))
    await t.test('a configuration that cannot be used', async t => broken(t, scene))
    await t.test('a speaker is killed, and comes back in another Pod', async t => killed(t, scene))
    await t.test('the API server is away: what is announced stays', async t => away(t, scene))
    await t.test('a Pod that there is not', async t => {
      const lost = await world.speaker('n1', [
        '--pod-name=nobody',
        '--port=0',
        '--health-probe-port=0',
        '--ml-bindaddr=',
      ])
      t.same(await lost.exited, { code: 1, signal: null })
      t.match(lost.lines.at(-1), /^typemetal-speaker: --pod-name: cannot get Pod metallb-system\/nobody: there is none/)
    })
    for (const [node, speaker] of speakers) {
      t.same(await speaker.stop('SIGTERM', 60_000), { code: 0, signal: null }, `${node} ends in peace`)
    }
    t.same(await statuses(admin, 'servicel2statuses'), [], 'and takes back what it said')
    t.ok(controller.process.running)
  },
  (t, requests) => {
    const granted = grantedRights(deployManifests('rbac/speaker.yaml'))
    t.same(rightsOf(requests, NAMESPACE), granted, 'each rule was needed, and nothing else')
    const lists = requests.filter(
      ({ verb, requestURI }) => verb !== 'create' && /servicebgpstatuses\?/.test(requestURI),
    )
    const broad = lists.filter(({ requestURI }) => !/labelSelector=metallb\.io%2Fnode%3Dn[12]/.test(requestURI))
    t.same([lists.length > 0, broad], [true, []], 'a node reads its own ServiceBGPStatuses, not those of all nodes')
  },
)

interface Scene {
  readonly server: ApiServer
  readonly admin: AdminClient
  readonly world: World
  readonly speakers: Map<NodeName, LabProcess>
}

/** The first status of each kind meets somebody who was quicker: then it has to be read whether the object is still there. */
function firstConflict(): FaultProxy['fault'] {
  const met = new Set<string>()
  return ({ method, path }) => {
    const [, kind] = /\/(service[a-z0-9]+)\/[^/]+\/status$/.exec(path) ?? []
    if (method !== 'PUT' || kind === undefined || met.has(kind)) return undefined
    met.add(kind)
    return { type: 'refuse', status: 409 }
  }
}

async function configure(admin: AdminClient): Promise<void> {
  const lan = pool(['10.10.0.200-10.10.0.203'], 'lan')
  const routed = pool(['203.0.113.0/30'], 'routed')
  await admin.apply({ ...lan, spec: { addresses: ['10.10.0.200-10.10.0.203'], autoAssign: false } } as KubernetesObject)
  await admin.apply(routed)
  await admin.apply(metallb('L2Advertisement', 'lan', { ipAddressPools: ['lan'] }))
  await admin.apply(metallb('BGPAdvertisement', 'routed', { ipAddressPools: ['routed'] }))
  const nodeSelectors = [{ matchExpressions: [{ key: 'rack', operator: 'NotIn', values: ['dark'] }] }]
  await admin.apply(peer('router', { peerAddress: '10.10.0.1', holdTime: '9s', nodeSelectors }))
  await admin.apply(service('web', { 'metallb.io/address-pool': 'lan' }))
  await admin.apply(service('routed'))
  for (const name of ['web', 'routed', 'late']) await admin.apply(slice(name))
}

const service = (name: string, annotations: Readonly<Record<string, string>> = {}): KubernetesObject =>
  ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'default', annotations },
    spec: { type: 'LoadBalancer', ports: [{ port: 80, protocol: 'TCP' }], allocateLoadBalancerNodePorts: false },
  }) as KubernetesObject

const slice = (name: string, ready = true): KubernetesObject =>
  ({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `${name}-1`, namespace: 'default', labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    endpoints: [{ addresses: ['10.244.0.1'], nodeName: 'n1', conditions: { ready } }],
  }) as KubernetesObject

type Status = ServiceL2Status | ServiceBGPStatus
const statuses = <T extends KubernetesObject = Status>(admin: AdminClient, plural: string): Promise<readonly T[]> =>
  admin.list<T>(`${OURS}/${plural}`)

/** Nodes that say they announce a Service, sorted; waits until they are these. */
async function announcers(
  admin: AdminClient,
  plural: string,
  name: string,
  ...nodes: readonly string[]
): Promise<void> {
  await until(
    `${plural} of ${name} by ${nodes.join(', ')}`,
    async () => {
      const found = (await statuses(admin, plural)).filter(({ status }) => status?.serviceName === name)
      const by = found.map(({ status }) => status?.node ?? '').toSorted()
      if (by.join() === nodes.join()) return true
      throw new Error(by.join())
    },
    PATIENT,
  )
}

async function announced(t: Test, { admin, world }: Scene): Promise<void> {
  // Whoever is ready first serves until the other one is.
  const owner = NODES.find(name => name === electionOrder(NODES, VIP)[0]) ?? NODES[0]
  await until(`${owner} to answer`, async () => ((await world.owner(VIP)) === owner ? true : undefined), PATIENT)
  await world.routed(`${ROUTED}/32`, ...NODES)
  const path = '/api/v1/namespaces/default/services/web'
  const { status } = (await admin.request({ method: 'GET', path })) as Service
  t.match(status, { loadBalancer: { ingress: [{ ip: VIP }] } })
  await announcers(admin, 'servicel2statuses', 'web', owner)
  await announcers(admin, 'servicebgpstatuses', 'routed', ...NODES)
}

async function owned(t: Test, { admin }: Scene): Promise<void> {
  const uids = new Map<string, string | undefined>()
  for (const node of NODES) {
    const path = `/api/v1/namespaces/${NAMESPACE}/pods/${podOf(node)}`
    const { metadata } = (await admin.request({ method: 'GET', path })) as KubernetesObject
    uids.set(node, metadata.uid)
  }
  for (const plural of ['servicel2statuses', 'servicebgpstatuses']) {
    for (const { metadata, status } of await statuses(admin, plural)) {
      const node = status?.node ?? ''
      const reference = { apiVersion: 'v1', kind: 'Pod', name: `speaker-${node}`, uid: uids.get(node) }
      t.same(metadata.ownerReferences, [reference], metadata.name)
      t.match(metadata.name, plural === 'servicel2statuses' ? /^l2-/ : /^bgp-/)
      t.same(metadata.labels, {
        'metallb.io/node': node,
        'metallb.io/service-name': status?.serviceName,
        'metallb.io/service-namespace': 'default',
      })
    }
  }
  for (const node of NODES) {
    const path = `${OURS}/configurationstates/speaker-${node}`
    const state = await until(
      `the state of ${node}`,
      async () => {
        const found = (await admin.request({ method: 'GET', path })) as ConfigurationState & {
          readonly metadata: { readonly managedFields?: readonly object[] }
        }
        return found.status?.result === 'Valid' ? found : undefined
      },
      PATIENT,
    )
    t.match(state.metadata.ownerReferences, [{ kind: 'Pod', name: podOf(node), uid: uids.get(node) }])
    t.match(
      state.metadata.managedFields?.find(field => 'subresource' in field),
      { manager: 'configReconciler', operation: 'Apply', subresource: 'status' },
      'its status is applied, so that others may add conditions',
    )
    t.match(state.status, { result: 'Valid', conditions: [{ type: 'configReconcilerValid', reason: 'Reconciled' }] })
  }
}

async function prints(t: Test, { server, world }: Scene): Promise<void> {
  const kubeconfig = await server.kubeconfig()
  const call = async (...args: readonly string[]): Promise<string> =>
    (await run([kubectl ?? '', `--kubeconfig=${kubeconfig}`, `--cache-dir=${server.directory}/kubectl`, ...args]))
      .stdout
  const owner = await world.owner(VIP)
  const rows = (text: string): readonly (readonly string[])[] =>
    text.trimEnd().split('\n').map(line => line.trimEnd().split(/ {2,}/)) // prettier-ignore
  const [head, row] = rows(await call('get', 'servicel2statuses', '-n', NAMESPACE))
  t.same(head, ['NAME', 'ALLOCATED NODE', 'SERVICE NAME', 'SERVICE NAMESPACE'])
  t.same(row?.slice(1), [owner, 'web', 'default'])
  const bgp = rows(await call('get', 'servicebgpstatuses', '-n', NAMESPACE)).slice(1)
  t.same(
    bgp.map(each => each.slice(1).join(' ')).toSorted(),
    NODES.map(node => `${node} routed default`),
  )
  const states = rows(await call('get', 'configurationstates', '-n', NAMESPACE)).slice(1)
  t.same(
    states.map(([name, result]) => [name, result]),
    ['controller', ...NODES.map(podOf)].map(name => [name, 'Valid']),
  )
  const text = await until(
    'events',
    async () => {
      const said = await call('describe', 'svc', 'web')
      return said.includes('nodeAssigned') ? said : undefined
    },
    PATIENT,
  )
  t.match(
    text,
    new RegExp(`Normal +nodeAssigned +\\S+ +metallb-speaker +announcing from node "${owner}" with protocol "layer2"`),
  )
}

async function metrics(t: Test, { server, world }: Scene): Promise<void> {
  const { reader, stranger } = await makeMetricsReaders(server)
  const url = 'https://127.0.0.1:7472/metrics'
  t.match(await world.fetch('n2', url), /^401 /)
  t.match(await world.fetch('n2', url, 'invented'), /^401 /)
  t.match(await world.fetch('n2', url, await stranger()), /^403 /)
  // What somebody is told is believed for a minute, and the rule is in force a moment later: a new token each time.
  const text = await until(
    'the metrics',
    async () => {
      const said = await world.fetch('n2', url, await reader())
      if (said.startsWith('200 ') && /^workqueue_depth\{name="status"\} 0$/m.test(said)) return said
      throw new Error(said)
    },
    { ...PATIENT, interval: 1_000 },
  )
  t.match(text, `metallb_speaker_announced{service="default/routed",protocol="bgp",node="n2",ip="${ROUTED}"} 1`)
  t.match(text, /^rest_client_requests_total\{.*code="201".*\} [1-9]/m)
  t.match(text, /^controller_runtime_reconcile_total\{controller="speaker",result="success"\} [1-9]/m)
  t.match(await world.fetch('n1', 'http://127.0.0.1:7472/metrics'), /^200 /, 'without the flag everybody may')
  for (const probe of ['healthz', 'readyz']) {
    t.equal(await world.fetch('n1', `http://127.0.0.1:17472/${probe}`), '200 ok\n\n', probe)
  }
}

async function label(admin: AdminClient, node: NodeName, rack: string | null): Promise<void> {
  await admin.request({
    method: 'PATCH',
    path: `/api/v1/nodes/${node}`,
    body: { metadata: { labels: { rack } } },
    contentType: 'application/merge-patch+json',
  })
}

async function relabelled(t: Test, { admin, world }: Scene): Promise<void> {
  await label(admin, 'n1', 'dark')
  await world.routed(`${ROUTED}/32`, 'n2')
  await announcers(admin, 'servicebgpstatuses', 'routed', 'n2')
  await label(admin, 'n1', null)
  await world.routed(`${ROUTED}/32`, ...NODES)
  await announcers(admin, 'servicebgpstatuses', 'routed', ...NODES)
  t.pass('its session goes and comes with the label, and its status too')
}

async function repeated(t: Test, { admin, world }: Scene): Promise<void> {
  await admin.apply(slice('routed', false))
  await world.routed(`${ROUTED}/32`)
  await announcers(admin, 'servicebgpstatuses', 'routed')
  await admin.apply(slice('routed'))
  await world.routed(`${ROUTED}/32`, ...NODES)
  const path = '/api/v1/namespaces/default/events?fieldSelector=involvedObject.name=routed'
  const messages = await until(
    'each node to have said it twice',
    async () => {
      const events = await admin.list<KubernetesObject & { readonly message: string; readonly count: number }>(path)
      const said = events.filter(({ message, count }) => message.includes('protocol "bgp"') && count === 2)
      return said.length === NODES.length ? said.map(({ message }) => message).toSorted() : undefined
    },
    PATIENT,
  )
  t.same(
    messages,
    NODES.map(node => `announcing from node "${node}" with protocol "bgp"`),
  )
}

async function broken(t: Test, { admin, world }: Scene): Promise<void> {
  const community = metallb('Community', 'bad', { communities: [{ name: 'x', value: '1:2:3' }] })
  const result = (wanted: string): Promise<ConfigurationState> =>
    until(
      `the configuration to be ${wanted}`,
      async () => {
        const states = await statuses<ConfigurationState>(admin, 'configurationstates')
        const ours = states.filter(({ metadata }) => metadata.name !== 'controller')
        return ours.every(({ status }) => status?.result === wanted) ? ours[0] : undefined
      },
      PATIENT,
    )
  await admin.apply(community)
  const { status } = await result('Invalid')
  t.match(status?.errorSummary, /^configuration error: Community metallb-system\/bad: spec\.communities\[0\]/)
  t.ok(await world.owner(VIP), 'the last good one is in force')
  await admin.remove(community)
  await result('Valid')
}

async function killed(t: Test, { admin, world, speakers }: Scene): Promise<void> {
  const owner = await world.owner(VIP)
  const [other] = NODES.filter(node => node !== owner)
  if (!other) return
  speakers.get(owner)?.kill('SIGKILL')
  await speakers.get(owner)?.exited
  await until('the other one to answer', async () => ((await world.owner(VIP)) === other ? true : undefined), PATIENT)
  await announcers(admin, 'servicel2statuses', 'web', other)
  await world.routed(`${ROUTED}/32`, other)
  await makePod(admin, owner)
  speakers.set(owner, await world.speaker(owner, owner === 'n2' ? ['--metrics-auth'] : []))
  await until('the owner to be back', async () => ((await world.owner(VIP)) === owner ? true : undefined), PATIENT)
  await world.routed(`${ROUTED}/32`, ...NODES)
  await announcers(admin, 'servicel2statuses', 'web', owner)
  await announcers(admin, 'servicebgpstatuses', 'routed', ...NODES)
  // There is no garbage collector here: what the earlier Pod owned, its successor has made anew.
  const path = `/api/v1/namespaces/${NAMESPACE}/pods/${podOf(owner)}`
  const { metadata } = (await admin.request({ method: 'GET', path })) as KubernetesObject
  await until(
    'all statuses of the node to be owned by the new Pod',
    async () => {
      const all = await Promise.all(PLURALS.map(plural => statuses<KubernetesObject>(admin, plural)))
      const owners = all.flat().flatMap(object => object.metadata.ownerReferences ?? [])
      const uids = new Set(owners.filter(({ name }) => name === podOf(owner)).map(({ uid }) => uid))
      return uids.size === 1 && uids.has(metadata.uid ?? '') ? true : undefined
    },
    PATIENT,
  )
  t.pass('one status for each Service and announcer, before and after')
}

async function away(t: Test, { server, admin, world, speakers }: Scene): Promise<void> {
  const owner = await world.owner(VIP)
  await server.kill()
  const outage = (line: string): boolean => line.includes('the cluster cannot be read: announcing the last known state')
  await speakers.get(owner)?.waitForLine(outage, DEADLINE)
  t.equal(await world.fetch(owner, 'http://127.0.0.1:17472/readyz'), '200 ok\n\n', 'ready, for a minute')
  for (const speaker of speakers.values()) await speaker.waitForLine(outage, DEADLINE)
  t.equal(await world.owner(VIP), owner)
  await world.routed(`${ROUTED}/32`, ...NODES)
  await server.run()
  await admin.apply(service('late'))
  await announcers(admin, 'servicebgpstatuses', 'late', ...NODES)
  t.equal(await world.owner(VIP), owner)
}
