const SECONDS: Readonly<Record<string, number>> = {
  ns: 1e-9,
  us: 1e-6,
  µs: 1e-6,
  μs: 1e-6,
  ms: 1e-3,
  s: 1,
  m: 60,
  h: 3600,
}
// An escape, for V8 takes two octets for each character of a whole program in which one is beyond Latin-1.
const PART = /(\d+\.?\d*|\.\d+)(ns|us|µs|\u03BCs|ms|s|m|h)/g
const WHOLE = /^[-+]?((\d+\.?\d*|\.\d+)(ns|us|µs|\u03BCs|ms|s|m|h))+$/

/**
 * Reads a duration in Go's syntax (`time.ParseDuration`): `90s`, `1m30s`, `300ms`, `0`.
 *
 * @returns seconds, to the nanosecond; `undefined` when `text` is no duration
 */
export function parseDuration(text: string): number | undefined {
  if (/^[-+]?0$/.test(text)) return 0
  if (!WHOLE.test(text)) return undefined
  const sum = [...text.matchAll(PART)].reduce(
    (total, [, count, unit]) => total + Number(count) * (SECONDS[unit!] ?? 0),
    0,
  )
  const seconds = Math.round(sum * 1e9) / 1e9
  return text.startsWith('-') ? -seconds : seconds
}
