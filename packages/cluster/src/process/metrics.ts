import type { Registry } from 'prom-client'
import { type HttpService, type ListenOptions, serveHttp } from './http-service.js'

/** Serves a registry's metrics on `GET /metrics`, in Prometheus' text format, over plain HTTP. */
export function serveMetrics({
  registry,
  ...listen
}: ListenOptions & { readonly registry: Registry }): Promise<HttpService> {
  return serveHttp(listen, {
    '/metrics': async () => ({ status: 200, contentType: registry.contentType, body: await registry.metrics() }),
  })
}
