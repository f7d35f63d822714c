/** Which addresses are answered for: what the plan wants, what is held on to, what is let go. Pure. */
import type { Interfaces } from '../plan/types.js'
import type { ResponderAddress } from './layer2-responder.js'

/** What turns what is answered into what should be. */
export interface AddressDifference {
  /** New, or with other interfaces. */
  readonly set: readonly ResponderAddress[]
  readonly remove: readonly string[]
}

const NOTHING: ReadonlyMap<string, Interfaces> = new Map()

/** The set of addresses of one node. Every change is followed by {@link take}, which tells the difference. */
export class Layer2Set {
  readonly #answerable: (address: string) => boolean
  #wanted: ReadonlyMap<string, Interfaces> = NOTHING
  /** What is answered, as it was last taken. */
  readonly #answered = new Map<string, Interfaces>()
  /** What was answered when the hold began; `undefined` while there is none. */
  #held: ReadonlyMap<string, Interfaces> | undefined
  #released: Set<string> | 'all' = new Set()
  readonly #yielded = new Set<string>()

  /** @param answerable whether an address is one that a host can answer for */
  constructor(answerable: (address: string) => boolean) {
    this.#answerable = answerable
  }

  /** Addresses that are answered. */
  get answered(): readonly string[] {
    return [...this.#answered.keys()]
  }

  /** Whether the plan wants an address. */
  wants(address: string): boolean {
    return this.#wanted.has(address)
  }

  /** Whether addresses are held on to. */
  get holding(): boolean {
    return this.#held !== undefined
  }

  /** Whether an address is answered and may be taken over. */
  holds(address: string): boolean {
    return this.#held?.has(address) === true && this.#answered.has(address)
  }

  /** What the plan wants from now on. @param wanted must not change afterwards */
  want(wanted: ReadonlyMap<string, Interfaces>): void {
    this.#wanted = wanted
  }

  /** From now on what is answered stays, whatever the plan wants. @returns what is answered */
  hold(): readonly string[] {
    this.#held ??= new Map(this.#answered)
    return this.answered
  }

  /** Lets addresses go, whatever the plan wants, until {@link resume}. */
  release(addresses: readonly string[] | 'all'): void {
    if (addresses === 'all') this.#released = 'all'
    else if (this.#released !== 'all') for (const address of addresses) this.#released.add(address)
  }

  /** The plan alone counts again. */
  resume(): void {
    this.#held = undefined
    this.#released = new Set()
  }

  /** Another host has the address, and this node gives way; or no longer does. */
  yield(address: string, yielded: boolean): void {
    if (yielded) this.#yielded.add(address)
    else this.#yielded.delete(address)
  }

  /** Nothing is answered any more, because who answered is gone. */
  reset(): void {
    this.#answered.clear()
    this.#yielded.clear()
  }

  /** Everything that the difference may be about. */
  get concerned(): Iterable<string> {
    const held = this.#held?.keys() ?? []
    return new Set([...this.#wanted.keys(), ...this.#answered.keys(), ...held, ...this.#yielded])
  }

  /** What is to change for these addresses; it counts as done. */
  take(addresses: Iterable<string>): AddressDifference {
    const set: ResponderAddress[] = []
    const remove: string[] = []
    for (const address of addresses) {
      if (!this.#wanted.has(address)) this.#yielded.delete(address)
      const is = this.#shouldBe(address)
      const was = this.#answered.get(address)
      if (is === undefined) {
        if (this.#answered.delete(address)) remove.push(address)
      } else if (was === undefined || !sameInterfaces(was, is)) {
        this.#answered.set(address, is)
        set.push({ address, interfaces: is })
      }
    }
    return { set, remove }
  }

  #shouldBe(address: string): Interfaces | undefined {
    if (this.#released === 'all' || this.#released.has(address) || this.#yielded.has(address)) return undefined
    const interfaces = this.#wanted.get(address) ?? this.#held?.get(address)
    if (interfaces === undefined) return undefined
    return this.#answered.has(address) || this.#answerable(address) ? interfaces : undefined
  }
}

const sameInterfaces = (a: Interfaces, b: Interfaces): boolean =>
  a === b || (a !== 'all' && b !== 'all' && a.length === b.length && a.every((name, i) => name === b[i]))
