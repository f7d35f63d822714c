/** A layer-2 responder that only remembers what it was asked. */
import { EventEmitter } from 'node:events'
import type { Responder, ResponderAddress } from '@typemetal/speaker'

export class FakeResponder extends EventEmitter implements Responder {
  readonly #addresses = new Map<string, ResponderAddress>()
  /** Orders beside changes of the set: `announce 10.1.0.1`. */
  readonly orders: string[] = []
  /** Addresses handed over, in all changes. */
  handed = 0
  /** Questions for all counters. */
  asked = 0
  disposed = false
  names: readonly string[] = ['eth0']

  /** What is answered, in the order in which it came. */
  get wanted(): readonly ResponderAddress[] {
    return [...this.#addresses.values()]
  }

  /** Their addresses. */
  get answered(): readonly string[] {
    return [...this.#addresses.keys()]
  }

  changeAddresses(set: readonly ResponderAddress[], remove: readonly string[]): void {
    this.handed += set.length + remove.length
    for (const address of remove) this.#addresses.delete(address)
    for (const entry of set) this.#addresses.set(entry.address, entry)
  }

  announce(address: string): void {
    this.orders.push(`announce ${address}`)
  }

  defend(address: string): void {
    this.orders.push(`defend ${address}`)
  }

  hush(addresses: readonly string[]): void {
    this.orders.push(...addresses.map(address => `hush ${address}`))
  }

  interfaces(): readonly string[] {
    return this.names
  }

  async counters() {
    this.asked++
    return new Map([['10.1.0.1', { requestsReceived: 2, responsesSent: 1, gratuitousSent: 0 }]])
  }

  async statistics(): Promise<unknown> {
    return []
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.disposed = true
  }
}
