import { RestartingSpeaker, type Negotiated, type RestartingSpeakerOptions, type State } from '../fsm/index.js'
import type { FamilyName } from '../wire/index.js'
import type { Clock } from './clock.js'
import type { Peer } from './peer.js'

/** What a {@link SpeakerRestart} tells its speaker. */
export interface SpeakerRestartHandlers {
  /** Routes of the family are selected now: they are announced. */
  select(family: FamilyName): void
  /** It is over. */
  restarted(): void
}

/** Carries out what a {@link RestartingSpeaker} decides for the peers of a speaker, and keeps its timer. */
export class SpeakerRestart {
  readonly #machine: RestartingSpeaker<Peer>
  readonly #clock: Clock
  readonly #handlers: SpeakerRestartHandlers
  #disarm = (): void => {}

  /** @throws {RangeError} a time that is not a number of seconds */
  constructor(options: RestartingSpeakerOptions, clock: Clock, handlers: SpeakerRestartHandlers) {
    this.#machine = new RestartingSpeaker(options, clock.now())
    this.#clock = clock
    this.#handlers = handlers
    this.#arm()
  }

  /** Whether our OPENs say so. */
  get restarting(): boolean {
    return this.#machine.restarting
  }

  defers(family: FamilyName): boolean {
    return this.#machine.defers(family)
  }

  /** A peer that is waited for. */
  addPeer(peer: Peer): void {
    this.#machine.addPeer(peer)
  }

  removePeer(peer: Peer): void {
    this.#perform(this.#machine.removePeer(peer))
  }

  endOfRib(peer: Peer, family: FamilyName): void {
    this.#perform(this.#machine.endOfRib(peer, family))
  }

  /** A peer has changed its state. */
  transition(peer: Peer, to: State, negotiated: Negotiated | undefined): void {
    const isUp = to === 'Established' && negotiated !== undefined
    this.#perform(isUp ? this.#machine.sessionUp(peer, negotiated) : this.#machine.sessionDown(peer))
  }

  /** Waits for nobody any more. */
  close(): void {
    this.#disarm()
  }

  #perform(actions: ReturnType<RestartingSpeaker<Peer>['endOfRib']>): void {
    for (const action of actions) {
      if (action.type === 'select') this.#handlers.select(action.family)
      else this.#handlers.restarted()
    }
    if (actions.length > 0) this.#arm()
  }

  #arm(): void {
    this.#disarm()
    const next = this.#machine.nextTimeout
    if (next === undefined) return
    this.#disarm = this.#clock.after(Math.max(0, Math.ceil(next - this.#clock.now())), () =>
      this.#perform(this.#machine.handleTimeout(this.#clock.now())),
    )
  }
}
