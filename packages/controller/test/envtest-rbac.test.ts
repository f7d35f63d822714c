/** The controller's process as its ServiceAccount, with the rules that we ship: it needs them all, and no more. */
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { text } from 'node:stream/consumers'
import type { ConfigurationState, IPAddressPool, KubernetesObject, Secret, Service } from '@typemetal/cluster'
import type { Lease } from '@typemetal/cluster/leader'
import { until } from '@typemetal/lab'
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
import type { Test } from 'tap'
import { onApiServer } from './envtest.js'
import { ControllerProcess } from './envtest-controller.js'
import { addressesOf, metallb, peer, pool, service } from './envtest-objects.js'

const HOME = `/api/v1/namespaces/${NAMESPACE}`
const OURS = `/apis/metallb.io/v1beta1/namespaces/${NAMESPACE}`
const PATIENT = { timeout: DEADLINE }

onApiServer(
  'the controller as its ServiceAccount',
  {},
  async (t, server) => {
    const { admin } = server
    await prepare(admin)
    await t.test('makes the Secret of the gossip, owned by its Deployment, and certificates', async t => {
      const env = { METALLB_ML_SECRET_NAME: 'memberlist', METALLB_DEPLOYMENT: 'controller' }
      const through = await server.proxy()
      through.fault = firstConflict()
      await using controller = await ControllerProcess.start(server, { name: 'controller', env, through })
      await controller.ready()
      await secrets(t, admin)
      await t.test('gives addresses', async t => addresses(t, admin))
      await t.test('tells in events what it did and what it cannot do, and counts what it says again', async t =>
        events(t, admin),
      )
      await t.test('says how full a pool is, and whether the configuration is good', async t => statuses(t, admin))
      await t.test('judges what is to be stored by all that there is', async t => judges(t, controller))
      await controller[Symbol.asyncDispose]()
      t.same(
        controller.log.filter(({ level, event }) => level === 'error' && event !== 'allocationFailed'),
        [],
        'no error in its log but what a Service asks for in vain',
      )
      const lease = (await admin.request({
        method: 'GET',
        path: `/apis/coordination.k8s.io/v1/namespaces/${NAMESPACE}/leases/typemetal-controller`,
      })) as Lease
      t.equal(lease.spec?.holderIdentity, '', 'the Lease was given back')
    })
    await t.test('--metrics-auth: metrics over TLS, for whom the API server lets get /metrics', async t =>
      metrics(t, server),
    )
  },
  (t, requests) => {
    const granted = grantedRights(deployManifests('rbac/controller.yaml'))
    t.same(rightsOf(requests, NAMESPACE), granted, 'each rule was needed, and nothing else')
  },
)

async function prepare(admin: AdminClient): Promise<void> {
  await admin.apply(pool('web', '192.0.2.0/30'))
  const template = {
    metadata: { labels: { component: 'controller' } },
    spec: { containers: [{ name: 'c', image: 'none' }] },
  }
  await admin.apply({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'controller', namespace: NAMESPACE },
    spec: { selector: { matchLabels: { component: 'controller' } }, template },
  } as KubernetesObject)
  await admin.apply({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'metallb-webhook-cert', namespace: NAMESPACE },
  })
  for (const object of deployManifests('webhooks/validating-webhook-configuration.yaml')) await admin.apply(object)
}

/** The first write of each kind's status meets somebody who was quicker: then it has to be read whether the object is still there. */
function firstConflict(): FaultProxy['fault'] {
  const met = new Set<string>()
  return ({ method, path }) => {
    const [, kind] = /\/([a-z]+)\/[^/]+\/status$/.exec(path) ?? []
    if (method !== 'PUT' || kind === undefined || met.has(kind)) return undefined
    met.add(kind)
    return { type: 'refuse', status: 409 }
  }
}

async function secrets(t: Test, admin: AdminClient): Promise<void> {
  const read = async (name: string): Promise<Secret> =>
    (await admin.request({ method: 'GET', path: `${HOME}/secrets/${name}` })) as Secret
  const memberlist = await read('memberlist')
  t.match(memberlist.metadata, { ownerReferences: [{ kind: 'Deployment', name: 'controller', uid: String }] })
  t.equal(Buffer.from(memberlist.data?.['secretkey'] ?? '', 'base64').length, 22, '16 octets in base64')
  const certificate = await until(
    'a certificate',
    async () => {
      const secret = await read('metallb-webhook-cert')
      return secret.data?.['tls.crt'] === undefined ? undefined : secret
    },
    PATIENT,
  )
  t.same(Object.keys(certificate.data ?? {}).toSorted(), ['ca.crt', 'ca.key', 'tls.crt', 'tls.key'])
}

const read = async (admin: AdminClient, name: string): Promise<Service> =>
  (await admin.request({ method: 'GET', path: `/api/v1/namespaces/default/services/${name}` })) as Service

async function addresses(t: Test, admin: AdminClient): Promise<void> {
  for (const name of ['a', 'b']) {
    await admin.apply(service(name))
    const found = await until(
      `an address for ${name}`,
      async () => {
        const found = await read(admin, name)
        return addressesOf(found).length > 0 ? found : undefined
      },
      PATIENT,
    )
    t.same(addressesOf(found), [name === 'a' ? '192.0.2.0' : '192.0.2.1'])
    t.equal(found.metadata.annotations?.['metallb.io/ip-allocated-from-pool'], 'web')
  }
}

interface CoreEvent extends KubernetesObject {
  readonly involvedObject: { readonly kind: string; readonly name: string; readonly uid?: string }
  readonly type: string
  readonly reason: string
  readonly message: string
  readonly count: number
  readonly source: { readonly component: string }
}

async function events(t: Test, admin: AdminClient): Promise<void> {
  const of = async (name: string, match: (event: CoreEvent) => boolean): Promise<CoreEvent> =>
    until(
      `an event about ${name}`,
      async () => {
        const events = await admin.list<CoreEvent>('/api/v1/namespaces/default/events')
        return events.find(event => event.involvedObject.name === name && match(event))
      },
      PATIENT,
    )
  const allocated = await of('a', ({ reason }) => reason === 'IPAllocated')
  const { metadata } = await read(admin, 'a')
  t.match(allocated, {
    involvedObject: { kind: 'Service', uid: metadata.uid },
    type: 'Normal',
    message: 'Assigned IP ["192.0.2.0"]',
    source: { component: 'metallb-controller' },
  })
  const wishes = ['198.51.100.1', '198.51.100.2']
  for (const wish of [...wishes, ...wishes.slice(0, 1)]) {
    await admin.apply(service('wish', {}, { 'metallb.io/loadBalancerIPs': wish }))
    const refusal = await of('wish', ({ message }) => message.includes(wish))
    t.match(refusal, { type: 'Warning', reason: 'AllocationFailed' })
  }
  const again = await of('wish', ({ message, count }) => message.includes(wishes[0] ?? '') && count === 2)
  t.equal(again.count, 2, 'one event that was seen twice')
}

async function statuses(t: Test, admin: AdminClient): Promise<void> {
  const status = await until(
    'the pool to count two',
    async () => {
      const path = `${OURS}/ipaddresspools/web`
      const { status } = (await admin.request({ method: 'GET', path })) as IPAddressPool
      return status?.assignedIPv4 === 2 ? status : undefined
    },
    PATIENT,
  )
  t.match(status, { assignedIPv4: 2, assignedIPv6: 0, availableIPv4: 2, availableIPv6: 0 })
  const path = `${OURS}/configurationstates/controller`
  const state = await until(
    'the state of the configuration',
    async () => {
      const found = (await admin.request({ method: 'GET', path })) as ConfigurationState
      return found.status?.result === undefined ? undefined : found
    },
    PATIENT,
  )
  t.match(state.status, { result: 'Valid', conditions: [{ type: 'poolReconcilerValid', status: 'True' }] })
}

/** Asks the webhooks as the API server does. */
async function judges(t: Test, { webhookPort }: ControllerProcess): Promise<void> {
  const ask = async (path: string, object: KubernetesObject): Promise<unknown> => {
    const request = { uid: 'u', operation: 'CREATE', object }
    const review = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request }
    const { body } = await send(webhookPort, `/validate-metallb-io-${path}`, JSON.stringify(review))
    return (JSON.parse(body) as { readonly response: unknown }).response
  }
  t.match(await ask('v1beta1-ipaddresspool', pool('more', '192.0.2.0/24')), {
    allowed: false,
    status: { code: 403, message: /overlaps/ },
  })
  t.match(await ask('v1beta2-bgppeer', peer('p', { nodeSelectors: [{ matchLabels: { rack: '1' } }] })), {
    allowed: true,
  })
  t.match(await ask('v1beta1-community', metallb('Community', 'c', { communities: [] })), { allowed: true })
}

/** Over TLS, to whoever listens; with a body it is a POST. */
async function send(
  port: number,
  path: string,
  body?: string,
  token?: string,
): Promise<{ readonly status: number | undefined; readonly body: string }> {
  const outgoing = httpsRequest({
    host: '127.0.0.1',
    port,
    path,
    method: body === undefined ? 'GET' : 'POST',
    rejectUnauthorized: false,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
  })
  outgoing.end(body)
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
  return { status: response.statusCode, body: await text(response) }
}

async function metrics(t: Test, server: ApiServer): Promise<void> {
  const { admin } = server
  const readers = await makeMetricsReaders(server)
  await using controller = await ControllerProcess.start(server, { name: 'metrics', flags: ['--metrics-auth'] })
  await controller.ready()
  const [reader, stranger] = [await readers.reader(), await readers.stranger()]
  // The rules are known to the API server's authorizer a moment later, and an answer is believed for a minute.
  await until(
    'the new rule to be in force',
    async () => {
      const { status } = (await admin.request({
        method: 'POST',
        path: '/apis/authorization.k8s.io/v1/subjectaccessreviews',
        body: {
          apiVersion: 'authorization.k8s.io/v1',
          kind: 'SubjectAccessReview',
          spec: {
            user: `system:serviceaccount:${NAMESPACE}:prometheus`,
            nonResourceAttributes: { path: '/metrics', verb: 'get' },
          },
        },
      })) as { readonly status: { readonly allowed: boolean } }
      return status.allowed || undefined
    },
    PATIENT,
  )
  for (const [who, token, status] of [
    ['nobody', undefined, 401],
    ['somebody with an invented token', 'invented', 401],
    ['somebody who may not', stranger, 403],
    ['somebody who may', reader, 200],
  ] as const) {
    const answer = await send(controller.port, '/metrics', undefined, token)
    t.equal(answer.status, status, who)
    t.equal(answer.body.includes('metallb_allocator_addresses_total'), status === 200, who)
  }
}
