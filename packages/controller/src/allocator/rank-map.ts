import type { Rank } from './rank.js'

/** Ranks on one page. Few, so that a rank far from all others costs little. */
const PAGE = 16

interface Page<T> {
  readonly items: (T | undefined)[]
  count: number
}

/** Values by rank. Ranks mostly come in long runs, so they share pages; that is smaller than an entry of a Map for each, and quicker. */
export class RankMap<T> {
  readonly #pages = new Map<number, Page<T>>()
  readonly #far = new Map<bigint, T>()

  get(rank: Rank): T | undefined {
    if (typeof rank === 'bigint') return this.#far.get(rank)
    return this.#pages.get(Math.floor(rank / PAGE))?.items[rank % PAGE]
  }

  /** Sets the value of a rank that has none. */
  add(rank: Rank, value: T): void {
    if (typeof rank === 'bigint') {
      this.#far.set(rank, value)
      return
    }
    const number = Math.floor(rank / PAGE)
    let page = this.#pages.get(number)
    if (!page) {
      page = { items: Array.from({ length: PAGE }), count: 0 }
      this.#pages.set(number, page)
    }
    page.items[rank % PAGE] = value
    page.count++
  }

  /** Removes the value of a rank, if it has one. */
  delete(rank: Rank): void {
    if (typeof rank === 'bigint') {
      this.#far.delete(rank)
      return
    }
    const number = Math.floor(rank / PAGE)
    const page = this.#pages.get(number)
    if (page?.items[rank % PAGE] === undefined) return
    page.items[rank % PAGE] = undefined
    if (--page.count === 0) this.#pages.delete(number)
  }
}
