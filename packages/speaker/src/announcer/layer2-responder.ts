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
  changeAddresses(set: readonly ResponderAddress[], remove: readonly string[]): void
  announce(address: string): void
  defend(address: string): void
  hush(addresses: readonly string[]): void
  interfaces(): readonly string[]
  counters(): Promise<ReadonlyMap<string, AddressCounters>>
  on(event: 'interfaces', listener: (names: readonly string[]) => void): unknown
  on(event: 'responder', listener: (change: ResponderChange) => void): unknown
  on(event: 'conflict' | 'conflict-over', listener: (conflict: AddressConflict) => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
  [Symbol.asyncDispose](): Promise<void>
}
