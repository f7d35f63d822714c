import { ErrorCode, type FamilyName, type NotificationMessage } from '../wire/index.js'
import type { OpenLevel } from './open.js'

/** OPEN Message Error subcodes that say our capabilities are too much, RFC 4271 section 6.2 and RFC 5492 section 5. */
const UNSUPPORTED_PARAMETER = 4
const UNSUPPORTED_CAPABILITY = 7

/**
 * What our next OPEN is to say after a NOTIFICATION of the peer, RFC 5492 section 3; `undefined` when it is about something else.
 */
export function fewerCapabilities(
  { errorCode, errorSubcode }: NotificationMessage,
  families: readonly FamilyName[],
): Exclude<OpenLevel, 'all'> | undefined {
  if (errorCode !== ErrorCode.OpenMessage) return undefined
  if (errorSubcode === UNSUPPORTED_CAPABILITY) return 'essential'
  // Without capabilities there is no family but IPv4 unicast (RFC 4760 section 8).
  return errorSubcode === UNSUPPORTED_PARAMETER && families.includes('ipv4-unicast') ? 'none' : undefined
}

/** For the log. */
export const FALLBACK_NOTES: { readonly [L in Exclude<OpenLevel, 'all'>]: string } = {
  essential: 'next OPEN with families and 4-octet AS only',
  none: 'next OPEN without capabilities',
}
