/**
 * Which API server to talk to and as whom: from kubeconfig files, or a pod's service account. The shapes are read by the client
 * library's own module for them; the library as a whole would bring the models of every Kubernetes kind, 60 MB of memory.
 */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { isIPv6 } from 'node:net'
import { delimiter, dirname, join, resolve } from 'node:path'
import type { Cluster, User } from '@kubernetes/client-node'
import { newClusters, newContexts, newUsers } from '@kubernetes/client-node/dist/config_types.js'
import { parse } from 'yaml'
import { fieldOf, isFields } from '../../schema/plain.js'

/** An API server, and who we are there. */
export interface Target {
  readonly cluster: Cluster
  /** Absent: nobody in particular. */
  readonly user: User | undefined
  /** File with the user's token, which somebody rotates. */
  readonly tokenFile: string | undefined
}

/** Where Kubernetes puts the credentials of a pod. */
const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount'
/** Ports of the API server on which the library's in-cluster configuration takes it to speak plain HTTP. */
const PLAIN_PORTS: readonly (string | undefined)[] = ['80', '8080', '8001']

/** Where to look for a {@link Target}. */
export interface TargetOptions {
  /** Of `--kubeconfig`. */
  readonly file?: string | undefined
  /** Of the kubeconfig. @default its `current-context` */
  readonly context?: string | undefined
  /** @default process.env */
  readonly env?: NodeJS.ProcessEnv
  /** Folder in which a pod finds its credentials. @default where Kubernetes puts it */
  readonly serviceAccount?: string
}

/**
 * Finds the API server as kubectl does: the file that is given; else the files of `KUBECONFIG`, of which the first that names something
 * counts; else `~/.kube/config`; else the service account of the pod.
 *
 * @returns `undefined` when nothing names a cluster
 * @throws a file cannot be read or is no kubeconfig, or does not have the context
 */
export async function findTarget({
  file,
  context,
  env = process.env,
  serviceAccount = SERVICE_ACCOUNT,
}: TargetOptions): Promise<Target | undefined> {
  const files = file === undefined ? filesOf(env) : [file]
  if (files.length > 0) return targetOf(await Promise.all(files.map(readConfig)), context)
  if (context !== undefined) throw new Error(`there is none, and so no context ${JSON.stringify(context)}`)
  return targetInPod(env, serviceAccount)
}

function filesOf(env: NodeJS.ProcessEnv): readonly string[] {
  const named = (env['KUBECONFIG'] ?? '').split(delimiter).filter(name => name !== '')
  if (named.length > 0) {
    const present = named.filter(name => existsSync(name))
    // That none is there must be heard.
    return present.length > 0 ? present : named.slice(0, 1)
  }
  const home = env['HOME'] ?? env['USERPROFILE']
  const usual = home === undefined ? '' : join(home, '.kube', 'config')
  return usual !== '' && existsSync(usual) ? [usual] : []
}

/** The content of one file, its paths made absolute. */
interface Config {
  readonly clusters: readonly Cluster[]
  readonly users: readonly User[]
  readonly tokenFiles: ReadonlyMap<string, string>
  readonly contexts: ReturnType<typeof newContexts>
  readonly current: unknown
}

async function readConfig(file: string): Promise<Config> {
  const content: unknown = parse(await readFile(file, 'utf8'))
  if (!isFields(content)) throw new Error('it is no kubeconfig')
  const from = dirname(file)
  const absolute = (path: string | undefined): string | undefined => path && resolve(from, path)
  const users: unknown = content['users']
  const tokenFiles = (Array.isArray(users) ? users : []).flatMap((entry: unknown): [string, string][] => {
    const [name, path] = [fieldOf(entry, 'name'), fieldOf(fieldOf(entry, 'user'), 'tokenFile')]
    return typeof name === 'string' && typeof path === 'string' ? [[name, resolve(from, path)]] : []
  })
  return {
    clusters: newClusters(content['clusters']).map(each => withPath(each, 'caFile', absolute(each.caFile))),
    users: newUsers(users).map(each =>
      withPath(withPath(each, 'certFile', absolute(each.certFile)), 'keyFile', absolute(each.keyFile)),
    ),
    tokenFiles: new Map(tokenFiles),
    contexts: newContexts(content['contexts']),
    current: content['current-context'],
  }
}

const withPath = <T extends object, K extends keyof T>(object: T, field: K, path: T[K] | undefined): T =>
  path === undefined ? object : { ...object, [field]: path }

function targetOf(configs: readonly Config[], wanted: string | undefined): Target {
  const current = wanted ?? configs.map(config => config.current).find(name => typeof name === 'string' && name !== '')
  const contexts = configs.flatMap(config => config.contexts)
  const context = contexts.find(({ name }) => name === current)
  if (wanted !== undefined && !context) {
    const names = [...new Set(contexts.map(({ name }) => name))].toSorted()
    throw new Error(`it has no context ${JSON.stringify(wanted)}, only ${names.join(', ') || 'none at all'}`)
  }
  const cluster = configs.flatMap(({ clusters }) => clusters).find(({ name }) => name === context?.cluster)
  if (!context || !cluster) throw new Error('it names no cluster as its current context')
  const owner = configs.find(({ users }) => users.some(({ name }) => name === context.user))
  const user = owner?.users.find(({ name }) => name === context.user)
  // A token that stands in the file itself is not looked for elsewhere.
  const tokenFile = user && !user.token ? owner?.tokenFiles.get(user.name) : undefined
  return { cluster, user, tokenFile }
}

function targetInPod(env: NodeJS.ProcessEnv, folder: string): Target | undefined {
  const tokenFile = join(folder, 'token')
  if (!existsSync(tokenFile)) return undefined
  const [host = '', port] = [env['KUBERNETES_SERVICE_HOST'], env['KUBERNETES_SERVICE_PORT']]
  const scheme = PLAIN_PORTS.includes(port) ? 'http' : 'https'
  const cluster: Cluster = {
    name: 'pod',
    server: `${scheme}://${isIPv6(host) ? `[${host}]` : host}:${port ?? ''}`,
    caFile: join(folder, 'ca.crt'),
    skipTLSVerify: false,
  }
  return { cluster, user: { name: 'pod' }, tokenFile }
}
