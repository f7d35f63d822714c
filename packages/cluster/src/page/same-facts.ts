/**
 * Whether two plain values, as they go out as JSON, say the same. A field that is `undefined` counts as one, so the answer may be no where the JSON
 * is the same; never the other way round.
 */
export function sameFacts(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (!Array.isArray(a)) return !Array.isArray(b) && sameFields(a as Fields, b as Fields)
  return Array.isArray(b) && a.length === b.length && a.every((value, index) => sameFacts(value, b[index]))
}

type Fields = Readonly<Record<string, unknown>>

/** Without lists of the fields: there may be thousands of rows, several times a second. */
function sameFields(a: Fields, b: Fields): boolean {
  let more = 0
  for (const name in a) {
    if (!Object.hasOwn(b, name) || !sameFacts(a[name], b[name])) return false
    more++
  }
  for (const _ in b) more--
  return more === 0
}
