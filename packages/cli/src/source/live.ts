/** The cluster that an API server has, read only. */
import { ApiError, isFields, KIND_NAMES, openStore } from '@typemetal/cluster'
import type { ApiClient, Kind, Store } from '@typemetal/cluster'
import { type Cluster, clusterOf } from './cluster.js'
import { type PodReadings, readPodMetrics } from './pod-metrics.js'
import { withStandIns } from './secrets.js'
import { type SpeakerPod, speakerPods } from './speakers.js'

/** Which API server, and what of it. */
export interface LiveOptions {
  /** File that names the API server. @default as kubectl finds it */
  readonly kubeconfig?: string
  /** Context of that file. @default its current one */
  readonly context?: string
  /** Where `metallb.io` objects live. */
  readonly namespace: string
}

/** A cluster that goes on being read until it is disposed of. */
export interface LiveCluster extends AsyncDisposable {
  /** How it is now. */
  read(): Promise<Cluster>
  /** What the speakers say themselves, as far as they can be asked. */
  askSpeakers(): Promise<PodReadings>
  /** Calls when something changes, or the server goes away (with the reason) or comes back; returns how to stop that. */
  watch(onChange: (outage?: string) => void): () => void
  /** The server itself, for what is no kind of ours. */
  readonly api: ApiClient
}

/**
 * Connects, lists and watches.
 *
 * @throws {Error} there is no such cluster, or it does not let us read
 */
export async function openLive(options: LiveOptions): Promise<LiveCluster> {
  const { store, notes } = await start(options)
  return new Live(store, options.namespace, notes)
}

/** Statuses are listed for what they say; the CRDs of older installs may lack some of these kinds. */
const OPTIONAL: ReadonlySet<Kind> = new Set(['Secret', 'ServiceL2Status', 'ServiceBGPStatus', 'ConfigurationState'])

/** Reads all kinds; those that may be missing are left out, one after the other, when the server has or gives none of them. */
async function start({
  namespace,
  kubeconfig,
  context,
}: LiveOptions): Promise<{ store: Store; notes: readonly string[] }> {
  const place = { ...(kubeconfig !== undefined && { kubeconfig }), ...(context !== undefined && { context }) }
  const notes: string[] = []
  let kinds: readonly Kind[] = KIND_NAMES
  for (;;) {
    const store = await openStore({ component: 'typemetal', namespace, kinds, ...place })
    try {
      await store.start()
      return { store, notes }
    } catch (error) {
      await store[Symbol.asyncDispose]()
      const refused = kinds.find(kind => OPTIONAL.has(kind) && isAbout(error, kind))
      if (refused === undefined) throw error
      notes.push(`${refused} objects cannot be read: ${(error as Error).message}`)
      kinds = kinds.filter(kind => kind !== refused)
    }
  }
}

/** The store names the kind that it could not list by its plural, in a sentence for people; the cause says what happened. */
function isAbout(error: unknown, kind: Kind): boolean {
  if (!(error instanceof Error)) return false
  const { cause } = error
  const denied = cause instanceof ApiError && cause.status === 403
  const absent = cause instanceof Error && 'code' in cause && cause.code === 'ERR_STORE_NOT_FOUND'
  const plural =
    kind === 'Secret' ? 'secrets' : kind.endsWith('Status') ? `${kind.toLowerCase()}es` : `${kind.toLowerCase()}s`
  return (denied || absent) && new RegExp(`\\b${plural}\\b`).test(error.message)
}

class Live implements LiveCluster {
  readonly #store: Store
  readonly #namespace: string
  readonly #notes: readonly string[]

  constructor(store: Store, namespace: string, notes: readonly string[]) {
    this.#store = store
    this.#namespace = namespace
    this.#notes = notes
  }

  get api(): ApiClient {
    if (!this.#store.api) throw new TypeError('the store has no API server')
    return this.#store.api
  }

  async read(): Promise<Cluster> {
    const notes = [...this.#notes]
    const read = this.#store.snapshot()
    const withoutSecrets = notes.some(note => note.startsWith('Secret '))
    // A Secret that we may not see is not one that is not there.
    const snapshot = withoutSecrets ? withStandIns(read, this.#namespace).snapshot : read
    let pods: readonly SpeakerPod[] = []
    try {
      pods = await speakerPods(this.api, this.#namespace)
      if (pods.length === 0) notes.push('no speaker Pods were found: every Node counts as one with a speaker')
    } catch (error) {
      notes.push(`Pods cannot be read, so every Node counts as one with a speaker: ${(error as Error).message}`)
    }
    const members = pods.filter(({ ready }) => ready).map(({ node }) => node)
    return clusterOf(snapshot, this.#namespace, { notes, ...(pods.length > 0 && { members: members.toSorted() }) })
  }

  async askSpeakers(): Promise<PodReadings> {
    try {
      return await readPodMetrics(this.api, this.#namespace, await speakerPods(this.api, this.#namespace))
    } catch {
      return { readings: new Map(), notes: [] } // that Pods cannot be read is said by who reads them first
    }
  }

  watch(onChange: (outage?: string) => void): () => void {
    const changed = (): void => onChange()
    this.#store.on('change', changed)
    this.#store.on('outage', onChange)
    return () => {
      this.#store.off('change', changed)
      this.#store.off('outage', onChange)
    }
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#store[Symbol.asyncDispose]()
  }
}

/** Objects that a list of the API server has; none when the server does not know the kind. */
export function itemsOf(list: unknown): readonly Readonly<Record<string, unknown>>[] {
  const items = isFields(list) ? list['items'] : undefined
  return Array.isArray(items) ? items.filter(isFields) : []
}
