/**
 * A real API server for tests: kube-apiserver and etcd, found or built, started, made to fail and taken away.
 *
 * ```ts
 * import { ApiServer, kubernetesBinaries } from '@typemetal/lab/kubernetes'
 *
 * const binaries = await kubernetesBinaries()
 * if ('missing' in binaries) throw new Error(binaries.missing)
 * await using server = await ApiServer.start({ binaries })
 * await server.admin.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'metallb-system' } })
 * console.log(await server.kubeconfig())
 * ```
 *
 * @packageDocumentation
 */
export { AdminClient, ApiRefusal, type AdminRequest } from './admin-client.js'
export {
  ApiServer,
  type ApiServerOptions,
  type AuditEvent,
  type ServiceAccount,
  type TokenOptions,
} from './api-server.js'
export { kubernetesBinaries, type KubernetesBinaries, type MissingBinaries } from './binaries.js'
export { CertificateAuthority, type CertificateFiles, type CertificateSubject } from './certificates.js'
export { FaultProxy, type Fault, type FaultProxyOptions, type PassingRequest } from './fault-proxy.js'
export { freePorts } from './free-ports.js'
export { helmBinary } from './helm.js'
export { grantedRights, refusedRights, rightOf, rightsOf } from './rights.js'
export {
  DEADLINE,
  deployManifests,
  NAMESPACE,
  installCluster,
  makeMetricsReaders,
  type MetricsReaders,
  SUITE_PATIENCE,
  testServers,
  type TestServers,
} from './test-server.js'
