import { ConflictError, NotFoundError } from '../store.js'
import { isFields } from '../directory/identify.js'

/** The API server refused a request. */
export class ApiError extends Error {
  readonly code = 'ERR_KUBERNETES_API'
  constructor(
    /** HTTP status. */
    readonly status: number,
    /** In the server's words. */
    message: string,
    /** Milliseconds after which the server wants to be asked again. */
    readonly retryAfter?: number,
  ) {
    super(message)
  }
}

/** The error that a response stands for, in the terms of the store. */
export function errorOf(status: number, body: unknown, retryAfter?: number): Error {
  const message = isFields(body) && typeof body['message'] === 'string' ? body['message'] : `HTTP status ${status}`
  if (status === 409) return new ConflictError(message)
  if (status === 404) return new NotFoundError(message)
  return new ApiError(status, message, retryAfter)
}

/** Whether an error says that a list or watch must begin anew. */
export const isExpired = (error: unknown): boolean => error instanceof ApiError && error.status === 410
