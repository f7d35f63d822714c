/** A proxy between a client and an API server that can misbehave. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Agent, createServer, request as httpsRequest, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../wait.js'
import type { CertificateFiles } from './certificates.js'

/** A request that passes. */
export interface PassingRequest {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  /** It asks to be told of changes. */
  readonly watch: boolean
}

/** What happens to a request instead of an answer by the API server, or before it. */
export type Fault =
  /** Refused with this status, in the API server's form; `retryAfter` in seconds. */
  | { readonly type: 'refuse'; readonly status: number; readonly retryAfter?: number }
  /** Passed on this many milliseconds late. */
  | { readonly type: 'delay'; readonly by: number }
  /** Passed on when this has come about. */
  | { readonly type: 'hold'; readonly until: Promise<unknown> }
  /** The connection breaks before the API server sees the request. */
  | { readonly type: 'cut' }
  /** The API server sees the request, and does what it asks for; the connection breaks before the client hears of it. */
  | { readonly type: 'cut-answer' }

/** Where a {@link FaultProxy} stands. */
export interface FaultProxyOptions {
  /** Base URL of the API server. */
  readonly upstream: string
  /** File with the certificate of who signed the API server's. */
  readonly authority: string
  /** The proxy's own; clients know no other. */
  readonly serving: CertificateFiles
}

/**
 * Passes requests on over TLS, with the client's token; client certificates end here. Without faults it changes nothing: answers
 * flow as they come, watches too.
 */
export class FaultProxy implements AsyncDisposable {
  /** Decides about each request when it comes. */
  fault: (request: PassingRequest) => Fault | undefined = () => undefined
  /** Requests so far, in order, those with a fault too. */
  readonly requests: PassingRequest[] = []
  readonly #options: FaultProxyOptions
  readonly #server: Server
  readonly #agent: Agent
  readonly #sockets = new Set<Duplex>()
  readonly #answers = new Set<IncomingMessage>()
  #port = 0
  #stalled = false

  private constructor(options: FaultProxyOptions) {
    const { authority, serving } = options
    this.#options = options
    this.#agent = new Agent({ keepAlive: true, ca: readFileSync(authority) })
    const tls = { cert: readFileSync(serving.certificate), key: readFileSync(serving.key) }
    this.#server = createServer(tls, (incoming, response) => void this.#serve(incoming, response))
    this.#server.on('connection', socket => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
  }

  /** Listens on a free port of loopback. */
  static async start(options: FaultProxyOptions): Promise<FaultProxy> {
    const proxy = new FaultProxy(options)
    await proxy.accept()
    return proxy
  }

  /** Base URL for clients. */
  get url(): string {
    return `https://127.0.0.1:${this.#port}`
  }

  /** Connections that are open now. */
  get connections(): number {
    return this.#sockets.size
  }

  /** Breaks every connection. @returns how many there were */
  cut(): number {
    const count = this.#sockets.size
    for (const socket of this.#sockets) socket.destroy()
    return count
  }

  /** Holds back all that the API server answers, watches too, as a network does that has died without a word; `false` ends that. */
  stall(stalled: boolean): void {
    this.#stalled = stalled
    for (const answer of this.#answers) {
      if (stalled) answer.pause()
      else answer.resume()
    }
  }

  /** Lets nobody in any more and breaks every connection, until {@link accept}. */
  async refuse(): Promise<void> {
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.cut()
    await closed
  }

  /** Listens, on the port it had. */
  async accept(): Promise<void> {
    // Meanwhile, the port may have become another's for a moment: connections come from free ports, too.
    await until(`port ${this.#port}`, async () => {
      this.#server.listen(this.#port, '127.0.0.1')
      await once(this.#server, 'listening')
      return true
    })
    this.#port = (this.#server.address() as AddressInfo).port
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.refuse()
    this.#agent.destroy()
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '' } = incoming
    const { pathname: path, searchParams: query } = new URL(url, this.url)
    const request = { method, path, query, watch: query.get('watch') === 'true' }
    this.requests.push(request)
    const fault = this.fault(request)
    switch (fault?.type) {
      case 'refuse':
        return refuse(response, fault.status, fault.retryAfter)
      case 'cut':
        incoming.socket.destroy()
        return
      case 'delay':
      case 'hold':
        await (fault.type === 'delay' ? sleep(fault.by) : fault.until)
        // Who has gone away meanwhile wants nothing done any more.
        if (incoming.socket.destroyed) return
        break
      case 'cut-answer':
      case undefined:
        break
      default:
        fault satisfies never
    }
    this.#pass(incoming, response, fault?.type === 'cut-answer')
  }

  #pass(incoming: IncomingMessage, response: ServerResponse, cutAnswer: boolean): void {
    const { method, url = '', headers } = incoming
    const outgoing = httpsRequest(new URL(url, this.#options.upstream), { method, headers, agent: this.#agent })
    // Whichever side breaks, the other is told.
    outgoing.once('error', () => incoming.socket.destroy())
    response.once('close', () => outgoing.destroy())
    outgoing.once('response', answer => {
      if (cutAnswer) {
        incoming.socket.destroy()
        return
      }
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      response.flushHeaders()
      this.#answers.add(answer)
      answer.once('close', () => this.#answers.delete(answer))
      answer.on('data', (chunk: Buffer) => {
        // A slow client slows the server down.
        if (!response.write(chunk)) {
          answer.pause()
          response.once('drain', () => this.#stalled || answer.resume())
        }
      })
      answer.once('end', () => response.end())
      answer.once('error', () => incoming.socket.destroy())
      if (this.#stalled) answer.pause()
    })
    incoming.pipe(outgoing)
  }
}

function refuse(response: ServerResponse, code: number, retryAfter: number | undefined): void {
  const status = { apiVersion: 'v1', kind: 'Status', status: 'Failure', code, message: 'refused by the fault proxy' }
  if (retryAfter !== undefined) response.setHeader('retry-after', String(retryAfter))
  response.writeHead(code, { 'content-type': 'application/json' })
  response.end(JSON.stringify(status))
}
