/** Why a kind cannot be read, in words for people. */
import { NotFoundError, type Kind } from '../store.js'
import { KINDS } from '../kinds.js'
import { ApiError } from './api-error.js'

/** @returns one sentence that says what to do, where that is known */
export function describeFailure(kind: Kind, error: unknown, server: string): string {
  const { plural, apiVersion } = KINDS[kind]
  const group = apiVersion.includes('/') ? `.${apiVersion.split('/')[0]}` : ''
  if (error instanceof NotFoundError)
    return `the Kubernetes API at ${server} has no ${plural}${group}: install the CRDs`
  if (!(error instanceof ApiError)) return `cannot reach the Kubernetes API at ${server}: ${messageOf(error)}`
  if (error.status === 401) return `the Kubernetes API at ${server} does not accept our credentials`
  if (error.status === 403) return `not allowed to list and watch ${plural}${group}: ${error.message}`
  return `the Kubernetes API at ${server} does not give us ${plural}${group}: ${error.message}`
}

/** An AggregateError of a failed connection has no message of its own. */
const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message || String((error as NodeJS.ErrnoException).code) : String(error)
