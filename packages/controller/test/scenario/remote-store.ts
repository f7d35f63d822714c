/** A cluster at the other end of a network: watches lag, requests take their time, and some processes are cut off. */
import { EventEmitter } from 'node:events'
import {
  type Change,
  type ClusterEvent,
  ConflictError,
  type Kind,
  type KubernetesObject,
  type ObjectReference,
  type Snapshot,
  type Store,
} from '@typemetal/cluster'
import type { Lease, LeaseClient } from '@typemetal/cluster/leader'
import type { AnyObject } from './format.js'
import type { MemoryCluster } from './memory-store.js'

/** A request that the API server has not answered by then is given up by both sides. */
export const REQUEST_TIMEOUT = 5000

/** Timers in order; time passes only when told to. */
export class NetworkClock {
  #now = 0
  readonly #timers = new Set<{ readonly at: number; readonly callback: () => void }>()

  now(): number {
    return this.#now
  }

  date(): Date {
    return new Date(Date.UTC(2026, 0, 1) + this.#now)
  }

  after(delay: number, callback: () => void): () => void {
    const timer = { at: this.#now + delay, callback }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  /** Resolves after so long. */
  delay(milliseconds: number): Promise<void> {
    return new Promise(resolve => this.after(milliseconds, resolve))
  }

  /** Goes to the next timer that is due by then and fires it. @returns false when there is none */
  step(end: number): boolean {
    const [next] = [...this.#timers].toSorted((a, b) => a.at - b.at)
    if (!next || next.at > end) {
      this.#now = Math.max(this.#now, end)
      return false
    }
    this.#timers.delete(next)
    this.#now = Math.max(this.#now, next.at)
    next.callback()
    return true
  }
}

/** The time of one process, which may be paused: then nothing of it runs, and nothing reaches it. */
export class ProcessClock {
  readonly #network: NetworkClock
  #pausedUntil = -Infinity

  constructor(network: NetworkClock) {
    this.#network = network
  }

  now(): number {
    return this.#network.now()
  }

  date(): Date {
    return this.#network.date()
  }

  pause(milliseconds: number): void {
    this.#pausedUntil = this.now() + milliseconds
  }

  after(delay: number, callback: () => void): () => void {
    let cancel = (): void => {}
    const ring = (): void => {
      const left = this.#pausedUntil - this.now()
      if (left > 0) cancel = this.#network.after(left, ring)
      else callback()
    }
    cancel = this.#network.after(delay, ring)
    return () => cancel()
  }
}

/** The one Lease of the cluster, with optimistic locking. */
export class LeaseBox {
  lease: Lease | undefined
  #version = 0

  write(lease: Lease): Lease {
    if (lease.metadata.resourceVersion !== this.lease?.metadata.resourceVersion) throw new ConflictError('changed')
    const metadata = { ...lease.metadata, resourceVersion: String(++this.#version) }
    return (this.lease = { ...lease, metadata })
  }
}

/** One process's way to the cluster. */
export class RemoteStore extends EventEmitter implements Store {
  readonly #cluster: MemoryCluster
  /** Of the network and of the API server. */
  readonly #network: NetworkClock
  /** Of this process. */
  readonly #clock: ProcessClock
  readonly #leases: LeaseBox
  readonly #watch: ReturnType<MemoryCluster['connect']>
  #snapshot: Snapshot
  #version = 0
  /** Nothing gets through in either direction. */
  #isCut = false
  #isDead = false
  /** Milliseconds: one way of a request, the other way, and how far the watch is behind. */
  delays = { there: 1, back: 1, watch: 1 }

  constructor(cluster: MemoryCluster, network: NetworkClock, clock: ProcessClock, leases: LeaseBox) {
    super()
    this.#cluster = cluster
    this.#network = network
    this.#clock = clock
    this.#leases = leases
    this.#snapshot = cluster.snapshot()
    this.#watch = cluster.connect()
    this.#watch.on('change', () => this.#onChange())
  }

  readonly leases: LeaseClient = {
    read: async (_name, signal) => this.#exchange(() => this.#leases.lease, signal),
    write: async (lease, signal) => this.#exchange(() => this.#leases.write(lease), signal),
  }

  get isCut(): boolean {
    return this.#isCut
  }

  set isCut(isCut: boolean) {
    const healed = this.#isCut && !isCut
    this.#isCut = isCut
    if (healed) this.#adopt(this.#cluster.snapshot(), this.#cluster.version)
  }

  async start(): Promise<void> {}

  async refresh(): Promise<void> {
    const now = () => ({ snapshot: this.#cluster.snapshot(), version: this.#cluster.version })
    const { snapshot, version } = await this.#exchange(now)
    this.#adopt(snapshot, version)
  }

  snapshot(): Snapshot {
    return this.#snapshot
  }

  async updateStatus(object: AnyObject): Promise<void> {
    await this.#exchange(() => this.#cluster.updateStatus(object))
  }

  async create<T extends KubernetesObject>(object: T): Promise<T> {
    return this.#exchange(() => this.#cluster.create(object) as KubernetesObject as T)
  }

  async delete(reference: ObjectReference): Promise<void> {
    await this.#exchange(() => this.#cluster.delete(reference))
  }

  emitEvent(event: ClusterEvent): void {
    if (!this.#isCut && !this.#isDead) this.#cluster.events.push(event)
  }

  /** The process is killed: what it has sent may still arrive. */
  kill(): void {
    this.#isDead = true
    void this.#watch[Symbol.asyncDispose]()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#watch[Symbol.asyncDispose]()
  }

  #onChange(): void {
    const snapshot = this.#cluster.snapshot()
    const { version } = this.#cluster
    this.#clock.after(this.delays.watch, () => this.#adopt(snapshot, version))
  }

  /** Goes on to a snapshot, unless that is an older one whose news have taken longer. */
  #adopt(snapshot: Snapshot, version: number): void {
    if (this.#isCut || this.#isDead || version < this.#version) return
    const changes = changesBetween(this.#snapshot, snapshot)
    this.#snapshot = snapshot
    this.#version = version
    if (changes.length > 0) this.emit('change', changes)
  }

  async #exchange<T>(work: () => T, signal?: AbortSignal): Promise<T> {
    const { there, back } = this.delays
    const wasCut = this.#isCut || this.#isDead
    return new Promise((resolve, reject) => {
      const give = (): void => reject(new Error('the API server does not answer'))
      signal?.addEventListener('abort', give, { once: true })
      this.#clock.after(REQUEST_TIMEOUT, give)
      this.#network.after(Math.min(there, REQUEST_TIMEOUT - 1), () => {
        if (wasCut) return
        const answer = attempt(work)
        this.#clock.after(back, () => {
          if (this.#isCut) return
          if ('error' in answer) reject(answer.error)
          else resolve(answer.value)
        })
      })
    })
  }
}

const KINDS: readonly Kind[] = ['Namespace', 'IPAddressPool', 'Service', 'ConfigurationState']

function changesBetween(before: Snapshot, after: Snapshot): readonly Change[] {
  return KINDS.flatMap(kind => {
    const [old, now] = [before.objects(kind), after.objects(kind)]
    return [...new Set([...old.keys(), ...now.keys()])].flatMap((key): Change[] => {
      if (old.get(key)?.metadata.resourceVersion === now.get(key)?.metadata.resourceVersion) return []
      return [{ kind, key, type: !now.has(key) ? 'deleted' : old.has(key) ? 'modified' : 'added' }]
    })
  })
}

function attempt<T>(work: () => T): { readonly value: T } | { readonly error: unknown } {
  try {
    return { value: work() }
  } catch (error) {
    return { error }
  }
}
