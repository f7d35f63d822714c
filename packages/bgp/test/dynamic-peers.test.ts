import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import t from 'tap'
import { formatAddress, parseAddress, parsePrefix } from '../dist/address.js'
import { DEFAULT_DYNAMIC_LIMIT, DynamicPeers, isFull, type DynamicRange } from '../dist/node/dynamic-peers.js'

type Ranges = DynamicPeers<string, string>
type Range = DynamicRange<string, string>

const add = (peers: Ranges, prefix: string, limit?: number): Range => {
  const { family, nlri } = parsePrefix(prefix)
  return peers.add(family, nlri, prefix, limit)
}
const find = (peers: Ranges, address: string): string | undefined => peers.find(parseAddress(address))?.options

t.test('dynamic peers: the longest prefix that has the address, of each family', async t => {
  const peers: Ranges = new DynamicPeers()
  for (const prefix of ['0.0.0.0/0', '10.0.0.0/8', '10.1.0.0/16', '10.1.2.128/25', '10.1.2.200/32']) add(peers, prefix)
  for (const prefix of ['2001:db8::/32', '2001:db8:1::/48', '2001:db8:1::7/128', 'fe80::/10']) add(peers, prefix)
  for (const [address, expected] of [
    ['192.0.2.1', '0.0.0.0/0'],
    ['10.2.0.1', '10.0.0.0/8'],
    ['10.1.2.127', '10.1.0.0/16'],
    ['10.1.2.129', '10.1.2.128/25'],
    ['10.1.2.200', '10.1.2.200/32'],
    ['2001:db8:2::1', '2001:db8::/32'],
    ['2001:db8:1::1', '2001:db8:1::/48'],
    ['2001:db8:1::7', '2001:db8:1::7/128'],
    ['febf::1', 'fe80::/10'],
    ['fec0::1', undefined],
  ] as const) {
    t.equal(find(peers, address), expected, address)
  }
})

t.test('dynamic peers: a range that is deleted lets the shorter one in; of equal ones the first counts', async t => {
  const peers: Ranges = new DynamicPeers()
  add(peers, '10.0.0.0/8')
  const first = add(peers, '10.1.0.0/16')
  const second = peers.add(first.family, first.nlri, 'second')
  t.equal(peers.find(parseAddress('10.1.0.1')), first)
  peers.delete(first)
  peers.delete(first)
  t.equal(peers.find(parseAddress('10.1.0.1')), second)
  peers.delete(second)
  t.equal(find(peers, '10.1.0.1'), '10.0.0.0/8')
})

t.test('dynamic peers: a range is full at its limit', async t => {
  const peers: Ranges = new DynamicPeers()
  const few = add(peers, '10.0.0.0/8', 2)
  t.equal(add(peers, '10.0.0.0/9').limit, DEFAULT_DYNAMIC_LIMIT)
  few.peers.add('one')
  t.equal(isFull(few), false)
  few.peers.add('two')
  t.equal(isFull(few), true)
  for (const limit of [0, -1, 1.5, NaN]) t.throws(() => add(peers, '10.0.0.0/8', limit), RangeError)
})

t.test('property: the same answer as looking at every range', async () => {
  const address = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(octets => octets.map(octet => octet & 0x81))
  const prefix = fc
    .tuple(address, fc.nat(128), fc.boolean())
    .map(([octets, length, isShort]) =>
      isShort ? `${formatAddress(octets.subarray(12))}/${length >>> 2}` : `${formatAddress(octets)}/${length}`,
    )
  fc.assert(
    fc.property(fc.array(prefix), fc.array(address), (prefixes, addresses) => {
      const peers: Ranges = new DynamicPeers()
      const ranges = prefixes.map(text => add(peers, text))
      for (const each of ranges.splice(0, 2)) peers.delete(each)
      for (const wanted of addresses.flatMap(octets => [octets, octets.subarray(12)])) {
        const fitting = ranges.filter(({ options, nlri }) => {
          const cut = (): Uint8Array => parsePrefix(`${formatAddress(wanted)}/${nlri.length}`).nlri.prefix
          return options.includes(':') === (wanted.length === 16) && Buffer.compare(cut(), nlri.prefix) === 0
        })
        const longest = fitting.toSorted((a, b) => b.nlri.length - a.nlri.length)[0]
        assert.equal(peers.find(wanted), longest)
      }
    }),
  )
})
