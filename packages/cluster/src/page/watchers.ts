/** Calls once after a delay. @returns cancels the call */
export type After = (ms: number, fn: () => void) => () => void

/** Milliseconds after which facts may be other ones though nothing has told so: counters, say, and how ready a process is. */
const PULSE = 1_000

/** Those who want to hear that facts may have changed: mostly nobody, and then telling them costs nothing and no timer runs. */
export class Watchers {
  readonly #watchers = new Set<() => void>()
  readonly #after: After
  #cancel: (() => void) | undefined

  /** @param after time */
  constructor(after: After) {
    this.#after = after
  }

  /** As `watch` of a page's source. @returns what undoes it; safe to call twice */
  add(changed: () => void): () => void {
    const watcher = (): void => changed()
    this.#watchers.add(watcher)
    if (!this.#cancel) this.#arm()
    return () => {
      this.#watchers.delete(watcher)
      if (this.#watchers.size > 0) return
      this.#cancel?.()
      this.#cancel = undefined
    }
  }

  /** Something may be different. */
  tell(): void {
    for (const watcher of this.#watchers) watcher()
  }

  #arm(): void {
    this.#cancel = this.#after(PULSE, () => {
      this.#arm()
      this.tell()
    })
  }
}
