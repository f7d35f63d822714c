import type { ClusterEvent, ObjectKey } from '@typemetal/cluster'
import type { Note } from './note.js'

/** Addresses of a Service that came or went, or that it could not be given. */
export interface AddressMove {
  readonly service: ObjectKey
  /** As its status named them before; canonical text, as the next. */
  readonly from: readonly string[]
  readonly to: readonly string[]
  /** The pool of {@link to}; empty when there is none. */
  readonly pool: string
  /** Why it lost what it had, or got nothing: what the events say, or a code such as `serviceDeleted`. */
  readonly reason?: string
}

/** What one run of the {@link Reconciler} has decided; statuses to be written are asked for by key when it is their turn. */
export interface Outcome {
  /** Services whose status may have to be written. */
  readonly services: ReadonlySet<ObjectKey>
  /** Names of pools whose counters may have changed; those that are gone included. */
  readonly pools: ReadonlySet<string>
  /** How many addresses were given that the Service did not have before, by pool. */
  readonly given: ReadonlyMap<string, number>
  /** What became of addresses, each once. */
  readonly moves: readonly AddressMove[]
  /** To be recorded, in this order. */
  readonly events: readonly ClusterEvent[]
  /** To be logged, in this order. */
  readonly notes: readonly Note[]
  /** Objects looked at because they changed. */
  readonly updates: number
  /** Those of {@link updates} that could not be served. */
  readonly errors: number
}

/** An {@link Outcome} in the making. */
export class OutcomeBuilder implements Outcome {
  readonly services = new Set<ObjectKey>()
  readonly pools = new Set<string>()
  readonly given = new Map<string, number>()
  readonly moves: AddressMove[] = []
  readonly events: ClusterEvent[] = []
  readonly notes: Note[] = []
  updates = 0
  errors = 0

  give(pool: string, count: number): void {
    if (count > 0) this.given.set(pool, (this.given.get(pool) ?? 0) + count)
  }

  note(level: Note['level'], message: string, fields: Note['fields']): void {
    this.notes.push({ level, message, fields })
  }
}
