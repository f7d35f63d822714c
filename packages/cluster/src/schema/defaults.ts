import { fieldOf, isFields } from './plain.js'
import type { Schema } from './schema.js'

/**
 * Completes a value as the API server does: a field that is null counts as absent, and a mapping that lacks a field gets its default;
 * a mapping that is absent stays absent. Nulls in lists stay. Goes no deeper than the schema.
 *
 * @param value plain data of any shape
 */
export function applyDefaults(schema: Schema, value: unknown): unknown {
  const { items, properties = {}, additionalProperties } = schema
  if (items && Array.isArray(value)) return value.map((item: unknown) => applyDefaults(items, item))
  if (schema.type !== 'object' || !isFields(value)) return value
  const schemaOf = (name: string): Schema | undefined =>
    Object.hasOwn(properties, name) ? properties[name] : additionalProperties
  const fields = Object.entries(value).flatMap(([name, field]) => {
    const below = schemaOf(name)
    if (!below) return [[name, field] as const]
    return isAbsent(field) ? [] : [[name, applyDefaults(below, field)] as const]
  })
  const absent = Object.entries(properties).filter(
    ([name, field]) => field.default !== undefined && isAbsent(fieldOf(value, name)),
  )
  return Object.fromEntries([...fields, ...absent.map(([name, field]) => [name, field.default] as const)])
}

const isAbsent = (field: unknown): boolean => field === undefined || field === null
