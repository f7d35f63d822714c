/** Who opened the TCP connection. */
export type Initiator = 'local' | 'remote'

/** What tells two speakers apart. */
export interface SpeakerIdentity {
  readonly bgpIdentifier: number
  readonly asn: number
}

/**
 * Connection collision detection, RFC 4271 section 6.8: of two connections between the same speakers the one survives that the
 * speaker with the higher BGP Identifier opened; with equal identifiers the one with the larger AS number (RFC 6286 section 2.3).
 *
 * @returns who opened the connection that stays
 *
 * @example
 * ```ts
 * import { collisionSurvivor } from '@typemetal/bgp/fsm'
 *
 * const us = { bgpIdentifier: 0x0a000001, asn: 64512 }
 * const them = { bgpIdentifier: 0x0a0000fe, asn: 64513 }
 * console.log(collisionSurvivor(us, them)) // remote
 * ```
 */
export function collisionSurvivor(local: SpeakerIdentity, remote: SpeakerIdentity): Initiator {
  if (local.bgpIdentifier !== remote.bgpIdentifier) {
    return local.bgpIdentifier > remote.bgpIdentifier ? 'local' : 'remote'
  }
  return local.asn > remote.asn ? 'local' : 'remote'
}
