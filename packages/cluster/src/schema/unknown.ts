import type { FieldFault } from '../config/field-fault.js'
import { childPath, itemPath } from './path.js'
import { type Fields, isFields } from './plain.js'
import type { Schema } from './schema.js'
import { closest } from './suggestion.js'

/** A value without what its schema does not know, and what that was. */
export interface Pruned {
  readonly value: unknown
  readonly unknown: readonly FieldFault[]
}

/**
 * Drops the fields that a schema does not name, as the API server does. Each is reported with what may have been meant: a field of
 * a similar name, or the place where a field of this name stands.
 *
 * @param value plain data of any shape
 */
export function prune(schema: Schema, value: unknown): Pruned {
  const unknown: FieldFault[] = []
  return { value: pruned({ root: schema, unknown }, schema, value, ''), unknown }
}

interface Context {
  readonly root: Schema
  readonly unknown: FieldFault[]
}

function pruned(context: Context, schema: Schema, value: unknown, path: string): unknown {
  const { items, additionalProperties } = schema
  if (schema.type === 'array' && items && Array.isArray(value)) {
    return value.map((item: unknown, i) => pruned(context, items, item, itemPath(path, i)))
  }
  if (schema.type !== 'object' || !isFields(value)) return value
  if (!additionalProperties) return prunedFields(context, schema, value, path)
  const entries = Object.entries(value)
  return Object.fromEntries(
    entries.map(([name, field]) => [name, pruned(context, additionalProperties, field, childPath(path, name))]),
  )
}

function prunedFields(context: Context, { properties = {} }: Schema, value: Fields, path: string): unknown {
  const kept: Record<string, unknown> = {}
  for (const [name, field] of Object.entries(value)) {
    const below = childPath(path, name)
    const schema = Object.hasOwn(properties, name) ? properties[name] : undefined
    if (!schema) context.unknown.push({ field: below, reason: reasonFor(context.root, properties, name, path) })
    // The schema of a whole object says nothing about metadata; the API server has its own.
    else kept[name] = below === 'metadata' ? field : pruned(context, schema, field, below)
  }
  return kept
}

function reasonFor(root: Schema, siblings: Readonly<Record<string, Schema>>, name: string, path: string): string {
  const meant = closest(name, Object.keys(siblings))
  const hint = placesOf(root, name)[0] ?? (meant === undefined ? undefined : childPath(path, meant))
  return hint === undefined ? `unknown field${knownOf(siblings)}` : `unknown field; did you mean ${hint}?`
}

/** Where there are few fields, they are an answer themselves. */
function knownOf(siblings: Readonly<Record<string, Schema>>): string {
  const names = Object.keys(siblings)
  if (names.length === 0) return '; there are none here'
  return names.length > 4 ? '' : `; there ${names.length === 1 ? 'is' : 'are'} ${names.join(', ')}`
}

/** Where a field of this name stands in mappings; those in lists say nothing about an object as a whole. */
function placesOf({ properties = {} }: Schema, name: string, path = ''): readonly string[] {
  const here = Object.hasOwn(properties, name) && path !== '' ? [childPath(path, name)] : []
  const inner = Object.entries(properties).flatMap(([field, schema]) => placesOf(schema, name, childPath(path, field)))
  return [...here, ...inner].filter(place => !/^(status|metadata)\b/.test(place))
}
