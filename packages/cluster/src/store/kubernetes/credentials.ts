/** How a request says who we are: certificates, tokens, passwords, and programs that give them. */
import { readFile } from 'node:fs/promises'
import type { OutgoingHttpHeaders } from 'node:http'
import type { RequestOptions } from 'node:https'
import type { Cluster, User } from '@kubernetes/client-node'
import type { Target } from './kubeconfig.js'

/** What is added to a request. */
export interface RequestCredentials extends Omit<RequestOptions, 'headers'> {
  headers: OutgoingHttpHeaders
}

/** Gives what a request needs, as it is now: files and programs are asked each time. */
export type CredentialSource = () => Promise<RequestCredentials>

/**
 * What gives the credentials of a target. Proxies and the authentication providers of old kubeconfigs (`oidc`, `gcp`, `azure`) are left
 * to the client library as a whole, which is loaded only for them.
 */
export async function credentialSource({ cluster, user, tokenFile }: Target): Promise<CredentialSource> {
  const base = isSpecial(cluster, user) ? await wholeLibrary(cluster, user) : await plain(cluster, user)
  if (tokenFile === undefined) return base
  return async () => {
    const options = await base()
    const token = (await readFile(tokenFile, 'utf8')).trim()
    return { ...options, headers: { ...options.headers, Authorization: `Bearer ${token}` } }
  }
}

const isSpecial = (cluster: Cluster, user: User | undefined): boolean =>
  Boolean(cluster.proxyUrl) || Boolean(user?.authProvider)

async function wholeLibrary(cluster: Cluster, user: User | undefined): Promise<CredentialSource> {
  const { KubeConfig } = await import('@kubernetes/client-node')
  const config = new KubeConfig()
  config.loadFromClusterAndUser(cluster, user ?? { name: 'nobody' })
  return async () => {
    const options: RequestCredentials = { headers: {} }
    await config.applyToHTTPSOptions(options)
    return options
  }
}

async function plain(cluster: Cluster, user: User | undefined): Promise<CredentialSource> {
  const program = user?.exec && new (await import('@kubernetes/client-node/dist/exec_auth.js')).ExecAuth()
  return async () => {
    const [ca, cert, key] = await Promise.all([
      octetsOf(cluster.caFile, cluster.caData),
      octetsOf(user?.certFile, user?.certData),
      octetsOf(user?.keyFile, user?.keyData),
    ])
    const headers: OutgoingHttpHeaders = user?.impersonateUser ? { 'Impersonate-User': user.impersonateUser } : {}
    const options: RequestCredentials = {
      headers,
      ...(cluster.skipTLSVerify && { rejectUnauthorized: false }),
      ...(cluster.tlsServerName && { servername: cluster.tlsServerName }),
      ...(ca && { ca }),
      ...(cert && { cert }),
      ...(key && { key }),
      ...(user?.username && { auth: `${user.username}:${user.password ?? ''}` }),
    }
    if (user && program) await program.applyAuthentication(user, options)
    if (user?.token) headers['Authorization'] = `Bearer ${user.token}`
    return options
  }
}

async function octetsOf(file: string | undefined, base64: string | undefined): Promise<Buffer | undefined> {
  if (file) return readFile(file)
  return base64 ? Buffer.from(base64, 'base64') : undefined
}
