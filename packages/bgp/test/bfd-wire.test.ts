import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import t from 'tap'
import {
  BfdWireError,
  checkControlPacket,
  controlPacketLength,
  decodeControlPacket,
  decodeEchoPacket,
  Diagnostic,
  diagnosticName,
  encodeControlPacket,
  encodeEchoPacket,
  readMyDiscriminator,
  readYourDiscriminator,
  STATES,
  WIRE_DISCARD_REASONS,
  type ControlPacket,
  type WireDiscardReason,
} from '@typemetal/bgp/bfd'
import { anyControlPacket, PACKET } from './bfd/packets.js'
import { hex, toHex } from './octets.js'

/** Discriminators and intervals of the vectors. */
const DISCRIMINATORS = '00000001 00000002'
const INTERVALS = '000f4240 000493e0 0000c350'
const REST = `${DISCRIMINATORS} ${INTERVALS}`
const FIELDS = {
  myDiscriminator: 1,
  yourDiscriminator: 2,
  desiredMinTxInterval: 1_000_000,
  requiredMinRxInterval: 300_000,
  requiredMinEchoRxInterval: 50_000,
  detectMult: 3,
}
const MD5 = '000102030405060708090a0b0c0d0e0f'
const SHA1 = `${MD5}10111213`

const VECTORS: readonly { name: string; ref: string; hex: string; packet: Partial<ControlPacket> }[] = [
  { name: 'AdminDown', ref: '4.1', hex: `27 00 03 18 ${REST}`, packet: { state: 'AdminDown', diagnostic: 7 } },
  { name: 'Down', ref: '4.1', hex: `21 40 03 18 ${REST}`, packet: { state: 'Down', diagnostic: 1 } },
  { name: 'Init', ref: '4.1', hex: `20 80 03 18 ${REST}`, packet: { state: 'Init', diagnostic: 0 } },
  { name: 'Up', ref: '4.1', hex: `20 c0 03 18 ${REST}`, packet: { state: 'Up', poll: false, final: false } },
  { name: 'Poll', ref: '4.1', hex: `20 e0 03 18 ${REST}`, packet: { state: 'Up', poll: true, final: false } },
  { name: 'Final', ref: '4.1', hex: `20 d0 03 18 ${REST}`, packet: { state: 'Up', poll: false, final: true } },
  { name: 'C bit', ref: '4.1', hex: `20 c8 03 18 ${REST}`, packet: { controlPlaneIndependent: true, demand: false } },
  { name: 'D bit', ref: '4.1', hex: `20 c2 03 18 ${REST}`, packet: { demand: true, controlPlaneIndependent: false } },
  { name: 'a diagnostic without name', ref: '4.1', hex: `3f c0 03 18 ${REST}`, packet: { diagnostic: 31 } },
  {
    name: 'a password of one octet',
    ref: '4.2',
    hex: `20 c4 03 1c ${REST} 01 04 05 41`,
    packet: { authentication: { type: 'simple-password', keyId: 5, password: hex('41') } },
  },
  {
    name: 'a password of 16 octets',
    ref: '4.2',
    hex: `20 c4 03 2b ${REST} 01 13 05 ${MD5}`,
    packet: { authentication: { type: 'simple-password', keyId: 5, password: hex(MD5) } },
  },
  {
    name: 'Keyed MD5',
    ref: '4.3',
    hex: `20 c4 03 30 ${REST} 02 18 ff 00 fffffffe ${MD5}`,
    packet: { authentication: { type: 'keyed-md5', keyId: 255, sequenceNumber: 0xffff_fffe, digest: hex(MD5) } },
  },
  {
    name: 'Meticulous Keyed MD5',
    ref: '4.3',
    hex: `20 c4 03 30 ${REST} 03 18 00 00 00000001 ${MD5}`,
    packet: { authentication: { type: 'meticulous-keyed-md5', keyId: 0, sequenceNumber: 1, digest: hex(MD5) } },
  },
  {
    name: 'Keyed SHA1',
    ref: '4.4',
    hex: `20 c4 03 34 ${REST} 04 1c 01 00 80000000 ${SHA1}`,
    packet: { authentication: { type: 'keyed-sha1', keyId: 1, sequenceNumber: 0x8000_0000, digest: hex(SHA1) } },
  },
  {
    name: 'Meticulous Keyed SHA1',
    ref: '4.4',
    hex: `20 c4 03 34 ${REST} 05 1c 01 00 00000000 ${SHA1}`,
    packet: { authentication: { type: 'meticulous-keyed-sha1', keyId: 1, sequenceNumber: 0, digest: hex(SHA1) } },
  },
  {
    name: 'an Auth Type without name',
    ref: '4.1',
    hex: `20 c4 03 1d ${REST} 06 05 010203`,
    packet: { authentication: { type: 'unknown', code: 6, data: hex('010203') } },
  },
]

for (const { name, packet, ref, hex: text } of VECTORS) {
  t.test(`RFC 5880 section ${ref}: ${name}`, async t => {
    const octets = hex(text)
    t.equal(checkControlPacket(octets), undefined)
    const decoded = decodeControlPacket(octets)
    t.match(decoded, { ...FIELDS, ...packet })
    t.equal('authentication' in decoded, packet.authentication !== undefined)
    t.equal(toHex(encodeControlPacket(decoded)), toHex(octets))
    t.equal(controlPacketLength(decoded), octets.length)
    t.equal(readMyDiscriminator(octets), 1)
    t.equal(readYourDiscriminator(octets), 2)
  })
}

t.test('RFC 5880 section 6.8.6: every cut of every vector is discarded', async t => {
  for (const { hex: text } of VECTORS) {
    const octets = hex(text)
    for (let length = 0; length < octets.length; length++) {
      const reason = length < 24 ? 'truncated' : 'length'
      const cut = octets.subarray(0, length)
      assert.equal(checkControlPacket(cut), reason)
      assert.throws(() => decodeControlPacket(cut), {
        code: 'ERR_BGP_BFD_WIRE',
        reason,
        offset: length < 24 ? length : 3,
      })
    }
  }
  t.pass()
})

const BAD: readonly { name: string; hex: string; reason: WireDiscardReason; offset: number }[] = [
  { name: 'version 0', hex: `00 c0 03 18 ${REST}`, reason: 'version', offset: 0 },
  { name: 'version 2', hex: `40 c0 03 18 ${REST}`, reason: 'version', offset: 0 },
  { name: 'version 7', hex: `e0 c0 03 18 ${REST}`, reason: 'version', offset: 0 },
  { name: 'Length 0', hex: `20 c0 03 00 ${REST}`, reason: 'length', offset: 3 },
  { name: 'Length 23', hex: `20 c0 03 17 ${REST}`, reason: 'length', offset: 3 },
  { name: 'Length beyond the payload', hex: `20 c0 03 19 ${REST}`, reason: 'length', offset: 3 },
  { name: 'A bit and Length 24', hex: `20 c4 03 18 ${REST} 01 04 05 41`, reason: 'length', offset: 3 },
  { name: 'A bit and Length 25', hex: `20 c4 03 19 ${REST} 01 04 05 41`, reason: 'length', offset: 3 },
  { name: 'Detect Mult 0', hex: `20 c0 00 18 ${REST}`, reason: 'detect-mult', offset: 2 },
  { name: 'the Multipoint bit', hex: `20 c1 03 18 ${REST}`, reason: 'multipoint', offset: 1 },
  {
    name: 'My Discriminator 0',
    hex: `20 c0 03 18 00000000 00000002 ${INTERVALS}`,
    reason: 'my-discriminator',
    offset: 4,
  },
  {
    name: 'Your Discriminator 0 in Init',
    hex: `20 80 03 18 00000001 00000000 ${INTERVALS}`,
    reason: 'your-discriminator',
    offset: 8,
  },
  {
    name: 'Your Discriminator 0 in Up',
    hex: `20 c0 03 18 00000001 00000000 ${INTERVALS}`,
    reason: 'your-discriminator',
    offset: 8,
  },
  { name: 'Auth Len 0', hex: `20 c4 03 1c ${REST} 06 00 05 41`, reason: 'authentication-length', offset: 25 },
  { name: 'Auth Len 1', hex: `20 c4 03 1c ${REST} 06 01 05 41`, reason: 'authentication-length', offset: 25 },
  { name: 'Auth Len over Length', hex: `20 c4 03 1c ${REST} 06 05 05 41`, reason: 'authentication-length', offset: 25 },
  { name: 'no password', hex: `20 c4 03 1b ${REST} 01 03 05`, reason: 'authentication-length', offset: 25 },
  {
    name: 'a password of 17 octets',
    hex: `20 c4 03 2c ${REST} 01 14 05 ${MD5} 00`,
    reason: 'authentication-length',
    offset: 25,
  },
  ...[2, 3].map(type => ({
    name: `Auth Type ${type} and 28 octets`,
    hex: `20 c4 03 34 ${REST} 0${type} 1c 01 00 00000000 ${SHA1}`,
    reason: 'authentication-length' as const,
    offset: 25,
  })),
  ...[4, 5].map(type => ({
    name: `Auth Type ${type} and 24 octets`,
    hex: `20 c4 03 30 ${REST} 0${type} 18 01 00 00000000 ${MD5}`,
    reason: 'authentication-length' as const,
    offset: 25,
  })),
]

for (const { name, offset, reason, hex: text } of BAD) {
  t.test(`RFC 5880 section 6.8.6: ${name} is discarded`, async t => {
    t.equal(checkControlPacket(hex(text)), reason)
    t.throws(() => decodeControlPacket(hex(text)), { code: 'ERR_BGP_BFD_WIRE', reason, offset })
  })
}

t.test('every reason to discard has its example', async t => {
  const seen = new Set(['truncated', ...BAD.map(({ reason }) => reason)])
  t.same([...seen].toSorted(), WIRE_DISCARD_REASONS.toSorted())
})

t.test('RFC 5880 section 6.8.6: Down and AdminDown come without Your Discriminator', async t => {
  for (const state of ['Down', 'AdminDown'] as const) {
    t.equal(checkControlPacket(encodeControlPacket({ ...PACKET, state, yourDiscriminator: 0 })), undefined)
  }
})

t.test('RFC 5880 section 6.8.6: octets behind Length do not count, behind the authentication neither', async t => {
  t.match(decodeControlPacket(hex(`20 c0 03 18 ${REST} 00000000`)), FIELDS)
  const padded = decodeControlPacket(hex(`20 c4 03 1e ${REST} 01 04 05 41 ffff`))
  t.match(padded.authentication, { type: 'simple-password', password: hex('41') })
})

t.test('RFC 5880 section 4.3: the reserved octet is ignored, and 0 when we send', async t => {
  const packet = decodeControlPacket(hex(`20 c4 03 30 ${REST} 02 18 ff aa fffffffe ${MD5}`))
  t.equal(encodeControlPacket(packet)[27], 0)
  const into = new Uint8Array(48).fill(0xff)
  t.equal(encodeControlPacket(packet, into)[27], 0)
})

t.test('RFC 5880 section 4.1: names of diagnostics', async t => {
  t.equal(diagnosticName(Diagnostic.ControlDetectionTimeExpired), 'Control Detection Time Expired')
  t.equal(diagnosticName(Diagnostic.ReverseConcatenatedPathDown), 'Reverse Concatenated Path Down')
  t.equal(diagnosticName(9), 'Diagnostic 9')
  t.same(STATES, ['AdminDown', 'Down', 'Init', 'Up'])
})

t.test('encoding into given octets takes their front', async t => {
  const into = new Uint8Array(64).fill(0xee)
  const octets = encodeControlPacket(PACKET, into)
  t.equal(octets.buffer, into.buffer)
  t.equal(octets.length, 24)
  t.equal(toHex(octets), toHex(encodeControlPacket(PACKET)))
  t.equal(into[24], 0xee)
})

t.test('what does not fit its field is the fault of the caller', async t => {
  const faults: [Partial<ControlPacket>, RegExp][] = [
    [{ diagnostic: 32 }, /^diagnostic /],
    [{ detectMult: 0 }, /^detectMult /],
    [{ detectMult: 256 }, /^detectMult /],
    [{ myDiscriminator: 0 }, /^myDiscriminator /],
    [{ yourDiscriminator: -1 }, /^yourDiscriminator /],
    [{ desiredMinTxInterval: 2 ** 32 }, /^desiredMinTxInterval /],
    [{ requiredMinRxInterval: 0.5 }, /^requiredMinRxInterval /],
    [{ requiredMinEchoRxInterval: NaN }, /^requiredMinEchoRxInterval /],
    [{ authentication: { type: 'simple-password', keyId: 256, password: hex('41') } }, /^keyId /],
    [{ authentication: { type: 'simple-password', keyId: 0, password: hex('') } }, /^password /],
    [{ authentication: { type: 'simple-password', keyId: 0, password: new Uint8Array(17) } }, /^password /],
    [{ authentication: { type: 'keyed-md5', keyId: 0, sequenceNumber: 0, digest: hex(SHA1) } }, /^digest /],
    [{ authentication: { type: 'keyed-sha1', keyId: 0, sequenceNumber: 0, digest: hex(MD5) } }, /^digest /],
    [{ authentication: { type: 'keyed-md5', keyId: 0, sequenceNumber: -1, digest: hex(MD5) } }, /^sequenceNumber /],
    [{ authentication: { type: 'unknown', code: 5, data: hex('') } }, /^code /],
    [{ authentication: { type: 'unknown', code: 256, data: hex('') } }, /^code /],
    [{ authentication: { type: 'unknown', code: 6, data: new Uint8Array(254) } }, /^the packet /],
  ]
  for (const [field, message] of faults) {
    assert.throws(() => encodeControlPacket({ ...PACKET, ...field }), { name: 'RangeError', message })
  }
  t.throws(() => encodeControlPacket(PACKET, new Uint8Array(23)), { name: 'RangeError', message: /^into / })
})

t.test('property: decoding inverts encoding', async () => {
  fc.assert(
    fc.property(anyControlPacket, packet => {
      const octets = encodeControlPacket(packet)
      assert.equal(checkControlPacket(octets), undefined)
      assert.deepEqual(decodeControlPacket(octets), packet)
      assert.equal(octets.length, controlPacketLength(packet))
    }),
    { numRuns: 2000 },
  )
})

/** What any octets come to: a packet that encodes to what it was decoded from, or the reason of both functions. */
function judge(octets: Uint8Array): void {
  const reason = checkControlPacket(octets)
  try {
    const packet = decodeControlPacket(octets)
    assert.equal(reason, undefined)
    const again = encodeControlPacket(packet)
    assert.deepEqual(decodeControlPacket(again), packet)
  } catch (error) {
    if (!(error instanceof BfdWireError)) throw error
    assert.equal(error.reason, reason)
    assert.ok(error.offset <= octets.length)
  }
}

t.test('property: any octets give a packet or a BfdWireError', async () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), judge), { numRuns: 5000 })
})

t.test('property: a damaged packet gives a packet or a BfdWireError', async () => {
  const damage = fc.array(fc.tuple(fc.nat(60), fc.nat(255)), { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(anyControlPacket, damage, fc.nat(300), (packet, changes, length) => {
      const octets = encodeControlPacket(packet)
      for (const [at, value] of changes) if (at < octets.length) octets[at] = value
      judge(octets.subarray(0, length))
    }),
    { numRuns: 5000 },
  )
})

t.test('RFC 5880 section 5: an echo packet finds its session again', async t => {
  const echo = { myDiscriminator: 0x01020304, sequenceNumber: 0xffff_ffff, cookie: 0x8000_0000 }
  const octets = encodeEchoPacket(echo)
  t.equal(toHex(octets), '0110000001020304ffffffff80000000')
  t.same(decodeEchoPacket(octets), echo)
  t.equal(decodeEchoPacket(octets.subarray(0, 15)), undefined)
  t.equal(decodeEchoPacket(hex(`${toHex(octets)}00`)), undefined)
  t.equal(decodeEchoPacket(hex('0210000001020304ffffffff80000000')), undefined)
  t.equal(decodeEchoPacket(hex('0118000001020304ffffffff80000000')), undefined)
})
