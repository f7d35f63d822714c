import { type FSWatcher, readFileSync, watch } from 'node:fs'
import { isMissing } from './versioned-file.js'

/** What {@link DirectoryWatches} tells. */
export interface WatchListener {
  /** Something about an entry of a watched directory; `null`: about the directory, or nobody knows what. */
  readonly onEvent: (directory: string, name: string | null) => void
  /** So much came at once that the system may have dropped what came after it. */
  readonly onOverflow: () => void
  /** Some directory cannot be watched. */
  readonly onBlind: () => void
}

interface Watch {
  readonly watcher: FSWatcher
  readonly identity: string
}

/** The system's watches of directories. */
export class DirectoryWatches {
  readonly #listener: WatchListener
  readonly #watches = new Map<string, Watch>()
  /** Directories that the system does not watch for us: too many watches, some network file systems. */
  readonly #blind = new Set<string>()
  /** Events since the event loop last did something else. */
  #burst = 0
  #isOver = false

  constructor(listener: WatchListener) {
    this.#listener = listener
  }

  /** Whether some directory cannot be watched. */
  get isBlind(): boolean {
    return this.#blind.size > 0
  }

  /**
   * Watches a directory, if the one that is there now is not watched yet.
   *
   * @param identity tells it from others that were at this path: a watch stays with what it was set on, wherever that is moved
   */
  watch(directory: string, identity: string): void {
    if (this.#isOver || this.#watches.get(directory)?.identity === identity) return
    this.unwatch(directory)
    try {
      const watcher = watch(directory, { persistent: true }, (_, name) => this.#onEvent(directory, name))
      watcher.on('error', () => this.#lose(directory, watcher))
      this.#watches.set(directory, { watcher, identity })
      this.#blind.delete(directory)
    } catch (error) {
      if (isMissing(error)) return
      this.#blind.add(directory)
      this.#listener.onBlind()
    }
  }

  unwatch(directory: string): void {
    this.#watches.get(directory)?.watcher.close()
    this.#watches.delete(directory)
    this.#blind.delete(directory)
  }

  /** Unwatches the directories of which a filter says that they are gone. */
  prune(isGone: (directory: string) => boolean): void {
    for (const directory of [...this.#watches.keys(), ...this.#blind]) if (isGone(directory)) this.unwatch(directory)
  }

  close(): void {
    this.#isOver = true
    this.prune(() => true)
  }

  #lose(directory: string, watcher: FSWatcher): void {
    if (this.#watches.get(directory)?.watcher !== watcher) return
    this.unwatch(directory)
    this.#blind.add(directory)
    this.#listener.onBlind()
  }

  #onEvent(directory: string, name: string | null): void {
    if (this.#burst === 0) setImmediate(() => (this.#burst = 0))
    if (++this.#burst === overflow()) this.#listener.onOverflow()
    this.#listener.onEvent(directory, name)
  }
}

/** Linux's default. */
const USUAL_QUEUE = 16_384
/** All watches of a process share one queue, so it may be full of the events of others as well. */
const OVERFLOW_SHARE = 1 / 2
let known: number | undefined

/** Events that mean, when they come at once, that the system's queue may have been full; inotify(7) tells that, Node.js does not. */
function overflow(): number {
  return (known ??= Math.max(1, Math.floor(queueLength() * OVERFLOW_SHARE)))
}

function queueLength(): number {
  try {
    return Number(readFileSync('/proc/sys/fs/inotify/max_queued_events', 'utf8')) || USUAL_QUEUE
  } catch {
    return USUAL_QUEUE
  }
}
