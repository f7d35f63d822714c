import type { PageFacts, Section } from './facts.js'
import { isNamed, ROW_NAMES } from './row-names.js'
import { sameFacts } from './same-facts.js'

/** A row, and its JSON. */
interface RowText {
  readonly row: unknown
  readonly text: string
}

/** The rows of a list by their names, in its order. */
type Rows = ReadonlyMap<string, RowText>

interface Parts {
  readonly version: number
  readonly base: number
  readonly change?: string | undefined
  readonly rows?: Rows | undefined
  readonly whole?: string | undefined
}

/** A section as JSON: all of it, and what has changed in it last. */
export class SectionText {
  readonly value: PageFacts[Section]
  /** Of the feed when the section came to say this. */
  readonly version: number
  /** Of the feed when it came to say what it said before: who has that needs no more than {@link change}. */
  readonly base: number
  /** JSON of a `RowChange`; `undefined` where {@link whole} is no longer than that. */
  readonly change: string | undefined
  /** Of a list whose rows all have different names. */
  readonly #rows: Rows | undefined
  #whole: string | undefined

  private constructor(value: PageFacts[Section], { version, base, change, rows, whole }: Parts) {
    this.value = value
    this.version = version
    this.base = base
    this.change = change
    this.#rows = rows
    this.#whole = whole
  }

  /**
   * What is to be sent of a value.
   *
   * @param before of the section's last value, if it had one
   * @param version that it gets if it says something else than before
   */
  static of(
    section: Section,
    value: PageFacts[Section],
    before: SectionText | undefined,
    version: number,
  ): SectionText {
    const base = before?.version ?? 0
    const last = before && before.#rows
    const rows = isNamed(section) && Array.isArray(value) ? rowsOf(ROW_NAMES[section], value, last) : undefined
    if (!rows) {
      const whole = JSON.stringify(value ?? null)
      const isSame = whole === before?.whole
      return new SectionText(
        value,
        isSame ? { version: before.version, base: before.base, whole } : { version, base, whole },
      )
    }
    if (!before || !last) return new SectionText(value, { version, base, rows })
    const change = changeOf(last, rows)
    if (change !== NOTHING) return new SectionText(value, { version, base, rows, change })
    const { version: since, base: earlier, change: latest } = before
    return new SectionText(value, { version: since, base: earlier, change: latest, rows, whole: before.#whole })
  }

  /** JSON of all of it; `null` for a section that there is no longer. */
  get whole(): string {
    return (this.#whole ??= `[${Array.from(this.#rows?.values() ?? [], ({ text }) => text).join()}]`)
  }
}

/** @returns `undefined` when two rows have one name */
function rowsOf(nameOf: (row: never) => string, list: readonly unknown[], before: Rows | undefined): Rows | undefined {
  const rows = new Map<string, RowText>()
  for (const row of list) {
    const name = nameOf(row as never)
    const known = before?.get(name)
    rows.set(name, known && sameFacts(known.row, row) ? known : { row, text: JSON.stringify(row) })
  }
  return rows.size === list.length ? rows : undefined
}

const NOTHING = ''

/** JSON of what makes one list of the other, {@link NOTHING} when they are the same; `undefined` when the list itself is no longer. */
function changeOf(before: Rows, now: Rows): string | undefined {
  const places = new Map(Array.from(before.keys(), (name, place) => [name, place]))
  const rows: string[] = []
  let [place, last, length] = [0, -1, 1]
  for (const [name, { text }] of now) {
    const was = places.get(name) ?? -1
    // What stays as it was keeps its order as well; what has another place is sent again.
    if (was > last && before.get(name)?.text === text) last = was
    else rows.push(`[${place},${text}]`)
    length += text.length + 1
    place++
  }
  const gone = [...before.keys()].filter(name => !now.has(name))
  if (rows.length === 0 && gone.length === 0) return NOTHING
  const change = `{"gone":${JSON.stringify(gone)},"rows":[${rows.join()}]}`
  return change.length < length ? change : undefined
}
