import type { SessionSnapshot } from '../fsm/index.js'
import { STATES } from '../wire/index.js'
import { DISCARD_REASONS, discardPlace, readDiscards, type DiscardReason, type Discards } from './discards.js'
import { readSpread, SPREAD_CELLS, SpreadWriter, type Spread } from './spread.js'

/** Fields of a {@link SessionSnapshot} by how they become numbers. */
const STATE_FIELDS = ['state', 'remoteState'] as const
const BOOLEAN_FIELDS = [
  'remoteControlPlaneIndependent',
  'polling',
  'changePending',
  'remoteDemandActive',
  'echoActive',
] as const
const NUMBER_FIELDS = [
  'diagnostic',
  'remoteDiagnostic',
  'myDiscriminator',
  'yourDiscriminator',
  'desiredMinTxInterval',
  'requiredMinRxInterval',
  'requiredMinEchoRxInterval',
  'detectMult',
  'remoteDesiredMinTxInterval',
  'remoteMinRxInterval',
  'remoteMinEchoRxInterval',
  'remoteDetectMult',
  'transmitInterval',
  'receiveInterval',
  'detectionTime',
  'remoteDetectionTime',
  'echoInterval',
] as const
type Field = (typeof STATE_FIELDS)[number] | (typeof BOOLEAN_FIELDS)[number] | (typeof NUMBER_FIELDS)[number]

/** What is counted of a session. */
export const COUNTERS = [
  'packetsReceived',
  'packetsSent',
  'echoPacketsReceived',
  'echoPacketsSent',
  'echoPacketsLooped',
  'upTransitions',
  'downTransitions',
  'sendErrors',
] as const

/** Name of a count of a session. @useDeclaredType */
export type Counter = (typeof COUNTERS)[number]

/** Counts of one session since it was made. */
export type SessionCounters = { readonly [C in Counter]: number } & {
  /** Packets for this session that were discarded. */
  readonly discards: Discards
  /** Microseconds that our control packets were sent behind their time. */
  readonly transmitLateness: Spread
  /** Microseconds between the remote system's control packets, since the interval that is agreed has last changed. */
  readonly arrivalInterval: Spread
}

const SEQUENCE_OCTETS = 8
const PATIENCE = 100_000
const FIELDS_AT = 0
const COUNTERS_AT = FIELDS_AT + STATE_FIELDS.length + BOOLEAN_FIELDS.length + NUMBER_FIELDS.length
const DISCARDS_AT = COUNTERS_AT + COUNTERS.length
const LATENESS_AT = DISCARDS_AT + DISCARD_REASONS.length
const ARRIVAL_AT = LATENESS_AT + SPREAD_CELLS
const CELLS = ARRIVAL_AT + SPREAD_CELLS
const COUNTER_PLACES = new Map(COUNTERS.map((counter, place) => [counter, COUNTERS_AT + place]))

/** Memory for one session, in state Down, which the worker writes and the main thread reads. */
export function createCells(): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(SEQUENCE_OCTETS + CELLS * Float64Array.BYTES_PER_ELEMENT)
  cellsOf(memory).fill(STATES.indexOf('Down'), FIELDS_AT, FIELDS_AT + STATE_FIELDS.length)
  return memory
}

const sequenceOf = (memory: SharedArrayBuffer): Int32Array => new Int32Array(memory, 0, 1)
const cellsOf = (memory: SharedArrayBuffer): Float64Array => new Float64Array(memory, SEQUENCE_OCTETS, CELLS)

/** The worker's side. */
export class CellWriter {
  readonly transmitLateness: SpreadWriter
  readonly arrivalInterval: SpreadWriter
  readonly #sequence: Int32Array
  readonly #cells: Float64Array

  constructor(memory: SharedArrayBuffer) {
    this.#sequence = sequenceOf(memory)
    this.#cells = cellsOf(memory)
    this.transmitLateness = new SpreadWriter(this.#cells.subarray(LATENESS_AT, LATENESS_AT + SPREAD_CELLS))
    this.arrivalInterval = new SpreadWriter(this.#cells.subarray(ARRIVAL_AT, ARRIVAL_AT + SPREAD_CELLS))
  }

  count(counter: Counter): void {
    this.#cells[COUNTER_PLACES.get(counter)!]!++
  }

  discard(reason: DiscardReason): void {
    this.#cells[DISCARDS_AT + discardPlace(reason)]!++
  }

  /** Writes the snapshot so that a reader takes all of it or nothing. */
  publish(snapshot: SessionSnapshot): void {
    const cells = this.#cells
    let at = FIELDS_AT
    Atomics.add(this.#sequence, 0, 1) // odd: being written
    for (const field of STATE_FIELDS) cells[at++] = STATES.indexOf(snapshot[field])
    for (const field of BOOLEAN_FIELDS) cells[at++] = snapshot[field] ? 1 : 0
    for (const field of NUMBER_FIELDS) cells[at++] = snapshot[field]
    Atomics.add(this.#sequence, 0, 1)
  }
}

/** The main thread's side. */
export class CellReader {
  readonly #sequence: Int32Array
  readonly #cells: Float64Array

  constructor(memory: SharedArrayBuffer) {
    this.#sequence = sequenceOf(memory)
    this.#cells = cellsOf(memory)
  }

  /** What the worker has written last. */
  snapshot(): SessionSnapshot {
    const cells = this.#fields()
    let at = 0
    const values: { [F in Field]?: unknown } = {}
    for (const field of STATE_FIELDS) values[field] = STATES[cells[at++]!]
    for (const field of BOOLEAN_FIELDS) values[field] = cells[at++] === 1
    for (const field of NUMBER_FIELDS) values[field] = cells[at++]
    return values as { [F in Field]: never }
  }

  counters(): SessionCounters {
    const cells = this.#cells
    const counts = Object.fromEntries(COUNTERS.map((counter, place) => [counter, cells[COUNTERS_AT + place]!]))
    return {
      ...(counts as { [C in Counter]: number }),
      discards: readDiscards(cells.subarray(DISCARDS_AT)),
      transmitLateness: readSpread(cells.subarray(LATENESS_AT)),
      arrivalInterval: readSpread(cells.subarray(ARRIVAL_AT)),
    }
  }

  /** A copy of the fields that was not written to while it was made. */
  #fields(): Float64Array {
    for (let attempt = 1; ; attempt++) {
      const before = Atomics.load(this.#sequence, 0)
      const copy = this.#cells.slice(FIELDS_AT, COUNTERS_AT)
      if ((before & 1) === 0 && Atomics.load(this.#sequence, 0) === before) return copy
      // A worker that was terminated in the middle writes no more.
      if (attempt === PATIENCE) return copy
    }
  }
}
