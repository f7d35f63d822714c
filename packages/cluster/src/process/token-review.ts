import { createHash } from 'node:crypto'
import type { ApiClient } from '../store/store.js'
import type { Authorize } from './metrics.js'

/** Milliseconds for which an answer of the API server is believed. */
const LIFETIME = 60_000
/** Answers that are kept. */
const CAPACITY = 256

const REVIEW = '/apis/authentication.k8s.io/v1/tokenreviews'
const ACCESS = '/apis/authorization.k8s.io/v1/subjectaccessreviews'

/** What the API server knows of a token. */
interface TokenStatus {
  readonly authenticated?: boolean
  readonly user?: {
    readonly username?: string
    readonly uid?: string
    readonly groups?: readonly string[]
    readonly extra?: Readonly<Record<string, readonly string[]>>
  }
}

/**
 * Asks the API server who has a token (TokenReview) and whether they may `get` the path `/metrics` (SubjectAccessReview). Answers
 * are kept for a minute; a token itself is kept nowhere.
 *
 * @param now milliseconds that never go back. @default the process's clock
 */
export function tokenReview(api: () => ApiClient | undefined, now = (): number => performance.now()): Authorize {
  const answers = new Map<string, { readonly status: 200 | 401 | 403; readonly until: number }>()
  return async token => {
    if (token === undefined) return 401
    const digest = createHash('sha256').update(token).digest('base64')
    const known = answers.get(digest)
    if (known && now() < known.until) return known.status
    const client = api()
    if (!client) throw new Error('there is no API server yet to ask about tokens')
    const status = await review(client, token)
    answers.delete(digest)
    answers.set(digest, { status, until: now() + LIFETIME })
    const [oldest] = answers.keys()
    if (answers.size > CAPACITY && oldest !== undefined) answers.delete(oldest)
    return status
  }
}

async function review(api: ApiClient, token: string): Promise<200 | 401 | 403> {
  const question = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token } }
  const { authenticated, user } = statusOf<TokenStatus>(
    await api.send({ method: 'POST', path: REVIEW, body: question }),
  )
  if (!authenticated) return 401
  const { username, ...rest } = user ?? {}
  const nonResourceAttributes = { path: '/metrics', verb: 'get' }
  const access = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: { user: username, ...rest, nonResourceAttributes },
  }
  const { allowed } = statusOf<{ allowed?: boolean }>(await api.send({ method: 'POST', path: ACCESS, body: access }))
  return allowed ? 200 : 403
}

const statusOf = <T extends object>(answer: unknown): Partial<T> =>
  (answer as { readonly status?: Partial<T> }).status ?? {}
