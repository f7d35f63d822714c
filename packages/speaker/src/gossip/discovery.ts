/** Where the other speakers are: the Pods with MetalLB's labels, asked of the API server now and then. */
import type { ApiClient, KubernetesObject } from '@typemetal/cluster'
import { isIP } from 'node:net'
import { systemClock } from '../clock.js'
import type { Clock } from '../clock.js'
import { silent } from '../logger.js'
import type { Logger } from '../logger.js'

/** Options of {@link PodDirectory}. */
export interface PodDirectoryOptions {
  /** The API server. */
  readonly api: ApiClient
  /** Where the speakers' Pods are. */
  readonly namespace: string
  /** Label selector as kubectl takes it; must not be empty. */
  readonly labels: string
  /** Own node: its Pod is left out. */
  readonly node: string
  /** Address that gossip is bound to: only addresses of its family can be reached from it (from `::`, all). */
  readonly bindAddress: string
  /** Milliseconds between two questions. @default 300_000, as MetalLB */
  readonly interval?: number
  /** @default silent */
  readonly log?: Logger
  /** @default the machine's */
  readonly clock?: Clock
}

/** What of a Pod says where its speaker is. */
export interface Pod extends KubernetesObject {
  readonly spec?: { readonly nodeName?: string }
  readonly status?: {
    readonly phase?: string
    readonly podIP?: string
    readonly podIPs?: readonly { readonly ip?: string }[]
  }
}

/** Keeps the list of speaker Pods' addresses. While the API server does not answer, the last list stays. */
export class PodDirectory implements Disposable {
  readonly #options: Required<PodDirectoryOptions>
  #addresses: readonly string[] | undefined
  #cancel: (() => void) | undefined
  #said = ''
  #closed = false

  constructor(options: PodDirectoryOptions) {
    this.#options = { interval: 300_000, log: silent, clock: systemClock, ...options }
  }

  /** Addresses of the other speakers; `undefined` before the first answer. */
  get addresses(): readonly string[] | undefined {
    return this.#addresses
  }

  /** Asks now, and from now on every interval. Never rejects. */
  async start(): Promise<void> {
    await this.#refresh()
    if (this.#closed) return
    this.#cancel = this.#options.clock.after(this.#options.interval, () => void this.start())
  }

  /** Asks no more. */
  [Symbol.dispose](): void {
    this.#closed = true
    this.#cancel?.()
  }

  async #refresh(): Promise<void> {
    const { api, namespace, labels, node, bindAddress, log } = this.#options
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods?labelSelector=${encodeURIComponent(labels)}`
    try {
      const { items } = (await api.send({ method: 'GET', path })) as { readonly items: readonly Pod[] }
      this.#addresses = speakerAddresses(items, node, bindAddress)
      this.#said = ''
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error)
      if (text === this.#said) return
      this.#said = text
      const fields = { op: 'memberDiscovery', labels, error: text }
      log.error(
        fields,
        'the speakers cannot be listed: those that are known, or else the InternalIPs of the Nodes, are joined',
      )
    }
  }
}

/**
 * Addresses at which other speakers may be: Pods that have none yet, or have ended, or are about to, are left out.
 * @param node own node
 * @param bindAddress as {@link PodDirectoryOptions.bindAddress}
 */
export function speakerAddresses(pods: readonly Pod[], node: string, bindAddress: string): readonly string[] {
  const addresses = pods
    .filter(({ metadata, spec, status }) => {
      const ended = status?.phase === 'Succeeded' || status?.phase === 'Failed'
      return spec?.nodeName !== node && !ended && metadata.deletionTimestamp === undefined
    })
    .flatMap(({ status }) => [status?.podIP, ...(status?.podIPs ?? []).map(({ ip }) => ip)])
    .filter((ip): ip is string => ip !== undefined && ip !== '')
    .filter(ip => isIP(ip) !== 0 && (bindAddress === '::' || isIP(ip) === isIP(bindAddress)))
  return [...new Set(addresses)]
}
