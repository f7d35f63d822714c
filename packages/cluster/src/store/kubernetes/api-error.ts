import { fieldOf, isFields } from '../../schema/plain.js'
import { ConflictError, NotFoundError } from '../store.js'
import type { Milliseconds } from './limits.js'

/** What the server says beside a status. */
export interface ApiErrorDetails {
  /** After which it wants to be asked again. */
  readonly retryAfter?: Milliseconds | undefined
  /** `details.causes[].reason` of its answer. */
  readonly causes?: readonly string[]
}

/** The API server refused a request. */
export class ApiError extends Error {
  readonly code = 'ERR_KUBERNETES_API'
  readonly retryAfter: Milliseconds | undefined
  readonly causes: readonly string[]

  constructor(
    /** HTTP status; 0: the answer was not one of an API server. */
    readonly status: number,
    /** In the server's words. */
    message: string,
    { retryAfter, causes = [] }: ApiErrorDetails = {},
  ) {
    super(message)
    this.retryAfter = retryAfter
    this.causes = causes
  }
}

/** The API server did not answer in time. */
export class SilenceError extends Error {
  readonly code = 'ERR_KUBERNETES_SILENT'
}

/** The error that a response stands for, in the terms of the store. */
export function errorOf(status: number, body: unknown, retryAfter?: Milliseconds): Error {
  const said = fieldOf(body, 'message')
  const message = typeof said === 'string' ? said : `HTTP status ${status}`
  if (status === 409) return new ConflictError(message)
  if (status === 404) return new NotFoundError(message)
  const details = fieldOf(body, 'details')
  const causes = fieldOf(details, 'causes')
  const seconds = fieldOf(details, 'retryAfterSeconds')
  return new ApiError(status, message, {
    retryAfter: retryAfter ?? (typeof seconds === 'number' ? seconds * 1000 : undefined),
    causes: Array.isArray(causes) ? causes.filter(isFields).map(cause => String(cause['reason'])) : [],
  })
}

/** Kinds of failure, as metrics and decisions tell them apart. */
export type Failure =
  /** Where we were is forgotten: everything must be listed anew. */
  | 'expired'
  /** Asked to be left alone for a while. */
  | 'busy'
  | 'unauthorized'
  | 'forbidden'
  | 'not-found'
  | 'conflict'
  /** The server refused for another reason. */
  | 'refused'
  /** The server is in trouble. */
  | 'server'
  /** What came is not what an API server says. */
  | 'malformed'
  | 'silent'
  | 'connection'

const BY_STATUS: Readonly<Record<number, Failure>> = {
  0: 'malformed',
  401: 'unauthorized',
  403: 'forbidden',
  410: 'expired',
  429: 'busy',
}

/** Which kind of failure an error is. */
export function failureOf(error: unknown): Failure {
  if (error instanceof ConflictError) return 'conflict'
  if (error instanceof NotFoundError) return 'not-found'
  if (error instanceof SilenceError) return 'silent'
  if (error instanceof SyntaxError) return 'malformed'
  if (!(error instanceof ApiError)) return 'connection'
  // A server that was restored from a backup knows no version as new as ours: waiting for it would be waiting for long.
  if (error.causes.includes('ResourceVersionTooLarge')) return 'expired'
  const known = BY_STATUS[error.status]
  if (known) return known
  if (error.status === 503 && error.retryAfter !== undefined) return 'busy'
  return error.status >= 500 ? 'server' : 'refused'
}
