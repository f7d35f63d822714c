/** The Pod that the speaker runs in: it owns the statuses, which go with it. */
import { NotFoundError } from '@typemetal/cluster'
import type { ApiClient, KubernetesObject, OwnerReference } from '@typemetal/cluster'
import { StartupError } from '@typemetal/cluster/process'

/**
 * Asks the API server for the own Pod.
 * @param pod its name, of `--pod-name`
 * @throws {StartupError} there is no such Pod, or it cannot be asked for
 */
export async function findOwnPod(api: ApiClient, namespace: string, pod: string): Promise<OwnerReference> {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}`
  try {
    const { metadata } = (await api.send({ method: 'GET', path })) as KubernetesObject
    const { name, uid } = metadata
    if (uid === undefined) throw new Error('it has no uid')
    return { apiVersion: 'v1', kind: 'Pod', name, uid }
  } catch (cause) {
    const why =
      cause instanceof NotFoundError
        ? 'there is none: give the name of the Pod that this process runs in'
        : (cause as Error).message
    throw new StartupError(`--pod-name: cannot get Pod ${namespace}/${pod}: ${why}`, { cause })
  }
}
