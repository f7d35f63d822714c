import { element, setAttribute, setText } from './dom.js'
import { count } from './words.js'

/** Turns the pages of one table. */
export class Pager {
  readonly element: HTMLElement
  readonly #size: number
  readonly #where = element('span', { class: 'where' })
  readonly #buttons: readonly { readonly button: HTMLButtonElement; readonly target: () => number }[]
  readonly #turned: () => void
  #page = 0
  #rows = 0

  /**
   * @param title of the table
   * @param size rows on a page
   * @param turned another page is to be shown
   */
  constructor(title: string, size: number, turned: () => void) {
    this.#size = size
    this.#turned = turned
    const button = (label: string, sign: string, target: () => number) => ({
      button: element('button', { type: 'button', 'aria-label': label }, sign),
      target,
    })
    this.#buttons = [
      button('First page', '«', () => 0),
      button('Previous page', '‹ Previous', () => this.#page - 1),
      button('Next page', 'Next ›', () => this.#page + 1),
      button('Last page', '»', () => this.#last),
    ]
    const [first, previous, next, last] = this.#buttons.map(each => each.button)
    this.element = element('div', { class: 'pager', role: 'group', 'aria-label': `Pages of ${title}` })
    this.element.append(...[first, previous, this.#where, next, last].filter(each => each !== undefined))
    for (const { button, target } of this.#buttons) button.addEventListener('click', () => this.#go(target()))
  }

  /** Rows on all pages. */
  get rows(): number {
    return this.#rows
  }

  /** Goes to a page without showing it yet. @param page from 0 on */
  turnTo(page: number): void {
    this.#page = page
  }

  /** Takes a key of the table's. @returns whether it turned a page */
  key(name: string): boolean {
    const target = { PageDown: this.#page + 1, PageUp: this.#page - 1, Home: 0, End: this.#last }[name]
    return target !== undefined && this.#go(target)
  }

  /** @param rows on all pages @returns the first row to show, and the first not to */
  update(rows: number): readonly [from: number, to: number] {
    this.#rows = rows
    this.#page = Math.min(this.#page, this.#last)
    const from = this.#page * this.#size
    const to = Math.min(from + this.#size, rows)
    this.element.hidden = rows <= this.#size
    setText(this.#where, `${count(from + 1)}–${count(to)} of ${count(rows)}`)
    for (const { button, target } of this.#buttons) {
      // Not disabled, which would take the focus away from who turns pages.
      setAttribute(button, 'aria-disabled', this.#canGo(target()) ? undefined : 'true')
    }
    return [from, to]
  }

  get #last(): number {
    return Math.max(0, Math.ceil(this.#rows / this.#size) - 1)
  }

  #canGo(page: number): boolean {
    return page >= 0 && page <= this.#last && page !== this.#page
  }

  #go(page: number): boolean {
    if (!this.#canGo(page)) return false
    this.#page = page
    this.#turned()
    return true
  }
}
