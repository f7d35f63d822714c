/** What layer 2 needs of `@typemetal/arp-ndp`. */
import type { Interfaces } from '../plan/types.js'

/** Counters of one address. */
export interface AddressCounters {
  readonly requestsReceived: number
  readonly responsesSent: number
  readonly gratuitousSent: number
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
  /** `claim`: it has the address; `probe`: it asks whether it may have it. */
  readonly kind: 'claim' | 'probe'
}

/** An address to answer for. */
export interface ResponderAddress {
  readonly address: string
  readonly interfaces: Interfaces
}

/** The part of `@typemetal/arp-ndp`'s Layer2 that is used here. */
export interface Responder {
  /** Answers for the addresses of `set` from now on, on their interfaces, and no longer for those of `remove`. */
  changeAddresses(set: readonly ResponderAddress[], remove: readonly string[]): void
  /** Tells the segment that this node has the address, in a burst. */
  announce(address: string): void
  /** Tells it once, now (RFC 5227 section 2.4). */
  defend(address: string): void
  /** Stops the bursts of these; they are answered for as before. */
  hush(addresses: readonly string[]): void
  /** Names of the interfaces that are answered on. */
  interfaces(): readonly string[]
  /** What was done, by address. */
  counters(): Promise<ReadonlyMap<string, AddressCounters>>
  /** What was done, by socket: few, however many addresses there are. */
  statistics(): Promise<unknown>
  /** Other interfaces are answered on than before. */
  on(event: 'interfaces', listener: (names: readonly string[]) => void): unknown
  /** A socket was opened or closed. */
  on(event: 'responder', listener: (change: ResponderChange) => void): unknown
  /** Another host uses an address of ours, or does so no more. */
  on(event: 'conflict' | 'conflict-over', listener: (conflict: AddressConflict) => void): unknown
  /** The worker has died: nothing is answered any more. */
  on(event: 'error', listener: (error: Error) => void): unknown
  /** Stops answering, and ends the worker. */
  [Symbol.asyncDispose](): Promise<void>
}
