import { createServer, type Server } from 'node:http'
import { isIP } from 'node:net'
import { listen, PATIENCE } from '../process/http-service.js'
import { type Logger, silentLogger } from '../process/log.js'
import type { PageSource } from './facts.js'
import { Page } from './page.js'

/** Options of {@link servePage}. */
export interface PageOptions {
  /** What is shown. */
  readonly source: PageSource
  /** IP address to listen on. @default '127.0.0.1': whoever may use the host, or reach into the Pod (`kubectl port-forward`), may look */
  readonly address?: string
  /** TCP port; 0 takes any free one. */
  readonly port: number
  /** Names by which browsers may ask, besides IP addresses and `localhost`. @default none */
  readonly names?: readonly string[]
  /** Stops serving. */
  readonly signal?: AbortSignal
  /** Hears of a source that throws. @default silence */
  readonly log?: Logger
}

/** A page that is served; dispose it, or abort its signal, to stop. */
export interface PageServer extends AsyncDisposable {
  readonly port: number
  /** Where it is: `http://127.0.0.1:7476/`. */
  readonly url: string
}

/** Connections at once: who can reach the port must not take all descriptors of the process. */
const CONNECTIONS = 96
/** Milliseconds after which a connection is given up on which nothing moves; streams have a sign of life more often. */
const IDLE = 45_000

/**
 * Serves the status page: `GET /` (the document, which brings all it needs), `/facts.json`, and `/events` (server-sent events: everything
 * first, then what changes). Nothing can be changed through it. The source is asked only while somebody looks.
 *
 * @throws {TypeError} the address is no IP address
 * @throws the system's error when the port cannot be had; `explainError` says it in words
 */
export async function servePage(options: PageOptions): Promise<PageServer> {
  const { source, port, address = '127.0.0.1', names = [], signal, log = silentLogger } = options
  if (isIP(address) === 0) throw new TypeError(`address must be an IP address: ${address}`)
  signal?.throwIfAborted()
  const page = new Page({ source, names, log })
  const server = createServer({ connectionsCheckingInterval: PATIENCE / 2 }, (request, response) =>
    page.answer(request, response),
  )
  server.timeout = IDLE
  const bound = await listen(server, { port, host: address, connections: CONNECTIONS })
  const close = closer(server, page)
  if (signal?.aborted) await close()
  else signal?.addEventListener('abort', () => void close(), { once: true })
  return {
    port: bound,
    url: `http://${isIP(address) === 6 ? `[${address}]` : address}:${bound}/`,
    [Symbol.asyncDispose]: close,
  }
}

/** Closes once, however often it is called. */
function closer(server: Server, page: Page): () => Promise<void> {
  let closed: Promise<void> | undefined
  return () =>
    (closed ??= new Promise<void>(resolve => {
      page.close()
      server.close(() => resolve())
      server.closeAllConnections()
    }))
}
