/** The codecs under any octets. */
import assert from 'node:assert/strict'
import type { FuzzTarget } from '@typemetal/lab'
import * as wire from '@typemetal/arp-ndp/wire'
import { MESSAGE_CODECS } from '../wire-arbitraries.js'
import { frameInputs } from './frames.js'

type Decode = (octets: Uint8Array) => unknown

const DECODERS: readonly Decode[] = [
  wire.decodeEthernet,
  wire.decodeArp,
  wire.decodeIpv6,
  ...MESSAGE_CODECS.map(({ decode }) => decode),
  octets => wire.decodeOptions(octets, 0),
]

/** The value, or `undefined` for a fault, which must point into the octets. Nothing else may come out. */
function decoded<T>(decode: (octets: Uint8Array) => T, octets: Uint8Array): T | undefined {
  try {
    return decode(octets)
  } catch (error) {
    if (!(error instanceof wire.WireError)) throw error
    assert.ok(error.offset >= 0 && error.offset <= octets.length, `offset ${error.offset} of ${octets.length}`)
    assert.ok(error.rule.length > 0)
    return undefined
  }
}

/** The packet of a frame, and the message when it has one. */
function packetOf(input: Uint8Array): wire.Ipv6Packet | undefined {
  const frame = decoded(wire.decodeEthernet, input)
  return frame?.etherType === wire.EtherType.IPv6 ? decoded(wire.decodeIpv6, frame.payload) : undefined
}

export const DECODE: FuzzTarget = {
  name: 'l2-decode',
  claim: 'every layer of a frame is read, or has a WireError inside it; nothing is written into',
  corpus: frameInputs,
  open: () => ({
    run(input) {
      const before = input.slice()
      const payload = decoded(wire.decodeEthernet, input)?.payload
      const message = packetOf(input)?.payload
      for (const octets of [input, payload, message]) {
        if (octets !== undefined) for (const decode of DECODERS) decoded(decode, octets)
      }
      assert.deepEqual(input, before)
    },
  }),
}

/** What was read can be written; that reads the same, and is written the same again. */
function isIdentity<T>(decode: (octets: Uint8Array) => T, encode: (value: T) => Uint8Array, octets: Uint8Array): void {
  const value = decoded(decode, octets)
  if (value === undefined) return
  const written = encode(value)
  assert.deepEqual(decode(written), value)
  assert.deepEqual(encode(decode(written)), written)
}

function encodedOptions(options: readonly wire.NdpOption[]): Uint8Array {
  const octets = new Uint8Array(wire.optionsLength(options))
  wire.encodeOptions(options, octets)
  return octets
}

export const IDENTITY: FuzzTarget = {
  name: 'l2-identity',
  claim: 'what was read can be written, and reads the same again',
  corpus: frameInputs,
  open: () => ({
    run(input) {
      const frame = decoded(wire.decodeEthernet, input)
      if (frame !== undefined && frame.payload.length >= wire.MINIMUM_PAYLOAD) {
        assert.deepEqual(wire.encodeEthernet(frame), input, 'a frame of full length, octet for octet')
      }
      if (frame !== undefined) isIdentity(wire.decodeArp, wire.encodeArp, frame.payload)
      const packet = packetOf(input)
      if (packet === undefined) return
      assert.deepEqual(wire.decodeIpv6(wire.encodeIpv6(packet)), packet)
      for (const { decode, encode } of MESSAGE_CODECS) isIdentity(decode, encode, packet.payload)
      isIdentity(octets => wire.decodeOptions(octets, 0), encodedOptions, packet.payload)
    },
  }),
}

export const VALIDITY: FuzzTarget = {
  name: 'ndp-validity',
  claim:
    'RFC 4861 sections 6.1, 7.1, 8.1: what is valid can be decoded, what cannot be decoded is invalid; the check throws nothing',
  corpus: frameInputs,
  open: () => ({
    run(input) {
      const packet = packetOf(input)
      if (packet === undefined) return
      const fault = wire.ndpFault(packet)
      const codec = MESSAGE_CODECS.find(({ type }) => type === packet.payload[0])
      if (codec === undefined || packet.nextHeader !== wire.NEXT_HEADER_ICMPV6) {
        assert.equal(fault, 'not-ndp')
        return
      }
      if (fault === undefined) codec.decode(packet.payload)
      if (decoded(codec.decode, packet.payload) === undefined) assert.notEqual(fault, undefined)
      if (packet.hopLimit !== 255) assert.equal(fault, 'hop-limit')
    },
  }),
}
