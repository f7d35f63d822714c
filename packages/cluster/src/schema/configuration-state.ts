import { column, type ResourceDefinition } from './definition.js'
import { type Schema, text } from './schema.js'

/** `metav1.Condition`, as every Kubernetes API has it. */
const CONDITION: Schema = {
  type: 'object',
  required: ['lastTransitionTime', 'message', 'reason', 'status', 'type'],
  properties: {
    lastTransitionTime: { ...text('When the status changed last.'), format: 'date-time' },
    message: { ...text('The reason in words; may be empty.'), maxLength: 32_768 },
    observedGeneration: {
      type: 'integer',
      format: 'int64',
      minimum: 0,
      description: 'Generation of the object that it is about.',
    },
    reason: {
      ...text('The reason in one word.'),
      minLength: 1,
      maxLength: 1024,
      pattern: '^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$',
    },
    status: { ...text('True, False or Unknown.'), enum: ['True', 'False', 'Unknown'] },
    type: {
      ...text('What it is about.'),
      maxLength: 316,
      pattern:
        '^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$',
    },
  },
}

/** ConfigurationState: whether a component could use the newest configuration. Written by that component. */
export const CONFIGURATION_STATE = {
  kind: 'ConfigurationState',
  plural: 'configurationstates',
  versions: [
    {
      name: 'v1beta1',
      description: 'Whether a component could use the newest configuration.',
      status: {
        type: 'object',
        description: 'What became of the newest configuration.',
        properties: {
          result: { ...text('Valid, Invalid or Unknown.'), enum: ['Valid', 'Invalid', 'Unknown'] },
          errorSummary: text('Why it could not be used; a line a reason, empty when it could.'),
          conditions: {
            type: 'array',
            description: 'How each part of the component took it.',
            'x-kubernetes-list-type': 'map',
            'x-kubernetes-list-map-keys': ['type'],
            items: CONDITION,
          },
        },
      },
      columns: [
        column('Result', 'string', '.status.result'),
        column('ErrorSummary', 'string', '.status.errorSummary'),
        column('Age', 'date', '.metadata.creationTimestamp'),
      ],
    },
  ],
} as const satisfies ResourceDefinition
