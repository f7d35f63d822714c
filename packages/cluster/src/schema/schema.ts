/** The part of OpenAPI v3 that a CustomResourceDefinition may use ("structural schema"), and that we use. */
export interface Schema {
  readonly type: 'object' | 'array' | 'string' | 'integer' | 'boolean'
  readonly description?: string
  /** Integers of 64 bits when absent. Older API servers let more than 32 bits pass where `int32` stands. */
  readonly format?: 'int32' | 'int64' | 'date-time'
  readonly default?: unknown
  readonly enum?: readonly string[]
  readonly minimum?: number
  readonly maximum?: number
  /** Lengths in code points. */
  readonly minLength?: number
  readonly maxLength?: number
  /** Regular expression that means the same in Go and in ECMAScript. */
  readonly pattern?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  /** Schema of the values of a map. */
  readonly additionalProperties?: Schema
  readonly items?: Schema
  readonly minItems?: number
  readonly 'x-kubernetes-map-type'?: 'atomic'
  readonly 'x-kubernetes-list-type'?: 'atomic' | 'map'
  /** Fields that tell the items of a list of type `map` apart. */
  readonly 'x-kubernetes-list-map-keys'?: readonly string[]
  readonly 'x-kubernetes-validations'?: readonly Rule[]
}

/** A rule of more than one value, told twice: to the API server in CEL, and to everybody else in TypeScript. */
export interface Rule {
  /** Rules that name `oldSelf` are asked only when there is an older value: on updates. */
  readonly rule: string
  readonly message: string
  /**
   * What {@link rule} says. `self` has the shape that the schema around it demands: values of other shapes are refused before
   * any rule is asked, here as on the API server.
   */
  readonly holds: (self: never, oldSelf: never) => boolean
}

/** List of texts. */
export const STRINGS: Schema = { type: 'array', items: { type: 'string' } }

/** The standard Kubernetes label selector. */
export const LABEL_SELECTOR: Schema = {
  type: 'object',
  description: 'A label selector. All its requirements must hold; an empty one matches everything.',
  'x-kubernetes-map-type': 'atomic',
  properties: {
    matchLabels: {
      type: 'object',
      description: 'Labels and the values that they must have.',
      additionalProperties: { type: 'string' },
    },
    matchExpressions: {
      type: 'array',
      description: 'Further requirements.',
      'x-kubernetes-list-type': 'atomic',
      items: {
        type: 'object',
        required: ['key', 'operator'],
        properties: {
          key: { type: 'string', description: 'The label that it is about.' },
          operator: { type: 'string', description: 'In, NotIn, Exists or DoesNotExist.' },
          values: {
            type: 'array',
            description: 'Values for In and NotIn; none for Exists and DoesNotExist.',
            'x-kubernetes-list-type': 'atomic',
            items: { type: 'string' },
          },
        },
      },
    },
  },
}

/** A list of label selectors, ORed. */
export const labelSelectors = (description: string): Schema => ({ type: 'array', description, items: LABEL_SELECTOR })

/** A list of texts with what they name. */
export const strings = (description: string): Schema => ({ ...STRINGS, description })

/** A text. */
export const text = (description: string): Schema => ({ type: 'string', description })

/** True or false. */
export const flag = (description: string): Schema => ({ type: 'boolean', description })

/** A `spec` or `status` that has no fields: whatever is written there is dropped. */
export const empty = (description: string): Schema => ({ type: 'object', description })
