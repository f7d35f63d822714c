const GONE = Symbol('gone')
/** A delta larger than this, and than the square root of the base, is merged into a new base. */
const SMALL = 32

/**
 * An immutable map whose changed copies share almost everything: a change costs the square root of its size. That lets a store
 * hand out a snapshot for each of ten thousand changes. Iterates in the order of insertion, as Map does.
 */
export class LayeredMap<K, V> implements ReadonlyMap<K, V> {
  readonly size: number
  readonly #base: ReadonlyMap<K, V>
  readonly #delta: ReadonlyMap<K, V | typeof GONE>

  constructor(
    base: ReadonlyMap<K, V> = new Map(),
    delta: ReadonlyMap<K, V | typeof GONE> = new Map(),
    size = base.size,
  ) {
    this.#base = base
    this.#delta = delta
    this.size = size
  }

  /** A copy with some entries set, or removed where the value is `undefined`. */
  with(changes: Iterable<readonly [K, V | undefined]>): LayeredMap<K, V> {
    const delta = new Map(this.#delta)
    let size = this.size
    for (const [key, value] of changes) {
      const present = isPresent(delta, this.#base, key)
      size += (value === undefined ? 0 : 1) - (present ? 1 : 0)
      if (value === undefined && !this.#base.has(key)) delta.delete(key)
      else delta.set(key, value ?? GONE)
    }
    const changed = new LayeredMap(this.#base, delta, size)
    return delta.size > Math.max(SMALL, Math.sqrt(this.#base.size)) ? new LayeredMap(changed.#merged()) : changed
  }

  /** Copying a Map is far cheaper than filling one. */
  #merged(): Map<K, V> {
    const merged = new Map(this.#base)
    for (const [key, value] of this.#delta) {
      if (value === GONE) merged.delete(key)
      else merged.set(key, value)
    }
    return merged
  }

  /** The value of a key. */
  get(key: K): V | undefined {
    const value = this.#delta.get(key)
    if (value === undefined) return this.#base.get(key)
    return value === GONE ? undefined : value
  }

  /** Whether there is a value of the key. */
  has(key: K): boolean {
    return isPresent(this.#delta, this.#base, key)
  }

  /** Calls a function for each entry, in the order of insertion. */
  forEach(callback: (value: V, key: K, map: ReadonlyMap<K, V>) => void): void {
    for (const [key, value] of this) callback(value, key, this)
  }

  /**
   * Keys that may differ between two maps: all of them, or a few when one map was made of the other by a few calls of {@link with}.
   */
  static *suspects<K, V>(a: ReadonlyMap<K, V>, b: ReadonlyMap<K, V>): Generator<K, undefined> {
    const related = a instanceof LayeredMap && b instanceof LayeredMap && a.#base === b.#base
    for (const key of related ? a.#delta.keys() : a.keys()) yield key
    for (const key of related ? b.#delta.keys() : b.keys()) yield key
  }

  *entries(): Generator<[K, V], undefined> {
    for (const [key, value] of this.#base) {
      const newer = this.#delta.get(key)
      if (newer === undefined) yield [key, value]
      else if (newer !== GONE) yield [key, newer]
    }
    for (const [key, value] of this.#delta) {
      if (value !== GONE && !this.#base.has(key)) yield [key, value]
    }
  }

  *keys(): Generator<K, undefined> {
    for (const [key] of this) yield key
  }

  *values(): Generator<V, undefined> {
    for (const [, value] of this) yield value
  }

  /** Entries in the order of insertion. */
  [Symbol.iterator](): Generator<[K, V], undefined> {
    return this.entries()
  }
}

function isPresent<K, V>(delta: ReadonlyMap<K, V | typeof GONE>, base: ReadonlyMap<K, V>, key: K): boolean {
  const value = delta.get(key)
  return value === undefined ? base.has(key) : value !== GONE
}

/**
 * Keys whose value is not the same in both maps, those included that only one of them has. Between two snapshots of a store that costs
 * no more than what has changed.
 */
export function changedKeys<K, V>(older: ReadonlyMap<K, V>, newer: ReadonlyMap<K, V>): ReadonlySet<K> {
  const changed = new Set<K>()
  if (older === newer) return changed
  for (const key of LayeredMap.suspects(older, newer)) if (older.get(key) !== newer.get(key)) changed.add(key)
  return changed
}
