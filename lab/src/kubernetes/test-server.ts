/** What every test on a real API server begins with. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { customResourceDefinitions, type KubernetesObject } from '@typemetal/cluster'
import { parseAllDocuments } from 'yaml'
import { LabError } from '../errors.js'
import { until } from '../wait.js'
import { ApiServer, type ApiServerOptions } from './api-server.js'
import { kubernetesBinaries } from './binaries.js'

/** Milliseconds for a suite: the programs may have to be built first, or are being built. */
export const SUITE_PATIENCE = 2_400_000
/** Milliseconds that something may take on a machine that is busy with other tests. */
export const DEADLINE = 180_000
/** Where `metallb.io` objects live, and our processes. */
export const NAMESPACE = 'metallb-system'

/** The API servers of tests, or the reason why there are none. */
export interface TestServers {
  /** Why to skip; `false` also when there are none and TYPEMETAL_REQUIRE_KUBERNETES=1 says that there must be. */
  readonly skip: string | false
  /** The program, where there is one. */
  readonly kubectl: string | undefined
  /**
   * Starts one.
   *
   * @throws {LabError} there are no programs, or they do not start
   */
  readonly start: (options?: Omit<ApiServerOptions, 'binaries'>) => Promise<ApiServer>
}

/** Looks for the programs, as {@link kubernetesBinaries} does. */
export async function testServers(env: NodeJS.ProcessEnv = process.env): Promise<TestServers> {
  const binaries = await kubernetesBinaries(env)
  const missing = 'missing' in binaries ? binaries.missing : false
  return {
    skip: env['TYPEMETAL_REQUIRE_KUBERNETES'] === '1' ? false : missing,
    kubectl: 'missing' in binaries ? undefined : binaries.kubectl,
    start: async options => {
      if ('missing' in binaries) throw new LabError('ERR_LAB_API', `no API server: ${binaries.missing}`)
      return ApiServer.start({ binaries, ...options })
    },
  }
}

/**
 * Makes namespace {@link NAMESPACE}, installs our CRDs and applies these objects; all kinds are served then.
 *
 * @throws {LabError} ERR_LAB_TIMEOUT: a kind is not served after {@link DEADLINE}
 */
export async function installCluster({ admin }: ApiServer, objects: readonly KubernetesObject[] = []): Promise<void> {
  await admin.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } })
  const definitions = customResourceDefinitions()
  await Promise.all(definitions.map(definition => admin.apply(definition)))
  for (const object of objects) await admin.apply(object)
  for (const { spec } of definitions) {
    // A new kind is not served at once.
    const path = `/apis/${spec.group}/${spec.versions[0]?.name ?? ''}/${spec.names.plural}`
    await until(`${spec.names.plural} to be served`, () => admin.list(path), { timeout: DEADLINE })
  }
}

/** The objects of a YAML file of `deploy/`. @throws {Error} there is no such file */
export function deployManifests(file: string): readonly KubernetesObject[] {
  const path = fileURLToPath(new URL(`../../../deploy/${file}`, import.meta.url))
  return parseAllDocuments(readFileSync(path, 'utf8')).map(document => document.toJS() as KubernetesObject)
}

/** Tokens, each a new one. */
export interface MetricsReaders {
  /** Of one who may get /metrics, a moment later: an API server goes by a new rule when it has seen it. */
  readonly reader: () => Promise<string>
  /** Of one who may do nothing. */
  readonly stranger: () => Promise<string>
}

/** Makes the accounts `prometheus`, which may get /metrics wherever tokens are reviewed, and `stranger`. */
export async function makeMetricsReaders(server: ApiServer): Promise<MetricsReaders> {
  const account = (name: string) => ({ name, namespace: NAMESPACE })
  const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1', metadata: { name: 'reads-metrics' } }
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'reads-metrics' }
  for (const object of [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: account('prometheus') },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: account('stranger') },
    { ...rbac, kind: 'ClusterRole', rules: [{ nonResourceURLs: ['/metrics'], verbs: ['get'] }] },
    { ...rbac, kind: 'ClusterRoleBinding', roleRef, subjects: [{ kind: 'ServiceAccount', ...account('prometheus') }] },
  ] as readonly KubernetesObject[])
    await server.admin.apply(object)
  return {
    reader: () => server.serviceAccountToken(account('prometheus')),
    stranger: () => server.serviceAccountToken(account('stranger')),
  }
}
