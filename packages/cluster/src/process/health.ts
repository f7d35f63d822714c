import { type Answer, type HttpService, type ListenOptions, serveHttp, text } from './http-service.js'

/** True when all is well; otherwise false or, better, what is not. */
export type Check = () => boolean | string

/** Options of {@link serveHealth}. */
export interface HealthOptions extends ListenOptions {
  /** False when only a restart can help. */
  readonly healthy: Check
  /** False while the process does not do its work: no configuration yet, no connection to the API server. */
  readonly ready: Check
}

/** Serves `GET /healthz` and `GET /readyz`: 200 `ok`, or 503 and why not. */
export function serveHealth({ healthy, ready, ...listen }: HealthOptions): Promise<HttpService> {
  return serveHttp(listen, { '/healthz': () => report(healthy()), '/readyz': () => report(ready()) })
}

function report(result: boolean | string): Answer {
  return result === true ? text(200, 'ok') : text(503, typeof result === 'string' ? result : 'not ok')
}
