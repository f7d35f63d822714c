import type { PathAttributes } from '../wire/index.js'
import { AttributeTable, type AttributeSet } from './attribute-table.js'
import type { PrefixKey } from './prefix-key.js'

/** Adj-RIB-In, RFC 4271 section 3.2: what one peer has announced, before any policy. */
export class AdjRibIn {
  readonly #table = new AttributeTable()
  readonly #routes = new Map<PrefixKey, AttributeSet>()

  /** Prefixes held. */
  get size(): number {
    return this.#routes.size
  }

  /** Puts the prefixes in, each in the place of what the peer said of it before. @returns the set they share */
  announce(keys: readonly PrefixKey[], attributes: PathAttributes, nextHop: Uint8Array): AttributeSet {
    const set = this.#table.intern(attributes, nextHop)
    for (const key of keys) {
      const before = this.#routes.get(key)
      this.#table.retain(set)
      this.#routes.set(key, set)
      if (before) this.#table.release(before)
    }
    this.#table.release(set)
    return set
  }

  /** @returns whether the prefix was there */
  withdraw(key: PrefixKey): boolean {
    const before = this.#routes.get(key)
    if (!before) return false
    this.#routes.delete(key)
    this.#table.release(before)
    return true
  }

  get(key: PrefixKey): AttributeSet | undefined {
    return this.#routes.get(key)
  }

  keys(): IterableIterator<PrefixKey> {
    return this.#routes.keys()
  }

  [Symbol.iterator](): IterableIterator<[PrefixKey, AttributeSet]> {
    return this.#routes.entries()
  }
}
