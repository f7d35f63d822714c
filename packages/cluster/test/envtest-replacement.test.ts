/** MetalLB's own CRDs, replaced in place by ours while objects are stored: what was valid there is valid here, and nothing is lost. */
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { AdminClient } from '@typemetal/lab/kubernetes'
import { customResourceDefinitions, type KubernetesObject, KINDS, type Kind, reviewObject } from '@typemetal/cluster'
import t, { type Test } from 'tap'
import { parse } from 'yaml'
import { onApiServer } from './envtest.js'
import { holds } from './envtest-fixture.js'
import { NAMESPACE } from './objects.js'

/** The Go module that has the CRDs in `config/crd/bases`. */
const MODULE = 'go.universe.tf/metallb@v0.15.2'
const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'

type Stored = KubernetesObject & { readonly spec?: unknown; readonly status?: unknown }

const stored = (kind: Kind, name: string, spec: object, status?: object): Stored => ({
  apiVersion: KINDS[kind].apiVersion,
  kind,
  metadata: { name, namespace: NAMESPACE, labels: { team: 'net' }, annotations: { 'example.org/note': 'keep' } },
  spec,
  ...(status && { status }),
})

const node = [
  { matchLabels: { rack: 'a' } },
  { matchExpressions: [{ key: 'zone', operator: 'In', values: ['x', 'y'] }] },
]

/** One of each kind, with every field that MetalLB has for it. */
const OBJECTS: readonly Stored[] = [
  stored(
    'IPAddressPool',
    'web',
    {
      addresses: ['192.0.2.0/24', '198.51.100.10-198.51.100.20', '2001:db8::/64'],
      autoAssign: false,
      avoidBuggyIPs: true,
      serviceAllocation: { priority: 5, namespaces: ['a', 'b'], namespaceSelectors: node, serviceSelectors: node },
    },
    { assignedIPv4: 3, assignedIPv6: 1, availableIPv4: 262, availableIPv6: 9223372036854774784n },
  ),
  stored('L2Advertisement', 'lan', {
    ipAddressPools: ['web'],
    ipAddressPoolSelectors: node,
    nodeSelectors: node,
    interfaces: ['eth0', 'eth1'],
  }),
  stored('BGPAdvertisement', 'wan', {
    aggregationLength: 24,
    aggregationLengthV6: 96,
    localPref: 150,
    communities: ['65535:65282', 'large:64512:1:2', 'no-advertise'],
    ipAddressPools: ['web'],
    nodeSelectors: node,
    peers: ['router'],
  }),
  stored('BGPPeer', 'router', {
    myASN: 64512,
    peerASN: 64513,
    peerAddress: '10.0.0.1',
    peerPort: 1179,
    sourceAddress: '10.0.0.2',
    holdTime: '9s',
    keepaliveTime: '3s',
    connectTime: '10s',
    routerID: '10.0.0.9',
    nodeSelectors: node,
    passwordSecret: { name: 'key', namespace: NAMESPACE },
    bfdProfile: 'fast',
    ebgpMultiHop: true,
    enableGracefulRestart: true,
    vrf: 'red',
  }),
  stored('BGPPeer', 'dynamic', { myASN: 64512, dynamicASN: 'external', interface: 'eth1', disableMP: true }),
  stored('BFDProfile', 'fast', {
    receiveInterval: 50,
    transmitInterval: 60,
    detectMultiplier: 5,
    echoInterval: 70,
    echoMode: true,
    passiveMode: true,
    minimumTtl: 200,
  }),
  stored('Community', 'names', { communities: [{ name: 'vpn', value: '64512:7' }] }),
  stored(
    'ServiceL2Status',
    'l2-x',
    {},
    { node: 'n1', serviceName: 'shop', serviceNamespace: 'default', interfaces: [{ name: 'eth0' }] },
  ),
  stored(
    'ServiceBGPStatus',
    'bgp-x',
    {},
    { node: 'n1', serviceName: 'shop', serviceNamespace: 'default', peers: ['router'] },
  ),
]

/** MetalLB calls AS numbers `int32` and lets them go up to 2^32-1, for which newer API servers refuse every object. */
function dropNarrowFormats(_: unknown, value: unknown): unknown {
  const { format, maximum } = (value ?? {}) as { readonly format?: unknown; readonly maximum?: unknown }
  if (format !== 'int32' || typeof maximum !== 'number' || maximum < 2 ** 31) return value
  const { format: __, ...rest } = value as Record<string, unknown>
  return rest
}

/** @returns the CRDs, or why there are none */
async function metallbDefinitions(): Promise<readonly KubernetesObject[] | string> {
  const env = { ...process.env, ...(process.env['TYPEMETAL_NO_INSTALL'] === '1' && { GOPROXY: 'off' }) }
  try {
    const { stdout } = await promisify(execFile)('go', ['mod', 'download', '-json', MODULE], { env, cwd: tmpdir() })
    const { Dir: directory } = JSON.parse(stdout) as { readonly Dir: string }
    const folder = join(directory, 'config', 'crd', 'bases')
    return readdirSync(folder).map(name => {
      const definition: unknown = parse(readFileSync(join(folder, name), 'utf8'), dropNarrowFormats)
      return definition as KubernetesObject
    })
  } catch (error) {
    return `${MODULE} cannot be had: ${(error as Error).message.split('\n')[0]}`
  }
}

const theirs = await metallbDefinitions()
if (typeof theirs === 'string') {
  void t.test('MetalLB’s CRDs', { skip: theirs }, async () => {})
} else {
  onApiServer('MetalLB’s CRDs are replaced in place', {}, async (t, { admin }) => {
    await forget(admin)
    await install(admin, theirs)
    const before = new Map<string, Stored>()
    for (const object of OBJECTS) before.set(nameOf(object), await store(admin, object))
    await install(admin, customResourceDefinitions())
    await t.test('every stored object is there as it was', async t => {
      for (const [name, object] of before) t.same(contentOf(await read(admin, object)), contentOf(object), name)
    })
    await t.test('and can be written again', async t => {
      for (const [name, object] of before) await writesAgain(t, admin, name, object)
    })
    await t.test('what we say of them is what the API server says', async t => {
      for (const [name, object] of before) t.same(reviewObject(object).faults, [], name)
    })
    await t.test('and the way back: MetalLB’s CRDs over ours', async t => {
      await install(admin, theirs)
      for (const [name, object] of before) t.same((await read(admin, object)).spec, object.spec, name)
    })
  })
}

const nameOf = ({ kind, metadata }: Stored): string => `${kind} ${metadata.name}`

/** All but what a write changes. */
function contentOf({ apiVersion, kind, metadata, spec, status }: Stored): object {
  const { uid, labels, annotations, resourceVersion } = metadata
  return { apiVersion, kind, uid, labels, annotations, resourceVersion, spec, status }
}

const pathOf = ({ kind, metadata }: Stored, part = ''): string => {
  const { apiVersion, plural } = KINDS[kind as Kind]
  return `/apis/${apiVersion}/namespaces/${NAMESPACE}/${plural}/${metadata.name}${part}`
}

const read = async (admin: AdminClient, object: Stored): Promise<Stored> =>
  (await admin.request({ method: 'GET', path: pathOf(object) })) as Stored

/** Stores an object with its status, as MetalLB would. */
async function store(admin: AdminClient, object: Stored): Promise<Stored> {
  const path = `${pathOf(object).slice(0, -object.metadata.name.length - 1)}?fieldValidation=Strict`
  const created = (await admin.request({ method: 'POST', path, body: object })) as Stored
  if (!object.status) return created
  const body = { ...created, status: object.status }
  await admin.request({ method: 'PUT', path: pathOf(object, '/status'), body })
  return read(admin, object)
}

async function writesAgain(t: Test, admin: AdminClient, name: string, object: Stored): Promise<void> {
  const { metadata } = object
  const changed = { ...object, metadata: { ...metadata, labels: { ...metadata.labels, round: 'two' } } }
  const path = `${pathOf(object)}?fieldValidation=Strict`
  const written = (await admin.request({ method: 'PUT', path, body: changed })) as Stored
  t.same([written.spec, written.status], [object.spec, object.status], name)
  if (object.status) await admin.request({ method: 'PUT', path: pathOf(object, '/status'), body: written })
}

/** Takes our CRDs away, which are there in every suite. */
async function forget(admin: AdminClient): Promise<void> {
  await Promise.all(customResourceDefinitions().map(crd => admin.remove(crd)))
  await holds(async () => (await admin.list(CRDS)).length === 0, 'our CRDs are gone')
}

/** Puts CRDs in the place of those that are there, and waits until the API server goes by them. */
async function install(admin: AdminClient, definitions: readonly KubernetesObject[]): Promise<void> {
  for (const definition of definitions) await admin.apply(definition)
  const installed = new Set(definitions.map(({ metadata }) => metadata.name))
  // The version that is stored: an older one may have to be converted by a webhook, which is not there.
  for (const { apiVersion, plural } of Object.values(KINDS).filter(each =>
    installed.has(`${each.plural}.metallb.io`),
  )) {
    const path = `/apis/${apiVersion}/namespaces/${NAMESPACE}/${plural}`
    const served = (): Promise<boolean> =>
      admin.list(path).then(
        () => true,
        () => false,
      )
    await holds(served, `${plural} are served`)
  }
  await delay(SETTLING)
}

/** Milliseconds after which an API server goes by new schemas of kinds that it has served before: it says nothing when it does. */
const SETTLING = 3000
