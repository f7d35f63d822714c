/** Facts for tests and pictures of the status page. */
import type { PageFacts, PageSource } from '@typemetal/cluster/page'

/** A source whose facts are what somebody says they are. */
export class ExampleSource implements PageSource {
  /** Times that facts were asked for. */
  asked = 0
  #facts: PageFacts
  readonly #watchers = new Set<() => void>()

  constructor(facts: PageFacts) {
    this.#facts = facts
  }

  /** Those who want to hear of changes. */
  get watchers(): number {
    return this.#watchers.size
  }

  facts(): PageFacts {
    this.asked++
    return this.#facts
  }

  watch(changed: () => void): () => void {
    this.#watchers.add(changed)
    return () => this.#watchers.delete(changed)
  }

  /** From now on these sections are so. */
  change(sections: Partial<PageFacts>): void {
    this.#facts = { ...this.#facts, ...sections }
    for (const changed of this.#watchers) changed()
  }
}
