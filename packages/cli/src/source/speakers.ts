/** The speakers of a live cluster, as their Pods show them. */
import { isFields } from '@typemetal/cluster'
import type { ApiClient, Pod } from '@typemetal/cluster'

/** A Pod of the DaemonSet. */
export interface SpeakerPod {
  readonly name: string
  readonly node: string
  readonly ready: boolean
  /** Images of its containers, in order. */
  readonly images: readonly string[]
  /** Where its metrics are, by the arguments of its program; absent: they do not say, or there are none. */
  readonly metrics?: PodMetrics
}

/** Where a Pod has its metrics. */
export interface PodMetrics {
  readonly port: number
  /** Over TLS. */
  readonly isSecure: boolean
  /** For bearers of a token only. */
  readonly isGuarded: boolean
}

/** What manifests, and the Helm chart, call the component. */
const COMPONENT_LABELS = ['component', 'app.kubernetes.io/component']

interface Container {
  readonly image?: string
  readonly args?: readonly string[]
}

type PodWithContainers = Pod & {
  readonly spec?: { readonly containers?: readonly Container[] }
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] }
}

/**
 * Lists the speakers, MetalLB's included.
 *
 * @throws what the API server has against it
 */
export async function speakerPods(api: ApiClient, namespace: string): Promise<readonly SpeakerPod[]> {
  const list = await api.send({ method: 'GET', path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods` })
  const items = isFields(list) && Array.isArray(list['items']) ? (list['items'] as PodWithContainers[]) : []
  return items
    .filter(({ metadata }) => COMPONENT_LABELS.some(label => metadata.labels?.[label] === 'speaker'))
    .filter(({ spec }) => spec?.nodeName !== undefined)
    .map(({ metadata, spec, status }) => ({
      name: metadata.name,
      node: spec?.nodeName ?? '',
      ready: status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false,
      images: (spec?.containers ?? []).flatMap(({ image }) => image ?? []),
      ...metricsOf(spec?.containers ?? []),
    }))
    .toSorted((a, b) => (a.node < b.node ? -1 : 1))
}

/** Flags by which metrics go over TLS: ours and MetalLB's. */
const SECURE = /^--?(?:metrics-auth|metrics-cert-dir|tls-[a-z-]+)(?:=(?!false).*)?$/
const GUARDED = /^--?metrics-auth(?:=(?!false).*)?$/

/** The first container that says on which port its metrics are. */
function metricsOf(containers: readonly Container[]): { readonly metrics?: PodMetrics } {
  for (const { args = [] } of containers) {
    const port = Number(args.map(arg => /^--?port=(\d+)$/.exec(arg)?.[1]).find(Boolean) ?? 0)
    const [isSecure, isGuarded] = [SECURE, GUARDED].map(flag => args.some(arg => flag.test(arg)))
    if (port > 0) return { metrics: { port, isSecure: isSecure === true, isGuarded: isGuarded === true } }
  }
  return {}
}
