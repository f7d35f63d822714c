/** Webhooks as the API server calls them: by the address of a Service, over TLS, trusting whom the controller says. */
import type { BGPPeer, KubernetesObject, Secret, Service } from '@typemetal/cluster'
import { until } from '@typemetal/lab'
import { type AdminClient, type ApiServer, DEADLINE, deployManifests, NAMESPACE } from '@typemetal/lab/kubernetes'
import t, { type Test } from 'tap'
import { kubectl, onApiServer } from './envtest.js'
import { ControllerProcess } from './envtest-controller.js'
import { type Kubectl, kubectlOf } from './envtest-kubectl.js'
import { hasOwnNetwork, missingNetwork } from './envtest-network.js'
import { metallb, peer, pool } from './envtest-objects.js'

/** Of the Service in front of the webhooks: there is nobody who would carry packets to it, so it is an address of this host. */
const CLUSTER_IP = '10.96.0.53'
const SERVICE: Service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'metallb-webhook-service', namespace: NAMESPACE },
  spec: { clusterIP: CLUSTER_IP, ports: [{ port: 443 }] },
}
const [CONFIGURATION] = deployManifests('webhooks/validating-webhook-configuration.yaml')
const CONFIGURATION_PATH = `/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/metallb-webhook-configuration`
const CRD_PATH = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/bgppeers.metallb.io'
const PATIENT = { timeout: DEADLINE }
const OLDER = 'v1beta1'

const missing = missingNetwork()
if (missing) t.test('webhooks', { skip: missing }, async () => {})
else if (hasOwnNetwork(`${CLUSTER_IP}/32`)) {
  onApiServer('webhooks that the API server calls', {}, async (t, server) => {
    const { admin } = server
    await admin.apply(SERVICE)
    if (CONFIGURATION) await admin.apply(CONFIGURATION)
    const controller = await ControllerProcess.start(server, { name: 'webhooks', flags: ['--webhook-port=443'] })
    await using _ = controller
    await controller.ready()
    await t.test('the API server is told whom to trust', async t => trusted(t, admin))
    await t.test('each kind is looked at, and what is wrong is refused', async t => refuses(t, admin))
    await t.test('a BFDProfile that a peer names cannot go', async t => deletion(t, admin))
    await t.test('BGPPeers are read and written in both versions', async t => converts(t, admin))
    const skip = kubectl === undefined ? 'kubectl is missing' : false
    await t.test('what kubectl prints', { skip }, async t => prints(t, server, kubectl ?? ''))
    await t.test('new certificates, and manifests applied again: it is called soon after', async t =>
      recovers(t, admin),
    )
    await controller[Symbol.asyncDispose]()
    await t.test('with nobody there, nothing is stored that nobody has looked at', async t => {
      await t.rejects(admin.apply(pool('unseen', '192.0.2.64/28')), { message: /failed calling webhook/ })
    })
    t.same(
      controller.log.filter(({ level }) => level === 'error'),
      [],
      'no error in its log',
    )
  })
}

/** Waits until the API server does call: it takes over whom to trust a moment after it was told. */
async function untilCalled(admin: AdminClient): Promise<void> {
  const probe = { method: 'POST', path: pathOf('ipaddresspools', '?dryRun=All'), body: pool('probe', '198.18.0.0/32') }
  await until('the webhooks to be called', async () => admin.request(probe as never), PATIENT)
  // The resource whose conversion has changed is served anew.
  await until('both versions of BGPPeer to be served', async () => admin.list(pathOf('bgppeers', '', OLDER)), PATIENT)
}

const pathOf = (plural: string, rest = '', version = plural === 'bgppeers' ? 'v1beta2' : OLDER): string =>
  `/apis/metallb.io/${version}/namespaces/${NAMESPACE}/${plural}${rest}`

interface WebhookClient {
  readonly clientConfig: { readonly caBundle?: string }
}
interface Trusting extends KubernetesObject {
  readonly webhooks?: readonly WebhookClient[]
  readonly spec?: { readonly conversion: { readonly webhook: WebhookClient } }
}

/** Whom the API server trusts, at each of the seven places. */
async function bundles(admin: AdminClient): Promise<readonly (string | undefined)[]> {
  const configuration = await get<Trusting>(admin, CONFIGURATION_PATH)
  const crd = await get<Trusting>(admin, CRD_PATH)
  const clients = [...(configuration.webhooks ?? []), ...(crd.spec ? [crd.spec.conversion.webhook] : [])]
  return clients.map(({ clientConfig }) => clientConfig.caBundle)
}

const SECRET_PATH = `/api/v1/namespaces/${NAMESPACE}/secrets/metallb-webhook-cert`
const authority = async (admin: AdminClient): Promise<string | undefined> =>
  ((await admin.request({ method: 'GET', path: SECRET_PATH })) as Secret).data?.['ca.crt']

async function trusted(t: Test, admin: AdminClient): Promise<void> {
  await untilCalled(admin)
  const ca = await authority(admin)
  t.type(ca, 'string')
  t.same(
    await bundles(admin),
    Array.from({ length: 7 }, () => ca),
  )
}

/** What is there already. */
const PRESENT: readonly KubernetesObject[] = [
  pool('web', '192.0.2.0/28'),
  peer('tor'),
  metallb('BFDProfile', 'fast', { receiveInterval: 100 }),
  metallb('Community', 'known', { communities: [{ name: 'no-one', value: '65000:1' }] }),
]

/** Objects that are refused: by which webhook, and what it says. */
const REFUSED: readonly (readonly [hook: string, object: KubernetesObject, said: RegExp])[] = [
  ['ipaddresspool', pool('twice', '192.0.2.8-192.0.2.20'), /in pool "twice" overlaps with .* of pool "web"/],
  ['bgppeers', peer('self', { peerASN: 0 }), /peerASN/],
  ['bgpadvertisement', metallb('BGPAdvertisement', 'wide', { aggregationLength: 40 }), /aggregationLength/],
  [
    'l2advertisement',
    metallb('L2Advertisement', 'odd', {
      nodeSelectors: [{ matchExpressions: [{ key: 'rack', operator: 'Near', values: ['1'] }] }],
    }),
    /nodeSelectors/,
  ],
  ['community', metallb('Community', 'again', { communities: [{ name: 'no-one', value: '65000:2' }] }), /no-one/],
  [
    'bfdprofile',
    { ...metallb('BFDProfile', 'far', {}), metadata: { name: 'far', namespace: 'default' } },
    /must be created in metallb-system namespace/,
  ],
]

async function refuses(t: Test, admin: AdminClient): Promise<void> {
  for (const object of PRESENT) await t.resolves(admin.apply(object), `${object.kind} ${object.metadata.name} is taken`)
  for (const [hook, object, said] of REFUSED) {
    const wanted = new RegExp(`admission webhook "${hook}validationwebhook\\.metallb\\.io" denied the request: `)
    const refusal = admin.apply(object)
    await t.rejects(refusal, { status: 403, message: wanted }, object.kind)
    await t.rejects(refusal, { message: said }, object.kind)
  }
  const older = metallb('BGPPeer', 'older', { myASN: 64_512, peerASN: 0, peerAddress: '10.0.0.9' })
  await t.rejects(
    admin.apply(older),
    { status: 403, message: /"bgppeersvalidationwebhook\.metallb\.io" denied/ },
    OLDER,
  )
  await t.rejects(admin.apply(pool('web', '192.0.2.0/33')), { status: 403, message: /addresses\[0\]/ }, 'an update')
}

async function deletion(t: Test, admin: AdminClient): Promise<void> {
  const profile = metallb('BFDProfile', 'fast', {})
  await admin.apply(peer('watched', { peerAddress: '10.0.0.2', bfdProfile: 'fast' }))
  await t.rejects(admin.remove(profile), {
    status: 403,
    message:
      /admission webhook "bfdprofilevalidationwebhook\.metallb\.io" denied the request: failed to delete BFDProfile fast, used by BGPPeer watched$/,
  })
  await admin.remove(peer('watched'))
  await admin.remove(profile)
  t.same(await admin.list(pathOf('bfdprofiles')), [])
}

async function converts(t: Test, admin: AdminClient): Promise<void> {
  const spec = { myASN: 64_512, peerASN: 64_513, peerAddress: '10.0.0.3', sourceAddress: '10.0.0.4', holdTime: '30s' }
  await admin.apply(metallb('BGPPeer', 'old', spec))
  const newer = await get<BGPPeer>(admin, pathOf('bgppeers', '/old'))
  t.match(newer, { apiVersion: 'metallb.io/v1beta2', spec })
  const body = { spec: { vrf: 'red', holdTime: '60s' } }
  await patch(admin, pathOf('bgppeers', '/old'), body)
  await patch(admin, pathOf('bgppeers', '/old', OLDER), { spec: { sourceAddress: '10.0.0.5' } })
  const older = await get<BGPPeer>(admin, pathOf('bgppeers', '/old', OLDER))
  t.match(older, { apiVersion: 'metallb.io/v1beta1', spec: { ...spec, sourceAddress: '10.0.0.5', holdTime: '60s' } })
  t.notOk('vrf' in (older.spec ?? {}), 'v1beta1 has no VRF')
  const last = await get<BGPPeer>(admin, pathOf('bgppeers', '/old'))
  t.match(last.spec, { vrf: 'red', sourceAddress: '10.0.0.5' }, 'what v1beta1 cannot say is still there')
  const names = (await admin.list(pathOf('bgppeers', '', OLDER))).map(({ metadata }) => metadata.name)
  t.same(names, ['old', 'tor'])
}

const get = async <T extends KubernetesObject>(admin: AdminClient, path: string): Promise<T> =>
  (await admin.request({ method: 'GET', path })) as T

async function patch(admin: AdminClient, path: string, body: object): Promise<void> {
  await admin.request({ method: 'PATCH', path, body, contentType: 'application/merge-patch+json' })
}

async function prints(t: Test, server: ApiServer, program: string): Promise<void> {
  const kubectl: Kubectl = await kubectlOf(server, program)
  const created = await kubectl(['create', '-f', '-'], pool('twice', '192.0.2.8/32'))
  t.match(created, { code: 1, stdout: '' })
  t.match(
    created.stderr,
    /^Error from server \(Forbidden\): error when creating "STDIN": admission webhook "ipaddresspoolvalidationwebhook\.metallb\.io" denied the request: .*overlaps/,
  )
  const older = metallb('BGPPeer', 'warned', { myASN: 64_512, peerASN: 64_513, peerAddress: '10.0.0.6' })
  const warned = await kubectl(['create', '-f', '-'], older)
  t.match(warned, { code: 0, stdout: 'bgppeer.metallb.io/warned created\n' })
  t.match(warned.stderr, /^Warning: v1beta1 is deprecated, please use v1beta2$/m)
  const disabled = await kubectl(['create', '-f', '-'], peer('mp', { peerAddress: '10.0.0.7', disableMP: true }))
  t.match(disabled, { code: 0, stderr: /^Warning: BGPPeer: spec\.disableMP is deprecated and has no effect/ })
}

async function recovers(t: Test, admin: AdminClient): Promise<void> {
  const before = await authority(admin)
  await admin.request({ method: 'DELETE', path: SECRET_PATH })
  const present = await get(admin, CONFIGURATION_PATH)
  // As `kubectl replace` does.
  await admin.request({
    method: 'PUT',
    path: CONFIGURATION_PATH,
    body: {
      ...CONFIGURATION,
      metadata: { ...CONFIGURATION?.metadata, resourceVersion: present.metadata.resourceVersion },
    },
  })
  const look = async (): Promise<string | undefined> => {
    const ca = await authority(admin)
    return ca !== before && (await bundles(admin)).every(bundle => bundle === ca) ? ca : undefined
  }
  const after = await until('new certificates', look, PATIENT)
  t.not(after, before)
  await untilCalled(admin)
  await t.rejects(admin.apply(pool('twice', '192.0.2.8/32')), { message: /denied the request/ })
}
