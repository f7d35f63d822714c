import { createHash } from 'node:crypto'
import * as fc from 'fast-check'
import { STATES, type AuthenticationSection, type ControlPacket, type DigestAlgorithm } from '@typemetal/bgp/bfd'

/** A packet of a peer that is Down and does not know us yet, with 300 ms both ways. */
export const PACKET: ControlPacket = {
  diagnostic: 0,
  state: 'Down',
  poll: false,
  final: false,
  controlPlaneIndependent: false,
  demand: false,
  detectMult: 3,
  myDiscriminator: 0x0a0b0c0d,
  yourDiscriminator: 0,
  desiredMinTxInterval: 1_000_000,
  requiredMinRxInterval: 300_000,
  requiredMinEchoRxInterval: 50_000,
}

/** Node's hashes, as the worker gives them to a session. */
export const digest = (algorithm: DigestAlgorithm, octets: Uint8Array): Uint8Array =>
  createHash(algorithm).update(octets).digest()

const octet = fc.nat(255)
const uint32 = fc.oneof(fc.nat(0xffff_ffff), fc.constantFrom(0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff))
const octets = (minLength: number, maxLength: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength, maxLength })

/** A record with the prototype of a literal, so that it is deeply equal to one. */
const plain = <T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(fields, { noNullPrototype: true })

/** Every form of authentication section. */
export const anyAuthentication: fc.Arbitrary<AuthenticationSection> = fc.oneof(
  plain({ type: fc.constant('simple-password' as const), keyId: octet, password: octets(1, 16) }),
  plain({
    type: fc.constantFrom('keyed-md5' as const, 'meticulous-keyed-md5' as const),
    keyId: octet,
    sequenceNumber: uint32,
    digest: octets(16, 16),
  }),
  plain({
    type: fc.constantFrom('keyed-sha1' as const, 'meticulous-keyed-sha1' as const),
    keyId: octet,
    sequenceNumber: uint32,
    digest: octets(20, 20),
  }),
  plain({
    type: fc.constant('unknown' as const),
    code: fc.oneof(fc.constant(0), fc.integer({ min: 6, max: 255 })),
    data: octets(0, 229),
  }),
)

/** Every packet that can be on the wire and is not to be discarded. */
export const anyControlPacket: fc.Arbitrary<ControlPacket> = fc
  .record({
    diagnostic: fc.nat(31),
    state: fc.constantFrom(...STATES),
    poll: fc.boolean(),
    final: fc.boolean(),
    controlPlaneIndependent: fc.boolean(),
    demand: fc.boolean(),
    detectMult: fc.integer({ min: 1, max: 255 }),
    myDiscriminator: fc.integer({ min: 1, max: 0xffff_ffff }),
    yourDiscriminator: uint32,
    desiredMinTxInterval: uint32,
    requiredMinRxInterval: uint32,
    requiredMinEchoRxInterval: uint32,
    authentication: fc.option(anyAuthentication),
  })
  .map(({ authentication, ...packet }) => ({
    ...packet,
    // RFC 5880 section 6.8.6: only Down and AdminDown may come without it.
    yourDiscriminator: packet.state.endsWith('Down') ? packet.yourDiscriminator : packet.yourDiscriminator || 1,
    ...(authentication !== null && { authentication }),
  }))
