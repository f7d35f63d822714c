import type { Verdict } from '../facts.js'

/** The order in which things are said: what is wrong first. */
export const SEVERITY: Readonly<Record<Verdict, number>> = { bad: 0, note: 1, good: 2 }
/** A sign for each verdict, so that colour is not the only difference. */
export const SIGN: Readonly<Record<Verdict, string>> = { bad: '✕', note: '!', good: '✓' }
/** The same in a word, for who does not see the sign. */
export const WORD: Readonly<Record<Verdict, string>> = { bad: 'wrong', note: 'worth a look', good: 'good' }

const collator = new Intl.Collator('en', { numeric: true })
const grouped = new Intl.NumberFormat('en')

/** Compares as people do: `node-2` before `node-10`. */
export const compareText = (a: string, b: string): number => collator.compare(a, b)

/** A count with its thousands told apart. */
export const count = (value: number): string => grouped.format(value)

/** A count in decimal digits; one that nobody reads to the end is rounded. */
export function bigCount(digits: string): string {
  if (digits.length <= 9) return count(Number(digits))
  const [lead = '', power = ''] = Number(digits).toExponential(1).split('e+')
  return `${lead} × 10${power.replaceAll(/\d/g, digit => '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(digit)] ?? '')}`
}

/** `1 Service`, `2 Services`. */
export const plural = (number: number, noun: string): string => `${count(number)} ${noun}${number === 1 ? '' : 's'}`

const UNITS: readonly (readonly [seconds: number, name: string])[] = [
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'min'],
  [1, 's'],
]

/** How long ago something was, in its largest unit; under a day in the two largest. @param milliseconds below 0 count as 0 */
export function age(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000))
  const index = UNITS.findIndex(([size]) => seconds >= size)
  const [size, name] = UNITS[index] ?? [1, 's']
  const rest = UNITS[index + 1]
  const large = `${Math.floor(seconds / size)} ${name}`
  const small = rest && size > 60 ? Math.floor((seconds % size) / rest[0]) : 0
  return rest && small > 0 ? `${large} ${small} ${rest[1]}` : large
}

/** A moment in the reader's own time, to the second. */
export const moment = (timestamp: string): string => new Date(timestamp).toLocaleString('sv-SE')
