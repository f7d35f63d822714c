import { labelSelectors, type Schema, strings } from './schema.js'

/** `spec` of BGPAdvertisement, metallb.io/v1beta1. */
export const BGP_ADVERTISEMENT_SPEC: Schema = {
  type: 'object',
  properties: {
    aggregationLength: {
      type: 'integer',
      format: 'int32',
      default: 32,
      minimum: 1,
      description: 'Prefix length to which IPv4 addresses are aggregated.',
    },
    aggregationLengthV6: {
      type: 'integer',
      format: 'int32',
      default: 128,
      description: 'Prefix length to which IPv6 addresses are aggregated.',
    },
    localPref: { type: 'integer', format: 'int32', description: 'LOCAL_PREF sent to iBGP peers. 0: unset.' },
    communities: strings('Communities (a:b), large communities (large:a:b:c), or names from Community objects.'),
    ipAddressPools: strings('Pools to advertise, by name.'),
    ipAddressPoolSelectors: labelSelectors('Pools to advertise, by label. Neither names nor selectors: all pools.'),
    nodeSelectors: labelSelectors('Nodes that announce. Empty: all.'),
    peers: strings('BGPPeers to announce to, by name. Empty: all.'),
    serviceSelectors: labelSelectors('Services to advertise. Empty: all.'),
  },
  'x-kubernetes-validations': [
    {
      rule:
        '!has(self.serviceSelectors) || self.serviceSelectors.size() == 0 || ' +
        '((!has(self.aggregationLength) || self.aggregationLength == 32) && ' +
        '(!has(self.aggregationLengthV6) || self.aggregationLengthV6 == 128))',
      message:
        'serviceSelectors and aggregationLength are mutually exclusive: only the default lengths (32 and 128) may be combined with serviceSelectors',
    },
  ],
}
