import type { ErrorObject } from 'ajv'
import type { FieldFault } from '../config/field-fault.js'
import { closest } from './suggestion.js'

/** A schema error in words, with its field in Kubernetes spelling. */
export function describeFault(error: ErrorObject, data: unknown): FieldFault {
  const at = fieldPath(error.instancePath, data)
  const { params } = error as { params: Record<string, unknown> }
  switch (error.keyword) {
    case 'required':
      return { field: child(at, String(params['missingProperty'])), reason: 'missing required field' }
    case 'additionalProperties':
      return unknownField(at, String(params['additionalProperty']), error)
    case 'type':
      return {
        field: at,
        reason: `must be ${article(String(params['type']))}, not ${isSecret(at) ? 'what is there' : described(error.data)}`,
      }
    case 'enum':
      return {
        field: at,
        reason: `invalid ${lastName(at)} "${String(error.data)}": must be ${(params['allowedValues'] as string[]).join(' or ')}`,
      }
    case 'minimum':
    case 'maximum':
      return { field: at, reason: outOfRange(error) }
    default:
      return { field: at, reason: error.message ?? error.keyword }
  }
}

/** `/spec/addresses/1` becomes `spec.addresses[1]`. */
function fieldPath(pointer: string, data: unknown): string {
  let path = ''
  let value = data
  for (const token of pointer.split('/').slice(1)) {
    const name = token.replaceAll('~1', '/').replaceAll('~0', '~')
    path = Array.isArray(value) ? `${path}[${name}]` : child(path, name)
    value = (value as Record<string, unknown>)[name]
  }
  return path
}

function child(path: string, name: string): string {
  if (!/^[A-Za-z_]\w*$/.test(name)) return `${path}[${name}]`
  return path ? `${path}.${name}` : name
}

function unknownField(at: string, name: string, error: ErrorObject): FieldFault {
  const { properties = {} } = error.parentSchema as { properties?: Record<string, { properties?: object }> }
  const meant = closest(name, Object.keys(properties))
  const misplaced = Object.keys(properties).find(outer => Object.hasOwn(properties[outer]?.properties ?? {}, name))
  const hint = misplaced ? child(child(at, misplaced), name) : meant && child(at, meant)
  return { field: child(at, name), reason: hint ? `unknown field; did you mean ${hint}?` : 'unknown field' }
}

function outOfRange(error: ErrorObject): string {
  const { minimum, maximum } = error.parentSchema as { minimum?: number; maximum?: number }
  if (minimum !== undefined && maximum !== undefined) {
    return `invalid value ${String(error.data)}, must be in ${minimum}-${maximum} range`
  }
  return `invalid value ${String(error.data)}, must be ${minimum === undefined ? `at most ${maximum}` : `at least ${minimum}`}`
}

/** Values that must not appear in logs. */
const isSecret = (path: string): boolean => /(^|\.)(password|data|stringData)(\.|\[|$)/.test(path)

const lastName = (path: string): string => path.slice(path.lastIndexOf('.') + 1)

const ARTICLES: Readonly<Record<string, string>> = {
  array: 'a list',
  boolean: 'true or false',
  integer: 'a whole number',
  object: 'a mapping',
  string: 'a text',
}
const article = (type: string): string => ARTICLES[type] ?? type

function described(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object' && value !== null) return 'a mapping'
  return typeof value === 'string' ? `the text "${value}"` : String(value)
}
