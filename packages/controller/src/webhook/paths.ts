import { DEFINITIONS, type MetalLBKind } from '@typemetal/cluster'

/** Kinds that are looked at before they are stored. */
const VALIDATED: readonly MetalLBKind[] = [
  'BGPPeer',
  'IPAddressPool',
  'BGPAdvertisement',
  'L2Advertisement',
  'Community',
  'BFDProfile',
]

/** Where BGPPeers are converted. */
export const CONVERSION_PATH = '/convert'

/** Where the API server asks about each kind, as in MetalLB's ValidatingWebhookConfiguration. */
export const VALIDATION_PATHS: ReadonlyMap<string, MetalLBKind> = new Map(
  VALIDATED.map(kind => [`/validate-metallb-io-${DEFINITIONS[kind].versions[0].name}-${kind.toLowerCase()}`, kind]),
)
