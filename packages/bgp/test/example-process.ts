/** The programs of `examples/`, as processes. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** A file of this package. */
export const packageFile = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url))

/** How a program ended, and what it said. */
export interface Ended {
  readonly code: number | null
  readonly output: string
  readonly errors: string
}

/** Runs an example to its end. */
export async function runExample(name: string, ...args: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, [packageFile(`examples/${name}`), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [[code], output, errors] = await Promise.all([
    once(child, 'close') as Promise<[number | null]>,
    text(child.stdout),
    text(child.stderr),
  ])
  return { code, output, errors }
}

/** An example that runs until it is stopped, read line by line. */
export class ExampleProcess implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>
  readonly #exit: Promise<unknown[]>

  constructor(name: string, ...args: readonly string[]) {
    const child = spawn(process.execPath, [packageFile(`examples/${name}`), ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    this.#child = child
    this.#exit = once(child, 'exit')
    this.#lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  }

  /** The next line of JSON that has this field. */
  async next(field: string, is: (value: unknown) => boolean = () => true): Promise<Record<string, unknown>> {
    for (;;) {
      const { done, value } = await this.#lines.next()
      if (done) throw new Error(`ended without ${field}`)
      const line = value.startsWith('{') ? (JSON.parse(value) as Record<string, unknown>) : {}
      if (field in line && is(line[field])) return line
    }
  }

  /** The port it listens on. */
  async listening(): Promise<number> {
    return (await this.next('listening'))['listening'] as number
  }

  /** Sends it a signal. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Stops it as Ctrl-C does. @returns its exit code */
  async interrupt(): Promise<unknown> {
    this.#child.kill('SIGINT')
    const [code] = await this.#exit
    return code
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return
    this.#child.kill('SIGKILL')
    await this.#exit
  }
}
