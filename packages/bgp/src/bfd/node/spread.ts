/** How values are spread. */
export interface Spread {
  /** How many there were. */
  readonly count: number
  readonly mean: number
  /** Standard deviation. */
  readonly deviation: number
  readonly least: number
  readonly most: number
}

const COUNT = 0
const MEAN = 1
const SQUARES = 2
const LEAST = 3
const MOST = 4

/** Cells that a spread takes. */
export const SPREAD_CELLS = 5

/** Adds values up in memory that another thread may read (Welford's method). */
export class SpreadWriter {
  readonly #cells: Float64Array

  /** @param cells {@link SPREAD_CELLS} of them */
  constructor(cells: Float64Array) {
    this.#cells = cells
  }

  add(value: number): void {
    const cells = this.#cells
    const count = cells[COUNT]! + 1
    const difference = value - cells[MEAN]!
    cells[MEAN] = cells[MEAN]! + difference / count
    cells[SQUARES] = cells[SQUARES]! + difference * (value - cells[MEAN])
    if (count === 1 || value < cells[LEAST]!) cells[LEAST] = value
    if (count === 1 || value > cells[MOST]!) cells[MOST] = value
    cells[COUNT] = count
  }

  /** Begins anew. */
  clear(): void {
    this.#cells.fill(0)
  }
}

/** What a {@link SpreadWriter} has written. */
export function readSpread(cells: Float64Array): Spread {
  const count = cells[COUNT]!
  const deviation = count > 1 ? Math.sqrt(cells[SQUARES]! / (count - 1)) : 0
  return { count, mean: cells[MEAN]!, deviation, least: cells[LEAST]!, most: cells[MOST]! }
}
