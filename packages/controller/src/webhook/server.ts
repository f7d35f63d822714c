import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  createSecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from 'node:http2'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Server as TlsServer, TLSSocket } from 'node:tls'
import { formatJSON, isFields, type KubernetesObject, type MetalLBKind, parseJSON } from '@typemetal/cluster'
import { type Logger, silentLogger } from '@typemetal/cluster/process'
import { type AdmissionContext, type AdmissionRequest, reviewAdmission } from './admission.js'
import type { CertificateBundle, TlsOptions } from '@typemetal/cluster/tls'
import { type ConversionRequest, reviewConversion } from './conversion.js'
import { CONVERSION_PATH, VALIDATION_PATHS } from './paths.js'

/** The API server sends two versions of an object of at most 1.5 MB each, and little more. */
const LONGEST_BODY = 8 * 1024 * 1024
/** Milliseconds that a client has for its request; the API server itself gives up after ten seconds. */
const REQUEST_TIMEOUT = 10_000
/** Milliseconds after which a silent HTTP/2 connection is closed; Kubernetes' clients ask after 30 s of silence whether we are there. */
const IDLE_TIMEOUT = 120_000

/** Options of {@link serveWebhooks}. */
export interface WebhookServerOptions {
  /** 0 takes any free one. */
  readonly port: number
  /** @default all addresses of the host */
  readonly host?: string
  /** Versions, ciphers and curves. @default TLS 1.3 */
  readonly tls?: TlsOptions
  /** Speaks HTTP/2 (RFC 9113) with clients that can, and HTTP/1.1 with the others. @default false */
  readonly http2?: boolean
  /** What a request about an object of a kind is judged by, read when it comes. */
  readonly context: (kind: MetalLBKind) => AdmissionContext | Promise<AdmissionContext>
  /** A request was answered: path, HTTP status or, of an admission, its code. */
  readonly onAnswer?: (path: string, code: number) => void
  readonly log?: Logger
}

/** A running webhook server; dispose it to stop listening. */
export interface WebhookServer extends AsyncDisposable {
  readonly port: number
  /** Shows another certificate from the next connection on. Until there is one, no connection comes about. */
  setCertificate(bundle: Pick<CertificateBundle, 'tls.crt' | 'tls.key'>): void
}

/**
 * Answers the API server: admission of `metallb.io` objects, and conversion of BGPPeers.
 *
 * @throws the system's error when the port cannot be had
 */
export async function serveWebhooks(options: WebhookServerOptions): Promise<WebhookServer> {
  const desk = new Desk(options)
  const { tls = { minVersion: 'TLSv1.3' }, http2 = false, log } = options
  const { server, closeIdle, closeAll } = http2 ? http2Server(tls, desk) : http1Server(tls, desk)
  // A client that does not trust us, or speaks no TLS, is its own problem; the socket is closed already.
  server.on('tlsClientError', error => log?.debug({ op: 'webhook', error }, 'a TLS handshake has failed'))
  server.listen(options.port, options.host)
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    setCertificate: bundle => server.setSecureContext({ ...tls, cert: bundle['tls.crt'], key: bundle['tls.key'] }),
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, 'close')
      server.close()
      closeIdle()
      // Requests under way are answered, but not waited for longer than their senders would.
      const impatience = setTimeout(closeAll, REQUEST_TIMEOUT)
      await closed
      clearTimeout(impatience)
    },
  }
}

/** A server that listens to nobody yet, and how to be rid of its connections. */
interface Listener {
  readonly server: TlsServer
  /** Lets go of those that wait for nothing. */
  readonly closeIdle: () => void
  readonly closeAll: () => void
}

function http1Server(tls: TlsOptions, desk: Desk): Listener {
  const server = createServer({ ...tls }, (request, response) => void desk.receive(request, response))
  server.requestTimeout = REQUEST_TIMEOUT
  server.headersTimeout = REQUEST_TIMEOUT
  return {
    server,
    closeIdle: () => server.closeIdleConnections(),
    closeAll: () => server.closeAllConnections(),
  }
}

function http2Server(tls: TlsOptions, desk: Desk): Listener {
  const sessions = new Set<ServerHttp2Session>()
  const sockets = new Set<TLSSocket>()
  const server = createSecureServer({ ...tls, allowHTTP1: true }, (request, response) => {
    request.setTimeout(REQUEST_TIMEOUT)
    void desk.receive(request, response)
  })
  server.on('session', session => {
    sessions.add(session)
    // Who says nothing for so long has no request under way.
    session.setTimeout(IDLE_TIMEOUT, () => session.close())
    session.once('close', () => sessions.delete(session))
  })
  server.on('secureConnection', socket => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  return {
    server,
    closeIdle: () => {
      for (const session of sessions) session.close()
      for (const socket of sockets) if (socket.alpnProtocol !== 'h2') socket.destroySoon()
    },
    closeAll: () => {
      for (const socket of sockets) socket.destroy()
    },
  }
}

/** A request, of either version of HTTP. */
type Incoming = IncomingMessage | Http2ServerRequest
type Outgoing = ServerResponse | Http2ServerResponse

/** A request that is none; the message goes to the client. */
class BadRequestError extends Error {
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message)
  }
}

class Desk {
  readonly #options: WebhookServerOptions
  readonly #log: Logger

  constructor(options: WebhookServerOptions) {
    this.#options = options
    this.#log = options.log ?? silentLogger
  }

  async receive(request: Incoming, response: Outgoing): Promise<void> {
    const [path = ''] = (request.url ?? '').split('?')
    try {
      const { body, code } = await this.#answer(path, request)
      this.#options.onAnswer?.(path, code)
      response.writeHead(200, { 'content-type': 'application/json' }).end(formatJSON(body))
    } catch (error) {
      const code = error instanceof BadRequestError ? error.code : 500
      const message = error instanceof Error ? error.message : String(error)
      this.#options.onAnswer?.(code === 404 ? 'other' : path, code)
      this.#log.warn({ op: 'webhook', path, code, error: message }, 'a webhook request was not answered')
      // What is left of the body is not read.
      if (!request.complete) response.setHeader('connection', 'close')
      response.writeHead(code, { 'content-type': 'text/plain; charset=utf-8' }).end(`${message}\n`)
    }
  }

  async #answer(path: string, request: Incoming): Promise<{ readonly body: unknown; readonly code: number }> {
    const kind = VALIDATION_PATHS.get(path)
    if (kind === undefined && path !== CONVERSION_PATH) throw new BadRequestError(404, 'not found')
    if (request.method !== 'POST') throw new BadRequestError(405, 'only POST')
    const review = reviewOf(await readBody(request))
    const { apiVersion, kind: reviewKind } = review
    if (kind === undefined) {
      const response = reviewConversion(conversionRequest(review.request))
      return {
        body: { apiVersion, kind: reviewKind, response },
        code: response.result.status === 'Success' ? 200 : 400,
      }
    }
    const response = reviewAdmission(admissionRequest(review.request), await this.#options.context(kind))
    const { allowed, status } = response
    if (!allowed) this.#log.info({ event: 'refused', path, reason: status?.message }, 'an object was refused')
    return { body: { apiVersion, kind: reviewKind, response }, code: status?.code ?? 200 }
  }
}

interface Review {
  readonly apiVersion: string
  readonly kind: string
  readonly request: Readonly<Record<string, unknown>>
}

/** @throws {BadRequestError} too long */
async function readBody(request: Incoming): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > LONGEST_BODY) throw new BadRequestError(413, `a request has ${LONGEST_BODY} octets at most`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function reviewOf(body: string): Review {
  const review = parsed(body)
  if (!isFields(review)) throw new BadRequestError(400, 'the body is no JSON object')
  const { apiVersion, kind, request } = review
  if (typeof apiVersion !== 'string' || typeof kind !== 'string' || !isFields(request)) {
    throw new BadRequestError(400, 'the body is neither an AdmissionReview nor a ConversionReview')
  }
  return { apiVersion, kind, request }
}

function parsed(body: string): unknown {
  try {
    return parseJSON(body)
  } catch {
    return undefined
  }
}

function admissionRequest({ uid, operation, object, oldObject }: Review['request']): AdmissionRequest {
  if (typeof uid !== 'string' || typeof operation !== 'string')
    throw new BadRequestError(400, 'request: no uid or operation')
  return {
    uid,
    operation,
    ...(isObject(object) && { object }),
    ...(isObject(oldObject) && { oldObject }),
  }
}

function conversionRequest({ uid, desiredAPIVersion, objects }: Review['request']): ConversionRequest {
  if (typeof uid !== 'string' || typeof desiredAPIVersion !== 'string' || !Array.isArray(objects)) {
    throw new BadRequestError(400, 'request: no uid, desiredAPIVersion or objects')
  }
  if (!objects.every(isObject)) throw new BadRequestError(400, 'request.objects: not all are Kubernetes objects')
  return { uid, desiredAPIVersion, objects }
}

function isObject(value: unknown): value is KubernetesObject {
  return (
    isFields(value) &&
    typeof value['apiVersion'] === 'string' &&
    typeof value['kind'] === 'string' &&
    isFields(value['metadata']) &&
    typeof value['metadata']['name'] === 'string'
  )
}
