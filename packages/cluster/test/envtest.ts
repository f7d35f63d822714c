/** A real API server for the tests of this folder, with our CRDs, or the reason why there is none. */
import {
  type ApiServer,
  type ApiServerOptions,
  installCluster,
  SUITE_PATIENCE,
  testServers,
} from '@typemetal/lab/kubernetes'
import t, { type Test } from 'tap'
import { type KubernetesObject, KINDS, type Service } from '@typemetal/cluster'
import { NAMESPACE } from './objects.js'

const NAME = 'store'

t.setTimeout(SUITE_PATIENCE)
const servers = await testServers()

/** An account that may do everything. */
const ALMIGHTY = [
  { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace: NAMESPACE, name: NAME } },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: NAME },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ kind: 'ServiceAccount', namespace: NAMESPACE, name: NAME }],
  },
] as readonly KubernetesObject[]

/**
 * Runs a suite on an API server of its own, which ends with it. Skipped with the reason where there can be none; with TYPEMETAL_REQUIRE_KUBERNETES=1
 * there must be one.
 */
export function onApiServer(
  name: string,
  options: Omit<ApiServerOptions, 'binaries'>,
  suite: (t: Test, server: ApiServer) => Promise<void>,
): void {
  void t.test(name, { skip: servers.skip, timeout: SUITE_PATIENCE }, async t => {
    await using server = await servers.start(options)
    await installCluster(server, ALMIGHTY)
    await suite(t, server)
  })
}

/** The account of {@link onApiServer}'s servers that may do everything. */
export const ACCOUNT = { namespace: NAMESPACE, name: NAME } as const

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
