import type { Change } from './store.js'

/** Gathers changes and hands them on in one batch, after the code that runs now. */
export class ChangeQueue {
  readonly #emit: (changes: readonly Change[]) => void
  #pending: Map<string, Change> | undefined

  constructor(emit: (changes: readonly Change[]) => void) {
    this.#emit = emit
  }

  /** An empty list announces that only the faults changed. */
  push(changes: readonly Change[]): void {
    if (!this.#pending) {
      this.#pending = new Map()
      setImmediate(() => this.#flush())
    }
    for (const change of changes) {
      const id = `${change.kind} ${change.key}`
      const earlier = this.#pending.get(id)
      const merged = earlier ? merge(earlier, change) : change
      if (merged) this.#pending.set(id, merged)
      else this.#pending.delete(id)
    }
  }

  /** Forgets what has not been handed on. */
  clear(): void {
    this.#pending = undefined
  }

  #flush(): void {
    const pending = this.#pending
    this.#pending = undefined
    if (pending) this.#emit([...pending.values()])
  }
}

/** Two changes of one object as one; `undefined` when the second undoes the first. */
function merge(first: Change, second: Change): Change | undefined {
  if (first.type === 'added') return second.type === 'deleted' ? undefined : first
  if (first.type === 'deleted' && second.type === 'added') return { ...second, type: 'modified' }
  return second
}
