/** Layer 2: the worker that answers ARP and NDP, started only while the configuration needs it. */
import { EventEmitter } from 'node:events'
import type { Interfaces } from '../plan/types.js'
import { silent } from '../logger.js'
import type { Logger } from '../logger.js'

/** Counters of one address. */
export interface AddressCounters {
  readonly requestsReceived: number
  readonly responsesSent: number
  readonly gratuitousSent: number
}

/** The part of `@typemetal/arp-ndp`'s Layer2 that is used here. */
export interface Responder {
  setAddresses(wanted: readonly { readonly address: string; readonly interfaces: Interfaces }[]): void
  interfaces(): readonly string[]
  counters(): Promise<ReadonlyMap<string, AddressCounters>>
  on(event: 'interfaces', listener: (names: readonly string[]) => void): unknown
  on(event: 'responder', listener: (change: ResponderChange) => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
  [Symbol.asyncDispose](): Promise<void>
}

/** A socket was opened or closed on an interface. */
export interface ResponderChange {
  readonly action: 'create' | 'delete'
  readonly protocol: 'arp' | 'ndp'
  readonly interface: string
}

/** Options of {@link Layer2Announcer}. */
export interface Layer2AnnouncerOptions {
  /** Starts the responder; called when layer 2 is first needed, and again after it was not. */
  readonly start: () => Promise<Responder>
  readonly log?: Logger
}

/** Emits `interfaces` when the node's interfaces change. */
export class Layer2Announcer extends EventEmitter<{ interfaces: [] }> implements AsyncDisposable {
  readonly #start: () => Promise<Responder>
  readonly #log: Logger
  #responder: Responder | undefined

  constructor({ start, log = silent }: Layer2AnnouncerOptions) {
    super()
    this.#start = start
    this.#log = log
  }

  /** Names of the node's interfaces; `undefined` while layer 2 is not running. */
  get interfaces(): readonly string[] | undefined {
    return this.#responder?.interfaces()
  }

  /**
   * Starts or stops the responder.
   * @throws what the responder throws when it cannot start, e.g. without CAP_NET_RAW
   */
  async need(needed: boolean): Promise<void> {
    if (needed === (this.#responder !== undefined)) return
    if (!needed) return this[Symbol.asyncDispose]()
    const responder = await this.#start()
    responder.on('interfaces', () => this.emit('interfaces'))
    responder.on('responder', change => this.#logChange(change))
    responder.on('error', error => this.#log.error({ op: 'layer2', error: error.message }, 'layer 2 responder'))
    this.#responder = responder
  }

  /** Takes the whole wanted set; the responder finds the difference. Nothing happens while layer 2 is not running. */
  apply(wanted: ReadonlyMap<string, Interfaces>): void {
    this.#responder?.setAddresses([...wanted].map(([address, interfaces]) => ({ address, interfaces })))
  }

  /** Counters by address; empty while layer 2 is not running. */
  async counters(): Promise<ReadonlyMap<string, AddressCounters>> {
    return (await this.#responder?.counters()) ?? new Map<string, AddressCounters>()
  }

  /** Stops answering, at once and for all addresses. */
  async [Symbol.asyncDispose](): Promise<void> {
    const responder = this.#responder
    this.#responder = undefined
    await responder?.[Symbol.asyncDispose]()
  }

  #logChange({ action, protocol, interface: name }: ResponderChange): void {
    const event = `${action}${protocol.toUpperCase()}Responder`
    this.#log.info({ event, interface: name }, `${action}d ${protocol.toUpperCase()} responder`)
  }
}
