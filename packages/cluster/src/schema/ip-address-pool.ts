import { column, type ResourceDefinition } from './definition.js'
import { flag, labelSelectors, type Schema, strings } from './schema.js'

const SPEC: Schema = {
  type: 'object',
  description: 'Which addresses the pool has, and who may use them.',
  required: ['addresses'],
  properties: {
    addresses: strings('CIDRs or ranges (start-end) of addresses; IPv4 and IPv6 may be mixed.'),
    autoAssign: {
      ...flag('False: addresses are given only to Services that ask for this pool or for one of its addresses.'),
      default: true,
    },
    avoidBuggyIPs: { ...flag('Never give IPv4 addresses that end in .0 or .255.'), default: false },
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

const count = (description: string): Schema => ({ type: 'integer', format: 'int64', description })

const STATUS: Schema = {
  type: 'object',
  description: 'How many addresses are in use.',
  required: ['assignedIPv4', 'assignedIPv6', 'availableIPv4', 'availableIPv6'],
  properties: {
    assignedIPv4: count('IPv4 addresses that Services have.'),
    assignedIPv6: count('IPv6 addresses that Services have.'),
    availableIPv4: count('IPv4 addresses that are free.'),
    availableIPv6: count('IPv6 addresses that are free; 9223372036854775807 stands for more than can be said.'),
  },
}

/** IPAddressPool: addresses for Services of type LoadBalancer. */
export const IP_ADDRESS_POOL = {
  kind: 'IPAddressPool',
  plural: 'ipaddresspools',
  versions: [
    {
      name: 'v1beta1',
      description: 'Addresses for Services of type LoadBalancer.',
      spec: SPEC,
      specRequired: true,
      status: STATUS,
      columns: [
        column('Auto Assign', 'boolean', '.spec.autoAssign'),
        column('Avoid Buggy IPs', 'boolean', '.spec.avoidBuggyIPs'),
        column('Addresses', 'string', '.spec.addresses'),
      ],
    },
  ],
} as const satisfies ResourceDefinition
