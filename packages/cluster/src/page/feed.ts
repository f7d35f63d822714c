import type { PageFacts, PageSource, Section, Timestamp } from './facts.js'
import { SECTIONS } from './facts.js'

/** Milliseconds between two looks at the facts, at least. */
const INTERVAL = 250
/** Looking takes one part in so many of the time, at most, however many objects there are. */
const SHARE = 20

/** Time for a {@link Feed}. */
export interface FeedClock {
  /** Milliseconds; only differences mean anything. */
  now(): number
  /** Calls `fn` once after `ms` milliseconds. @returns cancels the call */
  after(ms: number, fn: () => void): () => void
  /** The time of day. */
  timestamp(): Timestamp
}

/** Somebody who looks at the page. */
export interface Reader {
  /**
   * Takes the JSON text of one event.
   *
   * @returns false: no more until {@link Feed.catchUp} is called for this reader
   */
  take(text: string): boolean
  /** The facts cannot be had any longer. */
  end(): void
}

/** A section as it was sent last. */
interface Sent {
  readonly value: PageFacts[Section]
  /** JSON; `null` for a section that there is no longer. */
  readonly text: string
  /** Of the {@link Feed} when this became so. */
  readonly version: number
}

/** What a reader has, and whether it takes more. */
interface Progress {
  version: number
  isBusy: boolean
}

/** Options of {@link Feed}. */
export interface FeedOptions {
  readonly source: PageSource
  readonly clock: FeedClock
  /** The source has thrown; all readers have been ended. */
  readonly onFailure: (error: unknown) => void
}

/**
 * Tells readers what has changed, section by section, and works only while there are any. Nothing is queued: a reader that is slow gets, when it
 * takes more, the newest state of what has changed since.
 */
export class Feed {
  readonly #options: FeedOptions
  readonly #readers = new Map<Reader, Progress>()
  readonly #sent = new Map<Section, Sent>()
  #version = 0
  #lookedAt = -Infinity
  /** Milliseconds that the last look took. */
  #cost = 0
  #unwatch: (() => void) | undefined
  #cancel: (() => void) | undefined

  constructor(options: FeedOptions) {
    this.#options = options
  }

  /** Those who look now. */
  get readers(): number {
    return this.#readers.size
  }

  /** All facts as they are now, or were a moment ago, as JSON. @throws what the source throws */
  json(): string {
    // With readers a look follows every change.
    if (this.#readers.size === 0 && this.#wait() === 0) this.#look()
    return `{"at":${JSON.stringify(this.#options.clock.timestamp())},${this.#since(0, false)}}\n`
  }

  /** Tells a reader everything, and from then on what changes. @throws what the source throws */
  add(reader: Reader): void {
    if (!this.#unwatch) {
      this.#unwatch = this.#options.source.watch(() => this.#changed())
      try {
        this.#look()
      } catch (error) {
        this.#restIfAlone()
        throw error
      }
    }
    const progress = { version: 0, isBusy: false }
    this.#readers.set(reader, progress)
    this.#tell(reader, progress)
  }

  /** Tells a reader nothing more. */
  remove(reader: Reader): void {
    this.#readers.delete(reader)
    this.#restIfAlone()
  }

  /** The reader takes more. */
  catchUp(reader: Reader): void {
    const progress = this.#readers.get(reader)
    if (!progress) return
    progress.isBusy = false
    if (progress.version < this.#version) this.#tell(reader, progress)
  }

  /** Ends all readers. */
  close(): void {
    const readers = [...this.#readers.keys()]
    this.#readers.clear()
    this.#restIfAlone()
    for (const reader of readers) reader.end()
  }

  #restIfAlone(): void {
    if (this.#readers.size > 0) return
    this.#unwatch?.()
    this.#unwatch = undefined
    this.#cancel?.()
    this.#cancel = undefined
  }

  #changed(): void {
    this.#cancel ??= this.#options.clock.after(this.#wait(), () => this.#update())
  }

  /** Milliseconds until the facts may be looked at again. */
  #wait(): number {
    const pause = Math.max(INTERVAL, this.#cost * SHARE)
    return Math.max(0, this.#lookedAt + pause - this.#options.clock.now())
  }

  #update(): void {
    this.#cancel = undefined
    try {
      this.#look()
    } catch (error) {
      this.close()
      this.#options.onFailure(error)
      return
    }
    for (const [reader, progress] of this.#readers) {
      if (!progress.isBusy && progress.version < this.#version) this.#tell(reader, progress)
    }
  }

  /** Brings the sections up to date. */
  #look(): void {
    const { source, clock } = this.#options
    const begin = clock.now()
    const facts = source.facts()
    const version = this.#version + 1
    for (const section of SECTIONS) {
      const value = facts[section]
      const before = this.#sent.get(section)
      if (before?.value === value) continue
      const text = JSON.stringify(value ?? null)
      this.#sent.set(section, { value, text, version: before?.text === text ? before.version : version })
      if (before?.text !== text) this.#version = version
    }
    this.#lookedAt = clock.now()
    this.#cost = this.#lookedAt - begin
  }

  #tell(reader: Reader, progress: Progress): void {
    const isWhole = progress.version === 0
    const at = JSON.stringify(this.#options.clock.timestamp())
    const text = `{"at":${at},"whole":${isWhole},"sections":{${this.#since(progress.version, !isWhole)}}}`
    progress.version = this.#version
    progress.isBusy = !reader.take(text)
  }

  /** Members of a JSON object: sections that are newer than a version. @param withGone with `null` for those that went */
  #since(version: number, withGone: boolean): string {
    return SECTIONS.flatMap(section => {
      const sent = this.#sent.get(section)
      if (!sent || sent.version <= version || (sent.value === undefined && !withGone)) return []
      return [`"${section}":${sent.text}`]
    }).join(',')
  }
}
