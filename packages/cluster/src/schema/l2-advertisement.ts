import { LABEL_SELECTOR, labelSelectors, type Schema, strings } from './schema.js'

/** `spec` of L2Advertisement, metallb.io/v1beta1. */
export const L2_ADVERTISEMENT_SPEC: Schema = {
  type: 'object',
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
          weight: { type: 'integer', format: 'int32', minimum: 1, maximum: 100 },
          preference: LABEL_SELECTOR,
        },
      },
    },
  },
}
