import type { Microseconds } from '../wire/index.js'

/** Something that wants to be woken at a time of its own. */
export interface Scheduled {
  /** When; `Infinity`: not at all. Tell the schedule by {@link Schedule.update} after it has changed. */
  readonly deadline: Microseconds
  /** When its {@link expire} would accuse somebody of silence: what waits at the sockets is to be read before. */
  readonly detectionDeadline: Microseconds
  /** Does what is due. */
  expire(now: Microseconds): void
  /** Where the schedule keeps it; -1: nowhere. Only the schedule writes it. */
  place: number
}

/**
 * Everything that waits for a time, the earliest first: a binary heap in which entries know their places. A deadline that has not
 * changed costs a comparison.
 */
export class Schedule {
  readonly #entries: Scheduled[] = []
  /** The deadlines that the order was made by. */
  #keys = new Float64Array(64)

  /** The entry that is due first. */
  get first(): Scheduled | undefined {
    return this.#entries[0]
  }

  /** When the first entry is due; `Infinity` for never. */
  get deadline(): Microseconds {
    return this.#entries.length === 0 ? Infinity : this.#keys[0]!
  }

  /** Takes an entry in, or moves it to where its deadline now belongs. */
  update(entry: Scheduled): void {
    const key = entry.deadline
    let { place } = entry
    if (place < 0) {
      if (key === Infinity) return
      place = this.#entries.length
      this.#grow()
      this.#put(entry, key, place)
      this.#rise(entry, key, place)
    } else if (key === Infinity) this.delete(entry)
    else if (key < this.#keys[place]!) this.#rise(entry, key, place)
    else if (key > this.#keys[place]!) this.#sink(entry, key, place)
  }

  /** Takes an entry out; nothing for one that is not in. */
  delete(entry: Scheduled): void {
    const { place } = entry
    if (place < 0) return
    const last = this.#entries.pop()!
    entry.place = -1
    if (last === entry) return
    const key = this.#keys[this.#entries.length]!
    if (key < this.#keys[place]!) this.#rise(last, key, place)
    else this.#sink(last, key, place)
  }

  #grow(): void {
    if (this.#entries.length < this.#keys.length) return
    const keys = new Float64Array(this.#keys.length * 2)
    keys.set(this.#keys)
    this.#keys = keys
  }

  #put(entry: Scheduled, key: number, place: number): void {
    this.#entries[place] = entry
    this.#keys[place] = key
    entry.place = place
  }

  #rise(entry: Scheduled, key: number, from: number): void {
    let place = from
    while (place > 0) {
      const parent = (place - 1) >> 1
      if (this.#keys[parent]! <= key) break
      this.#put(this.#entries[parent]!, this.#keys[parent]!, place)
      place = parent
    }
    this.#put(entry, key, place)
  }

  #sink(entry: Scheduled, key: number, from: number): void {
    const size = this.#entries.length
    let place = from
    for (;;) {
      let child = 2 * place + 1
      if (child >= size) break
      if (child + 1 < size && this.#keys[child + 1]! < this.#keys[child]!) child++
      if (this.#keys[child]! >= key) break
      this.#put(this.#entries[child]!, this.#keys[child]!, place)
      place = child
    }
    this.#put(entry, key, place)
  }
}
