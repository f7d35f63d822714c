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
}

/** What manifests, and the Helm chart, call the component. */
const COMPONENT_LABELS = ['component', 'app.kubernetes.io/component']

type PodWithContainers = Pod & {
  readonly spec?: { readonly containers?: readonly { readonly image?: string }[] }
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
    }))
    .toSorted((a, b) => (a.node < b.node ? -1 : 1))
}
