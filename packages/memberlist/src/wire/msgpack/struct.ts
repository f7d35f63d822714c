import type { Reader } from './reader.js'
import { encodeText } from './text.js'

/** Reads one field's value into the struct. */
export type ReadField<T> = (reader: Reader, into: T) => void

/** Makes the properties of a struct's interface assignable while it is being decoded. */
export type Draft<T> = { -readonly [K in keyof T]: T[K] }

/**
 * How one struct is read: a map with the Go field names as keys (unknown keys are passed over, missing ones keep the
 * zero value, of duplicates the last wins), or an array in the order of declaration.
 */
export class StructReader<T> {
  readonly #zero: () => Draft<T>
  readonly #inOrder: readonly ReadField<Draft<T>>[]
  readonly #byKey: ReadonlyMap<string, ReadField<Draft<T>>>
  /** In the order in which encoders write them, each key as it stands on the wire. */
  readonly #usual: readonly { readonly key: Uint8Array; readonly read: ReadField<Draft<T>> }[]

  /**
   * @param zero makes the struct of zero values
   * @param fields Go field name and reader, in the order of declaration
   */
  constructor(zero: () => Draft<T>, fields: Readonly<Record<string, ReadField<Draft<T>>>>) {
    this.#zero = zero
    this.#inOrder = Object.values(fields)
    this.#byKey = new Map(Object.entries(fields))
    this.#usual = Object.keys(fields)
      .toSorted()
      .map(name => ({ key: Uint8Array.of(0xa0 | name.length, ...encodeText(name)), read: fields[name]! }))
  }

  /** @throws {WireError} when the body is neither map, array nor nil, ends early, or a value does not fit its field */
  read(reader: Reader): T {
    const value = this.#zero()
    const { count, keyed } = reader.structHead()
    if (keyed) this.#readMap(reader, value, count)
    else this.#readArray(reader, value, count)
    return value
  }

  #readMap(reader: Reader, into: Draft<T>, count: number): void {
    let next = 0
    for (let i = 0; i < count; i++) {
      const usual = this.#takeUsualKey(reader, next)
      const read = usual === undefined ? this.#byKey.get(reader.string()) : this.#usual[usual]!.read
      if (usual !== undefined) next = usual + 1
      if (read) read(reader, into)
      else reader.skip()
    }
  }

  #readArray(reader: Reader, into: Draft<T>, count: number): void {
    for (let i = 0; i < count; i++) {
      const read = this.#inOrder[i]
      if (read) read(reader, into)
      else reader.skip()
    }
  }

  /** Recognises a key where it stands, without making a string of it. Of those that usually come, some may be left out. */
  #takeUsualKey(reader: Reader, from: number): number | undefined {
    for (let k = from; k < this.#usual.length; k++) if (reader.takeIf(this.#usual[k]!.key)) return k
    return undefined
  }
}
