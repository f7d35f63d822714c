import type { ConfigResources } from '../../config/resources.js'
import type { KubernetesObject } from '../../resources/core.js'
import type { Manifest } from './manifest.js'
import { ManifestSet } from './manifest-set.js'

/** What the manifests of some files say, by the names of the files, ready for `buildConfig`; its errors then name file and line. */
export function manifestResources(manifests: Readonly<Record<string, Manifest>>): ConfigResources {
  const set = new ManifestSet()
  for (const [file, manifest] of Object.entries(manifests)) set.set(file, manifest)
  const kinds: Record<string, KubernetesObject[]> = {}
  for (const { kind, object } of set.objects()) (kinds[kind] ??= []).push(object)
  return { ...kinds, faults: set.faults(), origin: set.origin }
}
