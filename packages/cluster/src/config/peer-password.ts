import type { Secret } from '../resources/core.js'
import type { BGPPeer } from '../resources/metallb.js'
import type { ErrorList } from './error-list.js'

const SECRET_TYPE = 'kubernetes.io/basic-auth'

/** The TCP-MD5 key of a peer, from its spec or from the Secret it names (in the MetalLB namespace, whatever it says). */
export function buildPassword(
  peer: BGPPeer,
  secrets: ReadonlyMap<string, Secret>,
  errors: ErrorList,
): string | undefined {
  const { password, passwordSecret } = peer.spec
  const { name, namespace } = peer.metadata
  const secretName = passwordSecret?.name
  if (!secretName) return password || undefined
  const config = `"${namespace ?? ''}"/"${name}"`
  if (password) {
    const reason = `can not have both password and secret ref set in peer config ${config}`
    errors.add(peer, 'spec.passwordSecret', reason)
    return undefined
  }
  const refuse = (reason: string, transient = false): undefined => {
    const text = `${reason}: failed to parse peer ${name} password secret`
    errors.add(peer, 'spec.passwordSecret.name', text, { transient })
  }
  const secret = secrets.get(secretName)
  if (!secret) return refuse(`secret ref not found for peer config ${config}: there is no Secret "${secretName}"`, true)
  const shown = `"${secret.metadata.namespace ?? ''}"/"${secretName}"`
  if (secret.type !== SECRET_TYPE) return refuse(`secret type mismatch on ${shown}, type "${SECRET_TYPE}" is expected`)
  const value = secretValue(secret, 'password')
  return value === undefined ? refuse(`password not specified in the secret ${shown}`) : value
}

/** One entry of a Secret as text. */
function secretValue(secret: Secret, key: string): string | undefined {
  const plain = secret.stringData?.[key]
  const encoded = secret.data?.[key]
  return plain ?? (encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString('utf8'))
}
