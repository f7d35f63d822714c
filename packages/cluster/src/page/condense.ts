import type { Happening } from './transition-log.js'

/** A line about something that has happened, before it has a time. */
export type Line = Omit<Happening, 'at'>

/** Lines about Services, all of one kind, that may come at once. */
const MOST_ALIKE = 20
/** Services that stand for all. */
const NAMED = 3
const SERVICE = 'Service '

/**
 * Tells many lines that came at once and say the same of different Services as one, so that a start does not push all else out of a log.
 *
 * @param lines about Services
 */
export function condense(lines: readonly Line[]): readonly Line[] {
  if (lines.length <= MOST_ALIKE) return lines
  const groups = new Map<string, Line[]>()
  for (const line of lines) {
    // Where each has its own address, say, that is no other kind of news.
    const kind = line.verdict === 'good' ? line.what : `${line.what} ${line.why ?? ''}`
    const alike = groups.get(kind)
    if (alike) alike.push(line)
    else groups.set(kind, [line])
  }
  return [...groups.values()].flatMap(alike => (alike.length <= MOST_ALIKE ? alike : summary(alike)))
}

function summary(lines: readonly Line[]): Line {
  const { verdict, what } = lines[0]!
  const named = lines.slice(0, NAMED).map(({ object }) => object.replace(SERVICE, ''))
  const why = `${named.join(', ')} and ${lines.length - named.length} more`
  return { verdict, object: `${lines.length} Services`, what, why }
}
