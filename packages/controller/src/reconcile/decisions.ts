import type { ObjectKey, Service } from '@typemetal/cluster'

/** A Service as the store showed it, and as it should be. */
interface Decision {
  readonly seen: Service
  readonly wanted: Service
}

/**
 * Decided statuses that the store has not shown yet. Until it shows a newer version of the Service, what was decided
 * stands for it: a write under way, or one whose fate is unknown, must not be decided a second time on the old version.
 */
export class Decisions {
  readonly #open = new Map<ObjectKey, Decision>()

  /** The Service to decide on: as decided, while the store still shows the version that was decided on. */
  current(key: ObjectKey, seen: Service): Service {
    const decision = this.#open.get(key)
    if (!decision) return seen
    if (isSameVersion(decision.seen, seen)) return decision.wanted
    this.#open.delete(key)
    return seen
  }

  decide(key: ObjectKey, seen: Service, wanted: Service): void {
    this.#open.set(key, { seen, wanted })
  }

  /** The Service to be written, if the store still shows the version that was decided on. */
  wanted(key: ObjectKey, seen: Service | undefined): Service | undefined {
    const decision = this.#open.get(key)
    return decision && seen && isSameVersion(decision.seen, seen) ? decision.wanted : undefined
  }

  /** The object is gone. */
  forget(key: ObjectKey): void {
    this.#open.delete(key)
  }
}

function isSameVersion(a: Service, b: Service): boolean {
  if (a === b) return true
  const { uid, resourceVersion } = a.metadata
  return resourceVersion !== undefined && resourceVersion === b.metadata.resourceVersion && uid === b.metadata.uid
}
