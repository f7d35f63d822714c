/** The kinds that most options are of. */
import { kind, type Kind, wrongType, wrongValue } from './kind.js'
import { listed } from './names.js'

/** Any string. */
export const text = kind('a string', value => typeof value === 'string')
/** `true` or `false`. */
export const flag = kind('true or false', value => typeof value === 'boolean')
/** An `AbortSignal`, of whatever realm. */
export const signal = kind('an AbortSignal', (value): value is AbortSignal => {
  const { aborted, addEventListener } = Object(value) as Partial<AbortSignal>
  return typeof aborted === 'boolean' && typeof addEventListener === 'function'
})
/** Octets; a `Buffer` is that. */
export const octets = kind('a Uint8Array', value => value instanceof Uint8Array)

/**
 * A function.
 *
 * @typeParam T the function's type, which nobody can look at while the program runs
 */
export const callback = <T extends (...args: never[]) => unknown>(): Kind<T> =>
  kind('a function', (value): value is T => typeof value === 'function')

/**
 * An object with these methods.
 *
 * @typeParam T the object's type
 */
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

/**
 * One of some strings.
 *
 * @typeParam T those strings
 */
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

/**
 * An array of one kind.
 *
 * @typeParam T the type of its items
 */
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
