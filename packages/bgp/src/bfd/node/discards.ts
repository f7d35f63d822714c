import { SESSION_DISCARD_REASONS, type SessionDiscardReason } from '../fsm/index.js'
import { WIRE_DISCARD_REASONS, type WireDiscardReason } from '../wire/index.js'

/**
 * Why a packet is discarded before a session sees it: TTL or Hop Limit (RFC 5881 section 5, RFC 5883 section 4), Your
 * Discriminator is nobody's, Your Discriminator 0 from a stranger, came in by another interface or socket than the session's
 * (RFC 5881 section 3), an echo packet that is none of ours or comes faster than it may.
 */
export const RECEPTION_DISCARD_REASONS = [
  'ttl',
  'unknown-discriminator',
  'unknown-source',
  'interface',
  'unknown-echo',
  'echo-rate',
] as const

/** Why a received packet was discarded. @useDeclaredType */
export type DiscardReason = WireDiscardReason | SessionDiscardReason | (typeof RECEPTION_DISCARD_REASONS)[number]

/** Every {@link DiscardReason}. */
export const DISCARD_REASONS: readonly DiscardReason[] = [
  ...WIRE_DISCARD_REASONS,
  ...RECEPTION_DISCARD_REASONS,
  ...SESSION_DISCARD_REASONS,
]

const PLACES = new Map(DISCARD_REASONS.map((reason, place) => [reason, place]))

/** Where a reason stands in {@link DISCARD_REASONS}. */
export const discardPlace = (reason: DiscardReason): number => PLACES.get(reason)!

/** Discarded packets by reason; reasons that never occurred are left out. */
export type Discards = { readonly [R in DiscardReason]?: number }

/** @param counts in the order of {@link DISCARD_REASONS} */
export function readDiscards(counts: Float64Array): Discards {
  const entries = DISCARD_REASONS.map((reason, place) => [reason, counts[place]!] as const)
  return Object.fromEntries(entries.filter(([, count]) => count > 0))
}
