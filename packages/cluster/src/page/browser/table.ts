import { element, setAttribute, setText } from './dom.js'
import { Pager } from './pager.js'
import { type Column, pickRows, type Row } from './rows.js'
import { TableBody } from './table-body.js'
import { TableHead } from './table-head.js'
import { plural } from './words.js'

/** What a table shows. */
export interface TableOptions<T> {
  /** Of its section in the document. */
  readonly id: string
  readonly title: string
  /** One row: `Service`. */
  readonly noun: string
  /** What the table is about, in one sentence. */
  readonly about: string
  readonly columns: readonly Column<T>[]
  /** Tells rows apart. */
  readonly nameOf: (row: T) => string
  /** All that a filter finds a row by. */
  readonly wordsOf: (row: T) => readonly (string | undefined)[]
  /** Column that rows are sorted by at first. @default the first */
  readonly sortBy?: { readonly column: string; readonly descending: boolean }
  /** Said when there are none. */
  readonly none: string
}

/** Rows at a time: what a screen and a half shows. */
const PAGE = 25
/** Rows from which on searching is quicker than reading. */
const WORTH_FILTERING = 8
/** Milliseconds without typing after which the number of matches is said. */
const QUIET = 600

/** A section with a table: sorted, filtered, a page of rows at a time. */
export class DataTable<T extends Row> {
  readonly section: HTMLElement
  readonly #options: TableOptions<T>
  readonly #filter: HTMLInputElement
  readonly #onlyWrong: HTMLInputElement
  readonly #tools: HTMLElement
  readonly #table: HTMLTableElement
  readonly #region: HTMLElement
  readonly #caption = element('caption')
  readonly #none = element('p', { class: 'none' })
  readonly #head: TableHead<T>
  readonly #body: TableBody<T>
  readonly #pager: Pager
  #rows: readonly T[] = []
  /** Lower-case words of a row, made when a filter first asks. */
  #words = new WeakMap<T, string>()
  #typing = 0

  /** @param say tells those who listen how many rows a filter leaves */
  constructor(options: TableOptions<T>, say: (text: string) => void) {
    const { id, title, noun, columns, sortBy, nameOf } = options
    this.#options = options
    this.#filter = element('input', { type: 'search', id: `${id}-filter`, autocomplete: 'off', spellcheck: 'false' })
    this.#onlyWrong = element('input', { type: 'checkbox', id: `${id}-wrong` })
    this.#tools = element(
      'div',
      { class: 'tools', role: 'search', 'aria-label': title },
      element('label', { for: `${id}-filter` }, `Filter ${noun}s`),
      this.#filter,
      element('label', { class: 'check', for: `${id}-wrong` }, this.#onlyWrong, 'only what is not good'),
    )
    this.#head = new TableHead(columns, sortBy, () => this.#turnTo(0))
    this.#body = new TableBody(nameOf)
    this.#table = element('table', { role: 'table' }, this.#caption, this.#head.element, this.#body.element)
    this.#region = element('div', { class: 'scroll' }, this.#table)
    this.#pager = new Pager(title, PAGE, () => this.#draw())
    const heading = element('h2', { id: `${id}-title` }, title)
    const content = [heading, this.#tools, this.#region, this.#none, this.#pager.element]
    this.section = element('section', { id, 'aria-labelledby': `${id}-title`, tabindex: '-1' }, ...content)
    this.#listen(say)
  }

  /** Shows other rows; `undefined`: the process knows nothing about them. */
  update(rows: readonly T[] | undefined): void {
    this.section.hidden = rows === undefined
    this.#rows = rows ?? []
    this.#draw()
  }

  /** Shows only rows with these words, or those that are not good. */
  search(filter: string, onlyWrong: boolean): void {
    this.#filter.value = filter
    this.#onlyWrong.checked = onlyWrong
    this.#turnTo(0)
  }

  #listen(say: (text: string) => void): void {
    const changed = (): void => {
      this.#turnTo(0)
      clearTimeout(this.#typing)
      this.#typing = setTimeout(() => say(`${plural(this.#pager.rows, this.#options.noun)} shown`), QUIET)
    }
    this.#filter.addEventListener('input', changed)
    this.#filter.addEventListener('keydown', event => {
      if (event.key !== 'Escape' || this.#filter.value === '') return
      event.preventDefault()
      this.#filter.value = ''
      changed()
    })
    this.#onlyWrong.addEventListener('change', changed)
    new ResizeObserver(() => this.#focusable()).observe(this.#region)
    this.#region.addEventListener('keydown', event => {
      if (event.target === this.#region && this.#pager.key(event.key)) event.preventDefault()
    })
  }

  /** Something to stop at with the keyboard only where keys do something: turn pages, or move what is wider than the window. */
  #focusable(): void {
    const isOne = !this.#pager.element.hidden || this.#region.scrollWidth > this.#region.clientWidth
    const { noun } = this.#options
    setAttribute(this.#region, 'tabindex', isOne ? '0' : undefined)
    setAttribute(this.#region, 'role', isOne ? 'group' : undefined)
    setAttribute(this.#region, 'aria-label', isOne ? `Table of ${noun}s: Page Up and Page Down turn pages` : undefined)
  }

  #turnTo(page: number): void {
    this.#pager.turnTo(page)
    this.#draw()
  }

  #draw(): void {
    if (this.section.hidden) return
    const { about, nameOf, none } = this.#options
    const rows = this.#rows
    const { column, descending } = this.#head.sort
    const wish = { filter: this.#filter.value, onlyWrong: this.#onlyWrong.checked, column, descending }
    const picked = pickRows(rows, wish, row => this.#wordsOf(row), nameOf)
    const isFiltered = wish.filter !== '' || wish.onlyWrong
    this.#tools.hidden = rows.length < WORTH_FILTERING && !isFiltered
    this.#none.hidden = picked.length > 0
    this.#region.hidden = picked.length === 0
    setText(this.#none, isFiltered ? 'Nothing matches.' : none)
    setText(this.#caption, about)
    const [from, to] = this.#pager.update(picked.length)
    const columns = this.#head.update(rows)
    this.#body.update(picked.slice(from, to), columns)
    this.#focusable()
    setAttribute(this.#table, 'aria-rowcount', String(picked.length + 1))
  }

  #wordsOf(row: T): string {
    const known = this.#words.get(row)
    if (known !== undefined) return known
    const words = this.#options.wordsOf(row).filter(Boolean).join('\n').toLowerCase()
    this.#words.set(row, words)
    return words
  }
}
