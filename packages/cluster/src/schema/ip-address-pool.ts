import { labelSelectors, type Schema, strings } from './schema.js'

/** `spec` of IPAddressPool, metallb.io/v1beta1. */
export const IP_ADDRESS_POOL_SPEC: Schema = {
  type: 'object',
  required: ['addresses'],
  properties: {
    addresses: strings('CIDRs or ranges (start-end) of addresses; IPv4 and IPv6 may be mixed.'),
    autoAssign: {
      type: 'boolean',
      default: true,
      description: 'False: addresses are given only to Services that ask for this pool or for one of its addresses.',
    },
    avoidBuggyIPs: {
      type: 'boolean',
      default: false,
      description: 'Never give IPv4 addresses that end in .0 or .255.',
    },
    serviceAllocation: {
      type: 'object',
      description: 'Restricts the pool to some Services and gives it a rank among their pools.',
      properties: {
        priority: { type: 'integer', description: 'The lowest positive number is tried first; 0 is tried last.' },
        namespaces: strings('Namespaces whose Services may use the pool.'),
        namespaceSelectors: labelSelectors('Namespaces, by label, whose Services may use the pool.'),
        serviceSelectors: labelSelectors('Services, by label, that may use the pool.'),
      },
    },
  },
}
