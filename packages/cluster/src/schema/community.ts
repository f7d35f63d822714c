import type { Schema } from './schema.js'

/** `spec` of Community, metallb.io/v1beta1. */
export const COMMUNITY_SPEC: Schema = {
  type: 'object',
  properties: {
    communities: {
      type: 'array',
      description: 'Names for community values; a name is unique over all Community objects.',
      items: {
        type: 'object',
        properties: {
          name: { type: 'string', description: 'Name to use in BGPAdvertisements.' },
          value: { type: 'string', description: 'a:b, or large:a:b:c.' },
        },
      },
    },
  },
}
