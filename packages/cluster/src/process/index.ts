/**
 * What every Typemetal process needs around its work: logs, metrics, health, signals and clear last words.
 *
 * ```ts
 * import { createLogger, createRegistry, runProcess, serveMetrics } from '@typemetal/cluster/process'
 *
 * await runProcess(async signal => {
 *   const log = createLogger({ level: 'info' })
 *   await using metrics = await serveMetrics({ registry: createRegistry(), port: 7472 })
 *   log.info({ port: metrics.port }, 'metrics are served')
 *   await new Promise(resolve => signal.addEventListener('abort', resolve))
 * })
 * ```
 *
 * @packageDocumentation
 */
export { createLogger, LOG_LEVELS, type Logger, type LoggerOptions, type LogLevel, silentLogger } from './log.js'
export { type HttpService, type ListenOptions } from './http-service.js'
export {
  checkMetricsFlags,
  type Endpoints,
  type EndpointsOptions,
  type MetricsFlags,
  startEndpoints,
} from './endpoints.js'
export {
  type Authorize,
  type MetricsOptions,
  type SecureMetricsOptions,
  serveMetrics,
  serveSecureMetrics,
} from './metrics.js'
export { tokenReview } from './token-review.js'
export { GUIDE_ALIASES, registerGuideAliases } from './guide-metrics.js'
export { createRegistry } from './registry.js'
export { createReconcileMetrics, type ReconcileMetrics } from './reconcile-metrics.js'
export { createClientMetrics } from '../store/kubernetes/metrics.js'
export { type Check, type HealthOptions, serveHealth } from './health.js'
export { explainError } from './explain.js'
export { lookupNamespace, type NamespaceOptions } from './namespace.js'
export { requireNode } from './node-version.js'
export { runProcess } from './run.js'
export { StartupError } from './startup-error.js'
