import type { Verdict } from '../facts.js'
import type { Content } from './dom.js'
import { compareText } from './words.js'

/** A row of any table. */
export interface Row {
  readonly verdict: Verdict
}

/** A column of a table. */
export interface Column<T> {
  readonly title: string
  /** What its cells are sorted by. */
  readonly key: (row: T) => string | number
  readonly cell: (row: T) => readonly Content[]
  /** `name`: the cell that names its row. */
  readonly kind?: 'name' | 'number' | 'sign' | 'code' | 'wide'
  /** Whether to show it, where not every process knows what is in it. @default always */
  readonly isKnown?: (rows: readonly T[]) => boolean
}

/** What a reader wants to see of a table. */
export interface Wish<T> {
  /** Words that must all be in a row, in any order. */
  readonly filter: string
  /** Leaves out what is good. */
  readonly onlyWrong: boolean
  readonly column: Column<T>
  readonly descending: boolean
}

/**
 * Picks and orders rows.
 *
 * @param textOf all of a row's words, in lower case
 * @param nameOf what decides between equals
 */
export function pickRows<T extends Row>(
  rows: readonly T[],
  wish: Wish<T>,
  textOf: (row: T) => string,
  nameOf: (row: T) => string,
): readonly T[] {
  const words = wish.filter.toLowerCase().split(/\s+/).filter(Boolean)
  const picked = rows.filter(row => {
    if (wish.onlyWrong && row.verdict === 'good') return false
    if (words.length === 0) return true
    const text = textOf(row)
    return words.every(word => text.includes(word))
  })
  const keyed = picked.map(row => ({ row, key: wish.column.key(row), name: nameOf(row) }))
  const sign = wish.descending ? -1 : 1
  keyed.sort((a, b) => sign * compare(a.key, b.key) || compareText(a.name, b.name))
  return keyed.map(({ row }) => row)
}

const compare = (a: string | number, b: string | number): number =>
  typeof a === 'number' && typeof b === 'number' ? a - b : compareText(String(a), String(b))
