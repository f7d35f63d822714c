import type { PolicyPeer } from './policy.js'
import type { PathSource } from './rib/index.js'

/** A peer as the Loc-RIB, policies and other peers know it. */
export interface RouteSource extends PathSource {
  /** `undefined` for ourselves. */
  readonly policyPeer: PolicyPeer | undefined
  /** A client of this route reflector, RFC 4456. */
  readonly reflectorClient?: boolean
}

/** This speaker itself. */
export const LOCAL_SOURCE: RouteSource = {
  local: true,
  internal: false,
  bgpIdentifier: 0,
  address: new Uint8Array(0),
  policyPeer: undefined,
}
