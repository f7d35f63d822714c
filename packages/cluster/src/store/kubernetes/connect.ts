import { Agent as HttpAgent } from 'node:http'
import type { RequestOptions } from 'node:https'
import { StartupError } from '../../process/startup-error.js'
import { AgentPool } from './agent-pool.js'
import { findTokenFile, readToken } from './token-file.js'

/** What a request needs to be let in. */
export interface Credentials {
  readonly agent: HttpAgent
  readonly headers: Readonly<Record<string, string>>
}

/** A cluster and how to be let in. */
export interface Connection {
  /** Base URL of the API server. */
  readonly server: URL
  /** Credentials of now: tokens in files are rotated. */
  readonly credentials: () => Promise<Credentials>
  /** Forgets credentials that the server did not accept. @returns false when newer ones cannot be had yet */
  readonly renew: () => boolean
  readonly close: () => void
}

/** Milliseconds for which credentials are used before they are looked up again. */
const CREDENTIALS_LIFETIME = 10_000
/** Milliseconds; credentials that were looked up later than this are not looked up again because the server refused them. */
const FRESH = 1000

/** What the library falls back to when it finds no cluster at all. */
const LIBRARY_GUESS = 'http://localhost:8080'

/**
 * Finds the API server: by a kubeconfig file, or as kubectl does (`KUBECONFIG`, `~/.kube/config`), or by the service account of the pod.
 *
 * @throws {StartupError} there is none, or the file is broken
 */
export async function connect(kubeconfig: string | undefined): Promise<Connection> {
  // Loaded on use: it costs 60 MB, which those who read a folder do not pay.
  const { KubeConfig } = await import('@kubernetes/client-node')
  const config = new KubeConfig()
  let tokenFile: string | undefined
  try {
    if (kubeconfig === undefined) config.loadFromDefault()
    else config.loadFromFile(kubeconfig)
    tokenFile = await findTokenFile(config.getCurrentUser(), kubeconfig)
  } catch (error) {
    throw new StartupError(`cannot read kubeconfig ${kubeconfig ?? ''}: ${(error as Error).message}`, { cause: error })
  }
  const cluster = config.getCurrentCluster()
  if (!cluster) throw new StartupError(`kubeconfig ${kubeconfig ?? ''} names no cluster as its current context`)
  if (kubeconfig === undefined && cluster.server === LIBRARY_GUESS) {
    throw new StartupError('no cluster is named: give --config-dir DIR or --kubeconfig FILE, or run in a pod')
  }
  const server = new URL(cluster.server)
  const agents = new AgentPool(server.protocol === 'https:')
  let cached: { readonly credentials: Credentials; readonly at: number } | undefined
  return {
    server,
    credentials: async () => {
      if (cached && performance.now() - cached.at < CREDENTIALS_LIFETIME) return cached.credentials
      const options: RequestOptions = { headers: {} }
      await config.applyToHTTPSOptions(options)
      const token = tokenFile === undefined ? undefined : await readToken(tokenFile)
      const headers = { ...headersOf(options), ...(token !== undefined && { authorization: `Bearer ${token}` }) }
      const credentials = { agent: agents.agentFor(options), headers }
      cached = { credentials, at: performance.now() }
      return credentials
    },
    renew: () => {
      if (cached && performance.now() - cached.at < FRESH) return false
      cached = undefined
      return true
    },
    close: () => agents.close(),
  }
}

/** Lower-case names, so that one field is not there twice. */
function headersOf({ headers = {}, auth }: RequestOptions): Readonly<Record<string, string>> {
  const basic = auth ? { authorization: `Basic ${Buffer.from(auth).toString('base64')}` } : {}
  const given = Object.entries(headers).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
  return { ...Object.fromEntries(given.map(([name, value]) => [name.toLowerCase(), value])), ...basic }
}
