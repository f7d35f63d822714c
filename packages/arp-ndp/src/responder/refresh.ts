import type { Instant } from './announcer.js'

/** An interval is cut into so many slots; addresses of one slot are refreshed together. */
const SLOTS = 512
/** The part of an interval by which a refresh may come early, so that nodes do not fall into step. */
const JITTER = 0.1

/** How a {@link RefreshSchedule} is made. */
export interface RefreshOptions {
  /** Milliseconds that no address waits longer for its next refresh than. */
  readonly interval: number
  /** From 0 up to, not including, 1. */
  readonly random: () => number
}

/**
 * When each address is announced again without a reason: forwarding tables of switches and ARP tables of routers forget.
 * The first refresh of an address falls anywhere in its first interval, so that 5,000 addresses that came at once do not
 * go out at once; each further one comes up to a tenth of the interval early. Reads no clock.
 */
export class RefreshSchedule {
  readonly #interval: number
  readonly #random: () => number
  /** By slot of the wheel, which turns once in a little more than an interval. */
  readonly #wheel = new Map<number, Set<string>>()
  /** Address → the number of its slot, which counts up for ever. */
  readonly #slotOf = new Map<string, number>()
  #next: number | undefined

  constructor({ interval, random }: RefreshOptions) {
    this.#interval = interval
    this.#random = random
  }

  /** Number of addresses. */
  get size(): number {
    return this.#slotOf.size
  }

  /** When {@link handleTimeout} is next due; `undefined` while there is no address. */
  get nextTimeout(): Instant | undefined {
    return this.#next === undefined ? undefined : this.#next * this.#slotLength
  }

  get #slotLength(): number {
    return this.#interval / SLOTS
  }

  /** Takes an address in, to be refreshed within the interval; one that is in keeps its turn. */
  add(address: string, now: Instant): void {
    if (!this.#slotOf.has(address)) this.#put(address, now + this.#interval * this.#random())
  }

  /** Forgets an address. */
  delete(address: string): void {
    const slot = this.#slotOf.get(address)
    if (slot === undefined) return
    this.#slotOf.delete(address)
    const together = this.#wheel.get(slot)
    together?.delete(address)
    if (together?.size === 0) this.#drop(slot)
  }

  /** The addresses due at `now`; each is put in for its next turn. */
  handleTimeout(now: Instant): readonly string[] {
    const due: string[] = []
    while (this.#next !== undefined && this.#next * this.#slotLength <= now) {
      const slot = this.#next
      const together = this.#wheel.get(slot) ?? []
      this.#drop(slot)
      due.push(...together)
    }
    for (const address of due) this.#put(address, now + this.#interval * (1 - JITTER * this.#random()))
    return due
  }

  #put(address: string, at: Instant): void {
    const slot = Math.floor(at / this.#slotLength)
    const together = this.#wheel.get(slot)
    if (together === undefined) this.#wheel.set(slot, new Set([address]))
    else together.add(address)
    this.#slotOf.set(address, slot)
    if (this.#next === undefined || slot < this.#next) this.#next = slot
  }

  #drop(slot: number): void {
    this.#wheel.delete(slot)
    if (slot !== this.#next) return
    this.#next = this.#wheel.size === 0 ? undefined : Math.min(...this.#wheel.keys())
  }
}
