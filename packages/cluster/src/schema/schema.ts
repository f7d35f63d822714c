/** The part of OpenAPI v3 that a CustomResourceDefinition may use ("structural schema"), and that we use. */
export interface Schema {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'boolean'
  readonly description?: string
  readonly format?: string
  readonly default?: unknown
  readonly enum?: readonly string[]
  readonly minimum?: number
  readonly maximum?: number
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  /** Schema of the values of a map. */
  readonly additionalProperties?: Schema
  readonly items?: Schema
  readonly 'x-kubernetes-map-type'?: 'atomic'
  readonly 'x-kubernetes-list-type'?: 'atomic'
  /** CEL rules. Enforced by the API server; `buildConfig` checks the same in code. */
  readonly 'x-kubernetes-validations'?: readonly { readonly rule: string; readonly message?: string }[]
}

/** List of texts. */
export const STRINGS: Schema = { type: 'array', items: { type: 'string' } }

/** The standard Kubernetes label selector. */
export const LABEL_SELECTOR: Schema = {
  type: 'object',
  'x-kubernetes-map-type': 'atomic',
  properties: {
    matchLabels: { type: 'object', additionalProperties: { type: 'string' } },
    matchExpressions: {
      type: 'array',
      'x-kubernetes-list-type': 'atomic',
      items: {
        type: 'object',
        required: ['key', 'operator'],
        properties: {
          key: { type: 'string' },
          operator: { type: 'string' },
          values: { type: 'array', 'x-kubernetes-list-type': 'atomic', items: { type: 'string' } },
        },
      },
    },
  },
}

/** A list of label selectors, ORed. */
export const labelSelectors = (description: string): Schema => ({ type: 'array', description, items: LABEL_SELECTOR })

/** A list of texts with what they name. */
export const strings = (description: string): Schema => ({ ...STRINGS, description })
