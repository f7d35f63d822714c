import { EventEmitter } from 'node:events'
import type { CheckedSessionOptions, SessionOptions, SessionSnapshot } from '../fsm/index.js'
import type { State } from '../wire/index.js'
import type { SessionCounters } from './cells.js'
import type { Endpoint } from './endpoint.js'
import { checkHolderOptions } from './holders.js'
import type { StateDetails } from './messages.js'

/** What is known of a session: identity, state, what was negotiated, counts. */
export type BfdSnapshot = Omit<Endpoint, 'key' | 'family'> & SessionSnapshot & SessionCounters

/** Events of a {@link BfdSession}. */
export interface BfdSessionEvents {
  /** bfd.SessionState has changed. */
  state: [to: State, from: State, details: StateDetails]
  /** bfd.RemoteSessionState has changed, and bfd.SessionState has not: the remote system was taken down on purpose, say. */
  remoteState: [to: State, from: State]
}

/** What several holders share; only `Bfd` and {@link BfdSession} know it. */
export interface SharedSession {
  readonly endpoint: Endpoint
  readonly state: State
  readonly remoteState: State
  snapshot(): BfdSnapshot
  /** A holder's options or wishes have changed. @throws {RangeError} they do not go with the others' */
  update(holder: BfdSession, options: CheckedSessionOptions, disabled: boolean): void
  leave(holder: BfdSession): void
}

/**
 * One holder's handle of a BFD session. Those who ask for the same one share it on the wire; each has a handle, options and wishes
 * of its own.
 */
export class BfdSession extends EventEmitter<BfdSessionEvents> implements Disposable {
  readonly #shared: SharedSession
  #options: CheckedSessionOptions
  #disabled = false
  #closed = false

  /** @internal made by `Bfd.session` */
  constructor(shared: SharedSession, options: CheckedSessionOptions) {
    super()
    this.#shared = shared
    this.#options = options
  }

  /** The remote system's address in canonical form, without a zone. */
  get address(): string {
    return this.#shared.endpoint.address
  }

  /** bfd.SessionState, as the last `state` event has told it. */
  get state(): State {
    return this.#shared.state
  }

  /** bfd.RemoteSessionState, as the last event has told it. */
  get remoteState(): State {
    return this.#shared.remoteState
  }

  /** Whether {@link close} was called. */
  get closed(): boolean {
    return this.#closed
  }

  /**
   * Changes this holder's options, all of them: what is left out has its default. A session that is Up stays Up: a Poll Sequence
   * tells the remote system (RFC 5880 section 6.8.3).
   *
   * @throws {RangeError | TypeError} an option has no meaning, or the authentication is not that of the other holders; nothing has
   * changed then
   */
  change(options: SessionOptions): void {
    this.#update(checkHolderOptions(options), this.#disabled)
  }

  /** Wants the session to be AdminDown: it is when every holder does. */
  disable(): void {
    this.#update(this.#options, true)
  }

  /** Wants the session up again after {@link disable}. */
  enable(): void {
    this.#update(this.#options, false)
  }

  /** What the worker knows at this moment; the session's state may be ahead of {@link state}. */
  snapshot(): BfdSnapshot {
    return this.#shared.snapshot()
  }

  /**
   * Gives the session up; no event comes afterwards. With the last holder the session ends, and the remote system is told AdminDown.
   * Safe to call twice.
   */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#shared.leave(this)
    this.removeAllListeners()
  }

  /** As {@link close}. */
  [Symbol.dispose](): void {
    this.close()
  }

  #update(options: CheckedSessionOptions, disabled: boolean): void {
    if (this.#closed) return
    this.#shared.update(this, options, disabled)
    this.#options = options
    this.#disabled = disabled
  }
}
