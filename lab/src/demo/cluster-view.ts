/** What the cluster says about itself: addresses, events and configuration states, read from the watched folder as a user would. */
import { join } from 'node:path'
import { DirectoryStore, readEvents, type RecordedEvent } from '@typemetal/cluster'

/** A reader of the folder of manifests and of what is written beside them. */
export class ClusterView {
  readonly #store: DirectoryStore
  readonly #statusDirectory: string

  private constructor(store: DirectoryStore, statusDirectory: string) {
    this.#store = store
    this.#statusDirectory = statusDirectory
  }

  /** Starts watching. Ends with `signal`. */
  static async open(directory: string, signal: AbortSignal): Promise<ClusterView> {
    const store = new DirectoryStore({ directory, component: 'demo', signal })
    await store.start()
    return new ClusterView(store, join(directory, 'status'))
  }

  /** Addresses of a Service, in the order of its status; empty while it has none. @param service `namespace/name` */
  addressesOf(service: string): readonly string[] {
    const status = this.#store.snapshot().objects('Service').get(service)?.status
    return (status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip).filter(ip => ip !== undefined)
  }

  /** Events about a Service. */
  async eventsOf(service: string): Promise<readonly RecordedEvent[]> {
    const events = await readEvents(this.#statusDirectory)
    return events.filter(({ object }) => object === `Service ${service}`)
  }

  /** What the components say is wrong with the configuration: `component: text`. */
  configurationErrors(): readonly string[] {
    const states = [...this.#store.snapshot().objects('ConfigurationState').values()]
    return states
      .filter(({ status }) => status?.result === 'Invalid')
      .map(({ metadata, status }) => `${metadata.name}: ${status?.errorSummary ?? ''}`)
  }

  /** Stops watching. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store[Symbol.asyncDispose]()
  }
}
