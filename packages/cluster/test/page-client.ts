/** What tests ask a status page. */
import { once } from 'node:events'
import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http'
import { type PageOptions, type PageServer, servePage } from '@typemetal/cluster/page'
import { ExampleSource, exampleCluster } from '@typemetal/lab/browser'
import { until } from '@typemetal/lab'
import type t from 'tap'

/** A test that cleans up. */
export type Tap = Pick<typeof t, 'teardown'>

/** A page on a free port, and the source it shows. */
export async function start(
  t: Tap,
  options: Partial<PageOptions> = {},
): Promise<{ readonly server: PageServer; readonly source: ExampleSource }> {
  const source = new ExampleSource(exampleCluster(0))
  const server = await servePage({ source, port: 0, ...options })
  t.teardown(() => server[Symbol.asyncDispose]())
  return { server, source }
}

/** How to ask. */
export interface Question {
  readonly path?: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** An answer in one piece. */
export interface Got {
  readonly status: number | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** Asks, and waits for the headers. */
export async function ask({ port }: PageServer, { path = '/', method, headers }: Question): Promise<IncomingMessage> {
  const asked = request({
    host: '127.0.0.1',
    port,
    path,
    agent: false,
    ...(method && { method }),
    ...(headers && { headers }),
  })
  asked.end()
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  return response
}

/** Asks, and waits for all of the answer. */
export async function get(server: PageServer, question: Question = {}): Promise<Got> {
  const response = await ask(server, question)
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) }
}

/** A server-sent event. */
export interface Heard {
  readonly name: string
  readonly data: {
    readonly at: string
    readonly whole?: boolean
    readonly sections?: Readonly<Record<string, unknown>>
    readonly changes?: Readonly<Record<string, Change>>
  }
}

/** How the rows of a section have changed. */
interface Change {
  readonly gone: readonly string[]
  readonly rows: readonly (readonly [place: number, row: Readonly<Record<string, unknown>>])[]
}

/** Fields that name the rows of sections. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  pools: ['pool'],
  services: ['service'],
  nodes: ['node'],
  sessions: ['peer', 'node', 'target'],
  layer2: ['address'],
  members: ['node'],
  transitions: ['id'],
}

/** What a client has after these events, if it does as the documentation says. */
export function sum(events: readonly Heard['data'][]): Readonly<Record<string, unknown>> {
  let facts: Record<string, unknown> = {}
  for (const { whole, sections, changes = {} } of events) {
    facts = { ...(whole ? {} : facts), ...sections }
    for (const [section, { gone, rows }] of Object.entries(changes)) {
      const nameOf = (row: Readonly<Record<string, unknown>>): string =>
        (NAMES[section] ?? []).map(field => String(row[field])).join(' ')
      const others = new Set([...gone, ...rows.map(([, row]) => nameOf(row))])
      const list = (facts[section] as Record<string, unknown>[]).filter(row => !others.has(nameOf(row)))
      for (const [place, row] of rows) list.splice(place, 0, row)
      facts[section] = list
    }
  }
  return Object.fromEntries(Object.entries(facts).filter(([, section]) => section !== null))
}

/** Listens to `/events`. */
export class Listener {
  readonly heard: Heard[] = []
  /** True once the stream is over. */
  ended = false
  readonly #response: IncomingMessage
  #rest = ''

  private constructor(response: IncomingMessage) {
    this.#response = response
    response.setEncoding('utf8')
    response.on('data', (text: string) => this.#take(text))
    response.on('error', () => {})
    response.on('close', () => (this.ended = true))
  }

  static async start(t: Tap, server: PageServer): Promise<Listener> {
    const response = await ask(server, { path: '/events' })
    if (response.statusCode !== 200) throw new Error(`status ${response.statusCode}`)
    const listener = new Listener(response)
    t.teardown(() => listener.close())
    return listener
  }

  /** Facts that came so far. */
  get facts(): readonly Heard['data'][] {
    return this.heard.filter(({ name }) => name === 'facts').map(({ data }) => data)
  }

  /** Reads nothing more from the connection. */
  pause(): void {
    this.#response.pause()
  }

  resume(): void {
    this.#response.resume()
  }

  close(): void {
    this.#response.destroy()
  }

  /** Waits until what has come so far is as wanted. */
  async wait(what: string, look: (listener: this) => boolean): Promise<void> {
    await until(what, () => (look(this) ? true : undefined), { timeout: 60_000 })
  }

  #take(text: string): void {
    this.#rest += text
    // An end may lie between two chunks; large events come in many, and are looked through once.
    if (!text.includes('\n\n') && !text.startsWith('\n')) return
    const blocks = this.#rest.split('\n\n')
    this.#rest = blocks.pop() ?? ''
    for (const block of blocks) {
      const [, name = '', data = ''] = /^event: (.*)\ndata: (.*)$/.exec(block) ?? []
      this.heard.push({ name, data: JSON.parse(data) as Heard['data'] })
    }
  }
}
