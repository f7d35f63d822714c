import { isSecretPath } from './path.js'
import type { Schema } from './schema.js'

const NAMES: Readonly<Record<Schema['type'], string>> = {
  array: 'a list',
  boolean: 'true or false',
  integer: 'a whole number',
  object: 'a mapping',
  string: 'a text',
}

/** Says that a value has the wrong type. */
export const wrongType = (type: Schema['type'], value: unknown, path: string): string =>
  `must be ${NAMES[type]}, not ${isSecretPath(path) ? 'what is there' : described(value)}`

/** Says that a number is outside of what a schema allows. */
export function outOfRange({ minimum, maximum }: Schema, value: number | bigint): string {
  if (minimum !== undefined && maximum !== undefined) {
    return `invalid value ${value}, must be in ${minimum}-${maximum} range`
  }
  return `invalid value ${value}, must be ${minimum === undefined ? `at most ${maximum}` : `at least ${minimum}`}`
}

/** Says that a text is none of those allowed. */
export const notOneOf = (values: readonly string[], value: string, path: string): string =>
  `invalid ${path.slice(path.lastIndexOf('.') + 1)} "${value}": must be ${values.join(' or ')}`

/** A value as it can stand in a sentence. */
export function described(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object' && value !== null) return 'a mapping'
  return typeof value === 'string' ? `the text "${value}"` : String(value)
}
