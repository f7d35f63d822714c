/** Carries out status writes one after the other, and never twice what the store has not shown us back yet. */
import { ConflictError, NotFoundError } from '@typemetal/cluster'
import type { Kinds, ObjectKey, ObjectReference, Snapshot, Store } from '@typemetal/cluster'
import type { Clock } from '../clock.js'
import type { Logger } from '../logger.js'
import type { StatusObject, StatusWrite } from './objects.js'

/** Kinds that the speaker writes. */
export type StatusKind = 'ServiceL2Status' | 'ServiceBGPStatus' | 'ConfigurationState'

/** Our own write, remembered until the snapshot moves past what it was made on. */
interface Written {
  /** What the snapshot held when we wrote. */
  readonly seen: StatusObject | undefined
  /** What we left there; `undefined`: deleted. */
  readonly now: StatusObject | undefined
}

const RETRY_FIRST = 1_000
const RETRY_LIMIT = 60_000

/** Options of {@link StatusWriter}. */
export interface StatusWriterOptions {
  readonly store: Store
  readonly log: Logger
  readonly clock: Clock
  /** Says what is to be written, given the objects that exist. Called again until it has nothing more to write. */
  readonly wanted: (read: StatusReader) => readonly StatusWrite[]
}

/** All objects of a kind as they will be when our own writes have come back to us. */
export type StatusReader = <K extends StatusKind>(kind: K) => readonly Kinds[K][]

/** Level-based: {@link update} says "look again", however often. */
export class StatusWriter {
  readonly #options: StatusWriterOptions
  readonly #written = new Map<StatusKind, Map<ObjectKey, Written>>()
  #running: Promise<void> | undefined
  #again = false
  #cancelRetry: (() => void) | undefined
  #delay = RETRY_FIRST
  #closed = false

  constructor(options: StatusWriterOptions) {
    this.#options = options
  }

  /** Writes what is missing, now or after the writes under way. */
  update(): void {
    if (this.#closed) return
    this.#again = true
    this.#running ??= this.#run().finally(() => (this.#running = undefined))
  }

  /** Resolves when everything asked for so far has been tried. */
  async settled(): Promise<void> {
    while (this.#running) await this.#running
  }

  /** Takes no further work; what is under way is finished. */
  async close(): Promise<void> {
    this.#closed = true
    this.#cancelRetry?.()
    await this.settled()
  }

  async #run(): Promise<void> {
    while (this.#again) {
      this.#again = false
      const errors: unknown[] = []
      for (const write of this.#options.wanted(kind => this.#objects(kind))) {
        // One object that cannot be written must not keep the others from being so.
        await this.#write(write).catch((error: unknown) => errors.push(error))
      }
      if (errors.length > 0) this.#retryLater(errors[0])
      else this.#delay = RETRY_FIRST
    }
  }

  /** The snapshot with our own writes laid over it. */
  #objects<K extends StatusKind>(kind: K): readonly Kinds[K][] {
    const objects = new Map<ObjectKey, StatusObject>(this.#snapshot.objects<StatusKind>(kind))
    const written = this.#written.get(kind)
    for (const [key, { seen, now }] of written ?? []) {
      if (objects.get(key) !== seen) written?.delete(key)
      else if (now) objects.set(key, now)
      else objects.delete(key)
    }
    return [...objects.values()] as readonly StatusObject[] as readonly Kinds[K][]
  }

  get #snapshot(): Snapshot {
    return this.#options.store.snapshot()
  }

  async #write(write: StatusWrite): Promise<void> {
    const { store } = this.#options
    const object = write.type === 'create' ? await store.create(write.object) : write.object
    const key = objectKey(object)
    const seen = this.#snapshot.objects<StatusKind>(object.kind as StatusKind).get(key)
    if (write.type === 'delete') await store.delete(referenceTo(object))
    else await this.#updateStatus({ ...object, status: write.status })
    this.#remember(object.kind as StatusKind, key, {
      seen,
      now: write.type === 'delete' ? undefined : { ...object, status: write.status },
    })
  }

  async #updateStatus(object: StatusObject): Promise<void> {
    try {
      await this.#options.store.updateStatus(object)
    } catch (error) {
      // Somebody else wrote or deleted it: the change is on its way to us and brings us back here.
      if (!(error instanceof ConflictError || error instanceof NotFoundError)) throw error
    }
  }

  #remember(kind: StatusKind, key: ObjectKey, written: Written): void {
    const map = this.#written.get(kind) ?? new Map<ObjectKey, Written>()
    this.#written.set(kind, map.set(key, written))
  }

  #retryLater(error: unknown): void {
    this.#options.log.warn({ op: 'writeStatus', error: String(error), retryMs: this.#delay }, 'status not written')
    this.#cancelRetry?.()
    if (this.#closed) return
    this.#cancelRetry = this.#options.clock.after(this.#delay, () => this.update())
    this.#delay = Math.min(this.#delay * 2, RETRY_LIMIT)
  }
}

function referenceTo({ apiVersion, kind, metadata }: StatusObject): ObjectReference {
  const { name, namespace } = metadata
  return { apiVersion, kind, name, ...(namespace !== undefined && { namespace }) }
}

function objectKey({ metadata }: StatusObject): ObjectKey {
  return metadata.namespace ? `${metadata.namespace}/${metadata.name}` : metadata.name
}
