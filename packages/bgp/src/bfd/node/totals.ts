import { DISCARD_REASONS, discardPlace, readDiscards, type DiscardReason, type Discards } from './discards.js'

/** Counts of what belongs to no session. */
export interface BfdCounters {
  /** Received packets that were discarded and belong to no session, by reason. */
  readonly discards: Discards
  /**
   * Packets for our sockets that the kernel did not give us: its filter refused them while they came too fast, or a socket's
   * queue was full.
   */
  readonly kernelDrops: number
  /** How often a socket was flooded so that the kernel's filter went onto it. */
  readonly floods: number
  /** Sockets that have the kernel's filter on now. */
  readonly filteredSockets: number
}

const TOTALS = ['kernelDrops', 'floods', 'filteredSockets'] as const
type Total = (typeof TOTALS)[number]
const CELLS = TOTALS.length + DISCARD_REASONS.length

/** Memory for the counts, which the worker writes and the main thread reads. */
export const createTotals = (): SharedArrayBuffer => new SharedArrayBuffer(CELLS * Float64Array.BYTES_PER_ELEMENT)

/** The worker's side. */
export class TotalsWriter {
  readonly #cells: Float64Array

  constructor(memory: SharedArrayBuffer) {
    this.#cells = new Float64Array(memory)
  }

  add(total: Total, amount: number): void {
    this.#cells[TOTALS.indexOf(total)]! += amount
  }

  discard(reason: DiscardReason): void {
    this.#cells[TOTALS.length + discardPlace(reason)]!++
  }
}

/** The main thread's side. */
export function readTotals(memory: SharedArrayBuffer): BfdCounters {
  const cells = new Float64Array(memory)
  const [kernelDrops = 0, floods = 0, filteredSockets = 0] = cells
  return { discards: readDiscards(cells.subarray(TOTALS.length)), kernelDrops, floods, filteredSockets }
}
