import { BFD_PROFILE } from './bfd-profile.js'
import { BGP_ADVERTISEMENT } from './bgp-advertisement.js'
import { BGP_PEER } from './bgp-peer.js'
import { COMMUNITY } from './community.js'
import { CONFIGURATION_STATE } from './configuration-state.js'
import { apiVersionOf, type ResourceDefinition, type ResourceVersion } from './definition.js'
import { IP_ADDRESS_POOL } from './ip-address-pool.js'
import { L2_ADVERTISEMENT } from './l2-advertisement.js'
import { SERVICE_BGP_STATUS, SERVICE_L2_STATUS } from './service-status.js'

/** Every kind of the group `metallb.io`. The CRDs are made of it, and objects are held against it. */
export const DEFINITIONS = {
  IPAddressPool: IP_ADDRESS_POOL,
  L2Advertisement: L2_ADVERTISEMENT,
  BGPAdvertisement: BGP_ADVERTISEMENT,
  BGPPeer: BGP_PEER,
  BFDProfile: BFD_PROFILE,
  Community: COMMUNITY,
  ServiceL2Status: SERVICE_L2_STATUS,
  ServiceBGPStatus: SERVICE_BGP_STATUS,
  ConfigurationState: CONFIGURATION_STATE,
} as const satisfies Readonly<Record<string, ResourceDefinition>>

/** A kind of the group `metallb.io`. */
export type MetalLBKind = keyof typeof DEFINITIONS

/** Whether a kind is one of the group `metallb.io`. */
export const isMetalLBKind = (kind: string): kind is MetalLBKind => Object.hasOwn(DEFINITIONS, kind)

/** The version of a kind that `apiVersion` names; `undefined` when the kind has none of it. */
export function versionOf(kind: MetalLBKind, apiVersion: string): ResourceVersion | undefined {
  const versions: readonly ResourceVersion[] = DEFINITIONS[kind].versions
  return versions.find(version => apiVersionOf(version) === apiVersion)
}
