/** The set of wanted addresses on the main thread: what is refused, and what a difference costs. */
import { isDeepStrictEqual } from 'node:util'
import * as fc from 'fast-check'
import t from 'tap'
import { addressRefusal, isInterfaceName, parseAnswerable, type InterfaceSelection } from '@typemetal/arp-ndp/responder'
import { parseAddress } from '../dist/address.js'
import { pack, unpack } from '../dist/node/packed-change.js'
import { WantedSet, type WantedAddress } from '../dist/node/wanted-set.js'

const all = (...addresses: readonly string[]): WantedAddress[] =>
  addresses.map(address => ({ address, interfaces: 'all' }))
const texts = ({ set }: { readonly set: readonly { readonly text: string }[] }): string[] => set.map(({ text }) => text)

for (const [address, reason] of [
  ['::ffff:192.0.2.1', 'is an IPv4-mapped address'],
  ['0:0:0:0:0:ffff:c000:0201', 'is an IPv4-mapped address'],
  ['fe80::1', 'is a link-local address'],
  ['febf::1', 'is a link-local address'],
  ['ff02::1', 'is a multicast address'],
  ['224.0.0.1', 'is a multicast address'],
  ['239.255.255.255', 'is a multicast address'],
  ['127.0.0.1', 'is a loopback address'],
  ['127.255.0.9', 'is a loopback address'],
  ['::1', 'is a loopback address'],
  ['::', 'is not the address of one host'],
  ['0.0.0.0', 'is not the address of one host'],
  ['0.1.2.3', 'is not the address of one host'],
  ['255.255.255.255', 'is not the address of one host'],
  ['fe80::1%eth0', 'is not an IP address'],
  ['192.0.2.1/32', 'is not an IP address'],
  ['192.0.2', 'is not an IP address'],
  ['', 'is not an IP address'],
] as const) {
  t.test(`refused: ${address || 'nothing'}`, async t => {
    t.throws(() => parseAnswerable(address), {
      name: 'RangeError',
      message: new RegExp(`^address ${JSON.stringify(address).replaceAll('.', String.raw`\.`)} ${reason}`),
    })
  })
}

t.test('taken: what is next to a refused range, and what hosts have on purpose', async t => {
  for (const address of [
    '169.254.1.1',
    '240.0.0.1',
    '1.0.0.0',
    '126.255.255.255',
    '128.0.0.1',
    '169.253.255.255',
    '169.255.0.0',
    '223.255.255.255',
  ]) {
    t.equal(parseAnswerable(address).text, address)
  }
  for (const address of [
    '::2',
    '::1:0:1',
    'fe7f:ffff::1',
    'fec0::1',
    'fd00::1',
    '::fffe:c000:201',
    '64:ff9b::c000:201',
  ]) {
    t.equal(addressRefusal(parseAddress(address).octets), undefined, address)
  }
})

t.test('names that an interface can have', async t => {
  for (const name of ['eth0', 'eth0.100', 'br-lan', 'wlp3s0f1u2', '…', '123456789012345'])
    t.ok(isInterfaceName(name), name)
  for (const name of ['', '.', '..', 'a b', 'a/b', 'a:b', 'a\tb', 'a\0b', '1234567890123456', '……………x']) {
    t.notOk(isInterfaceName(name), JSON.stringify(name))
  }
})

t.test('an entry that is refused changes nothing', async t => {
  const wanted = new WantedSet()
  wanted.replace(all('192.0.2.1', '192.0.2.2'))
  for (const entry of [
    { address: 'nonsense', interfaces: 'all' },
    { address: 7, interfaces: 'all' },
    { address: '192.0.2.3', interfaces: 'some' },
    { address: '192.0.2.3', interfaces: [7] },
    { address: '192.0.2.3', interfaces: ['no name'] },
    { address: '192.0.2.2' },
    {},
  ] as unknown as WantedAddress[]) {
    t.throws(() => wanted.replace([...all('192.0.2.1', '192.0.2.9'), entry]), /^(?:address|interfaces)/)
  }
  t.ok(wanted.has('192.0.2.2'))
  t.notOk(wanted.has('192.0.2.9'))
  t.same(wanted.replace(all('192.0.2.1', '192.0.2.2')), { set: [], remove: [] })
})

t.test('spellings of one address, and entries for it, are united', async t => {
  const wanted = new WantedSet()
  const entries: WantedAddress[] = [
    { address: '2001:DB8:0::1', interfaces: ['eth0'] },
    { address: '2001:db8::1', interfaces: ['eth1', 'eth0'] },
  ]
  t.match(wanted.replace(entries), { set: [{ text: '2001:db8::1', interfaces: ['eth0', 'eth1'] }], remove: [] })
  t.same(wanted.replace([entries[1]!]), { set: [], remove: [] }, 'the same interfaces')
  t.match(wanted.replace([entries[0]!]), { set: [{ text: '2001:db8::1', interfaces: ['eth0'] }] })
  t.match(wanted.replace([...entries, ...all('2001:db8::1')]), { set: [{ interfaces: 'all' }] })
  t.same(wanted.replace([]), { set: [], remove: ['2001:db8::1'] })
})

t.test('a list that the caller changes afterwards is not ours', async t => {
  const wanted = new WantedSet()
  const interfaces = ['eth0']
  const list: WantedAddress[] = [{ address: '192.0.2.1', interfaces }]
  wanted.replace(list)
  interfaces[0] = 'eth1'
  t.match(wanted.replace(list), { set: [{ interfaces: ['eth1'] }] })
  list.length = 0
  t.same(wanted.replace(list).remove, ['192.0.2.1'])
})

t.test('a difference in the middle of a long list', async t => {
  const wanted = new WantedSet()
  const list = Array.from({ length: 5000 }, (_, i) => `10.0.${i >> 8}.${i & 255}`)
  t.equal(wanted.replace(all(...list)).set.length, 5000)
  t.same(wanted.replace(all(...list)), { set: [], remove: [] })
  t.same(wanted.replace(all(...list.toSpliced(2500, 1, '10.9.9.9'))), {
    set: [{ text: '10.9.9.9', octets: Uint8Array.of(10, 9, 9, 9), interfaces: 'all' }],
    remove: ['10.0.9.196'],
  })
  t.same(wanted.replace(all(...list.toReversed())).remove, ['10.9.9.9'], 'another order is no difference')
})

const selection = fc.oneof(
  fc.constant('all' as const),
  fc.uniqueArray(fc.constantFrom('a', 'b', 'c'), { maxLength: 3 }),
) satisfies fc.Arbitrary<InterfaceSelection>
const list = fc.array(
  fc.record({
    address: fc.constantFrom('10.0.0.1', '10.0.0.2', '2001:db8::1', '2001:DB8::1', '2001:db8::2'),
    interfaces: selection,
  }),
  { maxLength: 8 },
)

t.test('property: whatever lists come after each other, the differences add up to the last one', async t => {
  const unite = (wanted: readonly WantedAddress[]): Map<string, string> => {
    const names = new Map<string, Set<string>>()
    for (const { address, interfaces } of wanted) {
      const text = parseAddress(address).text
      const of = names.get(text) ?? new Set()
      for (const name of interfaces === 'all' ? ['all'] : interfaces) of.add(name)
      names.set(text, of)
    }
    return new Map(Array.from(names, ([text, of]) => [text, of.has('all') ? 'all' : [...of].toSorted().join()]))
  }
  fc.assert(
    fc.property(fc.array(list, { maxLength: 6 }), lists => {
      const wanted = new WantedSet()
      const held = new Map<string, string>()
      for (const entries of lists) {
        const { set, remove } = wanted.replace(entries)
        for (const text of remove) if (!held.delete(text)) return false
        for (const { text, interfaces } of set) {
          const names = interfaces === 'all' ? 'all' : interfaces.toSorted().join()
          if (held.get(text) === names) return false
          held.set(text, names)
        }
        const is = unite(entries)
        if (held.size !== is.size || [...is].some(([text, names]) => held.get(text) !== names)) return false
      }
      return true
    }),
    { numRuns: 2000 },
  )
  t.pass()
})

t.test('changes by difference and whole lists take turns', async t => {
  const wanted = new WantedSet()
  wanted.replace(all('192.0.2.1', '192.0.2.2'))
  t.match(wanted.change(all('192.0.2.3'), ['192.0.2.1', '192.0.2.9']), {
    set: [{ text: '192.0.2.3', octets: Uint8Array.of(192, 0, 2, 3) }],
    remove: ['192.0.2.1'],
  })
  t.same(
    wanted.change(all('192.0.2.3', '192.0.2.2'), ['192.0.2.2']),
    { set: [], remove: [] },
    'set wins, nothing is new',
  )
  const narrow: WantedAddress[] = [{ address: '192.0.2.2', interfaces: ['eth0'] }]
  t.match(wanted.change(narrow, []), { set: [{ text: '192.0.2.2', interfaces: ['eth0'] }], remove: [] })
  t.throws(() => wanted.change(all('192.0.2.4', '127.0.0.1'), ['192.0.2.2']), RangeError)
  t.throws(() => wanted.change(all('192.0.2.4'), ['nonsense']), /^address/)
  t.notOk(wanted.has('192.0.2.4'), 'nothing has changed')
  t.match(wanted.replace(all('192.0.2.2', '192.0.2.5')), {
    set: [{ text: '192.0.2.2', interfaces: 'all' }, { text: '192.0.2.5' }],
    remove: ['192.0.2.3'],
  })
})

t.test('property: changes by difference add up to the last list', async t => {
  fc.assert(
    fc.property(fc.array(fc.tuple(list, fc.boolean()), { maxLength: 8 }), steps => {
      const wanted = new WantedSet()
      const held = new Map<string, InterfaceSelection>()
      for (const [entries, whole] of steps) {
        const single = new Map(entries.map(({ address, interfaces }) => [parseAddress(address).text, interfaces]))
        const next = Array.from(single, ([address, interfaces]) => ({ address, interfaces }))
        const gone = [...held.keys()].filter(text => !single.has(text))
        const { set, remove } = whole ? wanted.replace(next) : wanted.change(next, gone)
        for (const text of remove) if (!held.delete(text)) return false
        for (const { text, interfaces } of set) held.set(text, interfaces)
        if (held.size !== single.size || [...single.keys()].some(text => !held.has(text) || !wanted.has(text)))
          return false
      }
      return true
    }),
    { numRuns: 2000 },
  )
  t.pass()
})

t.test('work in proportion to the difference: a thousand calls with 5,000 addresses', async t => {
  const wanted = new WantedSet()
  const entries = all(...Array.from({ length: 5000 }, (_, i) => `10.0.${i >> 8}.${i & 255}`))
  wanted.replace(entries)
  let parsed = 0
  for (let i = 0; i < 1000; i++) {
    const next = entries.map(entry => entry) // a list of its own each time
    next[(i * 7919) % 5000] = { address: `10.1.${i >> 8}.${i & 255}`, interfaces: 'all' }
    parsed += texts(wanted.replace(next)).length
  }
  // Each step puts one address in, and the one of the step before back.
  t.equal(parsed, 1999)
})

t.test('property: what is packed for the other thread is unpacked the same', async t => {
  fc.assert(
    fc.property(list, entries => {
      const { set } = new WantedSet().replace(entries)
      const there = unpack(structuredClone(pack(set)))
      return (
        there.length === set.length &&
        set.every(({ text, octets, interfaces }, i) => {
          const is = there[i]!
          return (
            is.text === text && Buffer.from(octets).equals(is.octets) && isDeepStrictEqual(is.interfaces, interfaces)
          )
        })
      )
    }),
  )
  t.pass()
})
