import { element, setAttribute } from './dom.js'
import type { Column } from './rows.js'

/** The heads of columns: buttons that sort. */
export class TableHead<T> {
  readonly element = element('thead', { role: 'rowgroup' })
  readonly #columns: readonly Column<T>[]
  readonly #cells = new Map<Column<T>, HTMLElement>()
  #shown: readonly Column<T>[] = []
  #column: Column<T>
  #descending: boolean

  constructor(
    columns: readonly Column<T>[],
    sortBy: { readonly column: string; readonly descending: boolean } | undefined,
    sorted: () => void,
  ) {
    const first = columns.find(({ title }) => title === sortBy?.column) ?? columns[0]
    if (!first) throw new RangeError('columns must not be empty')
    this.#columns = columns
    this.#column = first
    this.#descending = sortBy?.descending ?? false
    for (const column of columns) this.#cells.set(column, this.#cell(column, sorted))
  }

  /** What rows are sorted by. */
  get sort(): { readonly column: Column<T>; readonly descending: boolean } {
    return { column: this.#column, descending: this.#descending }
  }

  /** @returns the columns that make sense with these rows */
  update(rows: readonly T[]): readonly Column<T>[] {
    const shown = this.#columns.filter(({ isKnown }) => isKnown?.(rows) ?? true)
    if (shown.length !== this.#shown.length || shown.some((column, index) => column !== this.#shown[index])) {
      this.#shown = shown
      const cells = shown.flatMap(column => this.#cells.get(column) ?? [])
      this.element.replaceChildren(element('tr', { role: 'row' }, ...cells))
    }
    this.#mark()
    return this.#shown
  }

  #cell(column: Column<T>, sorted: () => void): HTMLElement {
    const arrow = element('span', { class: 'arrow', 'aria-hidden': 'true' })
    const button = element('button', { type: 'button' }, column.title, arrow)
    button.addEventListener('click', () => {
      this.#descending = this.#column === column && !this.#descending
      this.#column = column
      sorted()
    })
    return element('th', { scope: 'col', role: 'columnheader', 'data-kind': column.kind }, button)
  }

  #mark(): void {
    for (const [column, cell] of this.#cells) {
      const order = this.#descending ? 'descending' : 'ascending'
      setAttribute(cell, 'aria-sort', column === this.#column ? order : undefined)
    }
  }
}
