import type { NdpOption } from '../wire/ndp/option/index.js'
import type { Octets } from '../wire/octets.js'

/** Octets of a nonce: the fewest that RFC 3971 §5.3.2 allows, with which the option fills 8. */
export const NONCE_LENGTH: Octets = 6

/** A Nonce option for a Neighbor Solicitation (RFC 7527 §4.1). */
export const nonceOption = (nonce: Uint8Array): NdpOption => ({ kind: 'nonce', nonce })

/** The nonce of the first Nonce option, a view; `undefined` without one. */
export function nonceOf(options: readonly NdpOption[]): Uint8Array | undefined {
  for (const option of options) if (option.kind === 'nonce') return option.nonce
  return undefined
}
