// What was measured, of whom: samples by figure and daemon, and the rows that become of them.
import { median } from '../report.mjs'

const OURS = 'ours'

/** Figures of one run. */
export class Samples {
  #figures = new Map()
  #peers

  /** @param peers names with versions by id, ours left out */
  constructor(peers) {
    this.#peers = peers
  }

  /**
   * One more sample.
   * @param what unique; rows come in the order in which these are first seen
   * @param more of the row: `goal`, `limit`
   */
  add(id, what, unit, value, more = {}) {
    const figure = this.#figures.get(what) ?? { unit, more, values: new Map() }
    this.#figures.set(what, figure)
    const values = figure.values.get(id) ?? []
    figure.values.set(id, [...values, Number(value.toPrecision(4))])
  }

  /** Median of a figure; `undefined` when it was not measured. */
  median(id, what) {
    const values = this.#figures.get(what)?.values.get(id)
    return values && median(values)
  }

  /** The least median of the peers that have one. */
  best(what) {
    const medians = Object.keys(this.#peers).map(id => this.median(id, what))
    const known = medians.filter(value => value !== undefined)
    return known.length > 0 ? Math.min(...known) : undefined
  }

  /** A figure that is ours as a share of somebody's: one sample, of medians. Nothing without either. */
  relate(what, of, theirs, goal) {
    const mine = this.median(OURS, of)
    if (mine === undefined || theirs === undefined || !Number.isFinite(mine / theirs)) return
    this.add(OURS, what, 'ratio', mine / theirs, { goal })
  }

  /** For `report.mjs`: ours beside each peer. Figures that we have no sample of are left out. */
  get rows() {
    return [...this.#figures].flatMap(([what, { unit, more, values }]) => {
      const ours = values.get(OURS)
      if (!ours) return []
      const { goal, ...rest } = more
      const peers = Object.keys(this.#peers).filter(id => values.has(id))
      const beside = peers.map(id => ({ what, unit, ours, peer: this.#peers[id], theirs: values.get(id), ...rest }))
      const [first, ...others] = beside.length > 0 ? beside : [{ what, unit, ours, ...rest }]
      return [{ ...first, ...(goal !== undefined && { goal, goalOf: 'median' }) }, ...others]
    })
  }

  /** Medians of everybody side by side, in Markdown; also of figures that we have no sample of. */
  get matrix() {
    const ids = [OURS, ...Object.keys(this.#peers)]
    const names = ids.map(id => this.#peers[id] ?? OURS)
    const cell = (values, { limit }) => {
      if (!values) return ''
      const middle = median(values)
      return String(middle === Infinity ? `> ${limit}` : middle)
    }
    const lines = [...this.#figures].map(([what, { unit, more, values }]) => [
      what,
      unit,
      ...ids.map(id => cell(values.get(id), more)),
    ])
    const rule = ['---', '---', ...ids.map(() => '--:')]
    return [['median', 'unit', ...names], rule, ...lines].map(cells => `| ${cells.join(' | ')} |`).join('\n')
  }
}

/** The value that a share of a list lies at or below. */
export function percentile(values, share) {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)]
}
