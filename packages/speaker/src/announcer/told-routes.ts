/** The routes of one peer: what the plan wants, and telling the engine no more than what differs. */
import type { Logger } from '../logger.js'
import type { RouteDelta } from '../plan/delta.js'
import type { RoutePlan } from '../plan/types.js'
import type { EnginePeer } from './engine.js'

type Told = Pick<EnginePeer, 'setRoutes' | 'announce' | 'withdraw'>

const NONE: readonly RoutePlan[] = []
const NOTHING: ReadonlySet<string> = new Set()

/** A route that cannot be sent, such as one with a thousand communities, is left out; the others go. */
export class ToldRoutes {
  readonly #log: () => Logger
  readonly #unsendable = new Map<string, string>()
  #wanted = NONE
  #peer: Told | undefined
  #held = false
  #kept = NOTHING
  /** The list that the engine has last been told; a delta goes on from there. */
  #told: readonly RoutePlan[] | undefined

  constructor(log: () => Logger) {
    this.#log = log
  }

  /** The peer to tell, which knows nothing yet; `undefined`: nobody. */
  attach(peer: Told | undefined): void {
    this.#peer = peer
    this.#told = undefined
    this.#tell()
  }

  /** Whether the peer is to know nothing but these prefixes, whatever is wanted. */
  hold(held: boolean, kept = NOTHING): void {
    if (held === this.#held && kept === this.#kept) return
    this.#held = held
    this.#kept = kept
    this.#tell()
  }

  /** @param delta what differs from the wanted set before; absent: unknown */
  set(routes: readonly RoutePlan[], delta?: RouteDelta): void {
    const before = this.#wanted
    this.#wanted = routes
    if (delta && this.#told === before && !this.#held) this.#tellDifference(delta)
    else this.#tell()
  }

  #tellDifference(delta: RouteDelta): void {
    this.#told = this.#wanted
    for (const [prefix, route] of delta) {
      if (!route) this.#withdraw(prefix)
      else if (!this.#announce(route)) this.#withdraw(prefix)
    }
  }

  #tell(): void {
    const wanted = this.#held ? this.#keep() : this.#wanted
    if (!this.#peer || this.#told === wanted) return
    this.#told = wanted
    try {
      this.#peer.setRoutes(wanted)
      this.#unsendable.clear()
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      this.#peer.setRoutes(wanted.filter(route => this.#announce(route)))
    }
  }

  #keep(): readonly RoutePlan[] {
    return this.#kept.size === 0 ? NONE : this.#wanted.filter(({ prefix }) => this.#kept.has(prefix))
  }

  #withdraw(prefix: string): void {
    this.#unsendable.delete(prefix)
    this.#peer?.withdraw(prefix)
  }

  /** @returns whether it could be told */
  #announce(route: RoutePlan): boolean {
    try {
      this.#peer?.announce(route)
      this.#unsendable.delete(route.prefix)
      return true
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      if (this.#unsendable.get(route.prefix) !== error.message) {
        const { prefix } = route
        this.#log().error({ op: 'setRoutes', prefix, error: error.message }, 'route cannot be sent, the others are')
      }
      this.#unsendable.set(route.prefix, error.message)
      return false
    }
  }
}
