/** Virtual time and a Lease server that is slow, cut off, or changes its mind: what an election is tested in. */
import { ConflictError } from '@typemetal/cluster'
import type { ElectionClock, Lease, LeaseClient } from '@typemetal/cluster/leader'

/** Lets everything happen that needs no time. */
export const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 3; turn++) await new Promise(resolve => setImmediate(resolve))
}

/** Time of a whole cluster. */
export class Time {
  now = 0
  readonly #timers = new Set<{ readonly at: number; readonly callback: () => void }>()

  /** @returns a function that prevents it */
  after(delay: number, callback: () => void): () => void {
    const timer = { at: this.now + Math.max(0, delay), callback }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  /** Goes on so far, timer by timer. @param watch called at every moment at which something has happened */
  async pass(duration: number, watch: () => void = () => {}): Promise<void> {
    const end = this.now + duration
    await settle()
    for (;;) {
      const [next] = [...this.#timers].toSorted((a, b) => a.at - b.at)
      if (!next || next.at > end) break
      this.#timers.delete(next)
      this.now = Math.max(this.now, next.at)
      next.callback()
      await settle()
      watch()
    }
    this.now = end
    watch()
  }

  get timers(): number {
    return this.#timers.size
  }
}

/** The time of one process, whose clock may run fast or slow and which may be paused. */
export class ProcessClock implements ElectionClock {
  readonly #time: Time
  readonly #speed: number
  #pausedUntil = -Infinity

  constructor(time: Time, speed = 1) {
    this.#time = time
    this.#speed = speed
  }

  now(): number {
    return this.#time.now * this.#speed
  }

  date(): Date {
    return new Date(Date.UTC(2026, 0, 1) + this.now())
  }

  /** Nothing of this process runs for so long. */
  pause(duration: number): void {
    this.#pausedUntil = this.#time.now + duration
  }

  get isPaused(): boolean {
    return this.#time.now < this.#pausedUntil
  }

  after(delay: number, callback: () => void): () => void {
    let cancel = (): void => {}
    const ring = (): void => {
      if (this.isPaused) cancel = this.#time.after(this.#pausedUntil - this.#time.now, ring)
      else callback()
    }
    cancel = this.#time.after(delay / this.#speed, ring)
    return () => cancel()
  }
}

/** The one Lease of a cluster. */
export class LeaseServer {
  lease: Lease | undefined
  writes = 0
  readonly #time: Time
  #version = 0

  constructor(time: Time) {
    this.#time = time
  }

  /** One process's way to it. */
  client(): FlakyClient {
    return new FlakyClient(this, this.#time)
  }

  write(lease: Lease): Lease {
    if (lease.metadata.resourceVersion !== this.lease?.metadata.resourceVersion) throw new ConflictError('changed')
    this.writes++
    const metadata = { ...lease.metadata, resourceVersion: String(++this.#version) }
    return (this.lease = { ...lease, metadata })
  }
}

/** What becomes of a request. */
export interface Weather {
  /** Milliseconds to the server. */
  readonly there: number
  /** Milliseconds back. */
  readonly back: number
  /** Where it gets lost. */
  readonly lost: 'no' | 'there' | 'back'
}

/** A client whose requests take their time and get lost. */
export class FlakyClient implements LeaseClient {
  weather: () => Weather = () => ({ there: 1, back: 1, lost: 'no' })
  readonly #server: LeaseServer
  readonly #time: Time

  constructor(server: LeaseServer, time: Time) {
    this.#server = server
    this.#time = time
  }

  read(_name: string, signal: AbortSignal): Promise<Lease | undefined> {
    return this.#exchange(() => this.#server.lease, signal)
  }

  write(lease: Lease, signal: AbortSignal): Promise<Lease> {
    return this.#exchange(() => this.#server.write(lease), signal)
  }

  #exchange<T>(work: () => T, signal: AbortSignal): Promise<T> {
    const { there, back, lost } = this.weather()
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
      this.#time.after(there, () => {
        if (lost === 'there') return
        try {
          // An aborted request may be on its way all the same: it is carried out.
          const result = work()
          if (lost === 'no') this.#time.after(back, () => resolve(result))
        } catch (error) {
          if (lost === 'no') this.#time.after(back, () => reject(error))
        }
      })
    })
  }
}
