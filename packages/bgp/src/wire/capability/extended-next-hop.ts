import type { Afi, Family } from '../family.js'
import { readUint16, writeUint16 } from '../octets.js'
import type { CapabilityCodec } from './capability.js'

/** A family whose prefixes the sender takes with next hops of another address family. */
export interface ExtendedNextHopFamily extends Family {
  readonly nextHopAfi: Afi
}

/** Extended Next Hop Encoding capability, RFC 8950 section 4. */
export interface ExtendedNextHopCapability {
  readonly type: 'extended-next-hop'
  readonly families: readonly ExtendedNextHopFamily[]
}

const UNIT = 6 // NLRI AFI, NLRI SAFI in two octets, Nexthop AFI

/** Codec of {@link ExtendedNextHopCapability}. */
export const extendedNextHop: CapabilityCodec<ExtendedNextHopCapability> = {
  code: 5,
  type: 'extended-next-hop',
  allows: length => length % UNIT === 0,
  decode(value) {
    const families: ExtendedNextHopFamily[] = []
    for (let at = 0; at < value.length; at += UNIT) {
      const safi = readUint16(value, at + 2)
      families.push({ afi: readUint16(value, at), safi, nextHopAfi: readUint16(value, at + 4) })
    }
    return { type: 'extended-next-hop', families }
  },
  length: ({ families }) => UNIT * families.length,
  encode({ families }, into) {
    let at = 0
    for (const { afi, safi, nextHopAfi } of families) {
      at = writeUint16(into, at, afi)
      at = writeUint16(into, at, safi)
      at = writeUint16(into, at, nextHopAfi)
    }
  },
}
