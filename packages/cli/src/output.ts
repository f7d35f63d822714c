/** How results are printed. */
import { LayeredMap } from '@typemetal/cluster'
import { stringify } from 'yaml'
import { CommandError } from './exit-code.js'

/** Values of `--output`. */
export const FORMATS = ['table', 'json', 'yaml'] as const
/** One of {@link FORMATS}. */
export type Format = (typeof FORMATS)[number]

/** A row of a table: column heading to text. */
export type Row = Readonly<Record<string, string>>

/** What a piece of text says, for those who can show colours. */
export type Tone = 'good' | 'bad' | 'warn' | 'dim' | 'strong'

/** Gives a text its tone, or leaves it as it is. */
export type Paint = (tone: Tone, text: string) => string

const CODES: Readonly<Record<Tone, readonly [on: number, off: number]>> = {
  good: [32, 39],
  bad: [31, 39],
  warn: [33, 39],
  dim: [2, 22],
  strong: [1, 22],
}

/** A {@link Paint} with ANSI colours, or one that does nothing. */
export const painter = (color: boolean): Paint =>
  color ? (tone, text) => (text === '' ? '' : `\u001B[${CODES[tone][0]}m${text}\u001B[${CODES[tone][1]}m`) : plain

/** Leaves every text as it is. */
export const plain: Paint = (_tone, text) => text

/** Options of {@link table}. */
export interface TableOptions {
  /** Tone of a cell, if it has one. */
  readonly tone?: (column: string, cell: string) => Tone | undefined
  readonly paint?: Paint
}

/**
 * Prints rows as kubectl does: upper-case headings, columns padded with three blanks.
 * @returns the lines, ended by a newline; empty when there are no rows
 */
export function table(rows: readonly Row[], { tone, paint = plain }: TableOptions = {}): string {
  const headings = Object.keys(rows[0] ?? {})
  if (headings.length === 0) return ''
  const head = headings.map(name => name.replaceAll('_', ' ').toUpperCase())
  const lines = rows.map(row => headings.map(name => row[name] ?? ''))
  // Not Math.max of them all: a table may have more rows than a call may have arguments.
  const widths = headings.map((_, column) =>
    lines.reduce((width, line) => Math.max(width, line[column]?.length ?? 0), head[column]?.length ?? 0),
  )
  const print = (cells: readonly string[], toneOf: (column: number, cell: string) => Tone | undefined): string => {
    const last = cells.findLastIndex(cell => cell !== '')
    return cells
      .slice(0, last + 1)
      .map((cell, column) => {
        const padding = ' '.repeat(column === last ? 0 : (widths[column] ?? 0) - cell.length)
        const found = toneOf(column, cell)
        return (found ? paint(found, cell) : cell) + padding
      })
      .join('   ')
  }
  return [
    print(head, () => 'strong'),
    ...lines.map(line => print(line, (column, cell) => tone?.(headings[column] ?? '', cell))),
  ]
    .map(line => `${line}\n`)
    .join('')
}

/** Renders a value for machines, or `people` for people. */
export function render(format: Format, value: unknown, people: () => string): string {
  if (format === 'table') return people()
  const exact = simple(value)
  try {
    return format === 'json'
      ? `${JSON.stringify(exact, null, 2)}\n`
      : stringify(exact, { aliasDuplicateObjects: false })
  } catch (error) {
    // V8 has no text of more than half a gigabyte.
    if (error instanceof RangeError)
      throw new CommandError('the answer is too long to be printed: ask about some nodes only')
    throw error
  }
}

/**
 * JSON has no Map, no Set and no bigint: counts beyond 2^53 become text rather than wrong.
 * @param done what was made of objects so far: the plans of many nodes share nearly all of theirs
 */
export function simple(value: unknown, done = new Map<object, unknown>()): unknown {
  if (typeof value === 'bigint') return value <= Number.MAX_SAFE_INTEGER ? Number(value) : String(value)
  if (typeof value !== 'object' || value === null) return value
  const known = done.get(value)
  if (known !== undefined) return known
  const made = simpleObject(value, done)
  done.set(value, made)
  return made
}

function simpleObject(value: object, done: Map<object, unknown>): object {
  if (value instanceof Set || Array.isArray(value))
    return [...(value as Iterable<unknown>)].map(item => simple(item, done))
  const isMap = value instanceof Map || value instanceof LayeredMap
  return Object.fromEntries(simpleEntries(isMap ? value.entries() : Object.entries(value), done))
}

function* simpleEntries(
  entries: Iterable<readonly [unknown, unknown]>,
  done: Map<object, unknown>,
): Generator<readonly [string, unknown]> {
  for (const [name, entry] of entries) if (entry !== undefined) yield [String(name), simple(entry, done)]
}
