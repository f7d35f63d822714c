import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import t from 'tap'
import {
  formatCommunities,
  formatCommunity,
  formatExtendedCommunity,
  formatLargeCommunity,
  parseCommunities,
} from '@typemetal/bgp'
import { decodeMessage, WellKnownCommunity, type PathAttributes, type UpdateMessage } from '@typemetal/bgp/wire'
import { anyCommunities } from './messages.js'
import { hex, toHex, VECTORS } from './octets.js'

/** The 8 octets of an extended community. */
function octetsOf(text: string): string {
  const [community] = parseCommunities([text]).extendedCommunities
  assert.ok(community, text)
  return toHex(Uint8Array.of(community.type, community.subtype, ...community.value))
}

for (const [name, community, ref] of [
  ['graceful-shutdown', WellKnownCommunity.GracefulShutdown, 'RFC 8326 5'],
  ['accept-own', WellKnownCommunity.AcceptOwn, 'RFC 7611 2'],
  ['llgr-stale', WellKnownCommunity.LlgrStale, 'RFC 9494 3.3.1'],
  ['no-llgr', WellKnownCommunity.NoLlgr, 'RFC 9494 3.3.2'],
  ['blackhole', WellKnownCommunity.Blackhole, 'RFC 7999 5'],
  ['no-export', WellKnownCommunity.NoExport, 'RFC 1997'],
  ['no-advertise', WellKnownCommunity.NoAdvertise, 'RFC 1997'],
  ['no-export-subconfed', WellKnownCommunity.NoExportSubconfed, 'RFC 1997'],
  ['no-peer', WellKnownCommunity.NoPeer, 'RFC 3765 2'],
] as const) {
  t.test(`${ref}: ${name} by name, both ways`, async t => {
    t.same(parseCommunities([name]).communities, [community])
    t.same(parseCommunities([name.toUpperCase()]).communities, [community])
    t.same(parseCommunities([`65535:${community & 0xffff}`]).communities, [community])
    t.equal(formatCommunity(community), name)
  })
}

t.test('RFC 1997, RFC 8092 4: standard and large communities', async t => {
  const { communities, largeCommunities } = parseCommunities(['large:4294967295:0:7', '64512:100', '0:0', '64512:100'])
  t.same(communities, [0, 64_512 * 65_536 + 100])
  t.same(largeCommunities, [{ globalAdministrator: 4_294_967_295, localData1: 0, localData2: 7 }])
  t.equal(formatCommunity(64_512 * 65_536 + 100), '64512:100')
  t.equal(formatLargeCommunity(largeCommunities[0]!), '4294967295:0:7')
})

for (const { ref, text, octets, canonical = text } of [
  { ref: 'RFC 4360 4', text: 'rt:64512:4294967295', octets: '0002fc00ffffffff' },
  { ref: 'RFC 4360 4', text: 'RT:0:0', octets: '0002000000000000', canonical: 'rt:0:0' },
  { ref: 'RFC 4360 5', text: 'soo:64512:100', octets: '0003fc0000000064' },
  { ref: 'RFC 4360 5', text: 'ro:64512:100', octets: '0003fc0000000064', canonical: 'soo:64512:100' },
  { ref: 'RFC 4360 3.2', text: 'rt:192.0.2.1:100', octets: '0102c00002010064' },
  { ref: 'RFC 4360 3.2', text: 'soo:10.0.0.1:65535', octets: '01030a000001ffff' },
  { ref: 'RFC 5668 2', text: 'rt:4200000000:100', octets: '0202fa56ea000064' },
  { ref: 'RFC 5668 2', text: 'rt:64512L:100', octets: '02020000fc000064' },
  { ref: 'RFC 5668 2', text: 'rt:65536L:1', octets: '0202000100000001', canonical: 'rt:65536:1' },
  {
    ref: 'draft-ietf-idr-link-bandwidth 3',
    text: 'link-bandwidth:64512:125000000',
    octets: '4004fc004cee6b28',
  },
  { ref: 'draft-ietf-idr-link-bandwidth 3', text: 'link-bandwidth:0:0', octets: '4004000000000000' },
  {
    ref: 'draft-ietf-idr-link-bandwidth 3',
    text: 'link-bandwidth:1:1.25e9',
    octets: '400400014e9502f9',
    canonical: 'link-bandwidth:1:1250000000',
  },
  {
    ref: 'RFC 4360 2',
    text: 'generic:0x030B000000000064',
    octets: '030b000000000064',
    canonical: 'generic:0x030b000000000064',
  },
  { ref: 'RFC 4360 2', text: 'generic:0x0002fc0000000064', octets: '0002fc0000000064', canonical: 'rt:64512:100' },
  { ref: 'RFC 4360 2', text: 'generic:0x400400017f800000', octets: '400400017f800000' },
  { ref: 'RFC 4360 2', text: 'generic:0x4004000180000000', octets: '4004000180000000' },
  { ref: 'RFC 4360 2', text: 'generic:0x4002fc0000000064', octets: '4002fc0000000064' },
]) {
  t.test(`${ref}: ${text}`, async t => {
    t.equal(octetsOf(text), octets)
    t.equal(formatExtendedCommunity(parseCommunities([text]).extendedCommunities[0]!), canonical)
  })
}

t.test('RFC 5701 2: IPv6 addresses in brackets', async t => {
  const { ipv6ExtendedCommunities: found } = parseCommunities([
    'rt:[2001:db8::1]:100',
    'soo:[::1]:2',
    `generic:0x400b${'20'.repeat(16)}0007`,
    'rt:[2001:DB8::1]:100',
  ])
  t.match(found, [
    { type: 0x40, subtype: 0x0b, localAdministrator: 7 },
    { type: 0, subtype: 2, globalAdministrator: hex('20010db8000000000000000000000001') },
    { type: 0, subtype: 3, localAdministrator: 2 },
  ])
  t.same(found.map(formatExtendedCommunity), [
    `generic:0x400b${'20'.repeat(16)}0007`,
    'rt:[2001:db8::1]:100',
    'soo:[::1]:2',
  ])
})

t.test('what is not a community is a RangeError', async t => {
  for (const text of [
    '',
    'no-such-name',
    '1',
    '1:65536',
    '65536:1',
    '1:2:3',
    'large:1:2',
    'large:1:2:4294967296',
    'rt:1',
    'rt:1:4294967296',
    'rt:65536:65536',
    'rt:1L:65536',
    'rt:4294967296:1',
    'rt:192.0.2:1',
    'rt:192.0.2.256:1',
    'rt:192.0.2.1:65536',
    'rt:[192.0.2.1]:1',
    'rt:[2001:db8::g]:1',
    'rt:[2001:db8::1]:65536',
    'link-bandwidth:65536:1',
    'link-bandwidth:1:-1',
    'link-bandwidth:1:1e39',
    'link-bandwidth:1',
    'generic:0x00',
    'generic:0x0002fc000000006',
    'generic:0002fc0000000064',
  ]) {
    t.throws(() => parseCommunities([text]), RangeError, text)
  }
})

t.test('RFC 4360, RFC 5701, RFC 8092: a received route in words', async t => {
  const vector = VECTORS.find(({ name }) => name.includes('has them all'))!
  const { pathAttributes } = decodeMessage(hex(vector.hex)) as UpdateMessage
  t.same(formatCommunities(pathAttributes), [
    '65000:100',
    'rt:65000:100',
    'soo:4294967286:1',
    'link-bandwidth:65000:125000000',
    'rt:[2001:db8::1]:100',
    'large:65000:1:2',
  ])
  t.same(formatCommunities({}), [])
})

t.test('what is equal has equal text, in whatever order it came', async t => {
  const text = (...texts: string[]): string => parseCommunities(texts).communityText
  t.equal(text('1:2', 'rt:1:2', 'large:1:2:3', '3:4'), text('3:4', 'large:1:2:3', '1:2', 'rt:1:2', 'rt:1:2'))
  t.not(text('1:2'), text('rt:1:2'))
  t.not(text('large:1:2:3'), text('large:1:2:4'))
  t.not(text('generic:0x4002fc0000000064'), text('generic:0x0002fc0000000064'))
})

/** A set of communities in one order. */
const sorted = (attributes: PathAttributes): string[] => [...new Set(formatCommunities(attributes))].toSorted()

t.test('property: what is written is read back, octet for octet', async () => {
  fc.assert(
    fc.property(anyCommunities, attributes => {
      const parsed = parseCommunities(formatCommunities(attributes))
      assert.deepEqual(sorted(parsed), sorted(attributes))
      const octets = ({ extendedCommunities = [], ipv6ExtendedCommunities = [] }: PathAttributes): string[] => {
        const short = extendedCommunities.map(c => toHex(Uint8Array.of(c.type, c.subtype, ...c.value)))
        const long = ipv6ExtendedCommunities.map(
          c => `${toHex(Uint8Array.of(c.type, c.subtype, ...c.globalAdministrator))} ${c.localAdministrator}`,
        )
        return [...new Set([...short, ...long])].toSorted()
      }
      assert.deepEqual(octets(parsed), octets(attributes))
      assert.deepEqual(
        [...parsed.communities],
        [...new Set(attributes.communities)].toSorted((a, b) => a - b),
      )
      const large = attributes.largeCommunities ?? []
      assert.equal(parsed.largeCommunities.length, large.length)
      assert.equal(parseCommunities(formatCommunities(parsed)).communityText, parsed.communityText)
    }),
    { numRuns: 500 },
  )
})

t.test('property: any text is a community or a RangeError', async () => {
  const like = fc.stringMatching(/^(rt|soo|large|link-bandwidth|generic|\d{1,6}):[\dL.:[\]a-fx]{0,24}$/)
  fc.assert(
    fc.property(fc.oneof(fc.string(), like), text => {
      try {
        parseCommunities([text])
      } catch (error) {
        assert.ok(error instanceof RangeError, String(error))
      }
    }),
    { numRuns: 4_000 },
  )
})
