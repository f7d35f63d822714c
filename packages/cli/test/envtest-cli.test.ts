/** The command on a real API server: what is applied there is what it reads, and it needs no right to write. */
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { type AddressInfo, isIPv4 } from 'node:net'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import type { KubernetesObject } from '@typemetal/cluster'
import { until } from '@typemetal/lab'
import { type ApiServer, installCluster, NAMESPACE, SUITE_PATIENCE, testServers } from '@typemetal/lab/kubernetes'
import t, { type Test } from 'tap'
import { parse, parseAllDocuments, stringify } from 'yaml'
import { bin, demo, folder, run, runOn, section } from './support.js'

t.setTimeout(SUITE_PATIENCE)
const { skip, kubectl, start } = await testServers()

type Fields = Readonly<Record<string, unknown>>

/** The demo's objects, with what a real server wants beside: namespaces, slices in the cluster's own address family. */
const objects = (): readonly KubernetesObject[] =>
  readdirSync(demo)
    .filter(name => name.endsWith('.yaml'))
    .flatMap(name =>
      parseAllDocuments(readFileSync(join(demo, name), 'utf8')).map(document => document.toJS() as KubernetesObject),
    )
    .map(withoutClusterAddresses)

/** The demo's cluster IPs are none of this server's, it has one family, and statuses are written elsewhere. */
function withoutClusterAddresses(object: KubernetesObject): KubernetesObject {
  const { status: _status, ...rest } = object as KubernetesObject & { status?: unknown }
  if (object.kind !== 'Service') return rest
  const {
    clusterIP: _ip,
    clusterIPs: _ips,
    ipFamilies: _families,
    ipFamilyPolicy: _policy,
    ...spec
  } = (object as unknown as { spec: Fields }).spec
  return { ...object, spec: { ...spec, allocateLoadBalancerNodePorts: false } } as KubernetesObject
}

const ROLE = 'typemetal-reader'

/** What is shipped for those who only look: get, list and watch. */
const reader = (resources: readonly [group: string, names: readonly string[]][]): readonly KubernetesObject[] => [
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: ROLE },
    rules: resources.map(([apiGroup, names]) => ({
      apiGroups: [apiGroup],
      resources: names,
      verbs: ['get', 'list', 'watch'],
    })),
  } as KubernetesObject,
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: ROLE },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: ROLE },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: ROLE }],
  } as KubernetesObject,
]

const METALLB = [
  'ipaddresspools',
  'l2advertisements',
  'bgpadvertisements',
  'bgppeers',
  'bfdprofiles',
  'communities',
  'servicel2statuses',
  'servicebgpstatuses',
  'configurationstates',
]

/** All that the command looks at but Secrets. */
const VISIBLE: [string, readonly string[]][] = [
  ['', ['services', 'nodes', 'namespaces', 'configmaps', 'pods']],
  ['discovery.k8s.io', ['endpointslices']],
  ['metallb.io', METALLB],
]

/** What a speaker's metrics say of a session that stands. */
const SPEAKER_SAYS = `metallb_bgp_session_up{peer="10.10.0.1:179",vrf="default"} 1
metallb_bgp_announced_prefixes_total{peer="10.10.0.1:179",vrf="default"} 2
metallb_k8s_client_config_stale_bool 1
`

/** The API server reaches Pods at addresses of this machine, but not at the loopback ones. */
const ownAddress = Object.values(networkInterfaces())
  .flatMap(addresses => addresses ?? [])
  .find(({ internal, address }) => !internal && isIPv4(address))?.address
const noAddress = ownAddress === undefined && 'this machine has no IPv4 address but that of its loopback interface'

void t.test('on a real API server', { skip, timeout: SUITE_PATIENCE }, async t => {
  await using server = await start()
  const { admin } = server
  await admin.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'demo' } })
  await installCluster(server)
  for (const object of objects()) await admin.apply(object)
  const kubeconfig = await server.kubeconfig()
  const live = (...argv: string[]): ReturnType<typeof run> => run(...argv, '--kubeconfig', kubeconfig)

  await t.test('plan, explain and status without sources ask the cluster', async t => {
    const { text, code, errors } = await live('plan')
    t.equal(code, 0, errors)
    t.match(errors, /note: no speaker Pods were found/)
    t.match(text, /demo\/web +10\.10\.0\.200 +node-3 +layer2 +yes/)
    t.match((await live('explain', 'demo/shop')).text, /UPDATE to 10\.10\.0\.1/)
    await admin.apply(event('web', 'IPAllocated'))
    t.match((await live('explain', 'demo/web')).text, /events +what .*\n.*Normal IPAllocated, metallb-controller: said/)
    t.match(section((await live('status')).text, 'pools'), [{ POOL: 'lan', ASSIGNED: '1' }, { POOL: 'routed' }])
    t.match((await live('drain', 'node-3', '--simulate')).text, /10\.10\.0\.200 +demo\/web +node-3 +node-1/)
  })

  await t.test('plan --against live: as kubectl apply would, or with --prune', async t => {
    const change = folder(t)
    writeFileSync(
      join(change, 'bgp.yaml'),
      readFileSync(join(demo, 'bgp.yaml'), 'utf8').replace('64512:100', '64512:200'),
    )
    const { text } = await live('plan', change, '--against', 'live')
    t.match(section(text, 'routes')[0], { CHANGE: 'otherwise', AFTER: 'communities 64512:200' })
    t.notMatch(text, /announcements/)
    const pruned = await live('plan', change, '--against', 'live', '--prune', '--exit-code')
    t.equal(pruned.code, 4)
    t.match(
      section(pruned.text, 'addresses').map(row => row['CHANGE']),
      ['gone', 'gone', 'gone'],
    )
    t.same(await live('plan', join(demo, 'bgp.yaml'), '--against', 'live'), {
      text: 'nothing would change\n',
      code: 0,
      errors: 'note: no speaker Pods were found: every Node counts as one with a speaker\n',
    })
  })

  await t.test('only nodes whose speaker is ready count', async t => {
    for (const node of ['node-1', 'node-2', 'node-3']) await admin.apply(speakerPod(node))
    for (const node of ['node-1', 'node-2']) await makeReady(server, node)
    const { text, errors } = await live('explain', 'demo/web')
    t.equal(errors, '')
    t.match(text, /node-3 does not stand: its speaker is not alive/)
    t.match(
      section((await live('status')).text, 'nodes').map(row => row['ALIVE']),
      ['yes', 'yes', 'no'],
    )
    t.match((await live('status', '--member', 'node-3')).text, /demo\/web .* node-3/, 'unless it is said otherwise')
  })

  await t.test('status asks the speakers through the API server, where it may', { skip: noAddress }, async t => {
    const metrics = createServer((_, response) => response.end(SPEAKER_SAYS))
    t.teardown(() => metrics.close())
    metrics.listen(0, ownAddress)
    await once(metrics, 'listening')
    const { port } = metrics.address() as AddressInfo
    const pod = `/api/v1/namespaces/${NAMESPACE}/pods/speaker-asked`
    await admin.apply(speakerPod('node-1', { name: 'speaker-asked', args: [`--port=${port}`] }))
    t.teardown(() => admin.request({ method: 'DELETE', path: `${pod}?gracePeriodSeconds=0` }))
    const status = { podIP: ownAddress, podIPs: [{ ip: ownAddress }] }
    await admin.request({
      method: 'PATCH',
      path: `${pod}/status`,
      body: { status },
      contentType: 'application/merge-patch+json',
    })
    // A speaker has two seconds to answer, which on a busy machine may be too few.
    const { text, code, errors } = await until('the speaker to be asked', async () => {
      const said = await live('status')
      return said.code === 0 && section(said.text, 'BGP sessions')[0]?.['STATE'] === 'up' ? said : undefined
    }, { timeout: 120_000 }) // prettier-ignore
    t.equal(code, 0, errors)
    t.match(section(text, 'BGP sessions')[0], { NODE: 'node-1', PEER: 'router', STATE: 'up', TOLD: '2' })
    t.match(section(text, 'BGP sessions')[1], { NODE: 'node-2', STATE: 'unknown' })
    t.match(section(text, 'nodes')[0], { NODE: 'node-1', NOTES: /newest configuration is not in force/ })

    for (const object of reader(VISIBLE)) await admin.apply(object)
    const refused = await allowed(await server.kubeconfig(ROLE, []))
    t.match(refused.errors, /^note: .*without the right to get pods\/proxy in namespace metallb-system$/m)
    t.match(section(refused.text, 'BGP sessions')[0], { NODE: 'node-1', STATE: 'unknown' })

    metrics.close()
    metrics.closeAllConnections()
    const silent = await live('status')
    t.equal(silent.code, 0)
    t.match(section(silent.text, 'nodes')[0], { NODE: 'node-1', NOTES: /no metrics from Pod speaker-asked: / })
  })

  await t.test('--context chooses, and an unknown one is named', async t => {
    const config = parse(readFileSync(kubeconfig, 'utf8')) as { contexts: { name: string }[] }
    const [{ name }] = config.contexts as [{ name: string }]
    const other = join(folder(t), 'config')
    writeFileSync(other, stringify({ ...config, 'current-context': 'nothing' }), { mode: 0o600 })
    t.match(await run('status', '--kubeconfig', other, '--context', name), { code: 0 })
    t.match(await run('status', '--kubeconfig', other, '--context', 'x'), { code: 3, errors: /it has no context "x"/ })
    t.match(await run('status', '--kubeconfig', join(folder(t), 'none')), {
      code: 3,
      errors: /^typemetal: cannot read kubeconfig/,
    })
  })

  await t.test('somebody who may only look, and not at Secrets', async t => {
    for (const object of reader(VISIBLE)) await admin.apply(object)
    await admin.apply({
      apiVersion: 'metallb.io/v1beta2',
      kind: 'BGPPeer',
      metadata: { name: 'signed', namespace: NAMESPACE },
      spec: { myASN: 1, peerASN: 2, peerAddress: '10.0.0.9', passwordSecret: { name: 'key' } },
    } as KubernetesObject)
    const account = await server.kubeconfig(ROLE, [])
    const { errors, text } = await allowed(account)
    t.match(errors, /note: Secret objects cannot be read: not allowed to list and watch secrets/)
    t.match(section(text, 'BGP sessions')[0], { PEER: 'router' })
    await admin.apply(reader([['', ['nodes']]])[0] as KubernetesObject)
    await until(
      'the rights to be gone',
      async () => (await run('status', '--kubeconfig', account)).code === 3 || undefined,
      { timeout: 120_000 },
    )
    t.match(await run('status', '--kubeconfig', account), {
      code: 3,
      errors: /^typemetal: not allowed to list and watch/,
    })
    await admin.request({ method: 'DELETE', path: `/apis/metallb.io/v1beta2/namespaces/${NAMESPACE}/bgppeers/signed` })
  })

  await t.test('migrate check finds MetalLB', async t => {
    await admin.apply(workload('Deployment', 'controller'))
    await admin.apply(workload('DaemonSet', 'speaker'))
    const { text } = await live('migrate', 'check')
    t.match(text, /✓ DaemonSet speaker: runs example\.org\/metallb\/speaker:v0\.16\.1/)
    t.match(text, /--election-level 0\.16/)
    t.match(text, /Move node-2/)
  })

  await t.test('status --watch follows the cluster', async t => {
    const stop = new AbortController()
    let printed = ''
    const running = runOn(
      { write: text => void (printed += text), signal: stop.signal },
      'status',
      '--watch',
      '--kubeconfig',
      kubeconfig,
    )
    await until('the first table', async () => /demo\/shop +203/.test(printed) || undefined, { timeout: 120_000 })
    await admin.request({ method: 'DELETE', path: '/api/v1/namespaces/demo/services/shop' })
    await until(
      'a table without the Service',
      async () => !/demo\/shop/.test(printed.slice(printed.lastIndexOf('pools\n'))) || undefined,
      { timeout: 120_000 },
    )
    stop.abort()
    t.match(await running, { code: 0 })
  })

  await t.test('as kubectl plugin', { skip: kubectl === undefined && 'kubectl is missing' }, async t =>
    kubectlPlugin(t, kubectl ?? '', kubeconfig),
  )
})

/** What `status` says to somebody, as soon as the API server goes by the rights that were given a moment ago. */
const allowed = (kubeconfig: string): ReturnType<typeof run> =>
  until('the rights to be given', async () => {
    const said = await run('status', '--kubeconfig', kubeconfig)
    return said.code === 0 ? said : undefined
  }, { timeout: 120_000 }) // prettier-ignore

/** kubectl finds `kubectl-typemetal` on the PATH, and takes `kubectl typemetal` for it. */
async function kubectlPlugin(t: Test, kubectl: string, kubeconfig: string): Promise<void> {
  const path = folder(t)
  writeFileSync(join(path, 'kubectl-typemetal'), `#!/bin/sh\nexec ${process.execPath} ${bin} "$@"\n`, { mode: 0o755 })
  const said = await new Promise<string>((resolve, reject) => {
    const env = { ...process.env, PATH: `${path}:${process.env['PATH']}`, KUBECONFIG: kubeconfig }
    execFile(kubectl, ['typemetal', 'status'], { env }, (error, stdout) => (error ? reject(error) : resolve(stdout)))
  })
  t.match(section(said, 'pools'), [{ POOL: 'lan' }, { POOL: 'routed' }])
}

const event = (name: string, reason: string): KubernetesObject =>
  ({
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `${name}.1`, namespace: 'demo' },
    involvedObject: { apiVersion: 'v1', kind: 'Service', namespace: 'demo', name },
    type: 'Normal',
    reason,
    message: 'said',
    source: { component: 'metallb-controller' },
    lastTimestamp: '2026-01-01T00:00:00Z',
    count: 1,
  }) as KubernetesObject

const speakerPod = (
  node: string,
  { name = `speaker-${node}`, args = [] }: { readonly name?: string; readonly args?: readonly string[] } = {},
): KubernetesObject =>
  ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: NAMESPACE, labels: { app: 'metallb', component: 'speaker' } },
    spec: { nodeName: node, containers: [{ name: 'speaker', image: 'example.org/speaker', args }] },
  }) as KubernetesObject

async function makeReady({ admin }: ApiServer, node: string): Promise<void> {
  const status = { conditions: [{ type: 'Ready', status: 'True' }] }
  const path = `/api/v1/namespaces/${NAMESPACE}/pods/speaker-${node}/status`
  await admin.request({ method: 'PATCH', path, body: { status }, contentType: 'application/merge-patch+json' })
}

const workload = (kind: 'Deployment' | 'DaemonSet', name: string): KubernetesObject =>
  ({
    apiVersion: 'apps/v1',
    kind,
    metadata: { name, namespace: NAMESPACE },
    spec: {
      selector: { matchLabels: { component: name } },
      template: {
        metadata: { labels: { app: 'metallb', component: name } },
        spec: { containers: [{ name, image: `example.org/metallb/${name}:v0.16.1`, args: ['--port=9120'] }] },
      },
    },
  }) as KubernetesObject
