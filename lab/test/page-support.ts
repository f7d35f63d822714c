/** A browser, a page and what is asked of it. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { once } from 'node:events'
import { type PageOptions, servePage } from '@typemetal/cluster/page'
import { until } from '@typemetal/lab'
import { Chromium, chromiumProgram, ExampleSource, exampleCluster, type LookOptions } from '@typemetal/lab/browser'
import type { Page } from 'puppeteer-core'
import type t from 'tap'

/** A test that cleans up. */
type Tap = Pick<typeof t, 'teardown'>

const program = chromiumProgram()
/** Options of a test that wants a browser. */
export const browsing = { skip: 'missing' in program ? `wants ${program.missing}` : false }
/** Milliseconds: the machine may be busy with other browsers. */
export const PATIENCE = 60_000

let started: Promise<Chromium> | undefined

/** The browser of this file, started when the first test wants it. */
export function browser(t: Tap): Promise<Chromium> {
  if ('missing' in program) throw new Error(program.missing)
  if (!started) {
    started = Chromium.start(program.path)
    t.teardown(async () => (await started)?.[Symbol.asyncDispose]())
  }
  return started
}

/** Serves the example. */
export async function serve(
  t: Tap,
  options: Partial<PageOptions> = {},
): Promise<{ url: string; source: ExampleSource }> {
  const source = new ExampleSource(exampleCluster(Date.now()))
  const server = await servePage({ source, port: 0, ...options })
  t.teardown(() => server[Symbol.asyncDispose]())
  return { url: server.url, source }
}

/** A page in the browser, as a test looks at it; dispose it at the end: it throws when the browser complained of the page. */
export class View implements AsyncDisposable {
  readonly page: Page
  /** Addresses that the page has asked for. */
  readonly requests: string[] = []
  #complaints: string[] = []

  private constructor(page: Page) {
    this.page = page
  }

  /** Opens a page and waits for its facts. */
  static async open(chromium: Chromium, url: string, options: LookOptions = {}): Promise<View> {
    const page = await chromium.look('about:blank', options)
    const view = new View(page)
    page.on('request', request => view.requests.push(request.url()))
    page.on('pageerror', error => view.#complaints.push(String(error)))
    // A connection that is lost is told here as well; it is what some tests are about.
    page.on('console', message => {
      if (message.type() === 'error' && !/ERR_|status of 5/.test(message.text())) view.#complaints.push(message.text())
    })
    await page.goto(url, { waitUntil: 'load' })
    await view.sees('live', () => view.text('#connection-state').then(text => text === 'live'))
    return view
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.page.browserContext().close()
    if (this.#complaints.length > 0) throw new Error(`the browser complains: ${this.#complaints.join('; ')}`)
  }

  /** Of these the browser was to complain. @throws {Error} it did not */
  expect(complaint: RegExp): void {
    const others = this.#complaints.filter(text => !complaint.test(text))
    if (others.length === this.#complaints.length)
      throw new Error(`the browser does not complain of ${complaint.source}`)
    this.#complaints = others
  }

  /** Something computed in the page. */
  async ask<T>(expression: string): Promise<T> {
    return (await this.page.evaluate(expression)) as T
  }

  /** Texts of all elements, as they are seen. */
  texts(selector: string): Promise<readonly string[]> {
    return this.ask(`[...document.querySelectorAll(${JSON.stringify(selector)})].map(e => e.innerText.trim())`)
  }

  /** Text of the first element; empty when there is none. */
  async text(selector: string): Promise<string> {
    return (await this.texts(selector))[0] ?? ''
  }

  /** Names in the rows of a table, in order. */
  names(section: string): Promise<readonly string[]> {
    return this.texts(`#${section} tbody th`)
  }

  /** Waits until something is so. */
  sees(what: string, look: () => Promise<boolean>): Promise<true> {
    return until(what, async () => ((await look()) ? true : undefined), { timeout: PATIENCE })
  }

  /** What has the focus: its id, its name, or what it says. */
  focused(): Promise<string> {
    return this.ask(
      `(e => e.id || e.getAttribute('aria-label') || e.innerText || e.tagName)(document.activeElement ?? document.body)`,
    )
  }

  /** Presses Tab until something has the focus. */
  async tabTo(name: string): Promise<void> {
    for (let count = 0; count < 200; count++) {
      await this.page.keyboard.press('Tab')
      if ((await this.focused()) === name) return
    }
    throw new Error(`Tab never comes to ${name}`)
  }
}

/** A door before a server: its port stays, whoever is behind it. */
export class Gate implements AsyncDisposable {
  /** Port behind it; `undefined`: every connection is cut. */
  target: number | undefined
  readonly #sockets = new Set<Socket>()
  readonly #server = createServer(socket => this.#pass(socket))

  async open(): Promise<string> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`
  }

  /** Cuts all connections, and those that come. */
  cut(): void {
    this.target = undefined
    for (const socket of this.#sockets) socket.destroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #pass(socket: Socket): void {
    this.#keep(socket)
    if (this.target === undefined) {
      socket.destroy()
      return
    }
    const behind = connect(this.target, '127.0.0.1')
    this.#keep(behind)
    socket.pipe(behind).pipe(socket)
    socket.on('close', () => behind.destroy())
    behind.on('close', () => socket.destroy())
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => this.#sockets.delete(socket))
  }
}
