/** Chooses where the cluster's objects come from. */
import { openStore } from '@typemetal/cluster'
import type { Store } from '@typemetal/cluster'
import { StartupError, createClientMetrics } from '@typemetal/cluster/process'
import type { Registry } from 'prom-client'
import { keepRules } from '../core/kept.js'
import type { Flags } from '../flags.js'
import type { Logger } from '../logger.js'
import { StatusLabel, isLabelValue } from '../status/objects.js'

/** @throws {StartupError} the flags name two sources */
export function checkSource({ configDir, kubeconfig }: Pick<Flags, 'configDir' | 'kubeconfig'>): void {
  if (configDir.length > 0 && kubeconfig !== '') {
    throw new StartupError('--config-dir and --kubeconfig exclude each other: give one of them')
  }
}

/** The store that the flags name: folders of manifests, or else the Kubernetes API. */
export const createStore = (
  { configDir, kubeconfig, nodeName }: Flags,
  namespace: string,
  registry: Registry,
  log: Logger,
): Promise<Store> =>
  openStore({
    directories: configDir,
    ...(kubeconfig !== '' && { kubeconfig }),
    component: `speaker-${nodeName}`,
    namespace,
    // Every node has one for each Service: those of the others are many, and nobody's business here.
    ...(isLabelValue(nodeName) && { labels: { ServiceBGPStatus: `${StatusLabel.node}=${nodeName}` } }),
    keep: keepRules(),
    ...(configDir.length === 0 && { metrics: createClientMetrics(registry) }),
    log,
  })
