/** What the demo prints: one line per step. */

/** Where {@link Report} writes; `process.stdout` fits. */
export interface Terminal {
  readonly isTTY?: boolean | undefined
  write(text: string): unknown
}

const TITLE_WIDTH = 46

/** Prints steps with a mark, their time and what came of them; with colours and a running line only on a terminal. */
export class Report {
  readonly #terminal: Terminal
  readonly #colours: boolean
  readonly #started = performance.now()

  constructor(terminal: Terminal, env: NodeJS.ProcessEnv = process.env) {
    this.#terminal = terminal
    this.#colours = terminal.isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb'
  }

  /** Seconds since the report was opened. */
  get seconds(): number {
    return (performance.now() - this.#started) / 1000
  }

  /**
   * Runs one step and prints its line.
   * @param work may call `note` with what the reader should know
   * @throws whatever `work` throws, after printing ✗
   */
  async step<T>(title: string, work: (note: (detail: string) => void) => Promise<T>): Promise<T> {
    const started = performance.now()
    let detail = ''
    if (this.#terminal.isTTY) this.#terminal.write(this.#dim(`  … ${title}`))
    try {
      const result = await work(text => (detail = text))
      this.#line(this.#paint(32, '✓'), title, started, detail)
      return result
    } catch (error) {
      this.#line(this.#paint(31, '✗'), title, started, detail)
      throw error
    }
  }

  /** A heading or any other text, as it is. */
  text(text: string): void {
    this.#terminal.write(`${text}\n`)
  }

  /** Text that a reader may skip. */
  dim(text: string): void {
    this.text(this.#dim(text))
  }

  #line(mark: string, title: string, started: number, detail: string): void {
    const time = `${((performance.now() - started) / 1000).toFixed(2)} s`.padStart(8)
    const back = this.#terminal.isTTY ? '\r\u001B[K' : ''
    this.#terminal.write(`${back}  ${mark} ${title.padEnd(TITLE_WIDTH)} ${this.#dim(time)}  ${detail}`.trimEnd() + '\n')
  }

  #dim(text: string): string {
    return this.#paint(2, text)
  }

  #paint(code: number, text: string): string {
    return this.#colours ? `\u001B[${code}m${text}\u001B[0m` : text
  }
}
