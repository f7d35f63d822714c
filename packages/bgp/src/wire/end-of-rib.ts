import { Afi, Safi, type Family } from './family.js'
import type { UpdateMessage } from './update.js'

/** The End-of-RIB marker of a family, RFC 4724 section 2. */
export function createEndOfRib({ afi, safi }: Family): UpdateMessage {
  const ipv4Unicast = afi === Afi.IPv4 && safi === Safi.Unicast
  const pathAttributes = ipv4Unicast ? {} : { mpUnreachNlri: { afi, safi, withdrawnRoutes: [] } }
  return { type: 'update', withdrawnRoutes: [], pathAttributes, nlri: [] }
}

/** The family that an UPDATE is the End-of-RIB marker of, RFC 4724 section 2; `undefined` for any other UPDATE. */
export function endOfRibFamily({ withdrawnRoutes, pathAttributes, nlri, faults }: UpdateMessage): Family | undefined {
  // What a fault has left empty did say something.
  if (withdrawnRoutes.length || nlri.length || faults) return undefined
  const keys = Object.keys(pathAttributes)
  if (keys.length === 0) return { afi: Afi.IPv4, safi: Safi.Unicast }
  const unreach = pathAttributes.mpUnreachNlri
  if (keys.length > 1 || !unreach || unreach.withdrawnRoutes.length || unreach.opaque?.length) return undefined
  return { afi: unreach.afi, safi: unreach.safi }
}
