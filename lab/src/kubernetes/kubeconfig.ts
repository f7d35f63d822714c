/** Kubeconfig files. */
import type { CertificateFiles } from './certificates.js'

/** How a client shows who it is. */
export type KubeconfigUser =
  | CertificateFiles
  /** A file that is read again now and then, as that of a pod is. */
  | { readonly tokenFile: string }

/**
 * The text of a kubeconfig with one cluster and one user; JSON, which is YAML.
 *
 * @param server base URL of the API server
 * @param authority file with the certificate of who signed the server's
 */
export function kubeconfigText(server: string, authority: string, user: KubeconfigUser): string {
  const credentials =
    'tokenFile' in user
      ? { tokenFile: user.tokenFile }
      : { 'client-certificate': user.certificate, 'client-key': user.key }
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'lab',
    contexts: [{ name: 'lab', context: { cluster: 'lab', user: 'lab' } }],
    clusters: [{ name: 'lab', cluster: { server, 'certificate-authority': authority } }],
    users: [{ name: 'lab', user: credentials }],
  }
  return `${JSON.stringify(config, undefined, 2)}\n`
}
