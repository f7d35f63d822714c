import { encodeControlPacket, type ControlPacket } from '@typemetal/bgp/bfd'

/** Octets of a well-formed control packet of an Up system. */
export const control = (myDiscriminator: number, change: Partial<ControlPacket> = {}): Uint8Array =>
  encodeControlPacket({
    diagnostic: 0,
    state: 'Up',
    poll: false,
    final: false,
    controlPlaneIndependent: false,
    demand: false,
    detectMult: 3,
    myDiscriminator: myDiscriminator || 1,
    yourDiscriminator: 0,
    desiredMinTxInterval: 50_000,
    requiredMinRxInterval: 50_000,
    requiredMinEchoRxInterval: 0,
    ...change,
  })

/** The same octets with another one at a place. */
export function datagramOctets(octets: Uint8Array, place: number, value: number): Uint8Array {
  const copy = octets.slice()
  copy[place] = value
  return copy
}
