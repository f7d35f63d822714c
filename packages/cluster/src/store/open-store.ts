import type { Logger } from '../process/log.js'
import { DirectoryStore } from './directory/directory-store.js'
import type { ClientLimits } from './kubernetes/limits.js'
import type { ClientMetrics } from './kubernetes/metrics.js'
import type { KeepRules, Kind, Store } from './store.js'

/** Where the cluster's objects come from: folders, or else an API server. */
export interface OpenStoreOptions {
  /** Folders of manifests (`--config-dir`); none: the Kubernetes API. */
  readonly directories?: readonly string[]
  /** File that names the API server (`--kubeconfig`). @default as kubectl finds it, else the pod's service account */
  readonly kubeconfig?: string
  /** Of the kubeconfig. @default its `current-context` */
  readonly context?: string
  /** Who writes, e.g. `controller` or `speaker-node-1`. */
  readonly component: string
  /** Namespace of metallb.io objects. */
  readonly namespace: string
  /** What to watch on an API server. @default all kinds */
  readonly kinds?: readonly Kind[]
  /** Label selectors of what is watched there of a kind. @default all objects */
  readonly labels?: Partial<Readonly<Record<Kind, string>>>
  /** What is kept of the objects that are read. @default all of them */
  readonly keep?: KeepRules
  /** How much, how often and how long an API server is asked. */
  readonly limits?: Partial<ClientLimits>
  /** What is counted of the traffic with an API server; `createClientMetrics` makes it. */
  readonly metrics?: ClientMetrics
  /** @default silent */
  readonly log?: Logger
  /** Disposes the store when aborted. */
  readonly signal?: AbortSignal
}

/** The store that the flags of a process ask for; still to be started. The Kubernetes client is loaded only where it is used. */
export async function openStore(options: OpenStoreOptions): Promise<Store> {
  const { directories = [], component, ...rest } = options
  if (directories.length > 0) return new DirectoryStore({ directory: directories, component, ...rest })
  const { KubernetesStore } = await import('./kubernetes/kubernetes-store.js')
  return new KubernetesStore(rest)
}
