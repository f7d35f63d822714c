/** Chooses where the cluster's objects come from. */
import { DirectoryStore } from '@typemetal/cluster'
import type { Store } from '@typemetal/cluster'
import { StartupError } from '@typemetal/cluster/process'
import type { Flags } from '../flags.js'
import type { Logger } from '../logger.js'

/** @throws {StartupError} the flags name no source, or two */
export function checkSource({ configDir, kubeconfig }: Pick<Flags, 'configDir' | 'kubeconfig'>): void {
  if (configDir.length > 0 && kubeconfig !== '') {
    throw new StartupError('--config-dir and --kubeconfig exclude each other: give one of them')
  }
  if (configDir.length === 0) {
    throw new StartupError('reading from the Kubernetes API is not available in this version: give --config-dir')
  }
}

/** The store that the flags name. */
export function createStore({ configDir, nodeName }: Flags, namespace: string, log: Logger): Store {
  return new DirectoryStore({ directory: configDir, component: `speaker-${nodeName}`, namespace, log })
}
