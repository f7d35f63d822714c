import { factsEvent } from './event-stream.js'
import type { PageSource, Section, Timestamp } from './facts.js'
import { SECTIONS } from './facts.js'
import { SectionText } from './section-text.js'

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
   * Takes one event as it goes out: the same octets for all who lack the same.
   *
   * @returns false: no more until {@link Feed.catchUp} is called for this reader
   */
  take(event: Uint8Array): boolean
  /** The facts cannot be had any longer. */
  end(): void
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
 * Tells readers what has changed, by rows where a section has many, and works only while there are any. An event is made once for all who have
 * the same. Nothing is queued: a reader that is slow gets, when it takes more, the newest state of the sections that have changed since.
 */
export class Feed {
  readonly #options: FeedOptions
  readonly #readers = new Map<Reader, Progress>()
  readonly #sent = new Map<Section, SectionText>()
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
    const events = new Map<number, Uint8Array>()
    for (const [reader, progress] of this.#readers) {
      if (progress.isBusy || progress.version >= this.#version) continue
      const event = events.get(progress.version) ?? this.#event(progress.version)
      events.set(progress.version, event)
      this.#tell(reader, progress, event)
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
      const text = SectionText.of(section, value, before, version)
      this.#sent.set(section, text)
      if (text.version === version) this.#version = version
    }
    this.#lookedAt = clock.now()
    this.#cost = this.#lookedAt - begin
  }

  #tell(reader: Reader, progress: Progress, event = this.#event(progress.version)): void {
    progress.version = this.#version
    progress.isBusy = !reader.take(event)
  }

  /** What a reader lacks that has a version; all for version 0. */
  #event(version: number): Uint8Array {
    const isWhole = version === 0
    const at = JSON.stringify(this.#options.clock.timestamp())
    const changes = isWhole ? [] : SECTIONS.flatMap(section => this.#change(section, version) ?? [])
    const more = changes.length > 0 ? `,"changes":{${changes.join(',')}}` : ''
    return factsEvent(`{"at":${at},"whole":${isWhole},"sections":{${this.#since(version, !isWhole)}}${more}}`)
  }

  /** Member of a JSON object: how rows of a section have changed, for who has what was before that. */
  #change(section: Section, version: number): string | undefined {
    const sent = this.#sent.get(section)
    return sent && isEnough(sent, version) ? `"${section}":${sent.change}` : undefined
  }

  /** Members of a JSON object: sections that are newer than a version. @param isUpdate with `null` for those that went, and without what is told by rows */
  #since(version: number, isUpdate: boolean): string {
    return SECTIONS.flatMap(section => {
      const sent = this.#sent.get(section)
      if (!sent || sent.version <= version || (sent.value === undefined && !isUpdate)) return []
      return isUpdate && isEnough(sent, version) ? [] : [`"${section}":${sent.whole}`]
    }).join(',')
  }
}

/** Whether the last change of a section is all that somebody with this version of the feed lacks of it. */
const isEnough = ({ version, base, change }: SectionText, had: number): boolean =>
  change !== undefined && had < version && had >= base
