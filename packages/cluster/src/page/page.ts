import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Logger } from '../process/log.js'
import { type Answer, COMMON_HEADERS, send, text } from './answer.js'
import { type PageDocument, pageDocument } from './document.js'
import { EventStream } from './event-stream.js'
import type { PageSource } from './facts.js'
import { Feed, type FeedClock } from './feed.js'
import { isOwnHost } from './host-header.js'

/** Those who look at once: each costs a copy of what has changed. */
const READERS = 32
/** Milliseconds between signs of life. */
const HEARTBEAT = 10_000

/** What a {@link Page} is made of. */
export interface PageParts {
  readonly source: PageSource
  readonly names: readonly string[]
  readonly log: Logger
}

/** Answers the requests of a status page. */
export class Page {
  readonly #feed: Feed
  readonly #log: Logger
  readonly #names: ReadonlySet<string>
  readonly #streams = new Set<EventStream>()
  #document: PageDocument | undefined
  #heartbeat: NodeJS.Timeout | undefined

  constructor({ source, names, log }: PageParts) {
    this.#log = log
    this.#names = new Set(names.map(name => name.toLowerCase()))
    this.#feed = new Feed({ source, clock: systemClock, onFailure: error => this.#failed(error) })
  }

  answer(request: IncomingMessage, response: ServerResponse): void {
    const refusal = refusalOf(request, this.#names)
    const path = (request.url ?? '/').replace(/\?.*/s, '')
    if (!refusal && path === '/events' && request.method === 'GET') this.#stream(request, response)
    else void send(request, response, refusal ?? this.#content(path)).catch(() => response.destroy())
  }

  /** Ends all streams. */
  close(): void {
    this.#feed.close()
    clearInterval(this.#heartbeat)
    this.#heartbeat = undefined
  }

  #content(path: string): Answer {
    switch (path) {
      case '/': {
        this.#document ??= pageDocument()
        const { html, policy } = this.#document
        const headers = { 'content-security-policy': policy }
        return { status: 200, contentType: 'text/html; charset=utf-8', body: html, headers }
      }
      case '/facts.json':
        return this.#facts()
      case '/events':
        return { status: 200, contentType: 'text/event-stream', body: '' }
      default:
        return text(404, 'there are /, /facts.json and /events')
    }
  }

  #facts(): Answer {
    try {
      return { status: 200, contentType: 'application/json', body: this.#feed.json() }
    } catch (error) {
      this.#failed(error)
      return text(500, 'the facts cannot be had: the log of this process says why')
    }
  }

  #stream(request: IncomingMessage, response: ServerResponse): void {
    if (this.#feed.readers >= READERS) {
      const refusal = text(503, `${READERS} browsers look already`, { 'retry-after': '10' })
      void send(request, response, refusal)
      return
    }
    const stream = new EventStream(response, () => this.#feed.catchUp(stream))
    response.on('close', () => this.#drop(stream))
    response.writeHead(200, { ...COMMON_HEADERS, 'content-type': 'text/event-stream' })
    try {
      this.#feed.add(stream)
    } catch (error) {
      this.#failed(error)
      // Nothing has been sent yet: the browser tries again.
      response.destroy()
      return
    }
    this.#streams.add(stream)
    this.#heartbeat ??= setInterval(() => {
      for (const each of this.#streams) each.beat(systemClock.timestamp())
    }, HEARTBEAT).unref()
  }

  #drop(stream: EventStream): void {
    this.#feed.remove(stream)
    this.#streams.delete(stream)
    if (this.#streams.size > 0) return
    clearInterval(this.#heartbeat)
    this.#heartbeat = undefined
  }

  #failed(error: unknown): void {
    this.#log.error({ op: 'page', error }, 'the facts of the status page cannot be had')
  }
}

function refusalOf({ method, headers }: IncomingMessage, names: ReadonlySet<string>): Answer | undefined {
  if (!isOwnHost(headers.host, names)) {
    return text(421, 'this page is served by IP address and as localhost, not under other names')
  }
  if (method !== 'GET' && method !== 'HEAD') return text(405, 'only GET and HEAD', { allow: 'GET, HEAD' })
  const site = headers['sec-fetch-site']
  // Following a link is fine; a script of another site could read nothing, but would take streams from those who look.
  const isForeign = site === 'cross-site' || site === 'same-site'
  return isForeign && headers['sec-fetch-mode'] !== 'navigate' ? text(403, 'not for other sites') : undefined
}

const systemClock: FeedClock = {
  now: () => performance.now(),
  after: (ms, fn) => {
    const timer = setTimeout(fn, ms).unref()
    return () => clearTimeout(timer)
  },
  timestamp: () => new Date().toISOString(),
}
