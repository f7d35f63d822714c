import type { FieldFault } from '../config/field-fault.js'
import type { KubernetesObject } from '../resources/core.js'
import { checkValue, type SchemaFault } from './check.js'
import { applyDefaults } from './defaults.js'
import { apiVersionOf, objectSchema, type ResourceVersion } from './definition.js'
import { DEFINITIONS, isMetalLBKind, versionOf } from './definitions.js'
import { childPath } from './path.js'
import { fieldOf, withoutNulls } from './plain.js'
import type { Schema } from './schema.js'
import { prune } from './unknown.js'

/** What the API server would make of an object. */
export interface Review {
  /** As it would be stored: without unknown fields and nulls, with defaults. Meaningful only where {@link faults} is empty. */
  readonly object: KubernetesObject
  /** Why the object would be refused. */
  readonly faults: readonly SchemaFault[]
  /** Fields that would be dropped: with a warning, or as an error with strict field validation, which kubectl asks for. */
  readonly unknown: readonly FieldFault[]
}

/** Options of {@link reviewObject}. */
export interface ReviewOptions {
  /** The object before an update; absent: it is created. */
  readonly old?: KubernetesObject
  /** Written through the `status` subresource, so that only the status counts. Otherwise only the rest counts. */
  readonly subresource?: 'status'
}

/**
 * Treats an object of the group `metallb.io` as the API server does with the CustomResourceDefinitions that are made of the same
 * schemas: nulls, unknown fields, defaults, types and ranges, CEL rules. `metadata` is taken as it is.
 *
 * @throws {RangeError} kind and apiVersion are none of the group
 */
export function reviewObject(object: KubernetesObject, { old, subresource }: ReviewOptions = {}): Review {
  const schema = schemaFor(object)
  const { spec, status, ...rest } = object as KubernetesObject & { spec?: unknown; status?: unknown }
  const before = old && (applyDefaults(schema, old) as KubernetesObject)
  // What a request does not write, it does not change: nothing of it is looked at.
  const written =
    subresource === 'status'
      ? { ...rest, ...defined('spec', fieldOf(before, 'spec') ?? spec), ...defined('status', status) }
      : { ...rest, ...defined('spec', spec) }
  const { value, unknown } = prune(schema, { ...written, metadata: withoutNulls(object.metadata) })
  const stored = applyDefaults(schema, value) as KubernetesObject
  const newer = newerFields(object)
  return {
    object: stored,
    faults: checkValue(schema, stored, '', before),
    unknown: unknown.map(({ field, reason }) => ({ field, reason: newer.get(field) ?? reason })),
  }
}

/**
 * What is wrong with single fields of an object. A required field that is absent is left to the rules of the configuration, which
 * know more about it, unless it hides in a list.
 */
export const fieldsToMend = ({ faults, unknown }: Review): readonly FieldFault[] => [
  ...faults.filter(({ about, field }) => about !== 'rule' && (about !== 'absent' || field.includes('['))),
  ...unknown,
]

const defined = (name: string, value: unknown): object => (value === undefined ? {} : { [name]: value })

// Schemas depend on nothing: each is put together once.
const schemas = new Map<ResourceVersion, Schema>()

function schemaFor({ kind, apiVersion }: KubernetesObject): Schema {
  const version = isMetalLBKind(kind) ? versionOf(kind, apiVersion) : undefined
  if (!version) throw new RangeError(`object: ${kind} of ${apiVersion} is no resource of Typemetal`)
  const schema = schemas.get(version) ?? objectSchema(version)
  schemas.set(version, schema)
  return schema
}

/** The object with its kind's defaults, whatever else may be wrong with it. */
export const withSchemaDefaults = (object: KubernetesObject): KubernetesObject =>
  applyDefaults(schemaFor(object), object) as KubernetesObject

/** What to say of fields that the stored version of a kind has, and the version of this object has not. */
function newerFields({ kind, apiVersion }: KubernetesObject): ReadonlyMap<string, string> {
  if (!isMetalLBKind(kind)) return new Map()
  const [stored] = DEFINITIONS[kind].versions as readonly [ResourceVersion]
  const known = versionOf(kind, apiVersion)?.spec?.properties ?? {}
  const names = Object.keys(stored.spec?.properties ?? {}).filter(name => !Object.hasOwn(known, name))
  const reason = `unknown field in ${apiVersion}; it is one of ${apiVersionOf(stored)}`
  return new Map(names.map(name => [childPath('spec', name), reason]))
}
