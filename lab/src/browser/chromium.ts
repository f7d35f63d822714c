/** A real browser for tests of pages: Debian's Chromium without a window. */
import { existsSync } from 'node:fs'
import { launch } from 'puppeteer-core'
import type { Browser, BrowserContext, Page, Viewport } from 'puppeteer-core'

/** Debian package → its program, the smaller one first. */
const PROGRAMS: Readonly<Record<string, string>> = {
  'chromium-headless-shell': '/usr/bin/chromium-headless-shell',
  chromium: '/usr/bin/chromium',
}
/** Milliseconds for the start, and for one command: machines that test are busy. */
const START = 90_000
const COMMAND = 60_000
/** Pages have no external assets; should one ask for a name all the same, it gets no answer and no packet leaves the machine. */
const NO_NAMES = '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1'

/** Path of a browser, or what to install. */
export type ChromiumProgram = { readonly path: string } | { readonly missing: string }

/** Looks for a Chromium of Debian's. */
export function chromiumProgram(): ChromiumProgram {
  const path = Object.values(PROGRAMS).find(file => existsSync(file))
  return path === undefined ? { missing: `the Debian package ${Object.keys(PROGRAMS).join(' or ')}` } : { path }
}

/** How a page is looked at. */
export interface LookOptions {
  /** CSS pixels. @default 1280 × 900 */
  readonly width?: number
  readonly height?: number
  /** Device pixels for a CSS pixel. @default 1 */
  readonly scale?: number
  /** What the system prefers. @default 'light' */
  readonly scheme?: 'light' | 'dark'
  readonly reducedMotion?: boolean
}

/** A running browser; dispose it to end it. */
export class Chromium implements AsyncDisposable {
  readonly #browser: Browser

  private constructor(browser: Browser) {
    this.#browser = browser
  }

  /** @throws {Error} the browser does not start */
  static async start(path: string): Promise<Chromium> {
    const args = ['--disable-gpu', '--disable-dev-shm-usage', '--disable-background-networking', NO_NAMES]
    // Chromium's sandbox refuses to run as root, which tests with network namespaces have to be; it sees no page but ours.
    if (process.geteuid?.() === 0) args.push('--no-sandbox')
    const handling = { handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false }
    const browser = await launch({
      executablePath: path,
      args,
      timeout: START,
      protocolTimeout: COMMAND,
      // No port, and so in any network namespace.
      pipe: true,
      ...handling,
    })
    return new Chromium(browser)
  }

  /** A tab with nothing remembered of others; close its {@link BrowserContext} to forget it. */
  async look(url: string, options: LookOptions = {}): Promise<Page> {
    const context: BrowserContext = await this.#browser.createBrowserContext()
    const page = await context.newPage()
    page.setDefaultTimeout(COMMAND)
    await page.setViewport(viewport(options))
    const { scheme = 'light', reducedMotion = true } = options
    await page.emulateMediaFeatures([
      { name: 'prefers-color-scheme', value: scheme },
      { name: 'prefers-reduced-motion', value: reducedMotion ? 'reduce' : 'no-preference' },
    ])
    await page.goto(url, { waitUntil: 'load' })
    return page
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close()
  }
}

const viewport = ({ width = 1280, height = 900, scale = 1 }: LookOptions): Viewport => ({
  width,
  height,
  deviceScaleFactor: scale,
})
