import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TlsOptions } from '../tls/tls-options.js'

/** Where a service listens. */
export interface ListenOptions {
  /** TCP port; 0 takes any free one. */
  readonly port: number
  /** @default all addresses of the host */
  readonly host?: string
  /** HTTPS; until there is a certificate, no connection comes about. @default plain HTTP */
  readonly tls?: TlsOptions
}

/** An answer to GET. */
export interface Answer {
  readonly status: number
  readonly contentType: string
  readonly body: string
}

/** A running HTTP service; dispose it to stop listening. */
export interface HttpService extends AsyncDisposable {
  readonly port: number
  /** With TLS: shows another certificate from the next connection on. */
  setCertificate(certificate: { readonly cert: string; readonly key: string }): void
}

/** Connections at once: whoever can reach a port must not take all descriptors of the process from it. */
const CONNECTIONS = 64
/** Milliseconds that a client may take to ask. */
export const PATIENCE = 10_000

/** Handlers by path. */
type Paths = Readonly<Record<string, (request: IncomingMessage) => Answer | Promise<Answer>>>

/**
 * Answers GET and HEAD on the given paths over HTTP or HTTPS.
 *
 * @throws the system's error when the port cannot be had; `explainError` says it in words
 */
export async function serveHttp({ port, host, tls }: ListenOptions, paths: Paths): Promise<HttpService> {
  const listener: RequestListener = (request, response) => void respond(request, response, paths)
  const secure = tls && createTlsServer({ ...tls }, listener)
  const server = secure ?? createServer(listener)
  return {
    port: await listen(server, { port, host, connections: CONNECTIONS }),
    setCertificate: certificate => secure?.setSecureContext({ ...tls, ...certificate }),
    [Symbol.asyncDispose]: () => close(server),
  }
}

/**
 * Begins to listen, so that who can reach the port cannot take what the process needs elsewhere.
 *
 * @param options at most so many `connections` at once; no `host`: all addresses
 * @returns the port
 */
export async function listen(
  server: Server,
  { port, host, connections }: { port: number; host: string | undefined; connections: number },
): Promise<number> {
  server.maxConnections = connections
  server.headersTimeout = PATIENCE
  server.requestTimeout = PATIENCE
  server.listen(port, host)
  await once(server, 'listening')
  // Without a free descriptor accepting fails, and works again with the next one that is freed: no reason to end.
  server.on('error', () => {})
  return (server.address() as AddressInfo).port
}

/** A short text answer. */
export const text = (status: number, body: string): Answer => ({
  status,
  contentType: 'text/plain; charset=utf-8',
  body: `${body}\n`,
})

async function respond(request: IncomingMessage, response: ServerResponse, paths: Paths): Promise<void> {
  const { status, contentType, body } = await answer(request, paths)
  response.writeHead(status, { 'content-type': contentType, 'content-length': Buffer.byteLength(body) })
  response.end(request.method === 'HEAD' ? undefined : body)
}

async function answer(request: IncomingMessage, paths: Paths): Promise<Answer> {
  const { method = '', url = '' } = request
  const [path = ''] = url.split('?')
  const handler = Object.hasOwn(paths, path) ? paths[path] : undefined
  if (!handler) return text(404, 'not found')
  if (method !== 'GET' && method !== 'HEAD') return text(405, 'only GET and HEAD')
  try {
    return await handler(request)
  } catch (error) {
    return text(500, error instanceof Error ? error.message : String(error))
  }
}

async function close(server: Server): Promise<void> {
  if (!server.listening) return
  const closed = once(server, 'close')
  server.close()
  server.closeAllConnections()
  await closed
}
