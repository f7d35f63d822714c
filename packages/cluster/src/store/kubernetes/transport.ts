import { type IncomingMessage, request as httpRequest, type RequestOptions } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { errorOf } from './api-error.js'
import { formatJSON, parseJSON } from './bigint-json.js'
import type { Connection } from './connect.js'

/** Milliseconds that the server may keep silent in answer to an ordinary request. */
const TIMEOUT = 30_000
/** Milliseconds between probes of a silent connection: a watch may be silent for long. */
const KEEP_ALIVE = 30_000

/** A request to the API server. */
export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly body?: unknown
  /** @default application/json */
  readonly contentType?: string
  readonly signal?: AbortSignal
  /** Milliseconds of silence after which the request fails. @default 30_000 */
  readonly timeout?: number
}

/** Sends requests to one API server. */
export class ApiTransport {
  readonly #connection: Connection

  constructor(connection: Connection) {
    this.#connection = connection
  }

  /** Base URL, for messages. */
  get server(): string {
    return this.#connection.server.href.replace(/\/$/, '')
  }

  /**
   * Sends a request and reads its answer.
   *
   * @throws {ConflictError} 409
   * @throws {NotFoundError} 404
   * @throws {ApiError} any other status that is no success
   */
  async send(request: ApiRequest): Promise<unknown> {
    const response = await this.#open(request)
    return parseJSON(await readText(response))
  }

  /** Sends a request whose answer is one JSON value a line, for as long as the server goes on. */
  async *stream(request: ApiRequest): AsyncGenerator<unknown, undefined> {
    const response = await this.#open(request)
    let rest = ''
    // Not readline: that also breaks lines at U+2028, which is an ordinary character in JSON.
    for await (const chunk of response.setEncoding('utf8')) {
      const lines = (rest + String(chunk)).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) if (line !== '') yield parseJSON(line)
    }
  }

  async #open(request: ApiRequest): Promise<IncomingMessage> {
    const response = await this.#exchange(request)
    const { statusCode = 0, headers } = response
    if (statusCode >= 200 && statusCode < 300) return response
    const text = await readText(response)
    const seconds = Number(headers['retry-after'])
    throw errorOf(statusCode, parseOr(text), Number.isFinite(seconds) ? seconds * 1000 : undefined)
  }

  async #exchange({
    method,
    path,
    query,
    body,
    contentType,
    signal,
    timeout = TIMEOUT,
  }: ApiRequest): Promise<IncomingMessage> {
    const { agent, headers } = await this.#connection.credentials()
    const url = new URL(this.server + path)
    for (const [name, value] of Object.entries(query ?? {})) url.searchParams.set(name, value)
    const payload = body === undefined ? undefined : formatJSON(body)
    const options: RequestOptions = {
      method,
      agent,
      timeout,
      headers: {
        accept: 'application/json',
        ...(payload !== undefined && {
          'content-type': contentType ?? 'application/json',
          'content-length': Buffer.byteLength(payload),
        }),
        ...headers,
      },
      ...(signal && { signal }),
    }
    return new Promise((resolve, reject) => {
      const outgoing = url.protocol === 'https:' ? httpsRequest(url, options) : httpRequest(url, options)
      outgoing.once('response', resolve)
      outgoing.on('error', reject)
      outgoing.once('timeout', () => outgoing.destroy(new Error(`the API server was silent for ${timeout / 1000} s`)))
      outgoing.once('socket', socket => socket.setKeepAlive(true, KEEP_ALIVE))
      outgoing.end(payload)
    })
  }
}

async function readText(response: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) text += String(chunk)
  return text
}

/** Proxies answer in HTML. */
function parseOr(text: string): unknown {
  try {
    return parseJSON(text)
  } catch {
    return undefined
  }
}
