import type { PageFacts, Section } from './facts.js'

/** Sections that are lists of rows with names. */
export type NamedSection = Exclude<Section, 'server' | 'notices'>

/**
 * A row of a section.
 *
 * @typeParam S the section
 */
export type RowOf<S extends NamedSection> = NonNullable<PageFacts[S]>[number]

/** What tells the rows of a section apart, in the page's server and in the browser alike. */
export const ROW_NAMES: { readonly [S in NamedSection]: (row: RowOf<S>) => string } = {
  pools: ({ pool }) => pool,
  services: ({ service }) => service,
  nodes: ({ node }) => node,
  sessions: ({ node, peer, target }) => `${peer} ${node} ${target}`,
  layer2: ({ address }) => address,
  members: ({ node }) => node,
  transitions: ({ id }) => String(id),
}

/** Whether a section is one of those. */
export const isNamed = (section: Section): section is NamedSection => section in ROW_NAMES

/**
 * How the rows of a section have changed since the event before.
 *
 * @typeParam T a row
 */
export interface RowChange<T> {
  /** Names of rows that are there no longer. */
  readonly gone: readonly string[]
  /** Rows that are new or different, each with its place in the list as it is now, in that order. All others keep theirs among each other. */
  readonly rows: readonly (readonly [place: number, row: T])[]
}

/**
 * The list as it is now.
 *
 * @typeParam T a row
 * @param before as it was after the event before
 */
export function applyChange<T>(
  before: readonly T[],
  { gone, rows }: RowChange<T>,
  nameOf: (row: T) => string,
): readonly T[] {
  const others = new Set([...gone, ...rows.map(([, row]) => nameOf(row))])
  const kept = before.filter(row => !others.has(nameOf(row)))
  const list: T[] = []
  let next = 0
  for (const [place, row] of rows) {
    const upTo = next + Math.max(0, place - list.length)
    list.push(...kept.slice(next, upTo), row)
    next = upTo
  }
  return [...list, ...kept.slice(next)]
}
