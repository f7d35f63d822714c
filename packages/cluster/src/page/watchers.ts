/** Those who want to hear that facts may have changed: mostly nobody, and then telling them costs nothing. */
export class Watchers {
  readonly #watchers = new Set<() => void>()

  /** As `watch` of a page's source. @returns what undoes it; safe to call twice */
  add(changed: () => void): () => void {
    const watcher = (): void => changed()
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }

  /** Something may be different. */
  tell(): void {
    for (const watcher of this.#watchers) watcher()
  }
}
