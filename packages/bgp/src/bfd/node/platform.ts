import type { DigestAlgorithm, Microseconds } from '../wire/index.js'
import type { EndpointLink } from './endpoint.js'
import type { ControlFilter } from './filter.js'

/** Something that holds a descriptor until it is closed. */
export interface Closable {
  close(): void
}

/** Received packets, read where they lie; valid only during the call. Each method takes a place in the batch, from 0. */
export interface PacketBatch {
  readonly length: number
  /** UDP payload; a view. */
  data(index: number): Uint8Array
  /** TTL or Hop Limit it came with. */
  hopLimit(index: number): number
  interfaceIndex(index: number): number
  /** Canonical text. */
  source(index: number): string
  /** Canonical text. */
  destination(index: number): string
}

/** Receives control packets. */
export interface ControlSocket extends Closable {
  /** Hands on all that waits at the socket now, before it returns. */
  drain(): void
  /** Puts the kernel's filter on, or takes it off. */
  setFilter(filter: ControlFilter | undefined): void
  /** Packets that the kernel did not give us: a count of 32 bits that wraps. */
  drops(): number
}

/** What a {@link ControlSocket} is opened for. */
export interface ControlSocketOptions {
  readonly family: 4 | 6
  readonly port: number
  /** VRF or other device to bind to. */
  readonly device: string | undefined
  onPackets(batch: PacketBatch): void
  onError(error: Error): void
}

/** Sends what one session has to say. */
export interface TransmitSocket extends Closable {
  /** @returns the code of an error, such as `'ENETUNREACH'`; `undefined` when the packet has gone out */
  send(octets: Uint8Array): string | undefined
}

/** What a {@link TransmitSocket} is opened for. */
export interface TransmitSocketOptions {
  readonly family: 4 | 6
  readonly address: string
  readonly port: number
  readonly sourcePort: number
  /** The kernel chooses when it is left out. */
  readonly localAddress: string | undefined
  /** Interface or VRF to bind to. */
  readonly device: string | undefined
  /** Interface of a link-local address; else 0. */
  readonly scope: number
}

/** Echo packets on one interface: ours that come back, and the remote systems'. */
export interface EchoSocket extends Closable {
  /** Hands on all that waits at the socket now, before it returns. */
  drain(): void
  /** Lets through only echo packets with these source addresses. */
  setSources(sources: readonly string[]): void
  /**
   * Sends an IP packet to a next hop on the interface, whoever it is addressed to.
   * @returns the code of an error; `undefined` when the packet has gone out
   */
  send(packet: Uint8Array, nextHop: string): string | undefined
}

/** What an {@link EchoSocket} is opened for. */
export interface EchoSocketOptions {
  readonly family: 4 | 6
  readonly link: EndpointLink
  readonly sources: readonly string[]
  /** @param packets whole IP packets; views that are valid only during the call */
  onPackets(packets: readonly Uint8Array[]): void
  onError(error: Error): void
}

/** One alarm. */
export interface Alarm extends Closable {
  /** Rings once at that time, instead of what was set before; `Infinity` is never. */
  set(at: Microseconds): void
}

/** Everything of the outer world that the worker touches, so that tests can give it a world of their own. */
export interface Platform {
  /** Monotonic. */
  now(): Microseconds
  openAlarm(ring: () => void): Alarm
  /** From 0 up to 1, without 1. */
  random(): number
  digest(algorithm: DigestAlgorithm, octets: Uint8Array): Uint8Array
  links(): readonly EndpointLink[]
  /** Calls back, coalesced, when links or their addresses have changed. */
  watchLinks(onChange: () => void, onError: (error: Error) => void): Closable
  /** Whether this system forwards packets that come in by an interface: then it loops the remote systems' echo packets itself. */
  forwards(family: 4 | 6, link: string): boolean
  openControl(options: ControlSocketOptions): ControlSocket
  openTransmit(options: TransmitSocketOptions): TransmitSocket
  openEcho(options: EchoSocketOptions): EchoSocket
}
