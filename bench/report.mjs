// What every benchmark shares: its arguments, its machine, and its table of ours, theirs and the ratio.
import { writeFileSync } from 'node:fs'
import os from 'node:os'
import { parseArgs } from 'node:util'

/** `--quick` (under a minute) and `--json FILE`, which every benchmark takes. */
export function benchArguments() {
  const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false }, json: { type: 'string' } } })
  return values
}

/** Middle value of a list; the lower of the two middle ones when it is even. */
export const median = values => values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)]

/** Lowest and highest value as a share of the median, e.g. `-4 % +9 %`. */
function spread(values) {
  const middle = median(values)
  const share = value => `${value < middle ? '-' : '+'}${Math.abs(Math.round((value / middle - 1) * 100))} %`
  return `${share(Math.min(...values))} ${share(Math.max(...values))}`
}

/**
 * Prints one table and, when asked, writes it with machine and date as JSON.
 * @param rows `{ what, unit, ours: number[], theirs: number[], peer }`: the samples of one measurement, smaller is better
 */
export function report(name, rows, { json, quick }) {
  const table = rows.map(({ what, unit, ours, theirs, peer }) => ({
    what,
    unit,
    ours: median(ours),
    'ours spread': spread(ours),
    peer,
    theirs: median(theirs),
    'theirs spread': spread(theirs),
    'ours / theirs': Number((median(ours) / median(theirs)).toFixed(3)),
  }))
  console.table(table)
  const machine = { cpu: os.cpus()[0]?.model, cores: os.cpus().length, node: process.version, kernel: os.release() }
  if (json)
    writeFileSync(json, `${JSON.stringify({ name, quick, date: new Date().toISOString(), machine, table }, null, 2)}\n`)
}
