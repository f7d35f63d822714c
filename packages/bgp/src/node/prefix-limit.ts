import { CeaseSubcode, createCease, familyOf, type FamilyName, type NotificationMessage } from '../wire/index.js'

/** Cease, Maximum Number of Prefixes Reached, RFC 4486 section 4: its data say which family, and how many were allowed. */
export function maximumPrefixesCease(family: FamilyName | 'all', limit: number): NotificationMessage {
  const cease = createCease(CeaseSubcode.MaximumNumberOfPrefixesReached)
  if (family === 'all') return cease
  const { afi, safi } = familyOf(family)
  const data = Uint8Array.of(afi >> 8, afi, safi, limit >>> 24, limit >>> 16, limit >>> 8, limit)
  return { ...cease, data }
}
