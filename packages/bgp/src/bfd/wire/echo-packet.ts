import { readUint32, writeUint32, type Octets } from '../../wire/octets.js'

/**
 * Our echo packet. RFC 5880 section 5 leaves its contents to the sender, since nobody else reads them; they must find the
 * session again, and section 9 asks that a stranger cannot make them up.
 */
export interface EchoPacket {
  /** Discriminator of the session that sent it, at the place where FRR's echo packets have it too. */
  readonly myDiscriminator: number
  /** 32 bits, circular; counts the session's echo packets. */
  readonly sequenceNumber: number
  /** 32 random bits of the session that only its two ends have seen. */
  readonly cookie: number
}

/** Octets of an {@link EchoPacket}. */
export const ECHO_PACKET_LENGTH: Octets = 16
const VERSION = 1
const MY_DISCRIMINATOR = 4
const SEQUENCE_NUMBER = 8
const COOKIE = 12

/** @returns `undefined` for octets that are no echo packet of ours */
export function decodeEchoPacket(octets: Uint8Array): EchoPacket | undefined {
  if (octets.length !== ECHO_PACKET_LENGTH || octets[0] !== VERSION || octets[1] !== ECHO_PACKET_LENGTH)
    return undefined
  return {
    myDiscriminator: readUint32(octets, MY_DISCRIMINATOR),
    sequenceNumber: readUint32(octets, SEQUENCE_NUMBER),
    cookie: readUint32(octets, COOKIE),
  }
}

/** @returns new octets; numbers are taken modulo 2^32 */
export function encodeEchoPacket({ cookie, myDiscriminator, sequenceNumber }: EchoPacket): Uint8Array {
  const octets = new Uint8Array(ECHO_PACKET_LENGTH)
  octets[0] = VERSION
  octets[1] = ECHO_PACKET_LENGTH
  writeUint32(octets, MY_DISCRIMINATOR, myDiscriminator)
  writeUint32(octets, SEQUENCE_NUMBER, sequenceNumber)
  writeUint32(octets, COOKIE, cookie)
  return octets
}
