/** Longest run of digits that always fits a number exactly. */
const MAYBE_LARGE = /\d{16,}/
/** A text, which may contain digits, or an integer of many digits. */
const TEXT_OR_INTEGER = /"(?:[^"\\]|\\.)*"|(?<![\w.+-])-?\d{16,}(?![\d.eE])/g
/** Stands before the digits of an integer that went through JSON as a text; a private-use character, so nobody else's. */
const MARK = '\u{F7E3}bigint:'
const MARKED = new RegExp(`"${MARK}(-?\\d+)"`, 'g')

/**
 * `JSON.parse` that gives a bigint for an integer that a number cannot hold: pool counters go up to 2^63-1.
 *
 * @throws {SyntaxError} the text is not JSON
 */
export function parseJSON(text: string): unknown {
  if (!MAYBE_LARGE.test(text)) return JSON.parse(text)
  const marked = text.replaceAll(TEXT_OR_INTEGER, token =>
    token.startsWith('"') || Number.isSafeInteger(Number(token)) ? token : `"${MARK}${token}"`,
  )
  return JSON.parse(marked, (_, value: unknown) =>
    typeof value === 'string' && value.startsWith(MARK) ? BigInt(value.slice(MARK.length)) : value,
  )
}

/** `JSON.stringify` that writes a bigint as the integer it is. */
export function formatJSON(value: unknown): string {
  let large = false
  const text = JSON.stringify(value, (_, field: unknown) => {
    if (typeof field !== 'bigint') return field
    large = true
    return `${MARK}${field}`
  })
  return large ? text.replaceAll(MARKED, '$1') : text
}
