import type { Octets } from '../octets.js'
import type { AddPathCapability } from './add-path.js'
import type { BfdStrictModeCapability } from './bfd-strict-mode.js'
import type { EnhancedRouteRefreshCapability } from './enhanced-route-refresh.js'
import type { ExtendedMessageCapability } from './extended-message.js'
import type { ExtendedNextHopCapability } from './extended-next-hop.js'
import type { FourOctetAsCapability } from './four-octet-as.js'
import type { FqdnCapability } from './fqdn.js'
import type { GracefulRestartCapability } from './graceful-restart.js'
import type { LongLivedGracefulRestartCapability } from './long-lived-graceful-restart.js'
import type { MultiprotocolCapability } from './multiprotocol.js'
import type { RoleCapability } from './role.js'
import type { RouteRefreshCapability } from './route-refresh.js'

/** A capability this package does not know, or whose RFC has its content ignored; carried as it came. */
export interface UnknownCapability {
  readonly type: 'unknown'
  readonly code: number
  /** Capability Value. After decoding: a view into the input, so copy to keep. */
  readonly value: Uint8Array
}

/** A capability that this package knows. */
export type KnownCapability =
  | MultiprotocolCapability
  | RouteRefreshCapability
  | ExtendedNextHopCapability
  | ExtendedMessageCapability
  | RoleCapability
  | GracefulRestartCapability
  | FourOctetAsCapability
  | AddPathCapability
  | EnhancedRouteRefreshCapability
  | LongLivedGracefulRestartCapability
  | FqdnCapability
  | BfdStrictModeCapability

/** One capability of an OPEN, RFC 5492 section 4. */
export type Capability = KnownCapability | UnknownCapability

/** Decode and encode of one Capability Value. */
export interface CapabilityCodec<C extends KnownCapability> {
  readonly code: number
  readonly type: C['type']
  /** Whether the RFC allows a Capability Value of so many octets. */
  allows(length: Octets): boolean
  /**
   * @param value of a length that {@link allows} lets pass
   * @returns `undefined` for a value that its RFC has treated as not understood
   */
  decode(value: Uint8Array): C | undefined
  /** Octets that {@link encode} writes. */
  length(capability: C): Octets
  /**
   * @param into exactly as many octets as {@link length} says
   * @throws {RangeError} caller's fault: a value that its field cannot hold
   */
  encode(capability: C, into: Uint8Array): void
}

/** Lengths of a capability without a value. */
export const isEmpty = (length: Octets): boolean => length === 0
