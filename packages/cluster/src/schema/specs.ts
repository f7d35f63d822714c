import { BFD_PROFILE_SPEC } from './bfd-profile.js'
import { BGP_ADVERTISEMENT_SPEC } from './bgp-advertisement.js'
import { BGP_PEER_SPEC } from './bgp-peer.js'
import { COMMUNITY_SPEC } from './community.js'
import { IP_ADDRESS_POOL_SPEC } from './ip-address-pool.js'
import { L2_ADVERTISEMENT_SPEC } from './l2-advertisement.js'
import type { Schema } from './schema.js'

/** Schema of `spec` for each kind that users configure Typemetal with. */
export const SPECS = {
  BFDProfile: BFD_PROFILE_SPEC,
  BGPAdvertisement: BGP_ADVERTISEMENT_SPEC,
  BGPPeer: BGP_PEER_SPEC,
  Community: COMMUNITY_SPEC,
  IPAddressPool: IP_ADDRESS_POOL_SPEC,
  L2Advertisement: L2_ADVERTISEMENT_SPEC,
} as const satisfies Record<string, Schema>

/** A kind that users configure Typemetal with. */
export type SpecKind = keyof typeof SPECS
