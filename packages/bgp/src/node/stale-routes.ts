import {
  ReceivingSpeaker,
  type Negotiated,
  type ReceivingSpeakerOptions,
  type SessionEnd,
  type StaleAction,
} from '../fsm/index.js'
import type { AdjRibIn } from '../rib/index.js'
import type { RouteSource } from '../route-source.js'
import type { FamilyName } from '../wire/index.js'
import type { Clock } from './clock.js'
import type { Logger } from './logger.js'

/** Carries out what a {@link ReceivingSpeaker} decides about the routes of a peer that restarts, and keeps its timer. */
export class StaleRoutes {
  readonly #speaker: ReceivingSpeaker
  readonly #adjRibIn: AdjRibIn<RouteSource>
  readonly #clock: Clock
  readonly #log: Logger
  #disarm = (): void => {}

  /** @throws {RangeError} a time that is not a number of seconds */
  constructor(adjRibIn: AdjRibIn<RouteSource>, clock: Clock, log: Logger, options?: ReceivingSpeakerOptions) {
    this.#adjRibIn = adjRibIn
    this.#clock = clock
    this.#log = log
    this.#speaker = new ReceivingSpeaker(options)
  }

  /** Whether routes of the family may be stale. */
  keeps(family: FamilyName): boolean {
    return this.#speaker.keeps(family)
  }

  /** Whether any routes are kept: the peer is away, or has not said all again. */
  get isKeeping(): boolean {
    return this.#speaker.families.length > 0
  }

  /** Other limits from now on. */
  change(options: ReceivingSpeakerOptions): void {
    this.#speaker.change(options)
  }

  up(negotiated: Negotiated): void {
    this.#perform(this.#speaker.sessionUp(negotiated, this.#clock.now()))
  }

  down(how: SessionEnd, negotiated: Negotiated | undefined): void {
    this.#perform(this.#speaker.sessionDown(how, negotiated, this.#clock.now()))
  }

  endOfRib(family: FamilyName): void {
    this.#perform(this.#speaker.endOfRib(family))
  }

  /** Stops the timer; what is kept stays until its owner clears it. */
  close(): void {
    this.#disarm()
  }

  #perform(actions: readonly StaleAction[]): void {
    for (const { type, family } of actions) {
      if (this.#adjRibIn.size(family) > 0) this.#log.info({ family, action: type }, 'graceful restart')
      if (type === 'mark-stale') this.#adjRibIn.markStale(family)
      else if (type === 'mark-long-lived') this.#adjRibIn.markLongLivedStale(family)
      else if (type === 'delete-stale') this.#adjRibIn.deleteStale(family)
      else this.#adjRibIn.clear(family)
    }
    this.#arm()
  }

  #arm(): void {
    this.#disarm()
    const next = this.#speaker.nextTimeout
    if (next === undefined) return
    this.#disarm = this.#clock.after(Math.max(0, Math.ceil(next - this.#clock.now())), () =>
      this.#perform(this.#speaker.handleTimeout(this.#clock.now())),
    )
  }
}
