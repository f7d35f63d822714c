import { channel } from 'node:diagnostics_channel'
import { type FSWatcher, watch } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { listFiles } from './file-tree.js'
import { isMissing } from './versioned-file.js'

/** Options of {@link FileWatch}; times in milliseconds. */
export interface FileWatchOptions {
  readonly roots: readonly string[]
  /** Paths worth looking at, files and directories. */
  readonly accepts: (path: string) => boolean
  /** Files that are new, changed or gone. Nothing more is reported until it resolves. */
  readonly onFiles: (changed: ReadonlySet<string>, gone: ReadonlySet<string>) => Promise<void>
  /** Roots that are not there (any more), or why they cannot be read; both empty when all is well. */
  readonly onTrouble: (missing: readonly string[], error?: Error) => void
  /** Quiet time to wait for after a change, so that a write in several steps counts once. */
  readonly debounce: number
  /** How often everything is looked at, in case the system told us nothing; less often where that takes long. */
  readonly pollInterval: number
}

/** A change that goes on without pause is looked at after this many milliseconds all the same. */
const LONGEST_DEBOUNCE = 200
/** How often everything is looked at where the system cannot watch (too many watches, some network file systems). */
const UNWATCHED_POLL = 1000

/** Everything is looked at for no more than this part of the time. */
const POLL_SHARE = 1 / 500

/** The diagnostics channel that is told, with the `paths`, when it has been quiet after a change: what takes time from then on is ours. */
const LOOKING = 'typemetal:folder:looking'

/** Watches trees of files. What the system reports only says where to look; what counts is what is there then. */
export class FileWatch implements AsyncDisposable {
  readonly #options: FileWatchOptions
  readonly #watchers = new Map<string, FSWatcher>()
  readonly #known = new Map<string, string>()
  readonly #dirty = new Set<string>()
  readonly #looking = channel(LOOKING)
  #timer: NodeJS.Timeout | undefined
  #firstDirty = 0
  #poll: NodeJS.Timeout | undefined
  /** Milliseconds that the last look at everything took. */
  #pollCost = 0
  #running: Promise<void> = Promise.resolve()
  /** The system cannot watch some directory. */
  #unwatched = false
  #missing = false
  #closed = false

  constructor(options: FileWatchOptions) {
    this.#options = options
  }

  /** Looks at everything once, then watches. */
  async start(): Promise<void> {
    for (const root of this.#options.roots) this.#dirty.add(root)
    await this.#run()
    this.#schedulePoll()
  }

  /** Reports a file again after `delay`, whether or not it changed. */
  recheck(path: string, delay: number): void {
    setTimeout(() => this.#touch(path), delay).unref()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    clearTimeout(this.#poll)
    for (const watcher of this.#watchers.values()) watcher.close()
    this.#watchers.clear()
    await this.#running
  }

  #touch(path: string): void {
    if (this.#closed) return
    const now = performance.now()
    if (this.#dirty.size === 0) this.#firstDirty = now
    this.#dirty.add(path)
    clearTimeout(this.#timer)
    const patience = Math.max(0, this.#firstDirty + LONGEST_DEBOUNCE - now)
    this.#timer = setTimeout(() => this.#begin(), Math.min(this.#options.debounce, patience))
  }

  /** It has been quiet for long enough. */
  #begin(): void {
    if (this.#looking.hasSubscribers) this.#looking.publish({ paths: [...this.#dirty] })
    void this.#run()
  }

  /** One pass over what is dirty; passes never overlap. */
  #run(): Promise<void> {
    this.#running = this.#running.then(() => this.#pass())
    return this.#running
  }

  async #pass(): Promise<void> {
    if (this.#closed || this.#dirty.size === 0) return
    const dirty = [...this.#dirty]
    this.#dirty.clear()
    try {
      await this.#look(dirty)
    } catch (error) {
      this.#options.onTrouble([], error as Error) // the next poll looks at everything again
    }
  }

  async #look(dirty: readonly string[]): Promise<void> {
    const changed = new Set<string>()
    const gone = new Set<string>()
    const missing: string[] = []
    for (const path of dirty) {
      const listing = await listFiles(path, this.#options.accepts, directory => this.#watch(directory))
      if (!listing && this.#options.roots.includes(path)) {
        missing.push(path)
        continue // what it held stays as it was: a folder that is gone says nothing about its objects
      }
      const files = listing ?? new Map<string, string>()
      for (const [file, signature] of files) {
        // The system has named this very file, or the signature tells.
        if (file === path || this.#known.get(file) !== signature) changed.add(file)
        this.#known.set(file, signature)
      }
      for (const file of this.#knownBelow(path)) {
        if (files.has(file)) continue
        this.#known.delete(file)
        gone.add(file)
      }
    }
    if (dirty.some(path => this.#options.roots.includes(path))) {
      this.#missing = missing.length > 0
      this.#options.onTrouble(missing)
    }
    if (changed.size > 0 || gone.size > 0) await this.#options.onFiles(changed, gone)
  }

  #knownBelow(path: string): readonly string[] {
    if (this.#known.has(path)) return [path]
    return [...this.#known.keys()].filter(file => file.startsWith(`${path}/`))
  }

  #watch(directory: string): void {
    if (this.#watchers.has(directory) || this.#closed) return
    try {
      const watcher = watch(directory, { persistent: true }, (_, name) => this.#onEvent(directory, name))
      watcher.on('error', () => this.#unwatch(directory))
      this.#watchers.set(directory, watcher)
    } catch (error) {
      if (!isMissing(error)) this.#unwatched = true
    }
  }

  #onEvent(directory: string, name: string | null): void {
    // The directory itself was moved or removed: its watch is dead, so look from above, which watches anew what is there.
    if (name === basename(directory) || name === null) {
      this.#unwatch(directory)
      this.#touch(this.#options.roots.includes(directory) ? directory : dirname(directory))
    }
    if (name === null) return
    // `..data` is how Kubernetes swaps all files of a volume at once.
    if (name.startsWith('..')) this.#touch(directory)
    else if (!name.startsWith('.') && this.#options.accepts(join(directory, name))) this.#touch(join(directory, name))
  }

  #unwatch(directory: string): void {
    this.#watchers.get(directory)?.close()
    this.#watchers.delete(directory)
  }

  #schedulePoll(): void {
    if (this.#closed) return
    const rest = Math.max(this.#options.pollInterval, this.#pollCost / POLL_SHARE)
    // Where the system tells nothing, looking is all there is.
    const pause = this.#unwatched || this.#missing ? UNWATCHED_POLL : rest
    this.#poll = setTimeout(() => void this.#pollAll(), pause)
    this.#poll.unref()
  }

  async #pollAll(): Promise<void> {
    for (const root of this.#options.roots) this.#dirty.add(root)
    const start = performance.now()
    await this.#run()
    this.#pollCost = performance.now() - start
    this.#schedulePoll()
  }
}
