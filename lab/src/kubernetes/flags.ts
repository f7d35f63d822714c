/** Command lines of the control plane; values in, arguments out. */
import type { CertificateFiles } from './certificates.js'

/** What etcd is told. */
export interface EtcdSettings {
  readonly directory: string
  /** Of clients. */
  readonly port: number
  readonly peerPort: number
}

/** Arguments of etcd: one member, on loopback, that does not wait for the disk: its data does not outlive the machine anyway. */
export function etcdFlags({ directory, port, peerPort }: EtcdSettings): readonly string[] {
  const [clients, peers] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${peerPort}`]
  return [
    '--name=typemetal',
    `--data-dir=${directory}`,
    `--listen-client-urls=${clients}`,
    `--advertise-client-urls=${clients}`,
    `--listen-peer-urls=${peers}`,
    `--initial-advertise-peer-urls=${peers}`,
    `--initial-cluster=typemetal=${peers}`,
    '--unsafe-no-fsync',
    '--logger=zap',
    '--log-level=warn',
  ]
}

/** What kube-apiserver is told. */
export interface ApiServerSettings {
  readonly port: number
  readonly etcd: string
  /** Of the server itself. */
  readonly serving: CertificateFiles
  /** Authority of client certificates. */
  readonly clientAuthority: string
  /** Key pair that signs service accounts' tokens. */
  readonly serviceAccounts: { readonly publicKey: string; readonly privateKey: string }
  /** `false`: every list and watch is etcd's own, so that a compaction is felt at once. */
  readonly watchCache: boolean
  /** Where to write who asked for what and how that ended, by which policy; none when absent. */
  readonly audit?: { readonly policy: string; readonly log: string } | undefined
  readonly extraFlags: readonly string[]
}

/** Addresses of Services, which is also where the server finds its own. */
export const SERVICE_RANGES = '10.96.0.0/12,fd00:96::/112'

/** Arguments of kube-apiserver: RBAC, both IP families, tokens of service accounts, and nobody who runs pods. */
export function apiServerFlags(settings: ApiServerSettings): readonly string[] {
  const { port, etcd, serving, clientAuthority, serviceAccounts, watchCache, audit, extraFlags } = settings
  return [
    '--bind-address=127.0.0.1',
    '--advertise-address=127.0.0.1',
    `--secure-port=${port}`,
    `--tls-cert-file=${serving.certificate}`,
    `--tls-private-key-file=${serving.key}`,
    `--client-ca-file=${clientAuthority}`,
    `--etcd-servers=${etcd}`,
    '--authorization-mode=RBAC',
    '--anonymous-auth=false',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${serviceAccounts.publicKey}`,
    `--service-account-signing-key-file=${serviceAccounts.privateKey}`,
    `--service-cluster-ip-range=${SERVICE_RANGES}`,
    // Every Service of type LoadBalancer takes a node port, and tests have more Services than the usual range has ports.
    '--service-node-port-range=1024-65535',
    '--endpoint-reconciler-type=none',
    // There is no kubelet that could mount what it asks for.
    '--disable-admission-plugins=ServiceAccount',
    '--profiling=false',
    // Else an orderly end waits a minute for watches that nobody ends.
    '--shutdown-watch-termination-grace-period=1s',
    // When the tests want history to be forgotten they say so.
    '--etcd-compaction-interval=0',
    `--watch-cache=${watchCache}`,
    ...(audit
      ? [`--audit-policy-file=${audit.policy}`, `--audit-log-path=${audit.log}`, '--audit-log-mode=batch']
      : []),
    ...extraFlags,
  ]
}
