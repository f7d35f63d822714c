/** What a store writes to a real API server, and who it is there: statuses, Leases, events, tokens. */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import type { ApiServer } from '@typemetal/lab/kubernetes'
import type { Test } from 'tap'
import { createClientMetrics } from '@typemetal/cluster/process'
import { type KubernetesObject, openStore, referenceTo, type Service } from '@typemetal/cluster'
import type { Lease } from '@typemetal/cluster/leader'
import { Registry } from 'prom-client'
import { ACCOUNT, acceptable, onApiServer } from './envtest.js'
import { holds, note, NOTES, notesOf, QUICK, withStores } from './envtest-fixture.js'
import { NAMESPACE, pool, secret, service } from './objects.js'

onApiServer('writes to a real API server', {}, async (t, server) => {
  await testStatuses(t, server)
  await testLateWrites(t, server)
  await testLeases(t, server)
  await testEvents(t, server)
  await testTokens(t, server)
})

const web = acceptable(service('web'))
const WEB = '/api/v1/namespaces/default/services/web'
const withAddress = (object: Service, ip: string): Service => ({
  ...object,
  status: { loadBalancer: { ingress: [{ ip }] } },
})
const read = async (server: ApiServer): Promise<Service> =>
  (await server.admin.request({ method: 'GET', path: WEB })) as Service
const ipOf = ({ status }: Service): string | undefined => status?.loadBalancer?.ingress?.[0]?.ip

async function testStatuses(t: Test, server: ApiServer): Promise<void> {
  await withStores(t, server, 'a busy server is asked again', async (t, { proxy, open }) => {
    const { store } = await open({}, ['Service'])
    await server.admin.apply(web)
    let refused = 0
    proxy.fault = ({ method }) =>
      method === 'PUT' && ++refused <= 2 ? { type: 'refuse', status: 429, retryAfter: 0.1 } : undefined
    await store.updateStatus(withAddress(await read(server), '10.0.0.1'))
    t.equal(ipOf(await read(server)), '10.0.0.1')
    t.equal(refused, 3)
  })

  await withStores(
    t,
    server,
    '409: with a version it is told, without one it is tried again',
    async (t, { proxy, open }) => {
      const { store } = await open({}, ['Service'])
      const made = await server.admin.apply(web)
      let refused = 0
      proxy.fault = ({ method, path }) =>
        method !== 'GET' && path.endsWith('/status') && ++refused <= 2 ? { type: 'refuse', status: 409 } : undefined
      await t.rejects(store.updateStatus(withAddress(made, '10.0.0.1')), { code: 'ERR_STORE_CONFLICT' })
      const { resourceVersion: _, ...metadata } = made.metadata
      await store.updateStatus(withAddress({ ...made, metadata }, '10.0.0.2'))
      t.equal(ipOf(await read(server)), '10.0.0.2')
      t.equal(refused, 3)
    },
  )

  await withStores(t, server, 'a status without a version leaves the rest of the object alone', async (t, { open }) => {
    const { store } = await open({}, ['IPAddressPool'])
    const first = pool('first', ['10.0.0.0/24'])
    await server.admin.apply(first)
    const status = { assignedIPv4: 1, assignedIPv6: 0, availableIPv4: 255, availableIPv6: 0 }
    await store.updateStatus({ ...first, spec: { addresses: ['192.0.2.0/24'] }, status } as KubernetesObject)
    const [stored] = await server.admin.list(`/apis/metallb.io/v1beta1/namespaces/${NAMESPACE}/ipaddresspools`)
    t.match(stored, { spec: { addresses: ['10.0.0.0/24'] }, status })
  })
}

async function testLateWrites(t: Test, server: ApiServer): Promise<void> {
  await withStores(t, server, 'a write that is given up never lands', async (t, { proxy, open }) => {
    const { store } = await open({ writeTimeout: 500 }, ['Service'])
    const made = await server.admin.apply(web)
    let release = (): void => {}
    const released = new Promise<void>(resolve => (release = resolve))
    proxy.fault = ({ method }) => (method === 'PUT' ? { type: 'hold', until: released } : undefined)
    await t.rejects(store.updateStatus(withAddress(made, '10.0.0.1')), { code: 'ERR_KUBERNETES_SILENT' })
    release()
    await delay(2000)
    t.equal(ipOf(await read(server)), undefined)
    const [write] = proxy.requests.filter(({ method }) => method === 'PUT')
    t.match(write?.query.get('timeout'), /^\d+ms$/, 'and the server was told how long it has')
    t.ok(Number.parseInt(write?.query.get('timeout') ?? '', 10) <= 500)
  })

  await withStores(
    t,
    server,
    'an answer that is lost: the write happened, the next one is a conflict',
    async (t, { proxy, open }) => {
      const { store } = await open({}, ['Service'])
      const made = await server.admin.apply(web)
      proxy.fault = ({ method }) => (method === 'PUT' ? { type: 'cut-answer' } : undefined)
      await t.rejects(store.updateStatus(withAddress(made, '10.0.0.1')))
      await holds(async () => ipOf(await read(server)) === '10.0.0.1', 'it happened')
      proxy.fault = () => undefined
      await t.rejects(store.updateStatus(withAddress(made, '10.0.0.2')), { code: 'ERR_STORE_CONFLICT' })
      t.equal(ipOf(await read(server)), '10.0.0.1')
    },
  )
}

async function testLeases(t: Test, server: ApiServer): Promise<void> {
  await withStores(t, server, 'Leases: made once, then replaced by who saw the last version', async (t, { open }) => {
    const { store } = await open()
    const { leases } = store
    assert.ok(leases)
    const { signal } = new AbortController()
    t.equal(await leases.read('leader', signal), undefined)
    const now = new Date().toISOString().replace('Z', '000Z')
    const lease: Lease = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'leader', namespace: NAMESPACE },
      spec: { holderIdentity: 'a', leaseDurationSeconds: 15, acquireTime: now, renewTime: now, leaseTransitions: 0 },
    }
    const made = await leases.write(lease, signal)
    t.match(made.spec, lease.spec)
    await t.rejects(leases.write(lease, signal), { code: 'ERR_STORE_CONFLICT' }, 'somebody has made it')
    const taken = await leases.write({ ...made, spec: { ...made.spec, holderIdentity: 'b' } }, signal)
    await t.rejects(leases.write(made, signal), { code: 'ERR_STORE_CONFLICT' }, 'somebody has taken it')
    t.same(await leases.read('leader', signal), taken)
    t.equal(taken.spec?.holderIdentity, 'b')
  })
}

async function testEvents(t: Test, server: ApiServer): Promise<void> {
  await withStores(
    t,
    server,
    'events are shown with the object, counted, and written when the server is back',
    async (t, { proxy, open }) => {
      const { uid } = (await server.admin.apply(web)).metadata
      const { store, count } = await open({}, ['Service'])
      const emit = (message: string): void =>
        store.emitEvent({ regarding: referenceTo(web), type: 'Normal', reason: 'Assigned', message, component: 'test' })
      emit('first')
      emit('first')
      const path = `/api/v1/namespaces/default/events?fieldSelector=involvedObject.uid=${uid}`
      await holds(async () => (await server.admin.list(path)).length === 1, 'as kubectl describe finds it')
      await proxy.refuse()
      emit('second')
      emit('first')
      await delay(200)
      await proxy.accept()
      // Events of several objects are written side by side: the count of one may come after the other is made.
      const told = async (): Promise<string> => {
        const seen = await server.admin.list<KubernetesObject & { readonly message: string; readonly count: number }>(
          path,
        )
        return seen
          .map(({ message, count: times }) => `${message} ${times}`)
          .toSorted()
          .join(', ')
      }
      await holds(async () => (await told()) === 'first 3, second 1', 'both, each as often as it was said')
      t.equal(await count('typemetal_event_records_total', { result: 'failed' }), 0)
    },
  )
}

async function testTokens(t: Test, server: ApiServer): Promise<void> {
  await withStores(t, server, 'a token that is rotated: the old one dies, the store goes on', async (t, { proxy }) => {
    const key = await server.admin.apply(secret('first-life', { type: 'Opaque' }))
    const { kubeconfig, tokenFile } = await server.serviceAccountKubeconfig(ACCOUNT, proxy)
    const { name, uid = '' } = key.metadata
    await writeFile(tokenFile, `${await server.serviceAccountToken(ACCOUNT, { boundTo: { name, uid } })}\n`)
    const registry = new Registry()
    const options = {
      kubeconfig,
      namespace: NAMESPACE,
      component: 'test',
      kinds: ['ConfigMap'],
      limits: QUICK,
    } as const
    await using store = await openStore({ ...options, metrics: createClientMetrics(registry) })
    await store.start()
    await store.create(note('before'))
    await server.admin.remove(key)
    // The server believes a token for some seconds after it has died.
    await holds(async () => (await refusals(registry)) > 0 || (await attempt(store.refresh?.())), 'it is refused')
    await writeFile(tokenFile, await server.serviceAccountToken(ACCOUNT))
    await holds(async () => !(await attempt(store.refresh?.())), 'the new one is taken')
    proxy.cut()
    await server.admin.apply(note('after'))
    await holds(() => notesOf(store).includes('after'), 'and it watches again')
    t.same(notesOf(store), ['after', 'before'])
    t.equal((await server.admin.list(NOTES)).length, 2)
  })
}

/** Requests that were answered with 401. */
async function refusals(registry: Registry): Promise<number> {
  const metric = await registry.getSingleMetric('rest_client_requests_total')?.get()
  const refused = metric?.values.filter(({ labels }) => (labels as { readonly code?: string }).code === '401') ?? []
  return refused.reduce((sum, { value }) => sum + value, 0)
}

/** Whether it fails. */
async function attempt(work: Promise<void> | undefined): Promise<boolean> {
  try {
    await work
    return false
  } catch {
    return true
  }
}
