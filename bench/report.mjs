// What every benchmark shares: its arguments, its machine, and its table of ours, theirs and the ratio.
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import os from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

/**
 * `--quick` (under a minute) and `--json FILE`, which every benchmark takes, and what this one takes beside them.
 * @param more as in `parseArgs`
 */
export function benchArguments(more = {}) {
  const { values } = parseArgs({
    options: { quick: { type: 'boolean', default: false }, json: { type: 'string' }, ...more },
  })
  return values
}

/** Middle value of a list; the lower of the two middle ones when it is even. */
export const median = values => values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)]

/** Lowest and highest value as a share of the median, e.g. `-4 % +9 %`; nothing when that says nothing. */
function spread(values) {
  const finished = values.filter(Number.isFinite)
  const middle = median(values)
  if (values.length < 2 || !Number.isFinite(middle) || middle === 0) return undefined
  const share = value => `${value < middle ? '-' : '+'}${Math.abs(Math.round((value / middle - 1) * 100))} %`
  return `${share(Math.min(...finished))} ${share(Math.max(...finished))}`
}

const inTime = (value, limit) => (value === Infinity ? `> ${limit}` : value)

function unfinished(values, limit) {
  const count = values.filter(value => value === Infinity).length
  return count > 0 ? `${count} of ${values.length} took > ${limit}` : undefined
}

function verdict(values, goal, goalOf = 'all') {
  if (goal === undefined) return undefined
  if (goalOf === 'median') return `median <= ${goal}: ${median(values) <= goal ? 'held' : 'MISSED'}`
  return `all <= ${goal}: ${Math.max(...values) <= goal ? 'held' : 'MISSED'}`
}

/** Both must have a middle, and a ratio to nothing is none. */
function ratio(ours, theirs) {
  const quotient = ours / theirs
  return Number.isFinite(quotient) && Number.isFinite(ours) && theirs !== Infinity
    ? Number(quotient.toFixed(3))
    : undefined
}

/** Cells of one row by column, in the columns' order; those with nothing to say are undefined. */
function line({ what, unit, ours, theirs, peer, limit, goal, goalOf, worst }) {
  const of = (values, figure) => values && figure(values)
  const middle = values => inTime(median(values), limit)
  const highest = values => (worst ? inTime(Math.max(...values), limit) : undefined)
  const late = values => unfinished(values, limit)
  return {
    what,
    unit,
    ours: middle(ours),
    'ours spread': spread(ours),
    'ours max': highest(ours),
    'ours late': late(ours),
    peer,
    theirs: of(theirs, middle),
    'theirs spread': of(theirs, spread),
    'theirs max': of(theirs, highest),
    'theirs late': of(theirs, late),
    'ours / theirs': of(theirs, () => ratio(median(ours), median(theirs))),
    samples: theirs ? `${ours.length} / ${theirs.length}` : `${ours.length}`,
    goal: verdict(ours, goal, goalOf),
  }
}

/**
 * Prints one table, which Markdown takes too. Smaller is better in all of them.
 * @param rows `{ what, unit, ours: number[], theirs?: number[], peer? }`: the samples of one measurement, a count being a single
 * sample; `theirs` is left out where there is no peer. `Infinity` stands for a trial that did not end within `limit`, in the row's
 * unit. With `worst: true` the highest sample is shown too, and a `goal` is held when each of ours is within it, or the median with `goalOf: 'median'`.
 */
export function print(rows) {
  if (rows.length === 0) return
  const lines = rows.map(line)
  const columns = Object.keys(lines[0]).filter(column => lines.some(cells => cells[column] !== undefined))
  const cells = [columns, ...lines.map(line => columns.map(column => String(line[column] ?? '')))]
  const widths = columns.map((_, i) => Math.max(...cells.map(row => row[i].length)))
  const isNumber = columns.map(column => lines.some(line => typeof line[column] === 'number'))
  const pad = (text, i) => (isNumber[i] ? text.padStart(widths[i]) : text.padEnd(widths[i]))
  const [head, ...body] = cells.map(row => `| ${row.map(pad).join(' | ')} |`)
  const rule = `|${widths.map((width, i) => `${'-'.repeat(width + 1)}${isNumber[i] ? ':' : '-'}`).join('|')}|`
  console.log([head, rule, ...body].join('\n'))
}

/**
 * Writes rows, when a file was asked for, with their samples (`null`: not within the limit), machine, versions and date as JSON.
 * @param versions of what was measured, by name
 */
export function keep(name, rows, { json, quick }, versions = {}) {
  if (!json) return
  const machine = { cpu: os.cpus()[0]?.model, cores: os.cpus().length, node: process.version, kernel: os.release() }
  const table = rows.map(row => ({ ...line(row), values: { ours: row.ours, theirs: row.theirs } }))
  const result = { name, quick, date: new Date().toISOString(), machine, versions, table }
  writeFileSync(json, `${JSON.stringify(result, null, 2)}\n`)
}

/** {@link print} and {@link keep}. */
export function report(name, rows, options) {
  print(rows)
  keep(name, rows, options)
}

/** What is checked out, as `git describe` has it; `undefined` outside of a checkout. */
export function commit() {
  try {
    const git = { cwd: fileURLToPath(new URL('.', import.meta.url)), encoding: 'utf8', stdio: 'pipe' }
    return execFileSync('git', ['describe', '--always', '--dirty'], git).trim()
  } catch {
    return undefined // not a checkout
  }
}
