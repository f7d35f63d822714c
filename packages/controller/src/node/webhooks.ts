import { setTimeout as delay } from 'node:timers/promises'
import {
  type ApiClient,
  ApiError,
  type ConfigResources,
  failureOf,
  type KubernetesObject,
  KINDS,
  type MetalLBKind,
  type Service,
} from '@typemetal/cluster'
import type { Logger } from '@typemetal/cluster/process'
import { Counter, type Registry } from 'prom-client'
import type { AdmissionContext } from '../webhook/admission.js'
import { CertificateKeeper } from '../webhook/certificate-keeper.js'
import { serveWebhooks } from '../webhook/server.js'
import { CertificateFiles, type CertificateFilesOptions, type TlsOptions } from '@typemetal/cluster/tls'
import { type Milliseconds, systemClock } from './clock.js'

/** Options of {@link startWebhooks}. */
export interface WebhooksOptions {
  readonly api: ApiClient
  readonly namespace: string
  /** 0 takes any free one. */
  readonly port: number
  readonly tls: TlsOptions
  /** Secret of the certificates that are made here; absent: others make them, in `certDir`. */
  readonly secretName?: string
  readonly serviceName: string
  readonly certDir: string
  /** Speaks HTTP/2 too, to those who can. */
  readonly http2: boolean
  /** The Services that are known now. */
  readonly services: () => Iterable<Service>
  readonly registry: Registry
  readonly log: Logger
}

/** Running webhooks; dispose them to stop. */
export interface Webhooks extends AsyncDisposable {
  readonly port: number
  /** Whether there is a certificate to show. */
  readonly ready: true | string
}

type Listed = Exclude<keyof ConfigResources, 'faults' | 'origin'>

/** Everything that a configuration is made of. Nodes only count for peers and BGP advertisements, and there may be many. */
const LISTED: readonly Listed[] = [
  'IPAddressPool',
  'L2Advertisement',
  'BGPAdvertisement',
  'BGPPeer',
  'BFDProfile',
  'Community',
  'Secret',
]
const WITH_NODES: ReadonlySet<MetalLBKind> = new Set<MetalLBKind>(['BGPPeer', 'BGPAdvertisement'])
/** How long a busy API server is asked again: it waits ten seconds for our answer. */
const PATIENCE: Milliseconds = 6000
/** What it is given when it does not say how long. */
const BUSY_PAUSE: Milliseconds = 500

/**
 * Answers the API server's questions about `metallb.io` objects, with certificates that are made and renewed here or taken from
 * files.
 *
 * @throws the system's error when the port cannot be had
 */
export async function startWebhooks(options: WebhooksOptions): Promise<Webhooks> {
  const { api, namespace, port, tls, http2, secretName, serviceName, certDir, services, registry, log } = options
  const requests = new Counter({
    name: 'controller_runtime_webhook_requests_total',
    help: 'Total number of admission requests by HTTP status code.',
    labelNames: ['webhook', 'code'],
    registers: [registry],
  })
  const server = await serveWebhooks({
    port,
    tls,
    http2,
    log,
    context: async kind => {
      const context = await readContext(api, namespace, kind)
      return kind === 'IPAddressPool' ? { ...context, services: services() } : context
    },
    onAnswer: (webhook, code) => requests.inc({ webhook, code }),
  })
  let shows = false
  const onBundle: CertificateFilesOptions['onBundle'] = bundle => {
    server.setCertificate(bundle)
    shows = true
  }
  const keeper =
    secretName === undefined
      ? new CertificateFiles({ directory: certDir, onBundle, log })
      : new CertificateKeeper({ api, namespace, secretName, serviceName, onBundle, clock: systemClock, log })
  const stop = new AbortController()
  const running = keeper.run(stop.signal)
  return {
    port: server.port,
    get ready() {
      return shows || 'the webhooks have no certificate yet'
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort()
      await Promise.all([running, server[Symbol.asyncDispose]()])
    },
  }
}

/** The objects as they are now: what a watch has told so far may lack the pool that was made a moment ago. */
async function readContext(api: ApiClient, namespace: string, kind: MetalLBKind): Promise<AdmissionContext> {
  const kinds: readonly Listed[] = WITH_NODES.has(kind) ? [...LISTED, 'Node'] : LISTED
  const lists = await Promise.all(kinds.map(async each => [each, await list(api, namespace, each)] as const))
  return { namespace, resources: Object.fromEntries(lists) }
}

async function list(api: ApiClient, namespace: string, kind: Listed): Promise<readonly KubernetesObject[]> {
  const { apiVersion, plural, namespaced } = KINDS[kind]
  const group = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
  const home = namespaced ? `/namespaces/${encodeURIComponent(namespace)}` : ''
  const answer = await ask(api, `${group}${home}/${plural}`)
  // Items of a list do not say what they are.
  const { items } = answer as { readonly items: readonly KubernetesObject[] }
  return items.map(item => ({ ...item, apiVersion, kind }))
}

/** The API server is busy, with BGPPeers, for a second or two also after it was told whom their conversion is to trust. */
async function ask(api: ApiClient, path: string): Promise<unknown> {
  for (const end = performance.now() + PATIENCE; ;) {
    try {
      return await api.send({ method: 'GET', path })
    } catch (error) {
      const rest = error instanceof ApiError ? (error.retryAfter ?? BUSY_PAUSE) : BUSY_PAUSE
      if (failureOf(error) !== 'busy' || performance.now() + rest > end) throw error
      await delay(rest)
    }
  }
}
