/** What makes a Neighbor Discovery message invalid: RFC 4861 sections 6.1.1, 6.1.2, 7.1.1, 7.1.2 and 8.1, rule by rule. */
import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import t from 'tap'
import * as wire from '@typemetal/arp-ndp/wire'
import { hex } from './octets.js'
import { anyIpv6, MESSAGE_CODECS, octets } from './wire-arbitraries.js'

const LINK_LOCAL = hex('fe800000000000000000000000000001')
const GLOBAL = hex('20010db8000000000000000000000001')
const OTHER = hex('20010db8000000000000000000000002')
const UNSPECIFIED = new Uint8Array(16)
const GROUP = hex('ff020000000000000000000000000001')
const SLLA = '0101 020000000009'
const TARGET = '20010db8000000000000000000000002'
const SOLICITED_NODE = wire.solicitedNodeMulticast(OTHER)

interface Fields {
  readonly source?: Uint8Array
  readonly destination?: Uint8Array
  readonly hopLimit?: number
  readonly nextHeader?: number
  /** Otherwise the right one. */
  readonly checksum?: number
}

/** A packet with the message, its checksum made good. */
function packet(message: Uint8Array | string, fields: Fields = {}): wire.Ipv6Packet {
  const { source = LINK_LOCAL, destination = OTHER, hopLimit = 255, nextHeader = 58 } = fields
  const payload = typeof message === 'string' ? hex(message) : message.slice()
  if (payload.length >= 4) wire.writeChecksum(source, destination, payload)
  if (fields.checksum !== undefined) payload.set([fields.checksum >> 8, fields.checksum], 2)
  return { trafficClass: 0, flowLabel: 0, nextHeader, hopLimit, source, destination, payload }
}

const VALID = {
  routerSolicitation: `8500 0000 00000000 ${SLLA}`,
  routerAdvertisement: `8600 0000 40c0 0708 00000000 00000000 ${SLLA}`,
  neighborSolicitation: `8700 0000 00000000 ${TARGET} ${SLLA}`,
  neighborAdvertisement: `8800 0000 e0000000 ${TARGET} 0201 020000000009`,
  redirect: `8900 0000 00000000 fe800000000000000000000000000002 ${TARGET}`,
}
const FIXED = {
  routerSolicitation: 8,
  routerAdvertisement: 16,
  neighborSolicitation: 24,
  neighborAdvertisement: 24,
  redirect: 40,
}
const SECTION = {
  routerSolicitation: '6.1.1: Router Solicitation',
  routerAdvertisement: '6.1.2: Router Advertisement',
  neighborSolicitation: '7.1.1: Neighbor Solicitation',
  neighborAdvertisement: '7.1.2: Neighbor Advertisement',
  redirect: '8.1: Redirect',
}

for (const name of Object.keys(VALID) as (keyof typeof VALID)[]) {
  const message = VALID[name]
  t.test(`RFC 4861 section ${SECTION[name]}: what all messages have in common`, async t => {
    const is = (of: wire.Ipv6Packet, fault: wire.NdpFault | undefined): unknown => t.equal(wire.ndpFault(of), fault)
    const octets = hex(message)
    const fixed = octets.subarray(0, FIXED[name])
    const withOptions = (options: string): wire.Ipv6Packet => packet(Uint8Array.from([...fixed, ...hex(options)]))
    is(packet(message), undefined)
    is(packet(message, { hopLimit: 254 }), 'hop-limit')
    is(packet(message, { hopLimit: 0 }), 'hop-limit')
    is(packet(message, { checksum: 0x1234 }), 'checksum')
    is(packet(octets.with(1, 1)), 'code')
    is(packet(message, { nextHeader: 44 }), 'not-ndp')
    is(packet(octets.with(0, 128)), 'not-ndp')
    is(packet(message, { source: GROUP }), 'multicast-source')
    is(packet(new Uint8Array()), 'not-ndp')
    for (let n = 1; n < fixed.length; n++) is(packet(octets.subarray(0, n)), 'truncated')
    is(packet(fixed), undefined)
    is(withOptions('fd01 000000000000'), undefined)
    is(withOptions('fd01 000000000000 fd00 000000000000'), 'bad-length')
    is(withOptions('fd02 000000000000'), 'truncated')
    is(withOptions('fd'), 'truncated')
  })
}

for (const [rule, of, fault] of [
  [
    '6.1.1: a solicitation from :: is fine without a link-layer address',
    packet('8500 0000 00000000', { source: UNSPECIFIED }),
    undefined,
  ],
  ['6.1.1: and not with one', packet(VALID.routerSolicitation, { source: UNSPECIFIED }), 'source-link-layer-address'],
  [
    '6.1.1: also behind another option',
    packet(`8500 0000 00000000 0e01 000000000000 ${SLLA}`, { source: UNSPECIFIED }),
    'source-link-layer-address',
  ],
  ['6.1.1: from any unicast address', packet(VALID.routerSolicitation, { source: GLOBAL }), undefined],
  [
    '6.1.2: routers use their link-local address',
    packet(VALID.routerAdvertisement, { source: GLOBAL }),
    'source-not-link-local',
  ],
  ['6.1.2: not ::', packet(VALID.routerAdvertisement, { source: UNSPECIFIED }), 'source-not-link-local'],
  ['7.1.1: a multicast target', packet(hex(VALID.neighborSolicitation).with(8, 0xff)), 'multicast-target'],
  [
    '7.1.1: a DAD probe goes to the solicited-node address',
    packet(`8700 0000 00000000 ${TARGET}`, { source: UNSPECIFIED, destination: SOLICITED_NODE }),
    undefined,
  ],
  [
    '7.1.1: not to a unicast one',
    packet(`8700 0000 00000000 ${TARGET}`, { source: UNSPECIFIED }),
    'not-to-solicited-node',
  ],
  [
    '7.1.1: not to all nodes',
    packet(`8700 0000 00000000 ${TARGET}`, { source: UNSPECIFIED, destination: GROUP }),
    'not-to-solicited-node',
  ],
  [
    '7.1.1: and has no link-layer address',
    packet(VALID.neighborSolicitation, { source: UNSPECIFIED, destination: SOLICITED_NODE }),
    'source-link-layer-address',
  ],
  [
    'RFC 7527 section 4.1: but may have a nonce',
    packet(`8700 0000 00000000 ${TARGET} 0e01 010203040506`, { source: UNSPECIFIED, destination: SOLICITED_NODE }),
    undefined,
  ],
  ['7.1.2: a multicast target', packet(hex(VALID.neighborAdvertisement).with(8, 0xff)), 'multicast-target'],
  [
    '7.1.2: to a group it answers nobody',
    packet(VALID.neighborAdvertisement, { destination: GROUP }),
    'solicited-to-multicast',
  ],
  [
    '7.1.2: so S=0 is right there',
    packet(hex(VALID.neighborAdvertisement).with(4, 0xa0), { destination: GROUP }),
    undefined,
  ],
  ['8.1: routers use their link-local address', packet(VALID.redirect, { source: GLOBAL }), 'source-not-link-local'],
  ['8.1: a multicast destination', packet(hex(VALID.redirect).with(24, 0xff)), 'multicast-destination'],
  ['8.1: the target is a router by its link-local address', packet(VALID.redirect), undefined],
  ['8.1: or the destination itself', packet(`8900 0000 00000000 ${TARGET} ${TARGET}`), undefined],
  ['8.1: and nothing else', packet(`8900 0000 00000000 ${TARGET.replace(/2$/, '3')} ${TARGET}`), 'redirect-target'],
] as const) {
  t.test(`RFC 4861 section ${rule}`, async t => {
    t.equal(wire.ndpFault(of), fault)
  })
}

t.test('RFC 6980 section 5: behind a Fragment header there is no Neighbor Discovery', async t => {
  const { payload } = packet(VALID.neighborSolicitation)
  t.equal(wire.ndpFault(packet(Uint8Array.from([58, 0, 0, 0, 0, 0, 0, 1, ...payload]), { nextHeader: 44 })), 'not-ndp')
})

t.test('property: what ndpFault passes can be decoded; what it refuses has a reason; it throws nothing', async () => {
  const anyNdp = fc.constantFrom(...MESSAGE_CODECS).chain(codec =>
    fc.tuple(
      fc.constant(codec),
      codec.any.map(value => codec.encode(value)),
    ),
  )
  const address = fc.oneof(octets(16), fc.constantFrom(LINK_LOCAL, GLOBAL, UNSPECIFIED, GROUP, SOLICITED_NODE))
  const change = fc.option(fc.tuple(fc.nat({ max: 200 }), fc.nat({ max: 255 })))
  fc.assert(
    fc.property(anyNdp, address, address, change, ([codec, message], source, destination, change) => {
      if (change !== null && change[0] < message.length) message[change[0]] = change[1]
      const of = packet(message, { source, destination })
      const fault = wire.ndpFault(of)
      if (fault === undefined && of.payload[0] === codec.type) codec.decode(of.payload)
      // The decoder's own faults are among those found.
      if (fault === undefined) assert.ok([133, 134, 135, 136, 137].includes(of.payload[0]!))
    }),
    { numRuns: 2000 },
  )
  fc.assert(
    fc.property(anyIpv6, packet => {
      wire.ndpFault(packet)
      wire.ndpFault({ ...packet, nextHeader: 58, hopLimit: 255 })
    }),
  )
})
