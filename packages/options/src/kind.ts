/** What an option has to be, and what is said when it is not. */

/**
 * Passes a value on if it is what is wanted.
 *
 * @typeParam T the type of such values
 * @throws {TypeError | RangeError} it is not; the message begins with `name`
 */
export type Kind<T> = (name: string, value: unknown) => T

/**
 * A kind of values that may be left out: nothing at all passes, and so does `undefined`.
 *
 * @typeParam T the type of the others
 */
export type OptionalKind<T> = Kind<T | undefined> & { readonly optional: true }

/**
 * What each of the options of `O` has to be. The compiler refuses a table that has not the names of `O`, or whose kinds let other types pass.
 *
 * @typeParam O the options' type
 */
export type Kinds<O> = {
  readonly [K in keyof O]-?: object extends Pick<O, K> ? OptionalKind<Exclude<O[K], undefined>> : Kind<O[K]>
}

/**
 * What options are called elsewhere, and here.
 *
 * @typeParam O the options' type
 */
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

/**
 * A kind of one type.
 *
 * @typeParam T the type
 * @param wanted as it stands behind "must be"
 */
export function kind<T>(wanted: string, is: (value: unknown) => value is T): Kind<T> {
  return (name, value) => {
    if (is(value)) return value
    throw wrongType(name, wanted, value)
  }
}

/**
 * May be left out.
 *
 * @typeParam T the type of what is not
 */
export const optional = <T>(of: Kind<T>): OptionalKind<T> =>
  Object.assign((name: string, value: unknown) => (value === undefined ? undefined : of(name, value)), {
    optional: true as const,
  })
