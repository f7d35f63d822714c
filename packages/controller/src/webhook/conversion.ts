/** ConversionReview of `apiextensions.k8s.io/v1`: BGPPeers between their two versions. */
import { type BGPPeer, convertBGPPeer, type KubernetesObject } from '@typemetal/cluster'

/** What the API server asks. */
export interface ConversionRequest {
  readonly uid: string
  readonly desiredAPIVersion: string
  readonly objects: readonly KubernetesObject[]
}

/** What is answered. */
export interface ConversionResponse {
  readonly uid: string
  readonly convertedObjects: readonly KubernetesObject[]
  readonly result: { readonly status: 'Success' | 'Failure'; readonly message?: string }
}

/** Converts all objects of a request, or none and says why. */
export function reviewConversion({ uid, desiredAPIVersion, objects }: ConversionRequest): ConversionResponse {
  try {
    const convertedObjects = objects.map(object => {
      if (object.kind !== 'BGPPeer') throw new RangeError(`${object.kind} has one version only`)
      return convertBGPPeer(object as BGPPeer, desiredAPIVersion)
    })
    return { uid, convertedObjects, result: { status: 'Success' } }
  } catch (error) {
    return { uid, convertedObjects: [], result: { status: 'Failure', message: (error as Error).message } }
  }
}
