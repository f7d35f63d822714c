import { type ClientRequest, type IncomingMessage, request as httpRequest, type RequestOptions } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { setTimeout as delay } from 'node:timers/promises'
import { resetConnection } from './agent-pool.js'
import { ApiError, errorOf, failureOf, SilenceError } from './api-error.js'
import { formatJSON, parseJSON } from './bigint-json.js'
import type { Connection, Credentials } from './connect.js'
import type { ClientLimits, Milliseconds } from './limits.js'
import { type ClientMetrics, silentMetrics } from './metrics.js'

/** Milliseconds between probes of a silent connection: a watch may be silent for long. */
const KEEP_ALIVE = 30_000
/** What a busy server is given before it is asked again, when it does not say how long. */
const BUSY_PAUSE = 1000

/** A request to the API server. */
export interface ApiRequest {
  /** HTTP method. */
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Path below the server's address, such as `/api/v1/pods`. */
  readonly path: string
  /** Query of the URL. */
  readonly query?: Readonly<Record<string, string>>
  /** Is sent as JSON. */
  readonly body?: unknown
  /** @default application/json */
  readonly contentType?: string
  /** What the answer is: a JSON value, or the text of whatever is behind the API server's proxy. @default 'json' */
  readonly accept?: 'json' | 'text'
  /** Waits for no connection that other writes use. @default false */
  readonly urgent?: boolean
  /** Gives up when aborted. */
  readonly signal?: AbortSignal
}

/** Options of {@link ApiTransport}. */
export interface ApiTransportOptions {
  readonly connection: Connection
  readonly limits: Pick<ClientLimits, 'readTimeout' | 'writeTimeout'>
  readonly metrics?: ClientMetrics
}

/** Sends requests to one API server. */
export class ApiTransport {
  readonly #connection: Connection
  readonly #limits: ApiTransportOptions['limits']
  readonly #metrics: ClientMetrics

  constructor({ connection, limits, metrics = silentMetrics }: ApiTransportOptions) {
    this.#connection = connection
    this.#limits = limits
    this.#metrics = metrics
  }

  /** Base URL, for messages. */
  get server(): string {
    return this.#connection.server.href.replace(/\/$/, '')
  }

  /**
   * Sends a request and reads its answer: the JSON value in it, or its text where that is asked for. A write is answered within `writeTimeout` or never done: the server is told to give up by
   * then, and the connection is reset, so that nothing lands late. Within that time a server that is too busy is asked again.
   *
   * @throws {ConflictError} 409
   * @throws {NotFoundError} 404
   * @throws {ApiError} any other status that is no success
   * @throws {SilenceError} no answer in time
   */
  async send(request: ApiRequest): Promise<unknown> {
    const valueOf = request.accept === 'text' ? (text: string): unknown => text : parseJSON
    if (request.method === 'GET') return valueOf(await readText(await this.#open(request)))
    const { writeTimeout } = this.#limits
    const end = performance.now() + writeTimeout
    for (;;) {
      const left = end - performance.now()
      const late = new AbortController()
      const giveUp = (): void => late.abort(this.#silence(request))
      const timer = setTimeout(giveUp, left)
      try {
        const query = { ...request.query, timeout: `${Math.max(1, Math.ceil(left))}ms` }
        return valueOf(await readText(await this.#open({ ...request, query }, late.signal)))
      } catch (error) {
        if (late.signal.aborted) throw late.signal.reason
        const pause = error instanceof ApiError ? (error.retryAfter ?? BUSY_PAUSE) : BUSY_PAUSE
        if (failureOf(error) !== 'busy' || performance.now() + pause >= end) throw error
        await delay(pause, undefined, request.signal && { signal: request.signal })
      } finally {
        clearTimeout(timer)
      }
    }
  }

  /**
   * Sends a request whose answer is one JSON value a line, for as long as the server goes on. Resolves when the server has begun to
   * answer.
   *
   * @param silence after which the stream fails
   * @throws as {@link send}; reading on may throw {@link SilenceError}
   */
  async stream(request: ApiRequest, silence: Milliseconds): Promise<AsyncGenerator<unknown, undefined>> {
    const response = await this.#open(request)
    response.setTimeout(silence)
    return linesOf(response)
  }

  async #open(request: ApiRequest, late?: AbortSignal): Promise<IncomingMessage> {
    try {
      return await this.#attempt(request, late)
    } catch (error) {
      // The token may have been rotated since it was read.
      if (failureOf(error) !== 'unauthorized' || !this.#connection.renew()) throw error
      return this.#attempt(request, late)
    }
  }

  async #attempt(request: ApiRequest, late: AbortSignal | undefined): Promise<IncomingMessage> {
    try {
      const response = await this.#exchange(request, await this.#connection.credentials(), late)
      const { statusCode = 0, headers } = response
      this.#metrics.countRequest(request.method, String(statusCode))
      if (statusCode >= 200 && statusCode < 300) return response
      const text = await readText(response)
      const seconds = Number(headers['retry-after'])
      throw errorOf(statusCode, parseOr(text), Number.isFinite(seconds) ? seconds * 1000 : undefined)
    } catch (error) {
      const failure = failureOf(error)
      if (failure === 'connection' || failure === 'silent') this.#metrics.countRequest(request.method, `<${failure}>`)
      throw error
    }
  }

  #exchange(request: ApiRequest, credentials: Credentials, late: AbortSignal | undefined): Promise<IncomingMessage> {
    const { method, path, query, body, contentType, accept, urgent, signal } = request
    const url = new URL(this.server + path)
    for (const [name, value] of Object.entries(query ?? {})) url.searchParams.set(name, value)
    const payload = body === undefined ? undefined : formatJSON(body)
    const options: RequestOptions = {
      method,
      agent: method === 'GET' || urgent ? credentials.agents.unbounded : credentials.agents.bounded,
      headers: {
        accept: accept === 'text' ? '*/*' : 'application/json',
        ...(payload !== undefined && {
          'content-type': contentType ?? 'application/json',
          'content-length': Buffer.byteLength(payload),
        }),
        ...credentials.headers,
      },
      ...(method === 'GET' && { timeout: this.#limits.readTimeout }),
    }
    return new Promise((resolve, reject) => {
      const outgoing = url.protocol === 'https:' ? httpsRequest(url, options) : httpRequest(url, options)
      let answer: IncomingMessage | undefined
      const fail = (why: Error): void => {
        reject(why)
        resetConnection(outgoing)
        // Destroyed with a reason, so that who reads hears that, and not only that the connection was reset.
        ;(answer ?? outgoing).destroy(why)
      }
      outgoing.once('response', response => {
        answer = response
        resolve(response)
      })
      outgoing.on('error', reject)
      outgoing.once('timeout', () => fail(this.#silence(request)))
      outgoing.once('socket', socket => socket.setKeepAlive(true, KEEP_ALIVE))
      for (const each of [signal, late]) {
        if (each) whileOpen(outgoing, each, fail)
      }
      outgoing.end(payload)
    })
  }

  #silence({ method, path }: ApiRequest): SilenceError {
    return new SilenceError(`${method} ${path}: the API server does not answer`)
  }
}

/** Calls when a signal aborts before the request is over. */
function whileOpen(request: ClientRequest, signal: AbortSignal, fail: (why: Error) => void): void {
  const end = (): void => fail(signal.reason instanceof Error ? signal.reason : new Error('aborted'))
  if (signal.aborted) return end()
  signal.addEventListener('abort', end, { once: true })
  request.once('close', () => signal.removeEventListener('abort', end))
}

async function readText(response: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) text += String(chunk)
  return text
}

async function* linesOf(response: IncomingMessage): AsyncGenerator<unknown, undefined> {
  let rest = ''
  // Not readline: that also breaks lines at U+2028, which is an ordinary character in JSON.
  for await (const chunk of response.setEncoding('utf8')) {
    const lines = (rest + String(chunk)).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line !== '') yield parseJSON(line)
  }
}

/** Proxies answer in HTML. */
function parseOr(text: string): unknown {
  try {
    return parseJSON(text)
  } catch {
    return undefined
  }
}
