import type { Link, LinkMonitor } from '@typemetal/sockets'
import { loadSockets } from './sockets.js'

/** Hears of an interface: what it is now, or `undefined` while there is none of that name. */
export type LinkListener = (link: Link | undefined) => void

/**
 * Follows network interfaces by name, also ones that are not there yet or go and come back: one rtnetlink socket and one list of
 * interfaces a change, however many listen. Needs `@typemetal/sockets`; holds the process open while somebody listens.
 */
export class LinkWatch {
  readonly #failed: (error: Error) => void
  readonly #listeners = new Map<string, Set<LinkListener>>()
  #monitor: LinkMonitor | undefined
  #list: (() => readonly Link[]) | undefined

  /** @param failed interfaces cannot be followed any more, or not listed this once */
  constructor(failed: (error: Error) => void) {
    this.#failed = failed
  }

  /**
   * Calls the listener with the interface as it is, and again whenever anything about any interface changes.
   *
   * @returns ends it; no call comes afterwards
   * @throws {BgpSocketError} `@typemetal/sockets` is not installed
   * @throws {SocketError} the kernel refuses
   */
  async subscribe(name: string, listener: LinkListener): Promise<() => void> {
    const { LinkMonitor: Monitor, listLinks } = await loadSockets()
    const links = listLinks()
    this.#list = listLinks
    this.#monitor ??= new Monitor({ onChange: () => this.#changed(), onError: this.#failed })
    const known = this.#listeners.get(name)
    if (known) known.add(listener)
    else this.#listeners.set(name, new Set([listener]))
    listener(links.find(link => link.name === name))
    return () => this.#unsubscribe(name, listener)
  }

  #unsubscribe(name: string, listener: LinkListener): void {
    const known = this.#listeners.get(name)
    known?.delete(listener)
    if (known?.size === 0) this.#listeners.delete(name)
    if (this.#listeners.size > 0) return
    this.#monitor?.close()
    this.#monitor = undefined
  }

  #changed(): void {
    let links: readonly Link[]
    try {
      links = this.#list?.() ?? []
    } catch (error) {
      this.#failed(error as Error)
      return
    }
    const byName = new Map(links.map(link => [link.name, link]))
    for (const [name, listeners] of this.#listeners) for (const listener of listeners) listener(byName.get(name))
  }
}
