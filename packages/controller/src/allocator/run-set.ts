import { OrderedTree } from './ordered-tree.js'

/**
 * A set of unsigned integers kept as maximal runs, so that its cost is the number of gaps and not of members: a full /8 is
 * one run. Every operation is O(log runs).
 */
export class RunSet {
  /** First member of each run → its last. */
  readonly #runs = new OrderedTree<bigint>(() => undefined)
  #size = 0

  /** Members. */
  get size(): number {
    return this.#size
  }

  /** @returns false when it was a member already */
  add(member: bigint): boolean {
    const before = this.#runs.floor(member)
    if (before && member <= before.value) return false
    const after = this.#runs.floor(member + 1n)
    const meetsBefore = before !== undefined && before.value === member - 1n
    const meetsAfter = after !== undefined && after.key === member + 1n
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
  delete(member: bigint): boolean {
    const run = this.#runs.floor(member)
    if (!run || member > run.value) return false
    const { key: first, value: last } = run
    if (first === last) this.#runs.delete(first)
    else if (member === first) run.key = member + 1n
    else {
      run.value = member - 1n
      if (member !== last) this.#runs.insert(member + 1n, last)
    }
    this.#size--
    return true
  }

  /** The lowest integer from 0 up that is no member. */
  lowestGap(): bigint {
    const run = this.#runs.floor(0n)
    return run ? run.value + 1n : 0n
  }
}
