/**
 * Whether what a program has given is what its option wants. A program in plain JavaScript has no compiler to ask: it hears of a mistake
 * at the call, by the option's name, what is wanted and what was given.
 */

/** Passes a value on if it is what is wanted. @throws {TypeError | RangeError} it is not; the message begins with `name` */
export type Kind<T> = (name: string, value: unknown) => T

/** A kind that `undefined`, or nothing at all, is as good as. */
export type OptionalKind<T> = Kind<T | undefined> & { readonly optional: true }

/** What each of the options of `O` has to be. The compiler refuses a table that has not the names of `O`, or whose kinds let other types pass. */
export type Kinds<O> = {
  readonly [K in keyof O]-?: object extends Pick<O, K> ? OptionalKind<Exclude<O[K], undefined>> : Kind<O[K]>
}

/** What options are called elsewhere, and here. */
export type Synonyms<O> = Readonly<Record<string, keyof O & string>>

const LONGEST_SHOWN = 60

/** A value as a message has it: enough to find it in the program, never all of it. */
export function shown(value: unknown): string {
  if (typeof value === 'string') {
    return `the string '${value.length > LONGEST_SHOWN ? `${value.slice(0, LONGEST_SHOWN)}…` : value}'`
  }
  if (typeof value === 'bigint') return `the bigint ${value}n`
  if (typeof value === 'function') return 'a function'
  if (typeof value !== 'object' || value === null) return String(value)
  if (Array.isArray(value)) return value.length === 0 ? 'an empty array' : 'an array'
  const { name } = (value.constructor ?? Object) as { readonly name?: string }
  return name === undefined || name === '' || name === 'Object'
    ? 'an object'
    : `${/^[AEIOU]/.test(name) ? 'an' : 'a'} ${name}`
}

/** A value of another type than is wanted. */
export const wrongType = (name: string, wanted: string, value: unknown): TypeError =>
  new TypeError(`${name} must be ${wanted}, not ${shown(value)}`)

/** A value of the right type that cannot be. */
export const wrongValue = (name: string, wanted: string, value: unknown): RangeError =>
  new RangeError(`${name} must be ${wanted}, not ${shown(value)}`)

/** A kind of one type. @param wanted as it stands behind "must be" */
export function kind<T>(wanted: string, is: (value: unknown) => value is T): Kind<T> {
  return (name, value) => {
    if (is(value)) return value
    throw wrongType(name, wanted, value)
  }
}

/** May be left out. */
export const optional = <T>(of: Kind<T>): OptionalKind<T> =>
  Object.assign((name: string, value: unknown) => (value === undefined ? undefined : of(name, value)), {
    optional: true as const,
  })

/** Any string. */
export const text = kind('a string', value => typeof value === 'string')
/** `true` or `false`. */
export const flag = kind('true or false', value => typeof value === 'boolean')
/** An `AbortSignal`, of whatever realm. */
export const signal = kind('an AbortSignal', (value): value is AbortSignal => {
  const { aborted, addEventListener } = Object(value) as Partial<AbortSignal>
  return typeof aborted === 'boolean' && typeof addEventListener === 'function'
})
/** Octets; a `Buffer` is that. @public though not every library has such an option */
export const octets = kind('a Uint8Array', value => value instanceof Uint8Array)

/** A function. */
export const callback = <T extends (...args: never[]) => unknown>(): Kind<T> =>
  kind('a function', (value): value is T => typeof value === 'function')

/** An object with these methods. */
export const methods = <T extends object>(...names: readonly (keyof T & string)[]): Kind<T> =>
  kind(
    `an object with ${listed(names.map(name => `${name}()`))}`,
    (value): value is T =>
      value !== null &&
      (typeof value === 'object' || typeof value === 'function') &&
      names.every(name => typeof (value as Record<string, unknown>)[name] === 'function'),
  )

/** A number within bounds. @param wanted as it stands behind "must be"; that much must be true of it as well */
export const number = (
  wanted: string,
  holds: (value: number) => boolean = value => !Number.isNaN(value),
): Kind<number> => {
  return (name, value) => {
    if (typeof value !== 'number') throw wrongType(name, wanted, value)
    if (!holds(value)) throw wrongValue(name, wanted, value)
    return value
  }
}

/** A whole number from `least` to `most`. */
export const whole = (least: number, most = Infinity): Kind<number> =>
  number(
    `a whole number from ${least} ${most === Infinity ? 'on' : `to ${most}`}`,
    value => Number.isInteger(value) && value >= least && value <= most,
  )

/** One of some strings. */
export const oneOf = <T extends string>(...values: readonly T[]): Kind<T> => {
  const wanted = listed(
    values.map(value => `'${value}'`),
    'or',
  )
  return (name, value) => {
    if (typeof value !== 'string') throw wrongType(name, wanted, value)
    if (!values.includes(value as T)) throw wrongValue(name, wanted, value)
    return value as T
  }
}

/** An array of one kind. */
export const listOf =
  <T>(of: Kind<T>): Kind<readonly T[]> =>
  (name, value) => {
    if (!Array.isArray(value)) throw wrongType(name, 'an array', value)
    let index = 0
    try {
      for (; index < value.length; index++) of(name, value[index])
    } catch {
      // The whole name is made only where somebody has to hear it.
      of(`${name}[${index}]`, value[index])
    }
    return value as readonly T[]
  }

/** Options inside of an option: their names have its own in front. @public though not every library has such an option */
export const record =
  <O extends object>(kinds: Kinds<O>, synonyms: Synonyms<O> = {}): Kind<O> =>
  (name, value) =>
    checkRecord(name, value, kinds, synonyms, `${name}.`)

/**
 * Looks at all options of a call: an object that has no names but those of the table, and a value of its kind for each.
 *
 * @param called what the options are to the caller, where they are no object at all
 * @throws {TypeError | RangeError} the message begins with the name of the option
 */
export function checkOptions<O extends object>(
  given: unknown,
  kinds: Kinds<O>,
  synonyms: Synonyms<O> = {},
  called = 'options',
): asserts given is O {
  checkRecord(called, given, kinds, synonyms, '')
}

type Table = Readonly<Record<string, Kind<unknown>>>

function checkRecord<O extends object>(
  called: string,
  value: unknown,
  kinds: Kinds<O>,
  synonyms: Synonyms<O>,
  prefix: string,
): O {
  const table = kinds as unknown as Table
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw wrongType(called, `an object${needed(table)}`, value)
  }
  for (const name of Object.keys(value)) {
    if (!Object.hasOwn(table, name)) throw unknownOption(name, Object.keys(table), synonyms, prefix)
  }
  const given = value as Readonly<Record<string, unknown>>
  for (const name of Object.keys(table)) table[name]!(`${prefix}${name}`, given[name])
  return value as O
}

function needed(table: Table): string {
  const names = Object.keys(table).filter(name => !('optional' in table[name]!))
  return names.length === 0 ? '' : ` with ${listed(names)}`
}

function unknownOption(
  name: string,
  known: readonly string[],
  synonyms: Readonly<Record<string, string>>,
  prefix: string,
): TypeError {
  const meant = Object.hasOwn(synonyms, name) ? synonyms[name]! : nearest(name, known)
  const hint = meant === undefined ? `the options here are ${listed(known)}` : `did you mean ${prefix}${meant}?`
  return new TypeError(`${prefix}${name} is not an option: ${hint}`)
}

/** The name that it begins, or that the fewest strokes make of it, if that is not most of it. */
function nearest(name: string, known: readonly string[]): string | undefined {
  const lower = name.toLowerCase()
  const strokesTo = (other: string): number =>
    lower.length > 3 && other.startsWith(lower) ? 1 : distance(lower, other)
  const ranked = known
    .map(other => ({ other, strokes: strokesTo(other.toLowerCase()) }))
    .toSorted((a, b) => a.strokes - b.strokes)
  const best = ranked[0]
  return best && best.strokes <= Math.max(1, Math.floor(name.length / 2)) ? best.other : undefined
}

/** Levenshtein's: letters to put in, take out or replace. */
function distance(a: string, b: string): number {
  let before = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let row = 1; row <= a.length; row++) {
    const line = [row]
    for (let column = 1; column <= b.length; column++) {
      const replaced = before[column - 1]! + (a[row - 1] === b[column - 1] ? 0 : 1)
      line.push(Math.min(replaced, before[column]! + 1, line[column - 1]! + 1))
    }
    before = line
  }
  return before[b.length]!
}

const listed = (names: readonly string[], word = 'and'): string =>
  names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} ${word} ${names.at(-1)}`
