import type { Registry } from 'prom-client'
import type { ApiClient } from '../store/store.js'
import { parseTlsOptions } from '../tls/tls-options.js'
import { type Check, serveHealth } from './health.js'
import type { HttpService } from './http-service.js'
import type { Logger } from './log.js'
import { type MetricsOptions, type SecureMetricsOptions, serveMetrics, serveSecureMetrics } from './metrics.js'
import { StartupError } from './startup-error.js'
import { tokenReview } from './token-review.js'

/** MetalLB's flags about who may read the metrics and how; an empty text is the default. */
export interface MetricsFlags {
  /** `--tls-min-version` */
  readonly tlsMinVersion: string
  /** `--tls-cipher-suites`: IANA names, separated by commas. */
  readonly tlsCipherSuites: string
  /** `--tls-curve-preferences`: IANA numbers of groups, separated by commas. */
  readonly tlsCurvePreferences: string
  /** Folder with `tls.crt` and `tls.key`. */
  readonly metricsCertDir: string
  /** Whether the API server is asked about the bearer tokens of those who read. */
  readonly metricsAuth: boolean
}

/** Options of {@link startEndpoints}. */
export interface EndpointsOptions {
  /** What `/metrics` shows. */
  readonly registry: Registry
  /** Port of the metrics; 0: none. */
  readonly port: number
  /** Port of `/healthz` and `/readyz`; 0: none. */
  readonly healthProbePort: number
  /** Address of the probes. @default all addresses of the host */
  readonly healthHost?: string
  /** False when only a restart can help. @default always true: who answers is alive */
  readonly healthy?: Check
  /** Whether the process does its work: what `/readyz` answers. */
  readonly ready: Check
  /** Who may read the metrics, and how. */
  readonly flags: MetricsFlags
  /** The API server, as soon as there is one. */
  readonly api: () => ApiClient | undefined
  /** Is told of certificates that cannot be used. */
  readonly log: Logger
}

/** What others ask a process over HTTP; dispose it to stop. */
export interface Endpoints extends AsyncDisposable {
  /** Of metrics and probes, as far as there are any. */
  readonly ports: readonly number[]
}

/**
 * Serves metrics and probes. Metrics go over plain HTTP, unless a flag is about TLS or tokens; when one port cannot be had, none is kept.
 *
 * @throws {StartupError} the flags about TLS contradict each other
 * @throws the system's error when a port cannot be had
 */
export async function startEndpoints(options: EndpointsOptions): Promise<Endpoints> {
  const { port, healthProbePort: probes, healthHost: host, healthy = () => true, ready } = options
  const started: HttpService[] = []
  const stop = async (): Promise<void> => {
    await Promise.all(started.map(service => service[Symbol.asyncDispose]()))
  }
  try {
    if (port !== 0) started.push(await startMetrics(options))
    const address = { port: probes, ...(host !== undefined && { host }) }
    if (probes !== 0) started.push(await serveHealth({ ...address, healthy, ready }))
  } catch (error) {
    await stop()
    throw error
  }
  return { ports: started.map(service => service.port), [Symbol.asyncDispose]: stop }
}

function startMetrics({ registry, port, flags, api, log }: EndpointsOptions): Promise<HttpService> {
  const { tlsMinVersion, tlsCipherSuites, tlsCurvePreferences, metricsCertDir, metricsAuth } = flags
  const isSecure = [tlsMinVersion, tlsCipherSuites, tlsCurvePreferences, metricsCertDir].some(text => text !== '')
  const options: MetricsOptions = { registry, port, ...(metricsAuth && { authorize: tokenReview(api) }) }
  // A token is nothing to be sent in plain text.
  if (!isSecure && !metricsAuth) return serveMetrics(options)
  const texts = { minVersion: tlsMinVersion, cipherSuites: tlsCipherSuites, curvePreferences: tlsCurvePreferences }
  const secure: SecureMetricsOptions = { ...options, tls: parseTlsOptions(texts), log }
  return serveSecureMetrics(metricsCertDir === '' ? secure : { ...secure, certificateDirectory: metricsCertDir })
}

/**
 * Refuses flags that cannot be obeyed.
 *
 * @param hasApi whether there will be an API server to ask about tokens
 * @throws {StartupError}
 */
export function checkMetricsFlags(flags: MetricsFlags, hasApi: boolean): void {
  const { tlsMinVersion: minVersion, tlsCipherSuites: cipherSuites, tlsCurvePreferences: curvePreferences } = flags
  parseTlsOptions({ minVersion, cipherSuites, curvePreferences })
  if (flags.metricsAuth && !hasApi) {
    throw new StartupError('--metrics-auth: with --config-dir there is no API server to ask about tokens')
  }
}
