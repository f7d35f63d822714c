import type { Schema } from '../schema/schema.js'

/** OpenAPI v3 of a schema, as it stands in a CustomResourceDefinition: plain data, without the TypeScript halves of rules. */
export type OpenAPISchema = Readonly<Record<string, unknown>>

/** The part of a schema that an API server reads. */
export function toOpenAPI({
  properties,
  items,
  additionalProperties,
  'x-kubernetes-validations': rules,
  ...rest
}: Schema): OpenAPISchema {
  return {
    ...rest,
    ...(properties && { properties: mapValues(properties, toOpenAPI) }),
    ...(additionalProperties && { additionalProperties: toOpenAPI(additionalProperties) }),
    ...(items && { items: toOpenAPI(items) }),
    ...(rules && { 'x-kubernetes-validations': rules.map(({ rule, message }) => ({ rule, message })) }),
  }
}

const mapValues = <T, U>(record: Readonly<Record<string, T>>, map: (value: T) => U): Readonly<Record<string, U>> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value)]))
