import { randomBytes } from 'node:crypto'
import { type ApiClient, ConflictError, type KubernetesObject, NotFoundError } from '@typemetal/cluster'
import { type Logger, StartupError } from '@typemetal/cluster/process'

/** Octets of the key; as text in base64 without padding, which is what MetalLB makes. */
const KEY_LENGTH = 16

/** Options of {@link createMemberlistSecret}. */
export interface MemberlistSecretOptions {
  readonly api: ApiClient
  readonly namespace: string
  /** Of the Secret. */
  readonly name: string
  /** Deployment that is to own it, so that the one goes with the other; empty: nobody. */
  readonly deployment: string
  readonly log: Logger
}

/**
 * Makes the Secret from which the speakers derive the key of their gossip, unless there is one of that name, whatever is in it.
 *
 * @throws {StartupError} the API server refuses
 */
export async function createMemberlistSecret({
  api,
  namespace,
  name,
  deployment,
  log,
}: MemberlistSecretOptions): Promise<void> {
  const secrets = `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets`
  try {
    if (await exists(api, `${secrets}/${encodeURIComponent(name)}`)) return
    const owner = await ownerReference(api, namespace, deployment)
    const secretkey = randomBytes(KEY_LENGTH).toString('base64').replace(/=+$/, '')
    const metadata = { name, namespace, ...(owner && { ownerReferences: [owner] }) }
    const body = { apiVersion: 'v1', kind: 'Secret', metadata, stringData: { secretkey } }
    await api.send({ method: 'POST', path: secrets, body })
    log.info({ event: 'memberlistSecret', name }, 'a key for the gossip of the speakers was made')
  } catch (error) {
    // Another replica was quicker.
    if (error instanceof ConflictError) return
    throw new StartupError(`cannot make Secret ${namespace}/${name}: ${(error as Error).message}`, { cause: error })
  }
}

async function exists(api: ApiClient, path: string): Promise<boolean> {
  try {
    await api.send({ method: 'GET', path })
    return true
  } catch (error) {
    if (error instanceof NotFoundError) return false
    throw error
  }
}

async function ownerReference(api: ApiClient, namespace: string, name: string): Promise<object | undefined> {
  if (name === '') return undefined
  const path = `/apis/apps/v1/namespaces/${encodeURIComponent(namespace)}/deployments/${encodeURIComponent(name)}`
  const { apiVersion, kind, metadata } = (await api.send({ method: 'GET', path })) as KubernetesObject
  return { apiVersion, kind, name, uid: metadata.uid }
}
