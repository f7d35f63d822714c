/** A program that runs in a host. */
import { spawn, type ChildProcess } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { createWriteStream, type WriteStream } from 'node:fs'
import { withResolvers } from './command.js'
import { LabError } from './errors.js'

/** How {@link LabProcess} starts a program. */
export interface ProcessOptions {
  /** For messages and the log file. @default the program's name */
  readonly name?: string
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
}

/** How a process ended. */
export interface ProcessExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** Milliseconds for a program to end in order, also on a busy machine: a capture that is killed lacks its end. */
const PATIENCE = 30_000
/** Lines kept in memory; the log file has them all. */
const KEPT_LINES = 20_000

/** A running program. Its output goes to {@link logFile} and, line by line, to the listeners. */
export class LabProcess extends EventEmitter<{ line: [text: string] }> implements AsyncDisposable {
  readonly name: string
  /** Everything it printed, standard error included. */
  readonly logFile: string
  /** Settles when it has ended and its output has been read; never rejects. */
  readonly exited: Promise<ProcessExit>
  readonly #child: ChildProcess
  readonly #log: WriteStream
  readonly #lines: string[] = []
  #exit: ProcessExit | undefined

  /**
   * @param argv command that becomes the program by `exec`, so that {@link pid} is the program's own
   * @param logFile created or overwritten
   */
  constructor(argv: readonly string[], name: string, logFile: string, options: ProcessOptions = {}) {
    super()
    this.name = name
    this.logFile = logFile
    this.#log = createWriteStream(logFile, { flags: 'a' })
    const [command = '', ...args] = argv
    this.#child = spawn(command, args, {
      stdio: 'pipe',
      // a session of its own, so that Ctrl-C in the terminal reaches the lab's owner and not every process at once
      detached: true,
      env: options.env ?? process.env,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    })
    this.#read(this.#child.stdout)
    this.#read(this.#child.stderr)
    this.#child.stdin?.on('error', () => {
      // the program ended: `exited` says so
    })
    const { promise, resolve } = withResolvers<ProcessExit>()
    this.exited = promise
    const end = (exit: ProcessExit): void => {
      if (this.#exit !== undefined) return
      this.#exit = exit
      this.#log.end(() => resolve(exit))
    }
    this.#child.once('error', error => {
      this.#keep(`cannot start: ${error.message}`)
      end({ code: 127, signal: null })
    })
    this.#child.once('close', (code, signal) => end({ code, signal }))
  }

  /** Process id of the program itself. */
  get pid(): number {
    if (this.#child.pid === undefined) throw new LabError('ERR_LAB_PROCESS', `${this.name} did not start`)
    return this.#child.pid
  }

  /** False once it has ended. */
  get running(): boolean {
    return this.#exit === undefined && this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** What it printed so far (the last 20,000 lines), standard error included. */
  get lines(): readonly string[] {
    return this.#lines
  }

  /** Sends a signal. @returns whether it was still there to get it */
  kill(signal: NodeJS.Signals = 'SIGTERM'): boolean {
    return this.#child.kill(signal)
  }

  /** Writes one line to its standard input. */
  write(line: string): void {
    this.#child.stdin?.write(`${line}\n`)
  }

  /**
   * Waits for a line, also among those already printed.
   * @param timeout milliseconds
   * @throws {LabError} ERR_LAB_PROCESS when it ends before, ERR_LAB_TIMEOUT; both show its last lines
   */
  async waitForLine(match: (line: string) => boolean, timeout = 60_000): Promise<string> {
    const known = this.#lines.find(match)
    if (known !== undefined) return known
    const { promise, resolve, reject } = withResolvers<string>()
    const onLine = (line: string): void => {
      if (match(line)) resolve(line)
    }
    const timer = setTimeout(
      () => reject(new LabError('ERR_LAB_TIMEOUT', `${this.name} did not say it in ${timeout} ms${this.tail()}`)),
      timeout,
    )
    this.on('line', onLine)
    void this.exited.then(exit => reject(new LabError('ERR_LAB_PROCESS', `${this.name} ${how(exit)}${this.tail()}`)))
    try {
      return await promise
    } finally {
      clearTimeout(timer)
      this.off('line', onLine)
    }
  }

  /** Its last lines, for error messages: empty, or starting with a colon. */
  tail(count = 5): string {
    const last = this.#lines.slice(-count)
    return last.length > 0 ? `:\n  ${last.join('\n  ')}` : ''
  }

  /**
   * Asks it to end with `signal` and, after `patience` milliseconds, insists with SIGKILL.
   * @returns how it ended
   */
  async stop(signal: NodeJS.Signals = 'SIGTERM', patience = PATIENCE): Promise<ProcessExit> {
    if (!this.running) return this.exited
    this.kill(signal)
    const timer = setTimeout(() => this.kill('SIGKILL'), patience)
    try {
      return await this.exited
    } finally {
      clearTimeout(timer)
    }
  }

  /** Same as {@link stop}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  #read(stream: NodeJS.ReadableStream | null): void {
    let rest = ''
    stream?.setEncoding('utf8')
    stream?.on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) this.#keep(line)
    })
    stream?.on('end', () => {
      if (rest !== '') this.#keep(rest)
    })
  }

  #keep(line: string): void {
    this.#log.write(`${line}\n`)
    if (this.#lines.push(line) > KEPT_LINES) this.#lines.splice(0, KEPT_LINES / 10)
    this.emit('line', line)
  }
}

/** "ended with code 1", "was killed by SIGKILL". */
export const how = ({ code, signal }: ProcessExit): string =>
  signal === null ? `ended with code ${code}` : `was killed by ${signal}`
