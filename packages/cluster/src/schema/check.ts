import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import type { FieldFault } from '../config/field-fault.js'
import { describeFault } from './describe.js'
import type { Schema } from './schema.js'
import { SPECS, type SpecKind } from './specs.js'

/** A fault found by a schema. */
export interface SchemaFault extends FieldFault {
  /** `shape`: the value has the wrong type, so its meaning cannot be checked; `absent`: a required field; `value`: the rest. */
  readonly about: 'shape' | 'absent' | 'value'
}

// Compiling costs milliseconds and depends on nothing but the schema: done once, on first use.
const validators = new Map<Schema, ValidateFunction>()

/**
 * Checks a metallb.io object against the schema of its kind. Unknown fields are faults: the API server would drop them
 * with a warning, which nobody sees who writes files.
 *
 * @param object as {@link withoutNulls} gives it
 */
export function checkSpec(kind: SpecKind, object: object): readonly SchemaFault[] {
  const validate = validatorOf(SPECS[kind], () => ({
    type: 'object',
    properties: { apiVersion: {}, kind: {}, metadata: {}, spec: closed(SPECS[kind]), status: {} },
    additionalProperties: false,
  }))
  return run(validate, object)
}

/** Checks the parts of a value that `schema` names; the others may be anything. */
export function checkShape(schema: Schema, value: object): readonly SchemaFault[] {
  return run(
    validatorOf(schema, () => schema),
    value,
  )
}

/** A copy without fields set to null, which count as absent on the API server too. Nulls in lists stay. */
export function withoutNulls<T>(value: T): T {
  return mapValues(value, field => (field === null ? undefined : field)) as T
}

/** The schema with unknown fields refused wherever fields are named. */
function closed(schema: Schema): object {
  const { properties, items, ...rest } = schema
  return {
    ...rest,
    ...(items && { items: closed(items) }),
    ...(properties && {
      properties: Object.fromEntries(Object.entries(properties).map(([name, field]) => [name, closed(field)])),
      additionalProperties: false,
    }),
  }
}

function validatorOf(key: Schema, schema: () => object): ValidateFunction {
  const known = validators.get(key)
  if (known) return known
  // OpenAPI formats and x-kubernetes-* keywords are the API server's business, hence not strict.
  const ajv = new Ajv({ allErrors: true, verbose: true, strict: false, validateFormats: false })
  const validate = ajv.compile(schema())
  validators.set(key, validate)
  return validate
}

function run(validate: ValidateFunction, value: object): readonly SchemaFault[] {
  // ajv takes no bigint for an integer; those that a number cannot hold are out of every range anyway.
  const data = mapValues(value, field => (typeof field === 'bigint' ? Number(field) : field))
  if (validate(data)) return []
  return (validate.errors ?? []).map(error => ({ ...describeFault(error, data), about: aboutOf(error) }))
}

const aboutOf = ({ keyword }: ErrorObject): SchemaFault['about'] =>
  keyword === 'type' ? 'shape' : keyword === 'required' ? 'absent' : 'value'

/** A deep copy of plain data with every field passed through `map`; fields that become undefined are left out. */
function mapValues(value: unknown, map: (field: unknown) => unknown): unknown {
  if (Array.isArray(value))
    return value.map((item: unknown) => mapValues(typeof item === 'object' ? item : map(item), map))
  if (typeof value !== 'object' || value === null) return value
  const fields = Object.entries(value)
    .map(([name, field]) => [name, mapValues(map(field), map)] as const)
    .filter(([, field]) => field !== undefined)
  return Object.fromEntries(fields)
}
