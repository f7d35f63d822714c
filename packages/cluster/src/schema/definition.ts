import { empty, type Schema } from './schema.js'

/** API group of all resources that Typemetal defines. */
export const GROUP = 'metallb.io'

/** A resource of the group `metallb.io`: everything that its CustomResourceDefinition says. All are namespaced and have a `status` subresource. */
export interface ResourceDefinition {
  readonly kind: string
  /** Name in API paths; the singular is the kind in lower case. */
  readonly plural: string
  /** The version that is stored, then older ones that are still served and converted. */
  readonly versions: readonly [ResourceVersion, ...ResourceVersion[]]
}

/** One version of a resource. */
export interface ResourceVersion {
  readonly name: 'v1beta1' | 'v1beta2'
  /** What an object of it is for. */
  readonly description: string
  /** Warning that the API server sends with every answer; present: the version is deprecated. */
  readonly deprecationWarning?: string
  /** Absent: the resource has a status only. */
  readonly spec?: Schema
  readonly specRequired?: boolean
  /** @default without fields */
  readonly status?: Schema
  readonly columns: readonly PrinterColumn[]
}

/** A column of `kubectl get`. */
export interface PrinterColumn {
  readonly name: string
  readonly type: 'string' | 'integer' | 'boolean' | 'date'
  readonly jsonPath: string
  /** Above 0: shown with `-o wide` only. */
  readonly priority?: number
}

/** A column that shows one field. */
export const column = (
  name: string,
  type: PrinterColumn['type'],
  jsonPath: string,
  priority?: number,
): PrinterColumn => ({ name, type, jsonPath, ...(priority !== undefined && { priority }) })

/** `apiVersion` of objects of a version. */
export const apiVersionOf = ({ name }: ResourceVersion): string => `${GROUP}/${name}`

/** Schema of a whole object of a version. */
export function objectSchema({ description, spec, specRequired = false, status }: ResourceVersion): Schema {
  return {
    type: 'object',
    description,
    ...(specRequired && { required: ['spec'] }),
    properties: {
      apiVersion: { type: 'string', description: 'Group and version of this object.' },
      kind: { type: 'string', description: 'Kind of this object.' },
      metadata: { type: 'object' },
      ...(spec && { spec }),
      status: status ?? empty('What is observed of the object.'),
    },
  }
}
