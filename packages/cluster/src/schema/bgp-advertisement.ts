import { NODE_COLUMN, POOL_COLUMNS } from './advertisement-columns.js'
import { column, type ResourceDefinition } from './definition.js'
import { labelSelectors, type Rule, type Schema, strings } from './schema.js'

interface Lengths {
  readonly serviceSelectors?: readonly unknown[]
  readonly aggregationLength?: number
  readonly aggregationLengthV6?: number
}

/** Services with other labels share the aggregate, so it could not be sent for some of them only. */
const SELECTIVE: Rule = {
  rule:
    '!has(self.serviceSelectors) || self.serviceSelectors.size() == 0 || ' +
    '((!has(self.aggregationLength) || self.aggregationLength == 32) && ' +
    '(!has(self.aggregationLengthV6) || self.aggregationLengthV6 == 128))',
  message:
    'serviceSelectors and aggregationLength are mutually exclusive: only the default lengths (32 and 128) may be combined with serviceSelectors',
  holds: ({ serviceSelectors = [], aggregationLength = 32, aggregationLengthV6 = 128 }: Lengths) =>
    serviceSelectors.length === 0 || (aggregationLength === 32 && aggregationLengthV6 === 128),
}

const SPEC: Schema = {
  type: 'object',
  description: 'Which pools are announced, to whom, with what.',
  properties: {
    aggregationLength: {
      type: 'integer',
      format: 'int32',
      default: 32,
      minimum: 1,
      description: 'Prefix length to which IPv4 addresses are aggregated; at most 32.',
    },
    aggregationLengthV6: {
      type: 'integer',
      format: 'int32',
      default: 128,
      description: 'Prefix length to which IPv6 addresses are aggregated; at most 128.',
    },
    // Of 32 bits without a sign. MetalLB has int32 here, by which newer API servers refuse the upper half.
    localPref: {
      type: 'integer',
      format: 'int64',
      description: 'LOCAL_PREF sent to iBGP peers, at most 4294967295. 0: unset.',
    },
    communities: strings('Communities (a:b), large communities (large:a:b:c), or names from Community objects.'),
    ipAddressPools: strings('Pools to advertise, by name.'),
    ipAddressPoolSelectors: labelSelectors('Pools to advertise, by label. Neither names nor selectors: all pools.'),
    nodeSelectors: labelSelectors('Nodes that announce. Empty: all.'),
    peers: strings('BGPPeers to announce to, by name. Empty: all.'),
    serviceSelectors: labelSelectors('Services to advertise. Empty: all.'),
  },
  'x-kubernetes-validations': [SELECTIVE],
}

/** BGPAdvertisement: addresses of pools are announced to BGP peers. */
export const BGP_ADVERTISEMENT = {
  kind: 'BGPAdvertisement',
  plural: 'bgpadvertisements',
  versions: [
    {
      name: 'v1beta1',
      description: 'Addresses of pools are announced to BGP peers.',
      spec: SPEC,
      columns: [...POOL_COLUMNS, column('Peers', 'string', '.spec.peers'), NODE_COLUMN],
    },
  ],
} as const satisfies ResourceDefinition
