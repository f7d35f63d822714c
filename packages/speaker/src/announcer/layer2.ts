/** Layer 2: the worker that answers ARP and NDP, started only while the configuration needs it. */
import { EventEmitter } from 'node:events'
import { systemClock } from '../clock.js'
import type { Clock } from '../clock.js'
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
  readonly clock?: Clock
}

/** How long a responder that died is left alone, in milliseconds. */
const RESTART_DELAY = 1_000

/** Emits `interfaces` when the node's interfaces change. */
export class Layer2Announcer extends EventEmitter<{ interfaces: [] }> implements AsyncDisposable {
  readonly #start: () => Promise<Responder>
  readonly #log: Logger
  readonly #clock: Clock
  #responder: Responder | undefined
  #needed = false
  /** Stops the wait after the responder has died; `undefined` while there is none. */
  #resting: (() => void) | undefined

  constructor({ start, log = silent, clock = systemClock }: Layer2AnnouncerOptions) {
    super()
    this.#start = start
    this.#log = log
    this.#clock = clock
  }

  /** Names of the node's interfaces: none while layer 2 is needed and does not run, `undefined` while it is not needed. */
  get interfaces(): readonly string[] | undefined {
    return this.#responder?.interfaces() ?? (this.#needed ? [] : undefined)
  }

  /**
   * Starts or stops the responder.
   * @throws what the responder throws when it cannot start, e.g. without CAP_NET_RAW
   */
  async need(needed: boolean): Promise<void> {
    this.#needed = needed
    if (!needed) return this[Symbol.asyncDispose]()
    if (this.#responder || this.#resting) return
    const responder = await this.#start()
    responder.on('interfaces', () => this.emit('interfaces'))
    responder.on('responder', change => this.#logChange(change))
    responder.on('error', error => this.#died(error))
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
    this.#resting?.()
    this.#resting = undefined
    await responder?.[Symbol.asyncDispose]()
  }

  /** Whoever listens asks for what is wanted again, which starts another one. */
  #died(error: Error): void {
    this.#log.error({ op: 'layer2', error: error.message }, 'layer 2 has stopped and is started again')
    this.#responder = undefined
    this.#resting = this.#clock.after(RESTART_DELAY, () => {
      this.#resting = undefined
      this.emit('interfaces')
    })
  }

  #logChange({ action, protocol, interface: name }: ResponderChange): void {
    const event = `${action}${protocol.toUpperCase()}Responder`
    this.#log.info({ event, interface: name }, `${action}d ${protocol.toUpperCase()} responder`)
  }
}
