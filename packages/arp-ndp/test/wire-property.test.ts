/** What holds for all values and all octets of Ethernet, ARP, IPv6 and Neighbor Discovery. */
import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import t from 'tap'
import * as wire from '@typemetal/arp-ndp/wire'
import { anyArp, anyEthernet, anyIpv6, anyOption, MESSAGE_CODECS, octets } from './wire-arbitraries.js'

t.test('IEEE 802.1Q: decodeEthernet inverts encodeEthernet, up to padding', async () => {
  fc.assert(
    fc.property(anyEthernet, frame => {
      const encoded = wire.encodeEthernet(frame, new Uint8Array(200).fill(0xaa))
      assert.equal(encoded.length, wire.ethernetLength(frame))
      const { payload, ...rest } = wire.decodeEthernet(encoded)
      const { payload: sent, ...expected } = frame
      assert.deepEqual(rest, expected)
      assert.deepEqual(payload.subarray(0, sent.length), sent)
      assert.ok(payload.length >= 46 && payload.subarray(sent.length).every(octet => octet === 0))
      assert.deepEqual(wire.encodeEthernet(wire.decodeEthernet(encoded)), encoded)
    }),
  )
})

t.test('RFC 826, RFC 8200 section 3: decodeArp and decodeIpv6 invert their encoders', async () => {
  fc.assert(fc.property(anyArp, packet => assert.deepEqual(wire.decodeArp(wire.encodeArp(packet)), packet)))
  fc.assert(
    fc.property(anyIpv6, packet => {
      const encoded = wire.encodeIpv6(packet, new Uint8Array(150).fill(0xaa))
      assert.equal(encoded.length, wire.ipv6Length(packet))
      assert.deepEqual(wire.decodeIpv6(encoded), packet)
    }),
  )
})

for (const { name, any, decode, encode, length } of MESSAGE_CODECS) {
  t.test(`RFC 4861 section 4: every ${name} comes back, and its length is as said`, async () => {
    fc.assert(
      fc.property(any, message => {
        const encoded = encode(message, new Uint8Array(20_000).fill(0xaa))
        assert.equal(encoded.length, length(message))
        assert.equal(encoded.length % 8, 0)
        assert.deepEqual(decode(encoded), message)
        assert.deepEqual(encode(message), encoded, 'what the buffer held makes no difference')
      }),
    )
  })
}

/** Options of known types with contents of chance: many are malformed. */
const rawOption = fc
  .tuple(
    fc.oneof(fc.constantFrom(1, 2, 3, 4, 5, 14, 24, 25, 26, 31, 38), fc.nat({ max: 255 })),
    fc.integer({ min: 1, max: 6 }),
  )
  .chain(([type, units]) => octets(units * 8 - 2).map(body => Uint8Array.from([type, units, ...body])))

t.test('RFC 4861 section 4.6: options of any contents are read; written again they mean the same', async () => {
  fc.assert(
    fc.property(fc.array(rawOption, { maxLength: 5 }), raw => {
      const joined = Uint8Array.from(raw.flatMap(option => [...option]))
      const options = wire.decodeOptions(joined, 0)
      assert.equal(options.length, raw.length)
      const again = new Uint8Array(wire.optionsLength(options))
      wire.encodeOptions(options, again)
      assert.deepEqual(wire.decodeOptions(again, 0), options)
    }),
    { numRuns: 2000 },
  )
})

t.test('RFC 4861 section 4.6: malformed and unknown options are written octet for octet as they came', async () => {
  fc.assert(
    fc.property(rawOption, raw => {
      const options = wire.decodeOptions(raw, 0)
      const again = new Uint8Array(wire.optionsLength(options))
      wire.encodeOptions(options, again)
      const kind = options[0]?.kind
      if (kind === 'malformed' || kind === 'unknown' || kind === 'nonce' || kind === 'flags-expansion') {
        assert.deepEqual(again, raw)
      }
    }),
    { numRuns: 1000 },
  )
})

t.test('findOption finds what decodeOptions reads', async () => {
  fc.assert(
    fc.property(fc.array(anyOption, { maxLength: 4 }), fc.nat({ max: 40 }), (options, type) => {
      const encoded = new Uint8Array(wire.optionsLength(options))
      wire.encodeOptions(options, encoded)
      const found = wire.findOption(encoded, 0, type)
      const lengths = options.map(option => wire.optionsLength([option]))
      const starts = lengths.map((_, i) => lengths.slice(0, i).reduce((sum, length) => sum + length, 0))
      const index = starts.findIndex(start => encoded[start] === type)
      if (index === -1) assert.equal(found, undefined)
      else assert.deepEqual(found, encoded.subarray(starts[index], starts[index]! + lengths[index]!))
    }),
  )
})

t.test(
  'RFC 4443 section 2.3: a written checksum holds, odd lengths included; no single changed bit goes unseen',
  async () => {
    const message = fc.uint8Array({ minLength: 4, maxLength: 101 })
    fc.assert(
      fc.property(octets(16), octets(16), message, fc.nat(), (source, destination, message, bit) => {
        wire.writeChecksum(source, destination, message)
        assert.ok(wire.hasValidChecksum(source, destination, message))
        message[(bit >> 3) % message.length]! ^= 1 << (bit & 7)
        assert.ok(!wire.hasValidChecksum(source, destination, message))
      }),
    )
  },
)

t.test('any octets give a value or a WireError inside them, and are not written to', async () => {
  const decoders: readonly ((octets: Uint8Array) => unknown)[] = [
    wire.decodeEthernet,
    wire.decodeArp,
    wire.decodeIpv6,
    ...MESSAGE_CODECS.map(({ decode }) => decode),
    octets => wire.decodeOptions(octets, 0),
  ]
  // Half of them with a right type and Code, so that more than the first check is met.
  const typed = fc.tuple(fc.integer({ min: 133, max: 137 }), fc.uint8Array({ maxLength: 96 })).map(([type, octets]) => {
    if (octets.length > 1) octets.set([type, 0])
    return octets
  })
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 96 }), typed), octets => {
      const before = octets.slice()
      for (const decode of decoders) {
        try {
          decode(octets)
        } catch (error) {
          assert.ok(error instanceof wire.WireError, String(error))
          assert.ok(error.offset >= 0 && error.offset <= octets.length)
        }
      }
      assert.deepEqual(octets, before)
    }),
    { numRuns: 5000 },
  )
})

t.test('views end where the input ends: nothing is read or handed out beyond it', async () => {
  // The same octets as a part of a larger buffer full of what would be options.
  const any = fc
    .constantFrom(...MESSAGE_CODECS)
    .chain(codec => codec.any.map(value => ({ codec, octets: codec.encode(value) })))
  fc.assert(
    fc.property(any, fc.nat(), ({ codec, octets }, cut) => {
      const part = octets.subarray(0, cut % (octets.length + 1))
      const larger = new Uint8Array(octets.length + 64).fill(1)
      larger.set(octets, 32)
      const inside = larger.subarray(32, 32 + part.length)
      const outcome = (octets: Uint8Array): unknown => {
        try {
          return codec.decode(octets)
        } catch (error) {
          return String(error)
        }
      }
      assert.deepEqual(outcome(inside), outcome(part))
    }),
  )
})
