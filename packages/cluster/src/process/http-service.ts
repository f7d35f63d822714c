import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Where a service listens. */
export interface ListenOptions {
  /** TCP port; 0 takes any free one. */
  readonly port: number
  /** @default all addresses of the host */
  readonly host?: string
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
}

/** Handlers by path. */
type Paths = Readonly<Record<string, () => Answer | Promise<Answer>>>

/**
 * Answers GET and HEAD on the given paths over plain HTTP.
 *
 * @throws the system's error when the port cannot be had; `explainError` says it in words
 */
export async function serveHttp({ port, host }: ListenOptions, paths: Paths): Promise<HttpService> {
  const server = createServer((request, response) => void respond(request, response, paths))
  server.listen(port, host)
  await once(server, 'listening')
  return { port: (server.address() as AddressInfo).port, [Symbol.asyncDispose]: () => close(server) }
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

async function answer({ method = '', url = '' }: IncomingMessage, paths: Paths): Promise<Answer> {
  const [path = ''] = url.split('?')
  const handler = Object.hasOwn(paths, path) ? paths[path] : undefined
  if (!handler) return text(404, 'not found')
  if (method !== 'GET' && method !== 'HEAD') return text(405, 'only GET and HEAD')
  try {
    return await handler()
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
