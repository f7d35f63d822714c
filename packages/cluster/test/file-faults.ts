/** A file system that fails when a test wants it to, and time that passes when it says so. */
import fs from 'node:fs'
import promises from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { mock } from 'node:test'

/** Calls of the file system that can fail. */
export type Call = 'readdir' | 'stat' | 'readFile' | 'watch'

/** Says of a call whether it fails, and how; a promise holds it up. */
type Decide = (call: Call, path: string) => Error | undefined | Promise<undefined>

/** The error of a system call. */
export const systemError = (code: string, call: string, path: string): NodeJS.ErrnoException =>
  Object.assign(new Error(`${code}: injected, ${call} '${path}'`), { code, syscall: call, path })

/** The same for every call of one kind below a path. */
export const failing =
  (calls: readonly Call[], code: string, below = ''): Decide =>
  (call, path) =>
    calls.includes(call) && path.startsWith(below) ? systemError(code, call, path) : undefined

/** Stands before `node:fs` for all of this process, until it is disposed. */
export class FileFaults implements Disposable {
  /** What fails now. @default nothing */
  decide: Decide = () => undefined
  /** What a file contains, whatever is in it. @default what is in it */
  text: (path: string) => unknown = () => undefined
  /** Calls so far. */
  readonly count: Record<Call, number> = { readdir: 0, stat: 0, readFile: 0, watch: 0 }
  /** Watches that were set, the last one of each path. */
  readonly watchers = new Map<string, fs.FSWatcher>()
  readonly #undo: (() => void)[] = []

  constructor() {
    for (const call of ['readdir', 'stat', 'readFile'] as const) {
      const real = promises[call] as (path: string, ...more: unknown[]) => Promise<unknown>
      this.#replace(promises, call, async (path: string, ...more: unknown[]) => {
        this.count[call]++
        const error = await this.decide(call, path)
        if (error) throw error
        return (call === 'readFile' && this.text(path)) || real(path, ...more)
      })
    }
    const real = fs.watch as (path: string, ...more: unknown[]) => fs.FSWatcher
    this.#replace(fs, 'watch', (path: string, ...more: unknown[]) => {
      this.count.watch++
      const error = this.decide('watch', path)
      if (error instanceof Error) throw error
      const watcher = real(path, ...more)
      this.watchers.set(path, watcher)
      return watcher
    })
    syncBuiltinESMExports()
  }

  /** Nothing fails any more. */
  heal(): void {
    this.decide = () => undefined
    this.text = () => undefined
  }

  [Symbol.dispose](): void {
    for (const undo of this.#undo) undo()
    syncBuiltinESMExports()
  }

  #replace(module: object, name: string, stand: unknown): void {
    const real = Reflect.get(module, name) as unknown
    Reflect.set(module, name, stand)
    this.#undo.push(() => Reflect.set(module, name, real))
  }
}

const { setTimeout: realTimeout } = globalThis
/** Milliseconds of real time for what the system has to do in a step. */
const BREATH = 2
/** Virtual milliseconds of a step. */
const STEP = 100

/** Virtual time for all timers; what the file system does takes its real time beside it. */
export class VirtualTime implements Disposable {
  /** Milliseconds that have passed. */
  passed = 0

  constructor() {
    mock.timers.enable({ apis: ['setTimeout'] })
  }

  /** Lets so many milliseconds pass. */
  async pass(ms: number): Promise<void> {
    for (const end = this.passed + ms; this.passed < end;) await this.#step()
  }

  /** Lets time pass until something is so. @param what it is, or what is instead @param within virtual milliseconds @throws {Error} it never is */
  async until(what: string | (() => string), look: () => boolean, within: number): Promise<void> {
    for (const end = this.passed + within; !look();) {
      if (this.passed >= end) throw new Error(`${typeof what === 'string' ? what : what()}: not within ${within} ms`)
      await this.#step()
    }
  }

  [Symbol.dispose](): void {
    mock.timers.reset()
  }

  async #step(): Promise<void> {
    this.passed += STEP
    mock.timers.tick(STEP)
    await new Promise<void>(resolve => void realTimeout(resolve, BREATH))
  }
}
