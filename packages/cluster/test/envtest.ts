/** A real API server for the tests of this folder, with our CRDs, or the reason why there is none. */
import assert from 'node:assert/strict'
import { ApiServer, type ApiServerOptions, kubernetesBinaries } from '@typemetal/lab/kubernetes'
import t, { type Test } from 'tap'
import { customResourceDefinitions, type KubernetesObject, KINDS, type Service } from '@typemetal/cluster'
import { namespace, NAMESPACE } from './objects.js'

/** Milliseconds: the programs may have to be built first, or are being built. */
const PATIENCE = 2_400_000
const NAME = 'store'

t.setTimeout(PATIENCE)
const binaries = await kubernetesBinaries()

/**
 * Runs a suite on an API server of its own, which ends with it. Skipped with the reason where there can be none; with TYPEMETAL_REQUIRE_KUBERNETES=1
 * there must be one.
 */
export function onApiServer(
  name: string,
  options: Omit<ApiServerOptions, 'binaries'>,
  suite: (t: Test, server: ApiServer) => Promise<void>,
): void {
  const missing = 'missing' in binaries ? binaries.missing : false
  const skip = process.env['TYPEMETAL_REQUIRE_KUBERNETES'] === '1' ? false : missing
  void t.test(name, { skip, timeout: PATIENCE }, async t => {
    if ('missing' in binaries) throw new assert.AssertionError({ message: `no API server: ${binaries.missing}` })
    await using server = await ApiServer.start({ binaries, ...options })
    await prepare(server)
    await suite(t, server)
  })
}

/** Our namespace, our CRDs, and an account that may do everything. */
async function prepare({ admin }: ApiServer): Promise<void> {
  await admin.apply(namespace(NAMESPACE))
  await Promise.all(customResourceDefinitions().map(crd => admin.apply(crd)))
  await admin.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace: NAMESPACE, name: NAME } })
  await admin.apply({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: NAME },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ kind: 'ServiceAccount', namespace: NAMESPACE, name: NAME }],
  } as KubernetesObject)
  for (const { apiVersion, plural } of Object.values(KINDS)) {
    if (apiVersion.startsWith('metallb.io/')) await established(admin, `/apis/${apiVersion}/${plural}`)
  }
}

/** The account of {@link onApiServer}'s servers that may do everything. */
export const ACCOUNT = { namespace: NAMESPACE, name: NAME } as const

/** A new kind is not served at once. */
async function established(admin: ApiServer['admin'], path: string): Promise<void> {
  const deadline = Date.now() + 60_000
  for (;;) {
    try {
      await admin.list(path)
      return
    } catch (error) {
      if (Date.now() > deadline) throw error
      await new Promise(resolve => setTimeout(resolve, 50))
    }
  }
}

/** The object as a real server takes it: it gives out addresses itself, and wants ports. */
export function acceptable<T extends KubernetesObject>(object: T): T {
  if (object.kind !== 'Service') return object
  const { spec = {} } = object as unknown as Service
  const { clusterIP: _, clusterIPs: __, ports = [{ port: 80, protocol: 'TCP' }], ...rest } = spec
  return { ...object, spec: { ...rest, ports } }
}

/** Deletes all that tests make; the API server's own objects stay. */
export async function removeAll({ admin }: ApiServer): Promise<void> {
  for (const kind of Object.values(KINDS)) {
    if (kind.plural === 'namespaces') continue
    const path = `${kind.apiVersion.includes('/') ? '/apis' : '/api'}/${kind.apiVersion}/${kind.plural}`
    const objects = (await admin.list(path)).filter(
      ({ metadata }) => metadata.namespace !== 'kube-system' && metadata.name !== 'kubernetes',
    )
    const name = Object.entries(KINDS).find(([, each]) => each === kind)?.[0] ?? ''
    await Promise.all(objects.map(object => admin.remove({ ...object, apiVersion: kind.apiVersion, kind: name })))
  }
  const events = await admin.list('/api/v1/events')
  await Promise.all(events.map(event => admin.remove({ ...event, apiVersion: 'v1', kind: 'Event' })))
}
