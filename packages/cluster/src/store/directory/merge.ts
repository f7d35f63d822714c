import { deepFreeze } from '../../freeze.js'
import type { KubernetesObject } from '../../resources/core.js'
import type { ManifestObject } from './manifest.js'
import type { StatusRecord } from './status-file.js'
import { ABSENT } from './versioned-file.js'

/** An object as the store hands it out: the manifest with what we have written about it. */
export function merge(manifest: ManifestObject, status: StatusRecord | undefined): KubernetesObject {
  const { object, hash } = manifest
  const resourceVersion = `${hash}-${status?.version ?? ABSENT}`
  if (!status) return Object.freeze({ ...object, metadata: Object.freeze({ ...object.metadata, resourceVersion }) })
  const annotations = applyAnnotations(object.metadata.annotations, status.annotations)
  return deepFreeze({
    ...object,
    metadata: { ...object.metadata, resourceVersion, ...(annotations && { annotations }) },
    ...('status' in status.object && { status: status.object.status }),
  })
}

/** What of a resourceVersion is the manifest's and what the status file's. */
export function splitVersion(resourceVersion: string): { readonly hash: string; readonly version: number } {
  const dash = resourceVersion.lastIndexOf('-')
  return { hash: resourceVersion.slice(0, Math.max(dash, 0)), version: Number(resourceVersion.slice(dash + 1)) }
}

/** The annotations of `wanted` that the manifest does not say itself; null for those that it has and `wanted` has not. */
export function annotationChanges(
  manifest: Readonly<Record<string, string>> = {},
  wanted: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string | null>> {
  const set = Object.entries(wanted).filter(([key, value]) => manifest[key] !== value)
  const removed = Object.keys(manifest).filter(key => !Object.hasOwn(wanted, key))
  return Object.fromEntries([...set, ...removed.map(key => [key, null] as const)])
}

function applyAnnotations(
  manifest: Readonly<Record<string, string>> | undefined,
  changes: Readonly<Record<string, string | null>>,
): Readonly<Record<string, string>> | undefined {
  if (Object.keys(changes).length === 0) return manifest
  const entries = Object.entries({ ...manifest, ...changes }).filter(
    (entry): entry is [string, string] => entry[1] !== null,
  )
  return Object.fromEntries(entries)
}
