import { OrderedTree } from './ordered-tree.js'
import { nextRank, previousRank, type Rank } from './rank.js'

/**
 * A set of ranks kept as maximal runs, so that its cost is the number of gaps and not of members: a full /8 is
 * one run. Every operation is O(log runs).
 */
export class RunSet {
  /** First member of each run → its last. */
  readonly #runs = new OrderedTree<Rank>(() => undefined)
  #size = 0

  /** Members. */
  get size(): number {
    return this.#size
  }

  /** @returns false when it was a member already */
  add(member: Rank): boolean {
    const before = this.#runs.floor(member)
    if (before && member <= before.value) return false
    const next = nextRank(member)
    const after = this.#runs.floor(next)
    const meetsBefore = before !== undefined && nextRank(before.value) === member
    const meetsAfter = after !== undefined && after.key === next
    if (meetsBefore && meetsAfter) {
      before.value = after.value
      this.#runs.delete(after.key)
    } else if (meetsBefore) before.value = member
    // No other run lies between, so moving the key down by one keeps the order.
    else if (meetsAfter) after.key = member
    else this.#runs.insert(member, member)
    this.#size++
    return true
  }

  /** @returns false when it was no member */
  delete(member: Rank): boolean {
    const run = this.#runs.floor(member)
    if (!run || member > run.value) return false
    const { key: first, value: last } = run
    if (first === last) this.#runs.delete(first)
    else if (member === first) run.key = nextRank(member)
    else {
      run.value = previousRank(member)
      if (member !== last) this.#runs.insert(nextRank(member), last)
    }
    this.#size--
    return true
  }

  /** The lowest rank that is no member. */
  lowestGap(): Rank {
    const run = this.#runs.floor(0)
    return run ? nextRank(run.value) : 0
  }
}
