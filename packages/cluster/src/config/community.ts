import type { Community } from '../resources/metallb.js'
import type { ErrorList } from './error-list.js'

/** A standard community (RFC 1997) or a large one (RFC 8092), or why a text is neither. */
export type CommunityResult =
  | {
      /** `a:b` or `large:a:b:c`, without leading zeros. */
      readonly text: string
      /** What communities are sorted by. */
      readonly order: readonly [number, number, number]
      readonly fault?: undefined
    }
  | {
      /** One clause. */
      readonly fault: string
      /** The text has not the form of a community, so it may be a name that is still to be defined. */
      readonly maybeName: boolean
    }

/** Reads `a:b` (0..65535 each) or `large:a:b:c` (0..4294967295 each). */
export function parseCommunity(text: string): CommunityResult {
  const parts = text.split(':')
  if (parts.length === 2) return parseSections(text, parts, 0xffff, ([a, b]) => [a! * 0x10000 + b!, 0, 0])
  if (parts.length !== 4) return { fault: `invalid community format: ${text}`, maybeName: true }
  if (parts[0] !== 'large') {
    return {
      fault: `invalid community value: invalid marker for large community, expected "large" but got "${parts[0]}"`,
      maybeName: false,
    }
  }
  return parseSections(text, parts.slice(1), 0xffff_ffff, ([a, b, c]) => [a!, b!, c!], 'large:')
}

/** Values by name, of all Community objects; a value may not be the name of another. */
export function buildAliases(communities: readonly Community[], errors: ErrorList): ReadonlyMap<string, string> {
  const aliases = new Map<string, string>()
  for (const community of communities) {
    for (const [i, { name = '', value = '' }] of (community.spec?.communities ?? []).entries()) {
      const field = `spec.communities[${i}]`
      const result = parseCommunity(value)
      if (result.fault !== undefined)
        errors.add(community, `${field}.value`, `parsing community "${name}": ${result.fault}`)
      if (aliases.has(name)) errors.add(community, `${field}.name`, `duplicate definition of community "${name}"`)
      aliases.set(name, value)
    }
  }
  return aliases
}

/** Resolves the names in a list of communities. Those with a fault are passed to `refuse` and left out. */
export function resolveCommunities(
  texts: readonly string[],
  aliases: ReadonlyMap<string, string>,
  refuse: (index: number, reason: string, transient: boolean) => void,
): readonly string[] {
  const resolved = new Map<string, readonly [number, number, number]>()
  for (const [i, text] of texts.entries()) {
    const result = parseCommunity(aliases.get(text) ?? text)
    if (result.fault === undefined) resolved.set(result.text, result.order)
    // A name whose value is broken has been reported where it is defined.
    else if (!aliases.has(text))
      refuse(i, `invalid community "${text}" in BGP advertisement: ${result.fault}`, result.maybeName)
  }
  return [...resolved].toSorted(([, a], [, b]) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]).map(([text]) => text)
}

function parseSections(
  text: string,
  parts: readonly string[],
  max: number,
  order: (numbers: readonly number[]) => readonly [number, number, number],
  marker = '',
): CommunityResult {
  const bad = parts.find(part => !/^\d+$/.test(part) || Number(part) > max)
  if (bad !== undefined) {
    return {
      fault: `invalid community value: invalid section "${bad}" of community "${text}", must be in 0-${max} range`,
      maybeName: false,
    }
  }
  const numbers = parts.map(Number)
  return { text: marker + numbers.join(':'), order: order(numbers) }
}
