import { element, setAttribute } from './dom.js'
import type { Column, Row } from './rows.js'

/** A row as it stands in the document. */
interface Drawn {
  readonly line: HTMLTableRowElement
  /** Of what it was drawn. */
  readonly row: unknown
  readonly text: string
  readonly columns: readonly unknown[]
}

/** Rows in the document; what has not changed is left as it is. */
export class TableBody<T extends Row> {
  readonly element = element('tbody', { role: 'rowgroup' })
  readonly #nameOf: (row: T) => string
  #drawn: ReadonlyMap<string, Drawn> = new Map()

  /** @param nameOf tells rows apart */
  constructor(nameOf: (row: T) => string) {
    this.#nameOf = nameOf
  }

  /** Shows these rows in this order. */
  update(rows: readonly T[], columns: readonly Column<T>[]): void {
    const drawn = new Map<string, Drawn>()
    for (const row of rows) {
      const name = this.#nameOf(row)
      drawn.set(name, this.#draw(row, columns, this.#drawn.get(name)))
    }
    for (const [name, { line }] of this.#drawn) if (!drawn.has(name)) line.remove()
    let next = this.element.firstElementChild
    for (const { line } of drawn.values()) {
      if (line === next) next = next.nextElementSibling
      else this.element.insertBefore(line, next)
    }
    this.#drawn = drawn
  }

  #draw(row: T, columns: readonly Column<T>[], before: Drawn | undefined): Drawn {
    if (before?.row === row && before.columns === columns) return before
    const text = JSON.stringify(row)
    if (before?.text === text && before.columns === columns) return before
    const line = before?.line ?? element('tr', { role: 'row' })
    setAttribute(line, 'data-verdict', row.verdict)
    line.replaceChildren(...columns.map(column => cellOf(column, row)))
    if (before && before.text !== text) mark(line)
    return { line, row, text, columns }
  }
}

function cellOf<T>({ kind, title, cell }: Column<T>, row: T): HTMLElement {
  const attributes = { 'data-kind': kind, 'data-title': title }
  return kind === 'name'
    ? element('th', { scope: 'row', role: 'rowheader', ...attributes }, ...cell(row))
    : element('td', { role: 'cell', ...attributes }, ...cell(row))
}

/** Lets the eye find what has just changed. */
function mark(line: HTMLElement): void {
  if (line.hasAttribute('data-changed')) return
  line.setAttribute('data-changed', '')
  setTimeout(() => line.removeAttribute('data-changed'), 2000)
}
