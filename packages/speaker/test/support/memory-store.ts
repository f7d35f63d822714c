/** A store in memory that behaves as the real ones: versions, conflicts, changes told later. */
import { EventEmitter } from 'node:events'
import { ConflictError, NotFoundError } from '@typemetal/cluster'
import type {
  Change,
  ClusterEvent,
  Kind,
  KubernetesObject,
  ObjectReference,
  Snapshot,
  Store,
  StoreEvents,
} from '@typemetal/cluster'
import { MemoryCluster, keyOf } from '../scenario/cluster.js'
import type { AnyObject } from '../scenario/cluster.js'

export class MemoryStore extends EventEmitter<{ [E in keyof StoreEvents]: StoreEvents[E] }> implements Store {
  readonly cluster = new MemoryCluster()
  readonly events: ClusterEvent[] = []
  /** Every write as `verb kind key`. */
  readonly writes: string[] = []
  /** Errors that the next writes meet. */
  readonly failures: Error[] = []
  /** While true, watchers hear nothing: the snapshot stays as it was. */
  deaf = false
  /** Every write fails with this, while it is set. */
  outage: Error | undefined
  /** How long each write takes. @default no time */
  delay: (() => Promise<void>) | undefined
  /** Writes under way now, and the most there were at once. */
  readonly load = { now: 0, most: 0 }
  /** What could not be read. */
  faults: Snapshot['faults'] = []
  #snapshot: Snapshot = this.cluster.snapshot()
  #version = 0

  async start(): Promise<void> {
    this.#snapshot = this.cluster.snapshot()
  }

  snapshot(): Snapshot {
    return { ...this.#snapshot, faults: this.faults }
  }

  /** What a user would do. */
  apply(...objects: readonly AnyObject[]): void {
    for (const object of objects) this.cluster.apply(this.#versioned(object))
    this.#tell(objects.map(object => ({ kind: object.kind as Kind, key: keyOf(object), type: 'modified' })))
  }

  async create<T extends KubernetesObject>(object: T): Promise<T> {
    await this.#attempt('create', object)
    const { generateName, name } = object.metadata
    const uid = `uid-${++this.#version}`
    const metadata = { ...object.metadata, uid, name: name === '' ? `${generateName}${this.#version}` : name }
    const stored = this.#versioned({ ...object, metadata })
    this.cluster.apply(stored)
    this.#tell([{ kind: object.kind as Kind, key: keyOf(stored), type: 'added' }])
    return stored as unknown as T
  }

  async updateStatus(object: AnyObject): Promise<void> {
    await this.#attempt('updateStatus', object)
    const current = this.get(object.kind, keyOf(object))
    if (!current) throw new NotFoundError(keyOf(object))
    const { resourceVersion } = object.metadata
    if (resourceVersion !== undefined && current.metadata.resourceVersion !== resourceVersion) {
      throw new ConflictError(keyOf(object))
    }
    this.cluster.apply(this.#versioned({ ...current, status: object.status }))
    this.#tell([{ kind: object.kind as Kind, key: keyOf(object), type: 'modified' }])
  }

  async delete({ kind, namespace, name }: ObjectReference): Promise<void> {
    const object = { apiVersion: '', kind, metadata: { name, ...(namespace !== undefined && { namespace }) } }
    await this.#attempt('delete', object)
    this.cluster.delete(kind, keyOf(object))
    this.#tell([{ kind: kind as Kind, key: keyOf(object), type: 'deleted' }])
  }

  emitEvent(event: ClusterEvent): void {
    this.events.push(event)
  }

  /** The object as stored, seen or not. */
  get(kind: string, key: string): AnyObject | undefined {
    return this.list(kind).find(object => keyOf(object) === key)
  }

  list(kind: string): readonly AnyObject[] {
    return [
      ...this.cluster
        .snapshot()
        .objects(kind as Kind)
        .values(),
    ]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.removeAllListeners()
  }

  async #attempt(verb: string, object: AnyObject): Promise<void> {
    this.load.most = Math.max(this.load.most, ++this.load.now)
    await this.delay?.()
    this.load.now--
    const failure = this.outage ?? this.failures.shift()
    if (failure) throw failure
    this.writes.push(`${verb} ${object.kind} ${object.metadata.name || object.metadata.generateName}`)
  }

  #versioned(object: AnyObject): AnyObject {
    return { ...object, metadata: { ...object.metadata, resourceVersion: String(++this.#version) } }
  }

  #tell(changes: readonly Change[]): void {
    setImmediate(() => {
      if (this.deaf) return
      this.#snapshot = this.cluster.snapshot()
      this.emit('change', changes)
    })
  }
}
