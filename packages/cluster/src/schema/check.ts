import type { FieldFault } from '../config/field-fault.js'
import { described, notOneOf, outOfRange, wrongType } from './describe.js'
import { childPath, isSecretPath, itemPath } from './path.js'
import { fieldOf, type Fields, isFields } from './plain.js'
import type { Schema } from './schema.js'

/** A fault found by a schema. */
export interface SchemaFault extends FieldFault {
  /**
   * `shape`: the value has the wrong type, so its meaning cannot be checked; `absent`: a required field; `rule`: values that are
   * fine alone do not go together; `value`: the rest.
   */
  readonly about: 'shape' | 'absent' | 'rule' | 'value'
}

/** RFC 3339 section 5.6, without leap seconds, which the API server does not take. */
const DATE_TIME = /^(\d{4}-\d{2}-\d{2})T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-]\d{2}:\d{2})$/i

/**
 * Holds a value against a schema, as the API server does: types, ranges, required fields, keys of lists, and CEL rules by their
 * TypeScript halves. Fields that the schema does not name are not looked at.
 *
 * @param value plain data; integers beyond what a number holds as bigint
 * @param field path of the value, for the faults
 * @param old the value before an update; absent: it is new
 */
export function checkValue(schema: Schema, value: unknown, field = '', old?: unknown): readonly SchemaFault[] {
  if (!hasType(schema, value)) {
    return [{ field, reason: wrongType(schema.type, value, field), about: 'shape' }]
  }
  const faults = [...checkScalar(schema, value, field), ...checkList(schema, value, field, old)]
  faults.push(...checkFields(schema, value, field, old))
  // A rule is asked about values of the right shape only: it may rely on the schema.
  const misshapen = faults.some(({ about }) => about === 'shape' || about === 'absent')
  return misshapen ? faults : [...faults, ...checkRules(schema, value, field, old)]
}

function hasType({ type }: Schema, value: unknown): boolean {
  if (type === 'array') return Array.isArray(value)
  if (type === 'object') return isFields(value)
  if (type === 'integer') return typeof value === 'bigint' || Number.isInteger(value)
  return typeof value === type
}

function checkScalar(schema: Schema, value: unknown, field: string): SchemaFault[] {
  if (typeof value === 'number' || typeof value === 'bigint') {
    const reason = numberFault(schema, value)
    return reason === undefined ? [] : [{ field, reason, about: 'value' }]
  }
  if (typeof value !== 'string') return []
  const reason = textFault(schema, value, field)
  return reason === undefined ? [] : [{ field, reason, about: 'value' }]
}

function numberFault(schema: Schema, value: number | bigint): string | undefined {
  const { minimum = -Infinity, maximum = Infinity, format } = schema
  if (value < minimum || value > maximum) return outOfRange(schema, value)
  const bits = format === 'int32' ? 32n : 64n
  const half = 2n ** (bits - 1n)
  return value < -half || value >= half ? `invalid value ${value}, must fit in ${bits} bits` : undefined
}

function textFault(schema: Schema, value: string, field: string): string | undefined {
  if (schema.enum && !schema.enum.includes(value)) return notOneOf(schema.enum, value, field)
  const length = schema.minLength === undefined && schema.maxLength === undefined ? 0 : Array.from(value).length
  if (length < (schema.minLength ?? 0)) return `must have at least ${schema.minLength} characters`
  if (length > (schema.maxLength ?? Infinity)) return `must have at most ${schema.maxLength} characters`
  if (schema.pattern !== undefined && !new RegExp(schema.pattern, 'u').test(value)) {
    return `invalid value "${value}", must match ${schema.pattern}`
  }
  if (schema.format === 'date-time' && !isDateTime(value)) {
    return `invalid value "${value}", must be a time like 2026-01-31T12:00:00Z`
  }
  return undefined
}

function isDateTime(text: string): boolean {
  const day = DATE_TIME.exec(text)?.[1] ?? ''
  const midnight = new Date(`${day}T00:00:00Z`)
  // Of a day that its month does not have, Date makes one of the next month.
  return !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(day)
}

function checkList(schema: Schema, value: unknown, field: string, old: unknown): SchemaFault[] {
  if (!Array.isArray(value)) return []
  const list: readonly unknown[] = value
  const { items, minItems = 0, 'x-kubernetes-list-map-keys': keys } = schema
  const faults: SchemaFault[] = []
  if (list.length < minItems) faults.push({ field, reason: `must have at least ${minItems} items`, about: 'value' })
  const before: readonly unknown[] = Array.isArray(old) ? old : []
  const seen = new Set<string>()
  for (const [i, item] of list.entries()) {
    const id = keys && identity(item, keys)
    if (id !== undefined && seen.has(id)) {
      faults.push({ field: itemPath(field, i), reason: `duplicate ${keys?.join(', ')} ${id}`, about: 'value' })
    }
    if (id !== undefined) seen.add(id)
    // Only items that have a name can be told to be the same as before.
    const match = id === undefined || !keys ? undefined : before.find(other => identity(other, keys) === id)
    if (items) faults.push(...checkValue(items, item, itemPath(field, i), match))
  }
  return faults
}

const identity = (item: unknown, keys: readonly string[]): string =>
  JSON.stringify(keys.map(key => fieldOf(item, key) ?? null))

function checkFields(schema: Schema, value: unknown, field: string, old: unknown): SchemaFault[] {
  if (!isFields(value)) return []
  const { properties = {}, required = [], additionalProperties } = schema
  const absent = required
    .filter(name => fieldOf(value, name) === undefined)
    .map(name => ({ field: childPath(field, name), reason: 'missing required field', about: 'absent' as const }))
  const named = Object.entries(properties).map(([name, below]) => [name, below] as const)
  const others = additionalProperties ? Object.keys(value).map(name => [name, additionalProperties] as const) : []
  const inner = [...named, ...others].flatMap(([name, below]) => checkField(below, value, name, field, old))
  return [...absent, ...inner]
}

function checkField(schema: Schema, value: Fields, name: string, path: string, old: unknown): readonly SchemaFault[] {
  const field = fieldOf(value, name)
  return field === undefined ? [] : checkValue(schema, field, childPath(path, name), fieldOf(old, name))
}

function checkRules(schema: Schema, value: unknown, field: string, old: unknown): SchemaFault[] {
  const { 'x-kubernetes-validations': rules = [] } = schema
  return rules
    .filter(({ rule }) => old !== undefined || !/\boldSelf\b/.test(rule))
    .filter(({ holds }) => !(holds as (self: unknown, oldSelf: unknown) => boolean)(value, old))
    .map(({ message }) => ({
      field,
      reason: `${subject(value, field)}${message}`,
      about: typeof value === 'object' ? 'rule' : 'value',
    }))
}

/** What a rule is about, when it can be said in a word. */
function subject(value: unknown, field: string): string {
  if (typeof value === 'object' || isSecretPath(field)) return ''
  return `invalid value ${typeof value === 'string' ? `"${value}"` : described(value)}: `
}
