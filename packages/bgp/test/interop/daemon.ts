import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { ChildProcess } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stop, until, type Host } from './namespace.js'

/** How a daemon is started. */
export interface Command {
  readonly command: string
  readonly args: readonly string[]
  /** Takes the place of `args` when it is started again after a kill. */
  readonly argsAgain?: readonly string[]
  /** Called before each start. */
  readonly prepare?: () => void | Promise<void>
  /** Whether it answers its command line. */
  readonly ready: () => Promise<unknown>
}

/** A daemon that runs alone in a host, and the directory of its files. */
export class Daemon implements AsyncDisposable {
  readonly host: Host
  readonly #name: string
  readonly #directory: string
  #process: ChildProcess | undefined
  #command: Command | undefined

  constructor(host: Host, name: string) {
    this.host = host
    this.#name = name
    this.#directory = mkdtempSync(join(tmpdir(), `tmbgp-${name}-`))
  }

  get directory(): string {
    return this.#directory
  }

  /** Path of a file of its own. */
  path(file: string): string {
    return join(this.#directory, file)
  }

  /** @returns the path */
  write(file: string, text: string, mode = 0o644): string {
    writeFileSync(this.path(file), text, { mode })
    return this.path(file)
  }

  /** What it has printed. */
  get output(): string {
    try {
      return readFileSync(this.path('output'), 'utf8')
    } catch {
      return ''
    }
  }

  /** @returns settles when it answers */
  async start(command: Command): Promise<void> {
    this.#command = command
    await this.#run(command.args)
  }

  /** Kills it without a word and all that it has started. */
  async kill(): Promise<void> {
    this.host.signal('SIGKILL')
    if (this.#process) await stop(this.#process, 'SIGKILL')
  }

  /** Starts it again after {@link kill}. */
  async startAgain(): Promise<void> {
    if (!this.#command) throw new Error(`${this.#name} has not been started`)
    await this.#run(this.#command.argsAgain ?? this.#command.args)
  }

  /** Kills it without a word and starts it again. */
  async restart(): Promise<void> {
    await this.kill()
    await this.startAgain()
  }

  /** Ends it as its service would. */
  async end(): Promise<void> {
    if (this.#process) await stop(this.#process)
  }

  /** Stops it from running, as a hung machine would; {@link thaw} ends that. */
  freeze(): void {
    this.host.signal('SIGSTOP')
  }

  thaw(): void {
    this.host.signal('SIGCONT')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.thaw()
    await this.end()
    this.host.signal('SIGKILL')
    rmSync(this.#directory, { recursive: true, force: true })
  }

  /** Starts another program beside it, which goes when this one goes. */
  spawn(command: string, args: readonly string[]): ChildProcess {
    const output = openSync(this.path('output'), 'a')
    const child = this.host.spawn(command, args, output)
    closeSync(output)
    return child
  }

  async #run(args: readonly string[]): Promise<void> {
    const { command, ready, prepare } = this.#command ?? {}
    if (!command || !ready) return
    await prepare?.()
    const child = this.spawn(command, args)
    this.#process = child
    const ended = once(child, 'exit').then(() => Promise.reject(new Error(`${this.#name} ended: ${this.output}`)))
    await Promise.race([ended, until(`${this.#name} answers`, ready)])
  }
}
