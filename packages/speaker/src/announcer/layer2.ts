/** Layer 2: the worker that answers ARP and NDP, started only while the configuration needs it. */
import { EventEmitter } from 'node:events'
import { isInterfaceName, parseAnswerable } from '@typemetal/arp-ndp/responder'
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
  on(event: 'conflict' | 'conflict-over', listener: (conflict: AddressConflict) => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
  [Symbol.asyncDispose](): Promise<void>
}

/** A socket was opened or closed on an interface. */
export interface ResponderChange {
  readonly action: 'create' | 'delete'
  readonly protocol: 'arp' | 'ndp'
  readonly interface: string
}

/** Another host uses an address that this node answers for. */
export interface AddressConflict {
  readonly address: string
  readonly interface: string
  readonly mac: string
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
  /** Addresses of the wanted set that no node can answer for: named in the log once. */
  #refused: ReadonlySet<string> = new Set()
  /** Conflicts that were named in the log, until they are over. */
  readonly #conflicts = new Set<string>()
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
    responder.on('conflict', conflict => this.#logConflict(conflict))
    responder.on('conflict-over', conflict => this.#conflicts.delete(nameOf(conflict)))
    responder.on('error', error => this.#died(error))
    this.#responder = responder
  }

  /**
   * Takes the whole wanted set; the responder finds the difference. Nothing happens while layer 2 is not running. An address that
   * nobody can answer for, such as a loopback address of a careless pool, is left out: it must not cost the others.
   */
  apply(wanted: ReadonlyMap<string, Interfaces>): void {
    if (this.#responder === undefined) return
    const refused = new Set<string>()
    const entries = [...wanted].flatMap(([address, interfaces]) => {
      const reason = refusalOf(address)
      if (reason === undefined) return [{ address, interfaces: possible(interfaces) }]
      if (!this.#refused.has(address)) this.#log.error({ op: 'layer2', address, error: reason }, 'cannot be announced')
      refused.add(address)
      return []
    })
    this.#refused = refused
    this.#responder.setAddresses(entries)
  }

  /** Counters by address; empty while layer 2 is not running. */
  async counters(): Promise<ReadonlyMap<string, AddressCounters>> {
    return (await this.#responder?.counters()) ?? new Map<string, AddressCounters>()
  }

  /** Stops answering, at once and for all addresses. */
  async [Symbol.asyncDispose](): Promise<void> {
    const responder = this.#responder
    this.#responder = undefined
    this.#conflicts.clear()
    this.#resting?.()
    this.#resting = undefined
    await responder?.[Symbol.asyncDispose]()
  }

  /** Whoever listens asks for what is wanted again, which starts another one. */
  #died(error: Error): void {
    this.#log.error({ op: 'layer2', error: error.message }, 'layer 2 has stopped and is started again')
    this.#responder = undefined
    this.#conflicts.clear()
    this.#resting = this.#clock.after(RESTART_DELAY, () => {
      this.#resting = undefined
      this.emit('interfaces')
    })
  }

  #logConflict(conflict: AddressConflict): void {
    const name = nameOf(conflict)
    if (this.#conflicts.has(name)) return
    this.#conflicts.add(name)
    const { address, interface: on, mac } = conflict
    this.#log.warn({ op: 'layer2', address, interface: on, mac }, 'another host answers for an address of this node')
  }

  #logChange({ action, protocol, interface: name }: ResponderChange): void {
    const event = `${action}${protocol.toUpperCase()}Responder`
    this.#log.info({ event, interface: name }, `${action}d ${protocol.toUpperCase()} responder`)
  }
}

const nameOf = ({ address, interface: name, mac }: AddressConflict): string => `${address} ${name} ${mac}`

function refusalOf(address: string): string | undefined {
  try {
    parseAnswerable(address)
    return undefined
  } catch (error) {
    if (error instanceof RangeError) return error.message
    throw error
  }
}

/** Names of an advertisement that no interface can have match none; the responder takes them for a mistake. */
const possible = (interfaces: Interfaces): Interfaces =>
  interfaces === 'all' ? 'all' : interfaces.filter(isInterfaceName)
