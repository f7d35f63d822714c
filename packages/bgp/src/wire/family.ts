/** Address Family Identifiers that this package announces; any other number is carried. */
export const Afi = { IPv4: 1, IPv6: 2 } as const
export type Afi = number

/** Subsequent Address Family Identifiers; any other number is carried. */
export const Safi = { Unicast: 1 } as const
export type Safi = number

/** An address family of RFC 4760, by the name that options use. */
export type FamilyName = 'ipv4-unicast' | 'ipv6-unicast'

/** <AFI, SAFI>, RFC 4760 section 3. */
export interface Family {
  readonly afi: Afi
  readonly safi: Safi
}

const FAMILIES: { readonly [N in FamilyName]: Family } = {
  'ipv4-unicast': { afi: Afi.IPv4, safi: Safi.Unicast },
  'ipv6-unicast': { afi: Afi.IPv6, safi: Safi.Unicast },
}

/** AFI and SAFI of a family. */
export const familyOf = (name: FamilyName): Family => FAMILIES[name]

/** Name of the family, or `undefined` for one that this package does not know. */
export function familyName(family: Family): FamilyName | undefined {
  if (family.safi !== Safi.Unicast) return undefined
  if (family.afi === Afi.IPv4) return 'ipv4-unicast'
  return family.afi === Afi.IPv6 ? 'ipv6-unicast' : undefined
}

/** Address width of a family in bits: 32 or 128. */
export const familyBits = (name: FamilyName): number => (name === 'ipv4-unicast' ? 32 : 128)
