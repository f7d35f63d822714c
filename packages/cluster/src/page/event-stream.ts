import type { ServerResponse } from 'node:http'
import type { Reader } from './feed.js'

/**
 * One browser's server-sent events (HTML Living Standard, section 9.2). While the connection takes no more, nothing is written: neither facts
 * nor signs of life, so that one that stays that way is idle and times out.
 */
export class EventStream implements Reader {
  readonly #response: ServerResponse

  /** @param drained the connection takes more again */
  constructor(response: ServerResponse, drained: () => void) {
    this.#response = response
    response.on('drain', drained)
  }

  take(event: Uint8Array): boolean {
    return this.#response.write(event)
  }

  /** Says that the connection stands; the browser cannot see that by itself. */
  beat(at: string): void {
    if (!this.#response.writableNeedDrain) this.#response.write(`event: alive\ndata: ${JSON.stringify({ at })}\n\n`)
  }

  end(): void {
    this.#response.end()
  }
}

/** An event of facts as it goes out. @param json in one line */
export const factsEvent = (json: string): Uint8Array => Buffer.from(`event: facts\ndata: ${json}\n\n`)
