import type { ResourceDefinition } from './definition.js'
import { type Schema, text } from './schema.js'

const SPEC: Schema = {
  type: 'object',
  description: 'Names and what they stand for.',
  properties: {
    communities: {
      type: 'array',
      description: 'Names for community values; a name is unique over all Community objects.',
      items: {
        type: 'object',
        properties: {
          name: text('Name to use in BGPAdvertisements.'),
          value: text('a:b, or large:a:b:c.'),
        },
      },
    },
  },
}

/** Community: names for BGP communities (RFC 1997, RFC 8092). */
export const COMMUNITY = {
  kind: 'Community',
  plural: 'communities',
  versions: [
    {
      name: 'v1beta1',
      description: 'Names for BGP communities (RFC 1997, RFC 8092).',
      spec: SPEC,
      columns: [],
    },
  ],
} as const satisfies ResourceDefinition
