import { hostname } from 'node:os'
import type { Registry } from 'prom-client'
import type { CertificateBundle, TlsOptions } from '../tls/index.js'
import { type Answer, type HttpService, type ListenOptions, serveHttp, text } from './http-service.js'
import type { Logger } from './log.js'

/** Whether who has this bearer token may read the metrics: 401 when nobody knows them, 403 when they may not. */
export type Authorize = (token: string | undefined) => Promise<200 | 401 | 403>

/** Options of {@link serveMetrics}. */
export interface MetricsOptions extends ListenOptions {
  /** What is shown. */
  readonly registry: Registry
  /** @default everybody may */
  readonly authorize?: Authorize
}

/** Serves a registry's metrics on `GET /metrics`, in Prometheus' text format. */
export function serveMetrics({ registry, authorize, ...listen }: MetricsOptions): Promise<HttpService> {
  const give = async (): Promise<Answer> => ({
    status: 200,
    contentType: registry.contentType,
    body: await registry.metrics(),
  })
  if (!authorize) return serveHttp(listen, { '/metrics': give })
  return serveHttp(listen, {
    '/metrics': async ({ headers }) => {
      const [, token] = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '') ?? []
      const status = await authorize(token)
      if (status === 200) return give()
      return text(status, status === 401 ? 'a valid bearer token is wanted' : 'not allowed to get /metrics')
    },
  })
}

/** Options of {@link serveSecureMetrics}. */
export interface SecureMetricsOptions extends Omit<MetricsOptions, 'tls'> {
  /** What the server offers; the certificate comes from elsewhere. */
  readonly tls: TlsOptions
  /** With `tls.crt` and `tls.key`. @default a certificate that is made now and kept nowhere */
  readonly certificateDirectory?: string
  /** Is told of certificates that cannot be used. */
  readonly log: Logger
}

/** The same over TLS, with a certificate from files that are looked at again and again, or one that nobody has signed. */
export async function serveSecureMetrics(options: SecureMetricsOptions): Promise<HttpService> {
  const { certificateDirectory: directory, log, ...rest } = options
  // Loaded on use: most serve plain HTTP.
  const { CertificateFiles, issueCertificates } = await import('../tls/index.js')
  const service = await serveMetrics(rest)
  const show = (bundle: Pick<CertificateBundle, 'tls.crt' | 'tls.key'>): void =>
    service.setCertificate({ cert: bundle['tls.crt'], key: bundle['tls.key'] })
  if (directory === undefined) {
    show(await issueCertificates({ dnsName: hostname(), now: new Date() }))
    return service
  }
  const stop = new AbortController()
  const running = new CertificateFiles({ directory, onBundle: show, log }).run(stop.signal)
  return {
    ...service,
    [Symbol.asyncDispose]: async () => {
      stop.abort()
      await Promise.all([running, service[Symbol.asyncDispose]()])
    },
  }
}
