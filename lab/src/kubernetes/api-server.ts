/** A real kube-apiserver with its etcd, for one test. */
import { mkdtempSync, rmSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LabError, messageOf } from '../errors.js'
import { LabProcess } from '../lab-process.js'
import { until } from '../wait.js'
import { WORKERS_IN_FOLDER, Watchdog } from '../watchdog.js'
import { AdminClient } from './admin-client.js'
import type { KubernetesBinaries } from './binaries.js'
import { type ControlPlaneFiles, makeControlPlaneFiles } from './control-plane-files.js'
import { Etcd, untilUp } from './etcd.js'
import { FaultProxy } from './fault-proxy.js'
import { apiServerFlags } from './flags.js'
import { freePorts } from './free-ports.js'
import { kubeconfigText } from './kubeconfig.js'

/** Options of {@link ApiServer.start}. */
export interface ApiServerOptions {
  /** The programs, by {@link kubernetesBinaries}. */
  readonly binaries: KubernetesBinaries
  /**
   * Whether the API server answers lists and watches from its memory, as it does everywhere. Without, a compaction of etcd is felt at
   * once: what is older is 410 Gone. @default true
   */
  readonly watchCache?: boolean
  /** Writes down who asked for what, for {@link ApiServer.audit}. @default false */
  readonly audit?: boolean
  /** More arguments for kube-apiserver. */
  readonly flags?: readonly string[]
  /** Milliseconds until each of the two programs must be up. @default 180_000 */
  readonly timeout?: number
  /** Leaves the folder with logs, data and certificates in place. @default false */
  readonly keepDirectory?: boolean
}

/** One line of the audit log: a request that was answered. */
export interface AuditEvent {
  readonly verb: string
  readonly requestURI: string
  readonly user: { readonly username: string }
  readonly responseStatus?: { readonly code?: number }
  /** What it was about; absent for what is no object. */
  readonly objectRef?: {
    readonly apiGroup?: string
    readonly resource?: string
    readonly subresource?: string
    readonly namespace?: string
    readonly name?: string
  }
}

/** Names a service account. */
export interface ServiceAccount {
  readonly namespace: string
  readonly name: string
}

/** How {@link ApiServer.serviceAccountToken} asks for a token. */
export interface TokenOptions {
  /** A Secret in the account's namespace with which the token ends, before its hour is over. */
  readonly boundTo?: { readonly name: string; readonly uid: string }
}

/** How often ports are looked for that nobody has taken when they are used. */
const ATTEMPTS = 3
const DEFAULT_TIMEOUT = 180_000
const TOKEN_SECONDS = 3600

/**
 * etcd and kube-apiserver on loopback, with RBAC and tokens of service accounts, but without controllers, nodes and pods. Any user may
 * run it; its files are in a folder of its own. Leave it with `await using`; if this process dies without, a watchdog ends both.
 */
export class ApiServer implements AsyncDisposable {
  /** Everything it made; `logs/` has what the programs said. Removed at the end. */
  readonly directory: string
  readonly #options: ApiServerOptions
  readonly #watchdog: Watchdog
  readonly #files: ControlPlaneFiles
  readonly #proxies = new Set<FaultProxy>()
  #etcd: Etcd | undefined
  #process: LabProcess | undefined
  #admin: AdminClient | undefined
  #port = 0
  #named = 0

  private constructor(options: ApiServerOptions, directory: string, watchdog: Watchdog, files: ControlPlaneFiles) {
    this.#options = options
    this.directory = directory
    this.#watchdog = watchdog
    this.#files = files
  }

  /**
   * Starts both programs and waits until the API server is ready.
   *
   * @throws {LabError} one of them ended, or was not up in time; with its last words
   */
  static async start(options: ApiServerOptions): Promise<ApiServer> {
    const directory = mkdtempSync(join(tmpdir(), 'typemetal-kubernetes-'))
    const watchdog = new Watchdog(directory, options.keepDirectory === true ? '' : directory, WORKERS_IN_FOLDER)
    const server = new ApiServer(options, directory, watchdog, await makeControlPlaneFiles(directory))
    try {
      await server.#boot()
      return server
    } catch (error) {
      await server[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Base URL. */
  get url(): string {
    return `https://127.0.0.1:${this.#port}`
  }

  /** Base URL of its etcd: plain HTTP. @throws {LabError} it has been disposed of */
  get etcdUrl(): string {
    if (!this.#etcd) throw new LabError('ERR_LAB_API', 'the API server has been disposed of')
    return this.#etcd.url
  }

  /** File with the certificate of who signed the server's. */
  get authority(): string {
    return this.#files.authority.certificate
  }

  /** Process id of kube-apiserver, while it runs. */
  get pid(): number | undefined {
    return this.#process?.running === true ? this.#process.pid : undefined
  }

  /** Speaks as the cluster's administrator. */
  get admin(): AdminClient {
    if (!this.#admin) throw new LabError('ERR_LAB_API', 'the API server has been disposed of')
    return this.#admin
  }

  /** Starts kube-apiserver, which is not running, on the port it had, and waits until it is ready. */
  async run(): Promise<void> {
    const { binaries, watchCache = true, audit = false, flags = [], timeout = DEFAULT_TIMEOUT } = this.#options
    const { serving, authority, serviceAccounts, auditPolicy: policy } = this.#files
    const settings = { serving, serviceAccounts, watchCache, clientAuthority: authority.certificate, extraFlags: flags }
    const log = join(this.directory, 'logs', 'audit.log')
    const argv = apiServerFlags({
      ...settings,
      port: this.#port,
      etcd: this.#etcd?.url ?? '',
      audit: audit ? { policy, log } : undefined,
    })
    const logFile = join(this.directory, 'logs', 'kube-apiserver.log')
    const options = { cwd: this.directory }
    this.#process = new LabProcess([binaries.kubeApiserver, ...argv], 'kube-apiserver', logFile, options)
    await untilUp(this.#process, () => this.#isReady(), timeout)
  }

  /** Ends kube-apiserver as an orderly shutdown does; what it stores stays. */
  async stop(): Promise<void> {
    await this.#process?.stop('SIGTERM', 60_000)
  }

  /** Ends kube-apiserver as a crash does; what it stores stays. */
  async kill(): Promise<void> {
    await this.#process?.stop('SIGKILL')
  }

  /** {@link stop}, then {@link run}. */
  async restart(): Promise<void> {
    await this.stop()
    await this.run()
  }

  /** Makes etcd forget all that was before now. An API server with a watch cache remembers all the same until it restarts. */
  async compact(): Promise<void> {
    await this.#etcd?.compact()
  }

  /**
   * Puts a proxy in front, which can cut, stall and refuse. Ends with the server.
   */
  async proxy(): Promise<FaultProxy> {
    const { serving } = this.#files
    const proxy = await FaultProxy.start({ upstream: this.url, authority: this.authority, serving })
    this.#proxies.add(proxy)
    return proxy
  }

  /**
   * Writes a kubeconfig for somebody with a client certificate.
   *
   * @param groups `system:masters` may do everything
   * @returns the file
   */
  async kubeconfig(user = 'admin', groups: readonly string[] = ['system:masters']): Promise<string> {
    const name = `client-${++this.#named}`
    const files = await this.#files.authority.issue(name, { commonName: user, organizations: groups })
    return this.#write(`${name}.kubeconfig`, kubeconfigText(this.url, this.authority, files))
  }

  /**
   * Writes a kubeconfig for a service account, which must exist, with a token in a file of its own: whoever reads the kubeconfig reads
   * the token again now and then, as in a pod.
   *
   * @param through the proxy to go through
   */
  async serviceAccountKubeconfig(
    account: ServiceAccount,
    through?: FaultProxy,
  ): Promise<{ readonly kubeconfig: string; readonly tokenFile: string }> {
    const name = `account-${++this.#named}`
    const tokenFile = await this.#write(`${name}.token`, await this.serviceAccountToken(account))
    const text = kubeconfigText(through?.url ?? this.url, this.authority, { tokenFile })
    return { kubeconfig: await this.#write(`${name}.kubeconfig`, text), tokenFile }
  }

  /** A token of a service account (TokenRequest), good for an hour at most. */
  async serviceAccountToken({ namespace, name }: ServiceAccount, { boundTo }: TokenOptions = {}): Promise<string> {
    const boundObjectRef = boundTo && { apiVersion: 'v1', kind: 'Secret', ...boundTo }
    const answer = await this.admin.request({
      method: 'POST',
      path: `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`,
      body: {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: { expirationSeconds: TOKEN_SECONDS, ...(boundObjectRef && { boundObjectRef }) },
      },
    })
    return (answer as { readonly status: { readonly token: string } }).status.token
  }

  /** What was asked for since the start, by whom and how it ended; some seconds late. Needs the option `audit`. */
  async audit(): Promise<readonly AuditEvent[]> {
    const text = await readFile(join(this.directory, 'logs', 'audit.log'), 'utf8')
    // The last line may be half written.
    const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n')
    return lines.filter(line => line !== '').map(line => JSON.parse(line) as AuditEvent)
  }

  /** Ends everything and removes the folder. Safe to call twice. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#proxies].map(proxy => proxy[Symbol.asyncDispose]()))
    await this.kill()
    await this.#etcd?.[Symbol.asyncDispose]()
    this.#admin?.[Symbol.dispose]()
    this.#admin = undefined
    if (this.#options.keepDirectory !== true) rmSync(this.directory, { recursive: true, force: true })
    await this.#watchdog[Symbol.asyncDispose]()
  }

  async #boot(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#bootOnce()
      } catch (error) {
        if (attempt === ATTEMPTS || !/address already in use/.test(messageOf(error))) throw error
        await this.kill()
        await this.#etcd?.[Symbol.asyncDispose]()
        rmSync(join(this.directory, 'etcd'), { recursive: true, force: true })
      }
    }
  }

  async #bootOnce(): Promise<void> {
    const [client = 0, peer = 0, port = 0] = await freePorts(3)
    const { binaries, timeout = DEFAULT_TIMEOUT } = this.#options
    const { directory } = this
    this.#etcd = await Etcd.start({ program: binaries.etcd, directory, ports: [client, peer], timeout })
    this.#port = port
    this.#admin = new AdminClient(this.url, this.authority, this.#files.admin)
    await this.run()
    // Made by the server itself, a moment after it is ready.
    await until(
      'namespace default',
      async () => this.admin.request({ method: 'GET', path: '/api/v1/namespaces/default' }),
      {
        timeout,
      },
    )
  }

  async #isReady(): Promise<true | undefined> {
    return (await this.admin.request({ method: 'GET', path: '/readyz' })) === 'ok' ? true : undefined
  }

  async #write(name: string, text: string): Promise<string> {
    const file = join(this.directory, name)
    await writeFile(file, text, { mode: 0o600 })
    return file
  }
}
