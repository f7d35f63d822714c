import { NODE_COLUMN, POOL_COLUMNS } from './advertisement-columns.js'
import { column, type ResourceDefinition } from './definition.js'
import { LABEL_SELECTOR, labelSelectors, type Schema, strings } from './schema.js'

const SPEC: Schema = {
  type: 'object',
  description: 'Which pools are announced, from where.',
  properties: {
    ipAddressPools: strings('Pools to advertise, by name.'),
    ipAddressPoolSelectors: labelSelectors('Pools to advertise, by label. Neither names nor selectors: all pools.'),
    nodeSelectors: labelSelectors('Nodes that may announce. Empty: all.'),
    interfaces: strings('Interfaces to announce from. Empty: all.'),
    serviceSelectors: labelSelectors('Services to advertise. Empty: all.'),
    preferredNodeSelectors: {
      type: 'array',
      description: 'Nodes preferred as announcer; the weights of matching preferences are added up.',
      items: {
        type: 'object',
        required: ['weight', 'preference'],
        properties: {
          weight: {
            type: 'integer',
            format: 'int32',
            minimum: 1,
            maximum: 100,
            description: 'What a node that matches gains.',
          },
          preference: LABEL_SELECTOR,
        },
      },
    },
  },
}

/** L2Advertisement: addresses of pools are announced by ARP and NDP. */
export const L2_ADVERTISEMENT = {
  kind: 'L2Advertisement',
  plural: 'l2advertisements',
  versions: [
    {
      name: 'v1beta1',
      description: 'Addresses of pools are announced by ARP and NDP.',
      spec: SPEC,
      columns: [...POOL_COLUMNS, column('Interfaces', 'string', '.spec.interfaces'), NODE_COLUMN],
    },
  ],
} as const satisfies ResourceDefinition
