const GONE = Symbol('gone')
/** After so many changes, and as many as there are entries, the newest version takes a Map of its own. */
const SMALL = 32
/** Steps to the newest version after which an older one that is asked takes a shorter way. */
const LONG_WAY = 32

/** What a version has other than the next newer one. */
type Layer<K, V> = ReadonlyMap<K, V | typeof GONE>

/**
 * An immutable map whose changed copies share everything: a change costs what changes, however large the map is. That lets a store hand
 * out a snapshot for each of ten thousand changes, without a pause to copy and without garbage in proportion to its size. The newest
 * version has the entries, and an older one knows how it differs from the next. Iterates in the order of insertion, as Map does; an
 * older version tells last what has been taken out since.
 */
export class LayeredMap<K, V> implements ReadonlyMap<K, V> {
  /** How many entries there are. */
  readonly size: number
  /** The entries; `undefined` once a newer version has them. */
  #entries: Map<K, V> | undefined
  #layer: Layer<K, V> | undefined
  #newer: LayeredMap<K, V> | undefined
  /** Changes since {@link #entries} was made and first filled: an older version that somebody keeps holds on to the layers of as many at most. */
  readonly #changes: number
  /** Who goes through {@link #entries} now: they must not change under them. */
  #readers = 0

  /** @param entries not to be changed by anybody else from now on */
  constructor(entries = new Map<K, V>(), changes = 0) {
    this.#entries = entries
    this.#changes = changes
    this.size = entries.size
  }

  /** A copy with some entries set, or removed where the value is `undefined`; itself when that changes nothing. */
  with(changes: Iterable<readonly [K, V | undefined]>): LayeredMap<K, V> {
    // Whoever makes them up on the way may look into this map for it.
    const news = [...changes]
    if (news.every(([key, value]) => value === this.get(key))) return this
    const isFree = this.#entries !== undefined && this.#readers === 0
    const isLong = this.#changes > Math.max(SMALL, this.size)
    // A Map is copied by V8 itself, twenty times as fast as through our own generator.
    const entries = isFree && !isLong ? this.#entries! : new Map(this.#entries ?? this)
    const layer = new Map<K, V | typeof GONE>()
    for (const [key, value] of news) {
      if (!layer.has(key)) layer.set(key, entries.get(key) ?? GONE)
      if (value === undefined) entries.delete(key)
      else entries.set(key, value)
    }
    if (entries !== this.#entries) return new LayeredMap(entries)
    const isFirst = this.size === 0 && this.#changes === 0
    const newer = new LayeredMap(entries, isFirst ? 0 : this.#changes + layer.size)
    this.#entries = undefined
    this.#layer = layer
    this.#newer = newer
    return newer
  }

  /** The value of a key, as Map does. */
  get(key: K): V | undefined {
    if (this.#entries !== undefined) return this.#entries.get(key)
    const value = LayeredMap.#lookUp(this, key)
    return value === GONE ? undefined : value
  }

  /** Whether there is such a key. */
  has(key: K): boolean {
    return this.get(key) !== undefined
  }

  /** Calls for each entry. */
  forEach(callback: (value: V, key: K, map: ReadonlyMap<K, V>) => void): void {
    for (const [key, value] of this) callback(value, key, this)
  }

  /** Keys whose value is not the same in both: costs what has changed when one was made of the other by calls of {@link with}. */
  static differences<K, V>(a: ReadonlyMap<K, V>, b: ReadonlyMap<K, V>): ReadonlySet<K> {
    const related = a instanceof LayeredMap && b instanceof LayeredMap
    const layer = related ? (LayeredMap.#between(a, b) ?? LayeredMap.#between(b, a)) : undefined
    const keys = layer?.keys() ?? new Set([...a.keys(), ...b.keys()])
    const changed = new Set<K>()
    for (const key of keys) if (a.get(key) !== b.get(key)) changed.add(key)
    return changed
  }

  /** Keys with their values. */
  *entries(): Generator<[K, V], undefined> {
    const newest = LayeredMap.#newest(this)
    const entries = newest.#entries!
    const other: Layer<K, V> = LayeredMap.#between(this, newest) ?? new Map<K, V | typeof GONE>()
    newest.#readers++
    try {
      for (const [key, value] of entries) {
        const mine = other.get(key) ?? value
        if (mine !== GONE) yield [key, mine]
      }
      for (const [key, mine] of other) if (mine !== GONE && !entries.has(key)) yield [key, mine]
    } finally {
      newest.#readers--
    }
  }

  /** Keys alone. */
  *keys(): Generator<K, undefined> {
    for (const [key] of this) yield key
  }

  /** Values alone. */
  *values(): Generator<V, undefined> {
    for (const [, value] of this) yield value
  }

  /** The same as {@link entries}. */
  [Symbol.iterator](): Generator<[K, V], undefined> {
    return this.entries()
  }

  static #lookUp<K, V>(from: LayeredMap<K, V>, key: K): V | typeof GONE | undefined {
    let version = from
    for (let steps = 1; version.#newer !== undefined; steps++) {
      const value = version.#layer!.get(key)
      if (value !== undefined) return value
      version = version.#newer
      if (steps === LONG_WAY) from.#shorten()
    }
    return version.#entries!.get(key)
  }

  /** The way to the newest version becomes one step. */
  #shorten(): void {
    const newest = LayeredMap.#newest(this)
    this.#layer = LayeredMap.#between(this, newest)
    this.#newer = newest
  }

  static #newest<K, V>(version: LayeredMap<K, V>): LayeredMap<K, V> {
    let newest = version
    while (newest.#newer !== undefined) newest = newest.#newer
    return newest
  }

  /** What a version has other than a newer one; `undefined`: that one is no newer version of it. */
  static #between<K, V>(older: LayeredMap<K, V>, newer: LayeredMap<K, V>): Layer<K, V> | undefined {
    // Mostly it is the next one, whose layer needs no copy.
    if (older.#newer === newer) return older.#layer
    const all = new Map<K, V | typeof GONE>()
    for (let version = older; version !== newer; version = version.#newer) {
      if (version.#newer === undefined) return undefined
      for (const [key, value] of version.#layer!) if (!all.has(key)) all.set(key, value)
    }
    return all
  }
}

/**
 * Keys whose value is not the same in both maps, those included that only one of them has. Between two snapshots of a store that costs
 * no more than what has changed.
 */
export function changedKeys<K, V>(older: ReadonlyMap<K, V>, newer: ReadonlyMap<K, V>): ReadonlySet<K> {
  return older === newer ? new Set() : LayeredMap.differences(older, newer)
}
