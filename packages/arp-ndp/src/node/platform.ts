import type { Instant } from '../responder/announcer.js'
import type { Protocol } from '../responder/responder.js'
import type { ScannedLink } from '../responder/scan.js'

/** Something that holds a descriptor until it is closed. */
export interface Closable {
  close(): void
}

/** Ethernet frames of one protocol on one interface. */
export interface FrameSocket extends Closable {
  /** @returns how many went out; fewer than given when the transmit queue is full */
  sendBatch(frames: readonly Uint8Array[]): number
  /** Lets through only requests for and claims of these addresses; of any when `undefined`. */
  setTargets(targets: readonly Uint8Array[] | undefined): void
  /** Frames that passed the kernel's filter, and those of them that it lost because we were slow. */
  statistics(): { readonly packets: number; readonly drops: number }
}

/** Multicast membership on one interface. */
export interface GroupSocket extends Closable {
  /** @param group 16 octets */
  joinGroup(group: Uint8Array): void
  /** @param group 16 octets */
  leaveGroup(group: Uint8Array): void
}

/** What a {@link FrameSocket} is opened for. */
export interface FrameSocketOptions {
  readonly interfaceIndex: number
  readonly protocol: Protocol
  readonly targets: readonly Uint8Array[] | undefined
  /** The views are valid only during the call. */
  onFrames(frames: readonly Uint8Array[]): void
  /** Once after {@link FrameSocket.sendBatch} took fewer frames than given: there is room again. */
  onWritable(): void
  onError(error: Error): void
}

/** Everything of the outer world that the worker touches, so that tests can give it a world of their own. */
export interface Platform {
  links(): readonly ScannedLink[]
  /** Calls back, coalesced, when links or their addresses have changed. */
  watchLinks(onChange: () => void, onError: (error: Error) => void): Closable
  openFrames(options: FrameSocketOptions): FrameSocket
  openGroups(interfaceIndex: number): GroupSocket
  /** Monotonic. */
  now(): Instant
  /** The wall clock's time of a recent {@link now}. */
  dateOf(instant: Instant): Date
  /** From 0 up to, not including, 1. */
  random(): number
  /** Calls back once after so many milliseconds; 0 is as soon as what waits already is done. @returns a way to call it off */
  after(milliseconds: number, callback: () => void): () => void
}
