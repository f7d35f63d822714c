import { BgpError } from '../errors.js'
import type { Family } from './family.js'

/** RFC 7606 section 2: what the receiver must do, severest first. */
export type Disposition = 'session-reset' | 'afi-safi-disable' | 'treat-as-withdraw' | 'attribute-discard'

/** Error Code and Error Subcode of a NOTIFICATION, RFC 4271 section 4.5. */
export type NotificationCode = readonly [errorCode: number, errorSubcode: number]

const NO_DATA = new Uint8Array(0)

/** The peer's octets break a MUST. Carries the NOTIFICATION that answers it. */
export class WireError extends BgpError {
  override readonly code = 'ERR_BGP_WIRE'
  constructor(
    /** What is wrong, without the place. */
    readonly text: string,
    /** Octet in the message, header included, where the fault starts. */
    readonly offset: number,
    /** Error Code and Error Subcode, RFC 4271 section 6. */
    readonly notification: NotificationCode,
    readonly disposition: Disposition = 'session-reset',
    /** Data field of the NOTIFICATION, as RFC 4271 section 6 asks for this fault; may be a view into the input. */
    readonly data: Uint8Array = NO_DATA,
    /** What to disable, with the disposition `afi-safi-disable` (RFC 4760 section 7). */
    readonly family?: Family,
  ) {
    super(`${text} (octet ${offset})`)
  }
}
