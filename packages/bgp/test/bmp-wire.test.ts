import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import t from 'tap'
import {
  BMP_HEADER_LENGTH,
  BmpError,
  BmpFramer,
  BmpPeerFlag,
  BmpPeerType,
  bmpMessageContext,
  bmpRib,
  createInformation,
  decodeBmpMessage,
  encodeBmpMessage,
  informationText,
  terminationReason,
  type BmpMessage,
  type BmpPeerUp,
} from '@typemetal/bgp/bmp'
import { encodeMessage, type Capability } from '@typemetal/bgp/wire'
import { anyBmpMessage, EXAMPLES, PEER } from './bmp-messages.js'
import { hex, toHex } from './octets.js'

/** What decoding ends in: the error, or `undefined`. */
function errorOf(octets: Uint8Array): BmpError | undefined {
  try {
    decodeBmpMessage(octets)
    return undefined
  } catch (error) {
    assert.ok(error instanceof BmpError, String(error))
    assert.equal(error.code, 'ERR_BGP_BMP')
    return error
  }
}

const withLength = (octets: Uint8Array): Uint8Array => {
  const copy = octets.slice()
  new DataView(copy.buffer).setUint32(1, copy.length)
  return copy
}

t.test('RFC 7854 section 4: every message decodes to what was encoded, and back', async () => {
  for (const message of EXAMPLES) assert.deepEqual(decodeBmpMessage(encodeBmpMessage(message)), message)
  fc.assert(
    fc.property(anyBmpMessage, message => {
      const octets = encodeBmpMessage(message)
      const decoded = decodeBmpMessage(octets)
      assert.deepEqual(decoded, message)
      assert.equal(toHex(encodeBmpMessage(decoded)), toHex(octets))
    }),
    { numRuns: 500 },
  )
})

t.test('RFC 7854 section 4.1: every cut of every message is refused with its offset', async () => {
  for (const message of EXAMPLES) {
    const octets = encodeBmpMessage(message)
    for (let n = 0; n < octets.length; n++) {
      const error = errorOf(octets.subarray(0, n))
      assert.ok(error, `${message.type} cut at ${n}`)
      if (n < BMP_HEADER_LENGTH) continue
      // The length field says the truth now, so the fault is found where it is, if there is still one.
      const honest = errorOf(withLength(octets.subarray(0, n)))
      if (honest) assert.ok(honest.offset <= n, `${message.type} cut at ${n}`)
      else
        assert.ok(
          'information' in message || 'mirrored' in message || (message.type === 'peer-down' && n > 48),
          `${message.type} cut at ${n}`,
        )
    }
  }
})

t.test('RFC 7854 section 4: any octets give a message or a BmpError', async () => {
  const header = fc.tuple(fc.nat({ max: 8 }), fc.uint8Array({ maxLength: 160 })).map(([type, body]) => {
    const octets = Uint8Array.of(3, 0, 0, 0, 0, type, ...body)
    return withLength(octets)
  })
  const damaged = fc.tuple(anyBmpMessage, fc.nat(), fc.nat({ max: 255 })).map(([message, at, octet]) => {
    const octets = encodeBmpMessage(message).slice()
    octets[at % octets.length] = octet
    return octets
  })
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 80 }), header, damaged), octets => void errorOf(octets)),
    { numRuns: 2000 },
  )
})

t.test('RFC 7854 section 4.2: the header as it is on the wire', async t => {
  const octets = encodeBmpMessage({ type: 'peer-down', peer: PEER, reason: { type: 'remote-closed' } })
  const header = '00 00 0000000000000000 000000000000000000000000 c0000201 fa56ea00 0a000001 6553f100 0001e240'
  t.equal(toHex(octets), toHex(hex(`03 00000031 02 ${header} 04`)))
  t.equal(bmpRib(PEER), 'adj-rib-in-pre-policy')
  t.equal(bmpRib({ peerType: 0, flags: BmpPeerFlag.PostPolicy }), 'adj-rib-in-post-policy')
  t.equal(bmpRib({ peerType: 1, flags: BmpPeerFlag.AdjRibOut }), 'adj-rib-out-pre-policy', 'RFC 8671 section 4')
  t.equal(bmpRib({ peerType: 0, flags: 0x50 }), 'adj-rib-out-post-policy')
  t.equal(bmpRib({ peerType: BmpPeerType.LocRib, flags: 0x80 }), 'loc-rib', 'RFC 9069 section 4.1')
})

t.test('RFC 7854 section 4.8: statistics of a strange length are carried, a wrong count is refused', async t => {
  const [report] = EXAMPLES.filter(({ type }) => type === 'statistics-report')
  assert.ok(report)
  const octets = encodeBmpMessage(report).slice()
  octets[51] = 5
  t.ok(errorOf(octets), 'five TLVs where there are four')
  octets[51] = 3
  t.match(errorOf(octets)?.message, /behind the statistics/)
  const odd: BmpMessage = {
    type: 'statistics-report',
    peer: PEER,
    statistics: [{ type: 'unknown', statistic: 7, value: Uint8Array.of(0, 0, 0, 9) }],
  }
  t.same(decodeBmpMessage(encodeBmpMessage(odd)), odd)
  const wrong: BmpMessage = { ...odd, statistics: [{ type: 'counter', statistic: 7, value: 9 }] }
  t.throws(() => encodeBmpMessage(wrong), RangeError)
})

t.test('RFC 7854 sections 4.4 and 4.5: texts and the reason of the end', async t => {
  const information = [createInformation(1, 'a router'), createInformation(2, 'r1')]
  t.equal(informationText(information, 2), 'r1')
  t.equal(informationText(information, 0), undefined)
  t.equal(terminationReason({ type: 'termination', information: [{ code: 1, value: Uint8Array.of(0, 3) }] }), 3)
  t.equal(terminationReason({ type: 'termination', information }), undefined)
})

t.test('RFC 7854 section 4.2: what the caller cannot send', async t => {
  const down = (peer: typeof PEER): BmpMessage => ({ type: 'peer-down', peer, reason: { type: 'remote-closed' } })
  t.throws(() => encodeBmpMessage(down({ ...PEER, address: new Uint8Array(16) })), RangeError)
  t.throws(() => encodeBmpMessage(down({ ...PEER, asn: 2 ** 32 })), RangeError)
  t.throws(() => encodeBmpMessage(down({ ...PEER, distinguisher: -1n })), RangeError)
  t.throws(() => encodeBmpMessage({ type: 'route-monitoring', peer: PEER, update: new Uint8Array(23) }), RangeError)
})

t.test('RFC 7854 section 3.2: a stream in pieces of any size', async () => {
  const stream = Buffer.concat(EXAMPLES.map(encodeBmpMessage))
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 50 }), sizes => {
      const framer = new BmpFramer()
      const seen: BmpMessage[] = []
      let turn = 0
      for (let at = 0; at < stream.length;) {
        const end = at + sizes[turn++ % sizes.length]!
        framer.push(Uint8Array.from(stream.subarray(at, end)))
        for (let octets = framer.next(); octets; octets = framer.next()) seen.push(decodeBmpMessage(octets))
        at = end
      }
      assert.deepEqual(seen, EXAMPLES)
    }),
  )
  const framer = new BmpFramer(100)
  framer.push(hex('03 00000065 04'))
  assert.throws(() => framer.next(), BmpError, 'longer than is taken')
  const other = new BmpFramer()
  other.push(hex('04 00000006 04'))
  assert.throws(() => other.next(), BmpError, 'another version')
})

t.test('RFC 7854 section 4.10: how updates are read follows from the OPEN messages', async t => {
  const open = (capabilities: readonly Capability[]): Uint8Array =>
    encodeMessage({ type: 'open', version: 4, asn: 64512, holdTime: 90, bgpIdentifier: 1, capabilities })
  const family = { afi: 1, safi: 1 }
  const up: BmpPeerUp = {
    type: 'peer-up',
    peer: PEER,
    localAddress: PEER.address,
    localPort: 0,
    remotePort: 0,
    sentOpen: open([
      { type: 'add-path', families: [{ ...family, send: false, receive: true }] },
      { type: 'extended-message' },
    ]),
    receivedOpen: open([
      { type: 'add-path', families: [{ ...family, send: true, receive: true }] },
      { type: 'extended-message' },
    ]),
    information: [],
  }
  t.match(bmpMessageContext(up, PEER), { fourOctetAs: true, addPath: ['ipv4-unicast'], extendedMessage: true })
  const out = { ...PEER, flags: BmpPeerFlag.AdjRibOut | BmpPeerFlag.TwoOctetAsPath }
  t.match(bmpMessageContext(up, out), { fourOctetAs: false, addPath: [] })
})
