import { fieldOf, isFields } from './plain.js'
import type { Schema } from './schema.js'

/**
 * Fills in the defaults of a schema where a mapping lacks the field, as the API server does; a mapping that is absent stays absent.
 *
 * @param value plain data of any shape, without nulls that count as absent ({@link withoutNulls})
 */
export function applyDefaults(schema: Schema, value: unknown): unknown {
  const { items, properties = {}, additionalProperties } = schema
  if (items && Array.isArray(value)) return value.map((item: unknown) => applyDefaults(items, item))
  if (schema.type !== 'object' || !isFields(value)) return value
  const fields = Object.entries(value).map(([name, field]) => {
    const below = Object.hasOwn(properties, name) ? properties[name] : additionalProperties
    return [name, below ? applyDefaults(below, field) : field] as const
  })
  const absent = Object.entries(properties).filter(
    ([name, field]) => field.default !== undefined && fieldOf(value, name) === undefined,
  )
  return Object.fromEntries([...fields, ...absent.map(([name, field]) => [name, field.default] as const)])
}
