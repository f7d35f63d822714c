/** How results are printed. */
import { stringify } from 'yaml'

/** Values of `--output`. */
export const FORMATS = ['table', 'json', 'yaml'] as const
/** One of {@link FORMATS}. */
export type Format = (typeof FORMATS)[number]

/** A row of a table: column heading to text. */
export type Row = Readonly<Record<string, string>>

/**
 * Prints rows as kubectl does: upper-case headings, columns padded with three blanks.
 * @returns the lines, ended by a newline; empty when there are no rows
 */
export function table(rows: readonly Row[]): string {
  const headings = Object.keys(rows[0] ?? {})
  if (headings.length === 0) return ''
  const lines = [headings.map(name => name.toUpperCase()), ...rows.map(row => headings.map(name => row[name] ?? ''))]
  const widths = headings.map((_, column) => Math.max(...lines.map(line => line[column]?.length ?? 0)))
  return lines
    .map(line =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('   ')
        .trimEnd(),
    )
    .map(line => `${line}\n`)
    .join('')
}

/** Renders a value for machines, or its rows for people. */
export function render(format: Format, value: unknown, rows: readonly Row[]): string {
  if (format === 'table') return table(rows)
  return format === 'json' ? `${JSON.stringify(value, exact, 2)}\n` : stringify(value)
}

/** JSON has no bigint and no Map. */
function exact(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value)
  return value instanceof Map ? Object.fromEntries(value) : value
}
