import type { DefencePolicy } from '../acd/defence.js'
import type { Neighbor } from '../responder/neighbor-refresh.js'
import type { AddressCounters } from '../responder/owned-addresses.js'
import type { Protocol } from '../responder/responder.js'
import type { LogLevel } from './logger.js'
import type { AddressChange, PackedChanges } from './packed-change.js'
import type { PortStatistics } from './port.js'

/** What the worker is started with. */
export interface WorkerOptions {
  readonly excludeInterfaces: readonly string[]
  /** Milliseconds. */
  readonly scanInterval: number
  /** Milliseconds; `undefined` for none. */
  readonly refreshInterval: number | undefined
  /** Frames a second on each interface. */
  readonly gratuitousRate: number
  readonly defend: DefencePolicy
  /** Whether the thread asks for precedence before others. */
  readonly raisesPriority: boolean
}

/** Another host uses an address that we answer for. */
export interface AddressConflict {
  readonly address: string
  readonly interface: string
  /** The other host's, `02:00:00:00:00:01`. */
  readonly mac: string
  /** `claim`: it has the address; `probe`: it asks whether it may have it (RFC 4862 §5.4.3). */
  readonly kind: 'claim' | 'probe'
  /** Frames of it since `since`. */
  readonly count: number
  readonly since: Date
}

/** Answers to questions, by name. */
export interface Answers {
  readonly counters: ReadonlyMap<string, AddressCounters>
  readonly statistics: readonly PortStatistics[]
  readonly conflicts: readonly AddressConflict[]
}

/** One thing a running worker can be asked to do. */
export type Order =
  | { readonly type: 'change'; readonly set: readonly AddressChange[]; readonly remove: readonly string[] }
  | { readonly type: 'announce'; readonly address: string }
  /** One round, without a burst. */
  | { readonly type: 'defend'; readonly address: string }
  /** Bursts and refreshes of these end; they are answered for all the same. */
  | { readonly type: 'hush'; readonly addresses: readonly string[] }
  | {
      readonly type: 'refresh'
      readonly address: string
      readonly interface: string
      readonly neighbor: Neighbor
    }
  | { readonly type: 'ask'; readonly id: number; readonly question: keyof Answers }

/** Main thread to worker: orders, a change packed. */
export type Request =
  | Exclude<Order, { type: 'change' }>
  | { readonly type: 'change'; readonly set: PackedChanges; readonly remove: readonly string[] }
  | { readonly type: 'close' }

/** A responder came or went. */
export interface ResponderChange {
  readonly action: 'create' | 'delete'
  readonly protocol: Protocol
  readonly interface: string
}

/** Worker to main thread. */
export type Report =
  | { readonly type: 'ready' }
  | { readonly type: 'interfaces'; readonly names: readonly string[] }
  | { readonly type: 'responder'; readonly change: ResponderChange }
  /** Sightings of one moment; the same address and MAC address at most once a second. */
  | { readonly type: 'conflict'; readonly conflicts: readonly AddressConflict[] }
  | { readonly type: 'conflict-over'; readonly conflicts: readonly AddressConflict[] }
  /** No interface of this host is one that the address is set for; or one is again. */
  | { readonly type: 'unmatched'; readonly address: string; readonly interfaces: readonly string[] }
  | { readonly type: 'matched'; readonly address: string }
  | { readonly type: 'answer'; readonly id: number; readonly value: Answers[keyof Answers] }
  /** It could not start, and ends. */
  | { readonly type: 'failed'; readonly error: PlainError }
  | { readonly type: 'log'; readonly level: LogLevel; readonly fields: object; readonly message: string }

/** An error's own fields; cloning an Error between threads would lose `code`. */
export interface PlainError {
  readonly message: string
  readonly code?: string
  readonly syscall?: string
  readonly errno?: number
}

/** Takes an error apart for the other thread. */
export function plainError(error: unknown): PlainError {
  if (!(error instanceof Error)) return { message: String(error) }
  const { message } = error
  const { code, syscall, errno } = error as Error & Omit<PlainError, 'message'>
  return {
    message,
    ...(typeof code === 'string' && { code }),
    ...(typeof syscall === 'string' && { syscall }),
    ...(typeof errno === 'number' && { errno }),
  }
}

/** Puts an error from the other thread together again. */
export const revivedError = ({ message, ...fields }: PlainError): Error => Object.assign(new Error(message), fields)
