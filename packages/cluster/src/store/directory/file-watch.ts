import { channel } from 'node:diagnostics_channel'
import { basename, dirname, join } from 'node:path'
import { DirectoryWatches } from './directory-watches.js'
import { identityOf, listFiles, type Listing } from './file-tree.js'

/** Options of {@link FileWatch}; times in milliseconds. */
export interface FileWatchOptions {
  readonly roots: readonly string[]
  /** Paths worth looking at, files and directories. */
  readonly accepts: (path: string) => boolean
  /** Files that are new, changed or gone. Nothing more is reported until it resolves; the same again when it rejects. */
  readonly onFiles: (changed: ReadonlySet<string>, gone: ReadonlySet<string>) => Promise<void>
  /** Roots that are not there (any more), and why something cannot be read; told when that changes, with neither when all is well. */
  readonly onTrouble: (missing: readonly string[], error?: Error) => void
  /** Quiet time to wait for after a change, so that a write in several steps counts once. */
  readonly debounce: number
  /** How often everything is looked at, in case the system told us nothing; less often where that takes long. */
  readonly pollInterval: number
}

/** A change that goes on without pause is looked at after this many milliseconds all the same. */
const LONGEST_DEBOUNCE = 200
/** How often everything is looked at where the system cannot watch. */
const UNWATCHED_POLL = 1000
/** How often to see whether the roots are the directories that they were: a link on the way to one may lead elsewhere, which nobody tells. */
const ROOT_CHECK = 1000
/** Milliseconds after which what could not be looked at is tried again, doubled each time up to the second. */
const FIRST_RETRY = 1000
const LONGEST_RETRY = 5000

/** Everything is looked at for no more than this part of the time. */
const POLL_SHARE = 1 / 500
/** The same where looking is all there is, or fails. */
const INSISTENT_SHARE = 1 / 10

/** The diagnostics channel that is told, with the `paths`, when it has been quiet after a change: what takes time from then on is ours. */
const LOOKING = 'typemetal:folder:looking'

/**
 * Watches trees of files. What the system reports only says where to look; what counts is what is there then. What cannot be looked at, or
 * taken, is tried again until it can be: no change is forgotten on the way.
 */
export class FileWatch implements AsyncDisposable {
  readonly #options: FileWatchOptions
  readonly #watches: DirectoryWatches
  /** Files that were there when they were last looked at, with their signatures. */
  readonly #known = new Map<string, string>()
  /** Where to look. */
  readonly #dirty = new Set<string>()
  /** What was seen, and not taken by `onFiles` yet. */
  readonly #changed = new Set<string>()
  readonly #gone = new Set<string>()
  /** What could not be looked at, and why. */
  readonly #failed = new Map<string, Error>()
  /** Why what was seen could not be taken. */
  #refusal: Error | undefined
  /** Which directories the roots were; `undefined` for one that was not there. */
  readonly #roots = new Map<string, string | undefined>()
  readonly #looking = channel(LOOKING)
  #timer: NodeJS.Timeout | undefined
  #firstDirty = 0
  /** A pass will begin as soon as the one under way is over. */
  #isQueued = false
  #running: Promise<void> = Promise.resolve()
  #retry: NodeJS.Timeout | undefined
  #retries = 0
  #poll: NodeJS.Timeout | undefined
  /** When, by the monotonic clock. */
  #pollAt = 0
  #isPolling = false
  #rootCheck: NodeJS.Timeout | undefined
  /** Milliseconds that the last look at everything took, and the last pass. */
  #pollCost = 0
  #passCost = 0
  /** What was told of trouble. */
  #trouble: { readonly missing: string; readonly error: Error | undefined } = { missing: '', error: undefined }
  #closed = false

  constructor(options: FileWatchOptions) {
    this.#options = options
    this.#watches = new DirectoryWatches({
      onEvent: (directory, name) => this.#onEvent(directory, name),
      onOverflow: () => options.roots.forEach(root => this.#touch(root)),
      onBlind: () => this.#schedulePoll(),
    })
  }

  /** Looks at everything once, then watches. */
  async start(): Promise<void> {
    for (const root of this.#options.roots) this.#dirty.add(root)
    await this.#run()
    this.#schedulePoll()
    this.#scheduleRootCheck()
  }

  /** Reports a file again after `delay`, whether or not it changed. */
  recheck(path: string, delay: number): void {
    setTimeout(() => this.#touch(path), delay).unref()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    for (const timer of [this.#timer, this.#retry, this.#poll, this.#rootCheck]) clearTimeout(timer)
    this.#watches.close()
    await this.#running
  }

  #touch(path: string): void {
    if (this.#closed) return
    const now = performance.now()
    if (this.#dirty.size === 0) this.#firstDirty = now
    this.#dirty.add(path)
    if (this.#isQueued) return this.#tellLooking([path])
    clearTimeout(this.#timer)
    const patience = Math.max(0, this.#firstDirty + LONGEST_DEBOUNCE - now)
    this.#timer = setTimeout(() => this.#begin(), Math.min(this.#options.debounce, patience))
  }

  /** It has been quiet for long enough. */
  #begin(): void {
    this.#tellLooking(this.#dirty)
    void this.#run()
  }

  #tellLooking(paths: Iterable<string>): void {
    if (this.#looking.hasSubscribers) this.#looking.publish({ paths: [...paths] })
  }

  /** One pass over what is dirty; passes never overlap. */
  #run(): Promise<void> {
    if (this.#isQueued) return this.#running
    this.#isQueued = true
    clearTimeout(this.#timer)
    this.#running = this.#running.then(() => this.#pass())
    return this.#running
  }

  async #pass(): Promise<void> {
    this.#isQueued = false
    if (this.#closed) return
    const begin = performance.now()
    const dirty = [...this.#dirty]
    this.#dirty.clear()
    for (const path of dirty) await this.#look(path)
    await this.#report()
    this.#passCost = performance.now() - begin
    this.#settle()
  }

  /** Brings up to date what is known of a path and of all below it. */
  async #look(path: string): Promise<void> {
    const isRoot = this.#options.roots.includes(path)
    const listing = await listFiles(path, this.#options.accepts, (directory, identity) =>
      this.#watches.watch(directory, identity),
    )
    if (isRoot) this.#roots.set(path, listing?.identity)
    const unseen = new Set([...this.#failed.keys()].filter(failed => isWithin(failed, path)))
    for (const failed of unseen) if (!isHidden(failed, path, listing)) this.#failed.delete(failed)
    for (const [failed, error] of listing?.failures ?? []) this.#failed.set(failed, error)
    // What it held stays as it was: a folder that is gone says nothing about its objects.
    if (isRoot && !listing) return this.#watches.unwatch(path)
    for (const [file, signature] of listing?.files ?? []) {
      // The system has named this very file, perhaps when it could not be seen, or the signature tells.
      const isNamed = file === path || unseen.has(file)
      if (isNamed || this.#known.get(file) !== signature) this.#note(file, this.#changed, this.#gone)
      this.#known.set(file, signature)
    }
    this.#forget(path, listing)
  }

  /** Takes note that what was known at a path, or below it, is there no longer; not of what could not be looked at. */
  #forget(path: string, listing: Listing | undefined): void {
    for (const file of this.#known.has(path) ? [path] : [...this.#known.keys()]) {
      if (!isWithin(file, path) || listing?.files.has(file) || isHidden(file, path, listing)) continue
      this.#known.delete(file)
      this.#note(file, this.#gone, this.#changed)
    }
    if (listing?.files.has(path)) return
    this.#watches.prune(
      each => isWithin(each, path) && !listing?.directories.has(each) && !isHidden(each, path, listing),
    )
  }

  #note(file: string, news: Set<string>, outdated: Set<string>): void {
    outdated.delete(file)
    news.add(file)
  }

  /** Tells what was seen; it is kept to be told again when that fails. */
  async #report(): Promise<void> {
    this.#refusal = undefined
    if (this.#changed.size === 0 && this.#gone.size === 0) return
    try {
      await this.#options.onFiles(this.#changed, this.#gone)
      this.#changed.clear()
      this.#gone.clear()
    } catch (error) {
      this.#refusal = error as Error
    }
  }

  /** After a pass: tells of trouble, or that it is over, and sees to it that what failed is tried again. */
  #settle(): void {
    const error = this.#refusal ?? this.#failed.values().next().value
    const missing = this.#options.roots.filter(root => this.#roots.get(root) === undefined && !this.#failed.has(root))
    // One that goes on is told once, whichever path it is about now.
    const told = error && codeOf(error) === codeOf(this.#trouble.error) ? this.#trouble.error : error
    if (told !== this.#trouble.error || missing.join('\0') !== this.#trouble.missing) {
      this.#trouble = { missing: missing.join('\0'), error: told }
      this.#options.onTrouble(missing, told)
    }
    if (error && !this.#closed) return this.#scheduleRetry()
    clearTimeout(this.#retry)
    this.#retry = undefined
    this.#retries = 0
  }

  #scheduleRetry(): void {
    if (this.#retry) return
    const pause = Math.min(FIRST_RETRY * 2 ** this.#retries, LONGEST_RETRY)
    this.#retry = setTimeout(
      () => {
        this.#retry = undefined
        this.#retries++
        for (const path of this.#failed.keys()) this.#dirty.add(path)
        void this.#run()
      },
      Math.max(pause, this.#passCost / INSISTENT_SHARE),
    )
    this.#retry.unref()
  }

  #onEvent(directory: string, name: string | null): void {
    // The directory itself was moved or removed: its watch is dead, so look from above, which watches anew what is there.
    if (name === basename(directory) || name === null) {
      this.#watches.unwatch(directory)
      this.#touch(this.#options.roots.includes(directory) ? directory : dirname(directory))
    }
    if (name === null) return
    // `..data` is how Kubernetes swaps all files of a volume at once.
    if (name.startsWith('..')) this.#touch(directory)
    else if (!name.startsWith('.') && this.#options.accepts(join(directory, name))) this.#touch(join(directory, name))
  }

  #scheduleRootCheck(): void {
    if (this.#closed) return
    this.#rootCheck = setTimeout(() => {
      void this.#checkRoots().then(() => this.#scheduleRootCheck())
    }, ROOT_CHECK).unref()
  }

  async #checkRoots(): Promise<void> {
    for (const root of this.#options.roots) {
      if (this.#failed.has(root)) continue
      const known = this.#roots.get(root)
      // A root that cannot be looked at may be another one.
      const now = await identityOf(root).catch(() => 'unknown')
      if (now !== known && known === this.#roots.get(root)) this.#touch(root)
    }
  }

  #schedulePoll(): void {
    if (this.#closed || this.#isPolling) return
    // Where the system tells nothing, looking is all there is.
    const pause = this.#watches.isBlind
      ? Math.max(UNWATCHED_POLL, this.#pollCost / INSISTENT_SHARE)
      : Math.max(this.#options.pollInterval, this.#pollCost / POLL_SHARE)
    const at = performance.now() + pause
    if (this.#poll && this.#pollAt <= at) return
    clearTimeout(this.#poll)
    this.#pollAt = at
    this.#poll = setTimeout(() => void this.#pollAll(), pause)
    this.#poll.unref()
  }

  async #pollAll(): Promise<void> {
    this.#poll = undefined
    this.#isPolling = true
    for (const root of this.#options.roots) this.#dirty.add(root)
    const start = performance.now()
    await this.#run()
    this.#pollCost = performance.now() - start
    this.#isPolling = false
    this.#schedulePoll()
  }
}

/** Whether a path is another one or lies below it; both as `join` makes them. */
function isWithin(path: string, above: string): boolean {
  if (above === '.') return !path.startsWith('/') && path !== '..' && !path.startsWith('../')
  if (!path.startsWith(above)) return false
  return path.length === above.length || path[above.length] === '/' || above.endsWith('/')
}

/** Whether something at or above `known`, up to the path of the listing, could not be looked at. */
function isHidden(known: string, path: string, listing: Listing | undefined): boolean {
  if (!listing || listing.failures.size === 0) return false
  for (let at = known; isWithin(at, path); at = dirname(at)) {
    if (listing.failures.has(at)) return true
    if (at === path) break
  }
  return false
}

const codeOf = (error: Error | undefined): string | undefined =>
  error && ((error as NodeJS.ErrnoException).code ?? error.message)
