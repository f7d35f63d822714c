/** What is allowed, and probably not meant. Pure: a cluster with a valid configuration in, sentences out. */
import type { Config, ConfigError, Snapshot } from '@typemetal/cluster'
import { addressWarnings } from './addresses.js'
import { advertisementWarnings } from './advertisements.js'
import { leftoverWarnings } from './leftovers.js'
import { peerWarnings } from './peers.js'
import { serviceWarnings } from './services.js'

/** Something that is probably not meant; shaped as an error is. */
export type Warning = ConfigError

/** What the rules look at. */
export interface Scene {
  readonly snapshot: Snapshot
  readonly config: Config
  readonly namespace: string
  /** Classes that the processes are started with (`--lb-class`). */
  readonly lbClass: string
  /** Secrets that peers want and that are not among the manifests. @default none */
  readonly missingSecrets?: readonly string[]
}

/** Looks for everything that is probably not meant, in the order of the files. */
export function findWarnings(scene: Scene): readonly Warning[] {
  const found = [
    ...addressWarnings(scene),
    ...advertisementWarnings(scene),
    ...peerWarnings(scene),
    ...serviceWarnings(scene),
    ...leftoverWarnings(scene),
  ]
  return found.toSorted(
    (a, b) =>
      (a.file ?? '').localeCompare(b.file ?? '') || (a.line ?? 0) - (b.line ?? 0) || a.name.localeCompare(b.name),
  )
}
