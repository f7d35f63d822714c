const IPV4_TTL = 8 // RFC 791 section 3.1
const IPV6_HOP_LIMIT = 7 // RFC 8200 section 3

/** Time to Live or Hop Limit of an IP header; `undefined` when the octets are none, or too few. */
export function ttlOfHeader(octets: Uint8Array): number | undefined {
  const version = (octets[0] ?? 0) >> 4
  if (version === 4) return octets[IPV4_TTL]
  return version === 6 ? octets[IPV6_HOP_LIMIT] : undefined
}
