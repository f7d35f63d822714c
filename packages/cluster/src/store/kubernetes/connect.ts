import type { RequestOptions } from 'node:https'
import { StartupError } from '../../process/startup-error.js'
import { AgentPool, type Agents } from './agent-pool.js'
import { credentialSource } from './credentials.js'
import { findTarget, type Target } from './kubeconfig.js'

/** What a request needs to be let in. */
export interface Credentials {
  readonly agents: Agents
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

/**
 * Finds the API server: by a kubeconfig file, or as kubectl does (`KUBECONFIG`, `~/.kube/config`), or by the service account of the pod.
 *
 * @param context of the kubeconfig. @default its `current-context`
 * @throws {StartupError} there is none, or the file is broken
 */
export async function connect(kubeconfig: string | undefined, context?: string): Promise<Connection> {
  const target = await targetFor(kubeconfig, context)
  const { cluster } = target
  const server = new URL(cluster.server)
  if (server.protocol !== 'https:' && !cluster.skipTLSVerify) {
    throw new StartupError(`${cluster.server}: plain HTTP wants insecure-skip-tls-verify: true in the kubeconfig`)
  }
  const current = await credentialSource(target)
  const agents = new AgentPool(server.protocol === 'https:')
  let cached: { readonly credentials: Credentials; readonly at: number } | undefined
  return {
    server,
    credentials: async () => {
      if (cached && performance.now() - cached.at < CREDENTIALS_LIFETIME) return cached.credentials
      const options = await current()
      const credentials = { agents: agents.agentsFor(options), headers: headersOf(options) }
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

async function targetFor(file: string | undefined, context: string | undefined): Promise<Target> {
  try {
    const target = await findTarget({ file, context })
    if (target) return target
  } catch (error) {
    const which = file === undefined ? '' : ` ${file}`
    throw new StartupError(`cannot read kubeconfig${which}: ${(error as Error).message}`, { cause: error })
  }
  throw new StartupError(
    'no cluster is named: there is no kubeconfig (--kubeconfig, KUBECONFIG, ~/.kube/config), and this is no pod; a folder of manifests (--config-dir of controller and speaker) needs none',
  )
}

/** Lower-case names, so that one field is not there twice. */
function headersOf({ headers = {}, auth }: RequestOptions): Readonly<Record<string, string>> {
  const basic = auth ? { authorization: `Basic ${Buffer.from(auth).toString('base64')}` } : {}
  const given = Object.entries(headers).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
  return { ...Object.fromEntries(given.map(([name, value]) => [name.toLowerCase(), value])), ...basic }
}
