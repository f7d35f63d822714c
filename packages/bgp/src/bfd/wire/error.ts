import { BgpError } from '../../errors.js'

/**
 * Why octets are no acceptable control packet, in the order of the checks of RFC 5880 section 6.8.6:
 * too short for the Length field, version, length, Detect Mult, Multipoint bit, My Discriminator, Your Discriminator in that
 * state, and an authentication section that does not fit (sections 4.2 to 4.4).
 */
export const WIRE_DISCARD_REASONS = [
  'truncated',
  'version',
  'length',
  'detect-mult',
  'multipoint',
  'my-discriminator',
  'your-discriminator',
  'authentication-length',
] as const

/** See {@link WIRE_DISCARD_REASONS}. */
export type WireDiscardReason = (typeof WIRE_DISCARD_REASONS)[number]

/** Octets of the remote system that are to be discarded. */
export class BfdWireError extends BgpError {
  override readonly code = 'ERR_BGP_BFD_WIRE'
  constructor(
    message: string,
    /** The counter that the packet belongs to. */
    readonly reason: WireDiscardReason,
    /** Octet of the packet where the fault is. */
    readonly offset: number,
  ) {
    super(`${message} (octet ${offset})`)
  }
}
