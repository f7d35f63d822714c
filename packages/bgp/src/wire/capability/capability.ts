import type { FourOctetAsCapability } from './four-octet-as.js'
import type { MultiprotocolCapability } from './multiprotocol.js'
import type { RouteRefreshCapability } from './route-refresh.js'

/** A capability this package does not know; carried as it came. */
export interface UnknownCapability {
  readonly type: 'unknown'
  readonly code: number
  /** Capability Value. After decoding: a view into the input, so copy to keep. */
  readonly value: Uint8Array
}

/** One capability of an OPEN, RFC 5492 section 4. */
export type Capability = MultiprotocolCapability | RouteRefreshCapability | FourOctetAsCapability | UnknownCapability

/** Decode and encode of one Capability Value. */
export interface CapabilityCodec<C extends Capability> {
  readonly code: number
  readonly type: C['type']
  /** The only length the RFC allows for the Capability Value. */
  readonly length: number
  /** @param value of `length` octets */
  decode(value: Uint8Array): C
  encode(capability: C, into: Uint8Array): void
}
