import type { PageFacts } from '../facts.js'
import type { NamedSection, RowChange, RowOf } from '../row-names.js'

/** What the server sends: everything, or the sections that have changed, `null` for one that is gone, and the rows that have. */
export interface FactsEvent {
  readonly at: string
  readonly whole: boolean
  readonly sections: { readonly [S in keyof PageFacts]?: PageFacts[S] | null }
  readonly changes?: { readonly [S in NamedSection]?: RowChange<RowOf<S>> }
}

/** How the connection is; `retryAt`, in milliseconds of the page's clock: when it is tried again. */
export type ConnectionState =
  { readonly state: 'connecting' } | { readonly state: 'live' } | { readonly state: 'lost'; readonly retryAt: number }

/** What a {@link followEvents} tells. */
export interface StreamListener {
  facts(event: FactsEvent): void
  connection(state: ConnectionState): void
}

/** Milliseconds of silence after which the connection is taken to be gone: three signs of life have not come. */
const SILENCE = 30_000
/** Milliseconds before it is tried again, doubled each time up to the second. */
const FIRST_RETRY = 1_000
const LONGEST_RETRY = 15_000

/**
 * Follows the server's events for as long as the page is there. The browser's own way to try again is not used: it does not say when, gives up
 * after an answer it does not like, and takes a connection that is dead for one that is quiet.
 */
export function followEvents(listener: StreamListener): void {
  let source: EventSource | undefined
  let timer = 0
  let failures = 0

  const connect = (): void => {
    close()
    listener.connection({ state: 'connecting' })
    const opened = new EventSource('events')
    source = opened
    const alive = (): void => {
      failures = 0
      watchSilence()
    }
    opened.addEventListener('facts', event => {
      alive()
      listener.facts(JSON.parse(event.data as string) as FactsEvent)
      listener.connection({ state: 'live' })
    })
    opened.addEventListener('alive', alive)
    opened.addEventListener('error', lost)
    watchSilence()
  }
  const watchSilence = (): void => {
    clearTimeout(timer)
    timer = setTimeout(lost, SILENCE)
  }
  const lost = (): void => {
    close()
    const pause = Math.min(FIRST_RETRY * 2 ** failures++, LONGEST_RETRY)
    listener.connection({ state: 'lost', retryAt: performance.now() + pause })
    timer = setTimeout(connect, pause)
  }
  const close = (): void => {
    clearTimeout(timer)
    source?.close()
    source = undefined
  }

  // A page that the browser keeps for the Back button must not keep a stream from others.
  window.addEventListener('pagehide', close)
  window.addEventListener('pageshow', event => {
    if (event.persisted) connect()
  })
  window.addEventListener('online', () => {
    if (!source) connect()
  })
  connect()
}
