import { EventEmitter } from 'node:events'
import { readFile } from 'node:fs/promises'
import { extname, join, relative, resolve } from 'node:path'
import type { ClusterEvent, KubernetesObject, ObjectReference } from '../../resources/core.js'
import { type Logger, silentLogger } from '../../process/log.js'
import { StartupError } from '../../process/startup-error.js'
import { ChangeQueue } from '../change-queue.js'
import { kindOf, KINDS, objectKey } from '../kinds.js'
import { keepObject } from '../keep.js'
import { ObjectCache } from '../object-cache.js'
import { type KeepRules, type Kind, type ObjectKey, type Snapshot, type Store, type StoreEvents } from '../store.js'
import { EventLog } from './event-log.js'
import { FileWatch } from './file-watch.js'
import { parseManifest, unreadable } from './manifest.js'
import { ManifestSet } from './manifest-set.js'
import { merge } from './merge.js'
import { Orphans } from './orphans.js'
import { digestOf, parseStatus, type StatusRecord } from './status-file.js'
import { objectOfPath, statusPath } from './status-path.js'
import { StatusWriter } from './status-writer.js'
import { isMissing, removeIfThere } from './versioned-file.js'

/** Options of {@link DirectoryStore}; times in milliseconds. */
export interface DirectoryStoreOptions {
  /** Folders of manifests (`.yaml`, `.yml`, `.json`), read at any depth. */
  readonly directory: string | readonly string[]
  /** Where statuses and events are written; shared by all processes of a site. @default `status` in the first folder */
  readonly statusDirectory?: string
  /** Who writes, e.g. `controller` or `speaker-node-1`: one name for each process. */
  readonly component: string
  /** Namespace of metallb.io objects that name none. @default 'metallb-system' */
  readonly namespace?: string
  /** What is kept of the objects; for who writes no status of these kinds. @default all of them */
  readonly keep?: KeepRules
  /** Write nothing: statuses and events are refused. @default false */
  readonly readOnly?: boolean
  /** @default silent */
  readonly log?: Logger
  /** Disposes the store when aborted. */
  readonly signal?: AbortSignal
  /** Quiet time after a change before files are read. @default 30 */
  readonly debounce?: number
  /** How often all files are looked at, in case the system missed to report a change. @default 10_000 */
  readonly pollInterval?: number
  /** How long the status of an object outlives its manifest, so that an editor that replaces a file loses nothing. @default 1000 */
  readonly orphanDelay?: number
}

type Target = { readonly kind: Kind; readonly key: ObjectKey }

const EXTENSIONS = ['.yaml', '.yml', '.json']
/** Milliseconds after which a file that came out empty or broken is read again before that is believed: its writer may not be done. */
const SECOND_LOOK = 150
/** Milliseconds after which a file that cannot be read is tried again: it does not change when what is wrong is over (descriptors, rights, the disk). */
const UNREADABLE_RETRY = 2_000
/** Files read at once. */
const BATCH = 32

/**
 * A {@link Store} made of a folder of ordinary manifests, for sites without Kubernetes, the demo and tests. What Typemetal writes
 * goes to a folder beside them, one file an object, and several processes may share it.
 *
 * @example
 * ```ts
 * import { buildConfig, configResources, DirectoryStore } from '@typemetal/cluster'
 *
 * await using store = new DirectoryStore({ directory: 'manifests', component: 'example', readOnly: true })
 * store.on('change', () => {
 *   const { config } = buildConfig(configResources(store.snapshot()), { component: 'validate', namespace: 'metallb-system' })
 *   console.log([...(config?.pools.keys() ?? [])])
 * })
 * await store.start()
 * ```
 */
export class DirectoryStore extends EventEmitter<StoreEvents> implements Store {
  /** Folder of statuses and events. */
  readonly statusDirectory: string
  readonly #options: DirectoryStoreOptions
  readonly #roots: readonly string[]
  readonly #log: Logger
  readonly #cache = new ObjectCache()
  readonly #changes = new ChangeQueue(changes => this.emit('change', changes))
  readonly #manifests = new ManifestSet()
  readonly #statuses = new Map<string, StatusRecord>()
  readonly #doubted = new Set<string>()
  readonly #watch: FileWatch
  readonly #writer: StatusWriter
  readonly #orphans: Orphans
  readonly #events: EventLog
  #started = false
  #outage: string | undefined

  constructor(options: DirectoryStoreOptions) {
    super()
    this.#options = options
    this.#log = options.log ?? silentLogger
    this.#roots = distinctRoots(typeof options.directory === 'string' ? [options.directory] : options.directory)
    const [first] = this.#roots
    if (first === undefined) throw new RangeError('a DirectoryStore needs at least one directory')
    this.statusDirectory = options.statusDirectory ?? join(first, 'status')
    this.#events = new EventLog(this.statusDirectory, this.#log)
    this.#writer = new StatusWriter(this.statusDirectory, options.component, {
      manifest: (kind, key) => this.#manifests.get(kind, key),
      status: path => this.#statuses.get(path),
      wrote: (path, record) => this.#setStatus(path, record),
    })
    this.#orphans = new Orphans(options.orphanDelay ?? 1000, path => this.#isOrphan(path), this.#log)
    this.#watch = new FileWatch({
      roots: distinctRoots([...this.#roots, this.statusDirectory]),
      accepts: path => path !== join(this.statusDirectory, 'events'),
      onFiles: (changed, gone) => this.#onFiles(changed, gone),
      onTrouble: (missing, error) => this.#onTrouble(missing, error),
      debounce: options.debounce ?? 30,
      pollInterval: options.pollInterval ?? 10_000,
    })
    options.signal?.addEventListener('abort', () => void this[Symbol.asyncDispose](), { once: true })
  }

  async start(): Promise<void> {
    await this.#watch.start()
    if (this.#outage !== undefined) throw new StartupError(this.#outage)
    this.#cache.setFaults(this.#manifests.faults(), this.#manifests.origin)
    this.#changes.clear()
    this.#started = true
  }

  snapshot(): Snapshot {
    return this.#cache.snapshot()
  }

  async updateStatus(object: KubernetesObject & { readonly status?: unknown }): Promise<void> {
    this.#assertWritable()
    await this.#writer.update(object)
  }

  async create<T extends KubernetesObject>(object: T): Promise<T> {
    this.#assertWritable()
    return this.#writer.create(object, this.#home(kindOf(object)))
  }

  async delete(reference: ObjectReference): Promise<void> {
    this.#assertWritable()
    const kind = kindOf(reference)
    const namespace = reference.namespace ?? this.#home(kind)
    const key = objectKey({ name: reference.name, ...(namespace !== undefined && { namespace }) })
    const path = statusPath(this.statusDirectory, kind, key)
    await removeIfThere(path)
    this.#setStatus(path, undefined)
  }

  emitEvent(event: ClusterEvent): void {
    if (!this.#options.readOnly) this.#events.record(event)
  }

  /** Stops watching. What has been written stays. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#orphans.clear()
    await this.#watch[Symbol.asyncDispose]()
    this.#changes.clear()
    await this.#events.flush()
  }

  async #onFiles(changed: ReadonlySet<string>, gone: ReadonlySet<string>): Promise<void> {
    this.#writer.beginReading()
    const touched: Target[] = []
    try {
      for (const path of gone) touched.push(...this.#take(path, undefined))
      const paths = [...changed]
      for (let at = 0; at < paths.length; at += BATCH) {
        const texts = await Promise.all(
          paths.slice(at, at + BATCH).map(async path => [path, await this.#read(path)] as const),
        )
        for (const [path, text] of texts) touched.push(...this.#take(path, text))
      }
    } finally {
      // What has been taken is not told again when the rest is.
      this.#publish(touched)
      const faulty = this.#cache.setFaults(this.#manifests.faults(), this.#manifests.origin)
      if (faulty && this.#started) this.#changes.push([])
    }
  }

  /** Takes the new text of a file, or an error, or that it is gone; returns the objects this may concern. */
  #take(path: string, text: string | Error | undefined): readonly Target[] {
    const target = objectOfPath(this.statusDirectory, path)
    if (target) return this.#takeStatus(path, target, text)
    if (!EXTENSIONS.includes(extname(path)) || this.#isStatusFile(path)) return []
    if (text instanceof Error) {
      this.#watch.recheck(path, UNREADABLE_RETRY)
      const manifest = { objects: [], rejected: [], faults: [unreadable(path, text.message)], whole: false }
      return this.#manifests.set(path, manifest)
    }
    if (text === undefined) return this.#manifests.set(path, undefined)
    const { namespace = 'metallb-system', keep } = this.#options
    const manifest = parseManifest(text, { file: path, namespace, ...(keep && { keep }) })
    if (this.#doubts(path, manifest.whole && manifest.objects.length > 0)) return []
    return this.#manifests.set(path, manifest)
  }

  #takeStatus(path: string, target: Target, text: string | Error | undefined): readonly Target[] {
    // What we wrote while the file was being read is newer than what was read.
    if (this.#writer.wroteSince(path)) {
      this.#watch.recheck(path, 0)
      return []
    }
    if (text instanceof Error) {
      this.#watch.recheck(path, UNREADABLE_RETRY)
      this.#log.warn(
        { op: 'readStatus', file: path, error: text },
        'a status cannot be read: kept what was known before',
      )
      return []
    }
    const known = this.#statuses.get(path)
    if (text === undefined && !known) return [target]
    if (text !== undefined && known?.digest === digestOf(text)) return []
    const record = text === undefined ? undefined : parseStatus(text)
    if (text !== undefined && !record) {
      this.#log.warn({ op: 'readStatus', file: path }, 'not a status file of ours: kept what was known before')
      return []
    }
    this.#keepStatus(path, target.kind, record)
    return [target]
  }

  #keepStatus(path: string, kind: Kind, record: StatusRecord | undefined): void {
    if (!record) this.#statuses.delete(path)
    else if (KINDS[kind].madeBy === 'user') this.#statuses.set(path, record)
    else {
      const { digest, version, writer, annotations, object } = record
      this.#statuses.set(path, { digest, version, writer, annotations, object: this.#keep(kind, object) })
    }
  }

  /** Whether a file that had objects, and now seems to have none or is broken, should get a second look first. */
  #doubts(path: string, good: boolean): boolean {
    const doubted = this.#doubted.delete(path)
    if (good || doubted || this.#manifests.countOf(path) === 0) return false
    this.#doubted.add(path)
    this.#watch.recheck(path, SECOND_LOOK)
    return true
  }

  async #read(path: string): Promise<string | Error | undefined> {
    if (!EXTENSIONS.includes(extname(path))) return undefined
    try {
      return await readFile(path, 'utf8')
    } catch (error) {
      return isMissing(error) ? undefined : new Error(`cannot be read: ${(error as Error).message}`, { cause: error })
    }
  }

  #setStatus(path: string, record: StatusRecord | undefined): void {
    const target = objectOfPath(this.statusDirectory, path)
    if (!target) return
    this.#keepStatus(path, target.kind, record)
    this.#publish([target])
  }

  #publish(targets: readonly Target[]): void {
    const changes = this.#cache.apply(targets.map(({ kind, key }) => ({ kind, key, object: this.#object(kind, key) })))
    if (changes.length > 0 && this.#started) this.#changes.push(changes)
    if (this.#options.readOnly) return
    for (const { kind, key } of targets) this.#orphans.consider(statusPath(this.statusDirectory, kind, key))
  }

  #object(kind: Kind, key: ObjectKey): KubernetesObject | undefined {
    const manifest = this.#manifests.get(kind, key)
    const status = this.#statuses.get(statusPath(this.statusDirectory, kind, key))
    if (KINDS[kind].madeBy === 'user') return manifest && this.#keep(kind, merge(manifest, status))
    return manifest ? this.#keep(kind, merge(manifest, undefined)) : status?.object
  }

  #keep(kind: Kind, object: KubernetesObject): KubernetesObject {
    return this.#options.keep ? keepObject(this.#options.keep, kind, object) : object
  }

  /** Whether a status file says something about an object that no manifest has. Only its writer cleans up, and only when nothing is hidden. */
  #isOrphan(path: string): 'yes' | 'no' | 'unknown' {
    const target = objectOfPath(this.statusDirectory, path)
    const status = this.#statuses.get(path)
    if (!target || !status || KINDS[target.kind].madeBy !== 'user') return 'no'
    if (status.writer !== this.#options.component || this.#manifests.get(target.kind, target.key)) return 'no'
    return this.#manifests.hasFaults ? 'unknown' : 'yes'
  }

  #onTrouble(missing: readonly string[], error: Error | undefined): void {
    const lost = missing.filter(root => this.#roots.includes(root))
    const reason = error?.message ?? (lost.length > 0 ? `directory ${lost.join(' and ')} does not exist` : undefined)
    if (reason === this.#outage) return
    this.#outage = reason
    if (this.#started) setImmediate(() => this.emit('outage', reason))
  }

  #home(kind: Kind): string | undefined {
    const { namespaced, apiVersion } = KINDS[kind]
    if (!namespaced) return undefined
    return apiVersion.startsWith('metallb.io/') ? (this.#options.namespace ?? 'metallb-system') : 'default'
  }

  #isStatusFile(path: string): boolean {
    return isInside(path, this.statusDirectory)
  }

  #assertWritable(): void {
    if (this.#options.readOnly) throw new TypeError('the store was opened for reading only')
  }
}

/** The directories without those that lie in another one of them. */
function distinctRoots(directories: readonly string[]): readonly string[] {
  const clean = [...new Map(directories.map(directory => [resolve(directory), join(directory)])).values()]
  return clean.filter(directory => !clean.some(other => other !== directory && isInside(directory, other)))
}

/** Whether a path is a directory or lies in it. */
function isInside(path: string, directory: string): boolean {
  const way = relative(resolve(directory), resolve(path))
  return way === '' || (!way.startsWith('..') && !way.startsWith('/'))
}
