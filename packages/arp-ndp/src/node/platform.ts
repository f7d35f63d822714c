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
  /** Lets through only requests for these addresses; all requests when `undefined`. */
  setTargets(targets: readonly string[] | undefined): void
  /** Frames that passed the kernel's filter, and those of them that it lost because we were slow. */
  statistics(): { readonly packets: number; readonly drops: number }
}

/** Multicast membership on one interface. */
export interface GroupSocket extends Closable {
  /** @param group text */
  joinGroup(group: string): void
  /** @param group text */
  leaveGroup(group: string): void
}

/** What a {@link FrameSocket} is opened for. */
export interface FrameSocketOptions {
  readonly interfaceIndex: number
  readonly protocol: Protocol
  readonly targets: readonly string[] | undefined
  /** The views are valid only during the call. */
  onFrames(frames: readonly Uint8Array[]): void
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
  /** Calls back once after so many milliseconds; 0 is as soon as what waits already is done. @returns a way to call it off */
  after(milliseconds: number, callback: () => void): () => void
}
