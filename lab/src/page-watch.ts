/** A status page, seen as a browser sees it. */
import { once } from 'node:events'
import { type IncomingMessage, get } from 'node:http'
import { applyChange, isNamed, type PageFacts, ROW_NAMES, type RowChange, type Section } from '@typemetal/cluster/page'
import { LabError, messageOf } from './errors.js'
import { until } from './wait.js'

/** One event of the stream. */
interface Told {
  /** Everything comes with this event; otherwise what has changed, with `null` for sections that are gone. */
  readonly whole?: boolean
  readonly sections?: Readonly<Record<string, unknown>>
  /** Rows of lists that have changed. */
  readonly changes?: Readonly<Partial<Record<Section, RowChange<unknown>>>>
}

/** Follows `/events` of a page until it is disposed of. */
export class PageWatch implements Disposable {
  readonly #response: IncomingMessage
  #sections: Record<string, unknown> = {}
  #changes = 0
  #ended = false
  #rest = ''

  private constructor(response: IncomingMessage) {
    this.#response = response
    response.setEncoding('utf8')
    response.on('data', (text: string) => this.#take(text))
    response.on('error', () => {})
    response.on('close', () => (this.#ended = true))
  }

  /**
   * Starts to follow a page, as soon as it is there.
   *
   * @param url of the page: `http://127.0.0.1:7476/`
   */
  static async open(url: string): Promise<PageWatch> {
    return until(`the page at ${url}`, async () => {
      const asked = get(new URL('events', url), { agent: false })
      const [response] = (await once(asked, 'response')) as [IncomingMessage]
      if (response.statusCode === 200) return new PageWatch(response)
      response.destroy()
      return undefined
    })
  }

  /** What the page shows now; nothing before the first event. */
  get facts(): Partial<PageFacts> {
    return this.#sections
  }

  /** Events with facts that came after the first one. */
  get changes(): number {
    return this.#changes
  }

  /** Whether the stream is over. */
  get ended(): boolean {
    return this.#ended
  }

  /**
   * Waits until the page shows something.
   *
   * @param look gives a value when it does
   * @throws {LabError} ERR_LAB_TIMEOUT after a minute, with what the page shows instead
   */
  async until<T>(what: string, look: (facts: Partial<PageFacts>) => T | undefined): Promise<T> {
    try {
      return await until(what, () => look(this.facts), { timeout: 60_000 })
    } catch (cause) {
      throw new LabError('ERR_LAB_TIMEOUT', `${messageOf(cause)}; the page shows ${JSON.stringify(this.facts)}`, {
        cause,
      })
    }
  }

  /** Looks no more. */
  [Symbol.dispose](): void {
    this.#response.destroy()
  }

  #take(text: string): void {
    const blocks = (this.#rest + text).split('\n\n')
    this.#rest = blocks.pop() ?? ''
    for (const block of blocks) {
      const [, data] = /^event: facts\ndata: (.*)$/.exec(block) ?? []
      if (data !== undefined) this.#merge(JSON.parse(data) as Told)
    }
  }

  #merge({ whole, sections = {}, changes = {} }: Told): void {
    if (whole) this.#sections = { ...sections }
    else this.#changes++
    for (const [name, section] of Object.entries(sections)) {
      if (section === null) delete this.#sections[name]
      else this.#sections[name] = section
    }
    for (const [name, change] of Object.entries(changes) as [Section, RowChange<unknown>][]) {
      if (!isNamed(name)) continue
      const nameOf = ROW_NAMES[name] as (row: unknown) => string
      this.#sections[name] = applyChange((this.#sections[name] ?? []) as readonly unknown[], change, nameOf)
    }
  }
}
