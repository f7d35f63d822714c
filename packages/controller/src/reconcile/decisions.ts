import { type ObjectKey, parseAddress, type Service } from '@typemetal/cluster'
import { canonicalIngressIPs, withAddresses, withoutAddresses } from './ingress.js'
import { Annotation } from './annotations.js'

/** A Service as the store showed it, and as it should be. */
interface Decision {
  readonly seen: Service
  readonly wanted: Service
  /** Addresses in the status of `seen` that are not in that of `wanted`. */
  readonly leaving: ReadonlySet<string>
}

/**
 * Decided statuses that the store has not shown yet.
 *
 * Until the store shows a newer version of a Service, what was decided stands for it: a write under way, or one whose
 * fate is unknown, must not be decided a second time on the old version. And until then nobody else's status may name
 * what this one gives up: a controller that starts anew at that moment would find one address in two statuses.
 */
export class Decisions {
  readonly #open = new Map<ObjectKey, Decision>()
  /** How many open decisions give an address up. */
  readonly #leaving = new Map<string, number>()
  /** Services that were kept from being written in full. */
  readonly #blocked = new Set<ObjectKey>()

  /** The Service to decide on: as decided, while the store still shows the version that was decided on. */
  current(key: ObjectKey, seen: Service): Service {
    const decision = this.#open.get(key)
    if (!decision) return seen
    if (isSameVersion(decision.seen, seen)) return decision.wanted
    this.forget(key)
    return seen
  }

  decide(key: ObjectKey, seen: Service, wanted: Service): void {
    this.forget(key)
    const kept = canonicalIngressIPs(wanted)
    const leaving = new Set(canonicalIngressIPs(seen).filter(text => !kept.includes(text)))
    for (const text of leaving) this.#leaving.set(text, (this.#leaving.get(text) ?? 0) + 1)
    this.#open.set(key, { seen, wanted, leaving })
  }

  /**
   * The Service to be written, if the store still shows the version that was decided on. As long as others have not left
   * the addresses it is to get, it is written without these: so two Services can change places.
   */
  wanted(key: ObjectKey, seen: Service | undefined): Service | undefined {
    const decision = this.#open.get(key)
    if (!decision || !seen || !isSameVersion(decision.seen, seen)) return undefined
    if (this.#leaving.size === 0) return decision.wanted
    const present = canonicalIngressIPs(decision.seen)
    const all = canonicalIngressIPs(decision.wanted)
    const free = all.filter(text => present.includes(text) || !this.#leaving.has(text))
    if (free.length === all.length) return decision.wanted
    this.#blocked.add(key)
    return decision.leaving.size === 0 ? undefined : withOnly(decision, free)
  }

  /** The decision is void: its object has moved on, or is gone. */
  forget(key: ObjectKey): void {
    for (const text of this.#open.get(key)?.leaving ?? []) {
      const count = this.#leaving.get(text) ?? 0
      if (count > 1) this.#leaving.set(text, count - 1)
      else this.#leaving.delete(text)
    }
    this.#open.delete(key)
  }

  /** Services that were kept from being written in full since the last call; some may be free to go now. */
  takeBlocked(): readonly ObjectKey[] {
    const blocked = [...this.#blocked]
    this.#blocked.clear()
    return blocked
  }
}

/** Addresses that were free before come back with the next decision, when they are free again. */
function withOnly({ seen, wanted }: Decision, texts: readonly string[]): Service {
  const pool = wanted.metadata.annotations?.[Annotation.allocatedFromPool]
  const addresses = texts.flatMap(text => parseAddress(text) ?? [])
  if (addresses.length === 0 || pool === undefined) return withoutAddresses(seen)
  return withAddresses(seen, addresses, pool)
}

function isSameVersion(a: Service, b: Service): boolean {
  if (a === b) return true
  const { uid, resourceVersion } = a.metadata
  return resourceVersion !== undefined && resourceVersion === b.metadata.resourceVersion && uid === b.metadata.uid
}
