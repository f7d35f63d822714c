/** The cluster that manifests describe, read once. */
import { stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { buildConfig, configResources, DirectoryStore, parseManifest } from '@typemetal/cluster'
import type { BuildResult, Snapshot } from '@typemetal/cluster'
import { manifestSnapshot, overlay } from './overlay.js'
import { withStandIns } from './secrets.js'

/** What the commands look at. */
export interface Cluster {
  readonly snapshot: Snapshot
  /** The configuration, or all reasons why there is none. */
  readonly result: BuildResult
  /** Names of the nodes whose speakers are known to run; absent: nobody knows, so every Node counts. */
  readonly members?: readonly string[]
  /** Names of Secrets that peers want and that are not among the manifests: they are taken to be in the cluster. */
  readonly missingSecrets?: readonly string[]
  /** What the reader should know about where this comes from. */
  readonly notes?: readonly string[]
}

/** How standard input is named on the command line and in faults. */
export const STDIN = '-'

/** Makes a cluster of a snapshot. */
export function clusterOf(snapshot: Snapshot, namespace: string, more: Partial<Cluster> = {}): Cluster {
  return { ...more, snapshot, result: buildConfig(configResources(snapshot), { component: 'validate', namespace }) }
}

/**
 * Reads folders and files of manifests, and standard input for `-`; writes nothing and is done when it returns. Statuses are taken
 * from the folder `status` of the first folder, where `typemetal-controller` and `typemetal-speaker` keep them.
 *
 * @param readInput reads standard input. @default there is none
 * @throws {Error} a folder or file does not exist or cannot be read
 */
export async function readCluster(
  sources: readonly string[],
  namespace: string,
  readInput: () => Promise<string> = async () => '',
): Promise<Cluster> {
  const paths = sources.filter(source => source !== STDIN)
  const files = paths.length > 0 ? await readPaths(paths, namespace) : undefined
  if (paths.length === sources.length && files) return clusterOfFiles(files, namespace)
  const input = manifestSnapshot({ stdin: parseManifest(await readInput(), { file: 'stdin', namespace }) })
  return clusterOfFiles(files ? overlay(files, input, { prune: false }) : input, namespace)
}

/** Nobody keeps Secrets beside manifests, so a peer whose Secret is elsewhere is no wrong peer. */
function clusterOfFiles(snapshot: Snapshot, namespace: string): Cluster {
  const { snapshot: whole, missing } = withStandIns(snapshot, namespace)
  const { result } = clusterOf(whole, namespace)
  return { snapshot, result, ...(missing.length > 0 && { missingSecrets: missing }) }
}

async function readPaths(paths: readonly string[], namespace: string): Promise<Snapshot> {
  const [first = '.'] = paths
  const found = await stat(first).catch(() => undefined)
  const home = found?.isFile() ? dirname(first) : first
  await using store = new DirectoryStore({
    directory: paths,
    statusDirectory: join(home, 'status'),
    component: 'typemetal',
    namespace,
    readOnly: true,
  })
  await store.start()
  return store.snapshot()
}
