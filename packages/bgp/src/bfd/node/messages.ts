import type { LogLevel } from './logger.js'
import type { SessionOptions } from '../fsm/index.js'
import type { State } from '../wire/index.js'
import type { Endpoint } from './endpoint.js'

/** What the worker is started with. */
export interface WorkerOptions {
  /** Memory of {@link createTotals}. */
  readonly totals: SharedArrayBuffer
  /** Whether the thread asks for precedence before others. */
  readonly raisesPriority: boolean
}

/** Main thread to worker. */
export type Request =
  | {
      readonly type: 'add'
      readonly id: number
      readonly endpoint: Endpoint
      readonly options: SessionOptions
      readonly disabled: boolean
      /** Memory of {@link createCells}. */
      readonly cells: SharedArrayBuffer
    }
  | { readonly type: 'change'; readonly id: number; readonly options: SessionOptions }
  | { readonly type: 'disable' | 'enable' | 'remove'; readonly id: number }
  | { readonly type: 'close' }

/** What else is told with a change of state. */
export interface StateDetails {
  /** bfd.LocalDiag after the change. */
  readonly diagnostic: number
  /** bfd.RemoteSessionState. */
  readonly remoteState: State
  /** Diagnostic of the last packet received. */
  readonly remoteDiagnostic: number
  /** One sentence for people. */
  readonly cause: string
}

/** Worker to main thread. */
export type Report =
  | { readonly type: 'ready' }
  /** It could not start, and ends. */
  | { readonly type: 'failed'; readonly error: PlainError }
  | {
      readonly type: 'state'
      readonly id: number
      readonly to: State
      readonly from: State
      readonly details: StateDetails
    }
  | { readonly type: 'remote-state'; readonly id: number; readonly to: State; readonly from: State }
  | { readonly type: 'log'; readonly level: LogLevel; readonly fields: object; readonly message: string }

/** An error's own fields; cloning an Error between threads would lose `code`. */
export interface PlainError {
  readonly message: string
  readonly code: string | undefined
}

/** Takes an error apart for the other thread. */
export function plainError(error: unknown): PlainError {
  if (!(error instanceof Error)) return { message: String(error), code: undefined }
  const { code } = error as Error & { readonly code?: unknown }
  return { message: error.message, code: typeof code === 'string' ? code : undefined }
}
