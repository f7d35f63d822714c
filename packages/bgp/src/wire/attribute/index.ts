import { aigp } from './aigp.js'
import { aggregator } from './aggregator.js'
import { as4Aggregator } from './as4-aggregator.js'
import { as4Path } from './as4-path.js'
import { asPath } from './as-path.js'
import { atomicAggregate } from './atomic-aggregate.js'
import { clusterList } from './cluster-list.js'
import type { AttributeCodec } from './codec.js'
import { communities } from './communities.js'
import { extendedCommunities } from './extended-communities.js'
import { ipv6ExtendedCommunities } from './ipv6-extended-communities.js'
import { largeCommunities } from './large-communities.js'
import { localPref } from './local-pref.js'
import { mpReachNlri } from './mp-reach-nlri.js'
import { mpUnreachNlri } from './mp-unreach-nlri.js'
import { multiExitDisc } from './multi-exit-disc.js'
import { nextHop } from './next-hop.js'
import { onlyToCustomer } from './only-to-customer.js'
import { origin } from './origin.js'
import { originatorId } from './originator-id.js'
import type { KnownAttributes } from './path-attributes.js'

/** Codec of each known attribute. */
const CODECS: { readonly [K in keyof KnownAttributes]-?: AttributeCodec<NonNullable<KnownAttributes[K]>> } = {
  origin,
  asPath,
  nextHop,
  multiExitDisc,
  localPref,
  atomicAggregate,
  aggregator,
  communities,
  originatorId,
  clusterList,
  mpReachNlri,
  mpUnreachNlri,
  as4Path,
  as4Aggregator,
  extendedCommunities,
  ipv6ExtendedCommunities,
  aigp,
  onlyToCustomer,
  largeCommunities,
}

/** A known attribute: where its value stands in {@link KnownAttributes}, and how it is read and written. */
export interface KnownAttribute {
  readonly key: keyof KnownAttributes
  readonly codec: AttributeCodec<unknown>
}

/**
 * The known attributes in the order they are sent: MP_REACH_NLRI and MP_UNREACH_NLRI first (RFC 7606 section 5.1), the
 * rest ascending by Type Code (RFC 4271 section 5).
 */
export const KNOWN_ATTRIBUTES: readonly KnownAttribute[] = [
  { key: 'mpReachNlri', codec: mpReachNlri },
  { key: 'mpUnreachNlri', codec: mpUnreachNlri },
  ...(Object.keys(CODECS) as (keyof KnownAttributes)[])
    .filter(key => key !== 'mpReachNlri' && key !== 'mpUnreachNlri')
    .map(key => ({ key, codec: CODECS[key] as AttributeCodec<unknown> }))
    .toSorted((a, b) => a.codec.code - b.codec.code),
]

const BY_CODE: readonly (KnownAttribute | undefined)[] = KNOWN_ATTRIBUTES.reduce<KnownAttribute[]>((table, known) => {
  table[known.codec.code] = known
  return table
}, [])

/** The known attribute with this Type Code. */
export const knownAttribute = (code: number): KnownAttribute | undefined => BY_CODE[code]
