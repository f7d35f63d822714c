import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent, type AgentOptions, type RequestOptions } from 'node:https'
import { StartupError } from '../../process/startup-error.js'

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
}

/** Milliseconds for which credentials are used before they are looked up again. */
const CREDENTIALS_LIFETIME = 10_000

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
  try {
    if (kubeconfig === undefined) config.loadFromDefault()
    else config.loadFromFile(kubeconfig)
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
  let cached: Credentials | undefined
  let until = 0
  return {
    server,
    credentials: async () => {
      if (cached && performance.now() < until) return cached
      const options: RequestOptions = { headers: {} }
      await config.applyToHTTPSOptions(options)
      cached = { agent: agents.agentFor(options), headers: headersOf(options) }
      until = performance.now() + CREDENTIALS_LIFETIME
      return cached
    },
  }
}

/** Keeps connections alive from request to request, as long as the TLS credentials stay the same. */
class AgentPool {
  readonly #secure: boolean
  #fingerprint = ''
  #agent: HttpAgent | undefined

  constructor(secure: boolean) {
    this.#secure = secure
  }

  agentFor(options: RequestOptions): HttpAgent {
    const given = options.agent as (HttpAgent & { readonly options: AgentOptions }) | undefined
    // A proxy's agent is the library's to make.
    if (given && given.constructor !== HttpAgent && given.constructor !== HttpsAgent) return given
    const { ca, cert, key, rejectUnauthorized, servername } = options
    const fingerprint = [ca, cert, key, rejectUnauthorized, servername].map(String).join('\n')
    if (this.#agent && fingerprint === this.#fingerprint) return this.#agent
    this.#fingerprint = fingerprint
    const tls = Object.fromEntries(
      Object.entries({ ca, cert, key, rejectUnauthorized, servername }).filter(([, value]) => value !== undefined),
    )
    this.#agent = this.#secure ? new HttpsAgent({ keepAlive: true, ...tls }) : new HttpAgent({ keepAlive: true })
    return this.#agent
  }
}

function headersOf({ headers = {}, auth }: RequestOptions): Readonly<Record<string, string>> {
  const basic = auth ? { authorization: `Basic ${Buffer.from(auth).toString('base64')}` } : {}
  const given = Object.entries(headers).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
  return { ...Object.fromEntries(given), ...basic }
}
