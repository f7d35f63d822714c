import { AS_TRANS, mergeAs4Path, SegmentType, type PathAttributes } from './wire/index.js'

/** What of a session decides how a received route is taken. */
export interface ImportSession {
  /** Our AS number towards the peer. */
  readonly asn: number
  readonly bgpIdentifier: number
  readonly fourOctetAs: boolean
}

/**
 * The attributes with AS_PATH and AGGREGATOR in 4-octet AS numbers, and without AS4_PATH and AS4_AGGREGATOR, RFC 6793 section
 * 4.2.3. A peer that knows 4-octet AS numbers must not send those two; they are ignored then (section 4.1).
 */
export function resolveAs4(attributes: PathAttributes, fourOctetAs: boolean): PathAttributes {
  const { as4Path, as4Aggregator, ...rest } = attributes
  const { asPath, aggregator } = rest
  if (fourOctetAs || (!as4Path && !as4Aggregator)) return rest
  // An AGGREGATOR that fits 2 octets is newer than both AS4 attributes.
  if (aggregator && aggregator.asn !== AS_TRANS) return rest
  return {
    ...rest,
    ...(asPath && { asPath: mergeAs4Path(asPath, as4Path) }),
    ...(aggregator && as4Aggregator && { aggregator: as4Aggregator }),
  }
}

/** RFC 4271 section 9.1.2 and RFC 4456 section 8: a path that has been here before must not be used. */
export function isFeasible(attributes: PathAttributes, { asn, bgpIdentifier }: ImportSession): boolean {
  if (attributes.originatorId === bgpIdentifier || attributes.clusterList?.includes(bgpIdentifier)) return false
  return !attributes.asPath?.some(({ type, asns }) => isOfAs(type) && asns.includes(asn))
}

const isOfAs = (type: SegmentType): boolean => type === SegmentType.AsSequence || type === SegmentType.AsSet
