/** The cluster that a folder of manifests describes, read once. */
import { buildConfig, configResources, DirectoryStore } from '@typemetal/cluster'
import type { BuildResult, Snapshot } from '@typemetal/cluster'

/** What the commands look at. */
export interface Cluster {
  readonly snapshot: Snapshot
  /** The configuration, or all reasons why there is none. */
  readonly result: BuildResult
}

/**
 * Reads folders of manifests; writes nothing and is done when it returns.
 * @throws {Error} a folder does not exist or cannot be read
 */
export async function readCluster(directories: readonly string[], namespace: string): Promise<Cluster> {
  await using store = new DirectoryStore({ directory: directories, component: 'typemetal', namespace, readOnly: true })
  await store.start()
  const snapshot = store.snapshot()
  return { snapshot, result: buildConfig(configResources(snapshot), { component: 'validate', namespace }) }
}
