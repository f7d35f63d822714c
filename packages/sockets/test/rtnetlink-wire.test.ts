import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import t from 'tap'
import * as wire from '@typemetal/sockets/wire'

/** Datagrams that scripts/record-vectors.mjs took from Linux 6.18. */
const datagrams = (name: string): Uint8Array[] =>
  readFileSync(new URL(`../test/vectors/${name}.hex`, import.meta.url), 'utf8')
    .trim()
    .split('\n')
    .map(line => Uint8Array.from(Buffer.from(line, 'hex')))
const messages = (name: string): wire.NetlinkMessage[] =>
  datagrams(name).flatMap(datagram => wire.decodeNetlink(datagram))
const NAMES = ['link-kinds', 'address-kinds', 'neighbor-dump', 'route-dump', 'changes']
// The vectors were captured on a little-endian machine.
const capture = { skip: new Uint8Array(new Uint16Array([1]).buffer)[0] ? false : 'big endian' } as const

/** All values of one kind in a recorded dump. */
function values<K extends wire.RtnetlinkKind>(name: string, kind: K): wire.RtnetlinkValues[K][] {
  const result: wire.RtnetlinkValues[K][] = []
  for (const message of messages(name)) {
    const change = wire.decodeRtnetlinkChange(message)
    if (change?.kind === kind) result.push(change.value as wire.RtnetlinkValues[K])
  }
  return result
}

t.test('rtnetlink(7): what kind of interface, its master, its parent, its carrier', capture, async t => {
  const links = new Map(values('link-kinds', 'link').map(link => [link.name, link]))
  const [bridge, va, vb] = ['br0', 'va', 'vb'].map(name => links.get(name)!)
  t.match(links.get('lo'), { kind: '', hardwareType: 772, carrier: true, parent: undefined, masterKind: '' })
  t.match(bridge, { kind: 'bridge', hardwareType: 1, master: undefined, masterKind: '' })
  t.match(va, { kind: 'veth', master: bridge!.index, masterKind: 'bridge', parent: vb!.index, carrier: true })
  t.match(links.get('mac0'), { kind: 'macvlan', parent: vb!.index, parentIsElsewhere: false })
  t.match(links.get('vx0'), {
    kind: 'vxlan',
    operstate: 'down',
    flags: wire.InterfaceFlag.broadcast | wire.InterfaceFlag.multicast,
  })
  t.match(links.get('tun0'), { kind: 'tun', mac: '', hardwareType: 65_534, carrier: false })
})

t.test('rtnetlink(7): lifetimes, the other end, secondary and deprecated addresses', capture, async t => {
  const addresses = new Map(values('address-kinds', 'address').map(address => [address.address, address]))
  t.match(addresses.get('10.0.0.1'), {
    secondary: false,
    validLifetime: Infinity,
    preferredLifetime: Infinity,
    peer: '',
  })
  t.match(addresses.get('10.0.0.2'), { secondary: true, deprecated: false })
  t.match(addresses.get('10.9.9.1'), { peer: '10.9.9.2', prefixLength: 32 })
  t.match(addresses.get('fd00::1'), { peer: '', validLifetime: Infinity })
  const limited = addresses.get('fd00::2')!
  t.ok(limited.validLifetime > 3500 && limited.validLifetime <= 3600, `${limited.validLifetime} s`)
  t.ok(limited.preferredLifetime > 1700 && limited.preferredLifetime <= 1800)
  t.match(addresses.get('fd00::3'), { deprecated: true, preferredLifetime: 0 })
  t.match(addresses.get('fd00:1::5'), { tentative: true, deprecated: false })
})

t.test('RFC 4861 section 7.3.2: states of the neighbour cache', capture, async t => {
  const neighbors = new Map(values('neighbor-dump', 'neighbor').map(neighbor => [neighbor.address, neighbor]))
  const states = [...neighbors].map(([address, { state }]) => `${address} ${state}`)
  for (const line of [
    '10.0.0.7 permanent',
    '10.0.0.8 reachable',
    '10.0.0.9 stale',
    '10.0.0.10 failed',
    '10.0.0.11 noarp',
    'fd00::7 reachable',
    'fd00::8 permanent',
    'fd00::9 probe',
  ])
    t.ok(states.includes(line), line)
  t.match(neighbors.get('10.0.0.7'), {
    family: 4,
    mac: '02:00:00:00:00:77',
    router: false,
    proxy: false,
    external: false,
  })
  t.match(neighbors.get('10.0.0.10'), { mac: '' })
  t.match(neighbors.get('fd00::7'), { family: 6, router: true })
  t.match(neighbors.get('fd00::8'), { external: true })
  t.ok(Number(neighbors.get('10.0.0.8')?.updatedAgo) < 60_000)
})

t.test('rtnetlink(7): routes of both families, with what they lead to', capture, async t => {
  const routes = values('route-dump', 'route')
  const find = (destination: string, table = 254): wire.RouteMessage | undefined =>
    routes.find(route => route.destination === destination && route.table === table && route.protocol !== 'kernel')
  const indexOf = (name: string): number => values('link-kinds', 'link').find(link => link.name === name)!.index
  const [br0, vb] = [indexOf('br0'), indexOf('vb')]
  const hop = { weight: 1, dead: false, onLink: false }
  t.same(find('0.0.0.0'), {
    family: 4,
    destination: '0.0.0.0',
    prefixLength: 0,
    source: '',
    sourcePrefixLength: 0,
    table: 254,
    type: 'unicast',
    protocol: 'dhcp',
    scope: 'global',
    metric: 100,
    preferredSource: '10.0.0.1',
    nextHops: [{ ...hop, gateway: '10.0.0.254', interfaceIndex: br0 }],
    nextHopId: undefined,
  })
  t.match(find('192.0.2.0'), {
    prefixLength: 24,
    protocol: 'bgp',
    nextHops: [
      { gateway: '10.0.0.7', interfaceIndex: br0, weight: 3 },
      { gateway: '10.9.9.2', interfaceIndex: vb, weight: 1 },
    ],
  })
  t.match(
    find('198.51.100.0'),
    { protocol: 'bird', nextHops: [{ gateway: 'fd00::7', interfaceIndex: br0 }] },
    'RFC 8950',
  )
  t.match(find('203.0.113.7', 1000), { prefixLength: 32, nextHops: [{ gateway: '172.16.0.1', onLink: true }] })
  t.match(find('203.0.113.0'), { type: 'blackhole', metric: 7 })
  t.same(find('203.0.113.0')?.nextHops, [])
  t.match(find('203.0.114.0'), { type: 'unreachable' })
  t.match(find('203.0.115.0'), { type: 'prohibit' })
  t.match(find('203.0.116.0', 10), { type: 'throw' })
  t.match(find('192.0.3.0'), { nextHopId: 9, nextHops: [{ gateway: '10.0.0.9', interfaceIndex: br0 }] })
  t.match(find('::'), { family: 6, protocol: 'ra', metric: 1024, nextHops: [{ gateway: 'fd00::254' }] })
  t.match(find('2001:db8:1::'), {
    prefixLength: 48,
    nextHops: [
      { gateway: 'fd00::7', weight: 2 },
      { gateway: 'fe80::7', interfaceIndex: vb, weight: 5 },
    ],
  })
  t.match(find('2001:db8:2::'), { source: 'fd00::', sourcePrefixLength: 64, protocol: '77' })
  t.match(find('2001:db8:3::'), { type: 'blackhole' })
  t.ok(
    routes.some(
      ({ table, type, scope, destination }) =>
        table === 255 && type === 'local' && scope === 'host' && destination === '10.0.0.1',
    ),
  )
})

t.test('rtnetlink(7): notifications say what changed, in order', capture, async t => {
  const changes = messages('changes').flatMap(message => wire.decodeRtnetlinkChange(message) ?? [])
  const told = changes.map(({ kind, change, value }) => {
    const name = 'name' in value ? value.name : 'destination' in value ? value.destination : value.address
    return `${kind} ${change} ${name}`
  })
  const vb = changes.flatMap(({ kind, value }) => (kind === 'link' && value.name === 'vb' ? value : []))
  t.equal(vb[0]?.mac, '02:00:00:00:00:1b', 'another MAC')
  t.ok(vb.some(({ flags, operstate }) => (flags & wire.InterfaceFlag.up) === 0 && operstate === 'down'))
  for (const line of [
    'address new 10.0.0.3',
    'address deleted 10.0.0.3',
    'neighbor new 10.0.0.9',
    'route new 192.0.4.0',
    'route deleted 192.0.4.0',
    'link deleted va',
  ])
    t.ok(told.includes(line), line)
  t.ok(told.indexOf('address new 10.0.0.3') < told.indexOf('address deleted 10.0.0.3'))
  t.ok(told.indexOf('route new 192.0.4.0') < told.indexOf('route deleted 192.0.4.0'))
})

t.test('messages that say nothing: other types, other families, too few octets', async t => {
  for (const type of [2, 3, 19, 31, 80, 9999])
    t.equal(
      wire.decodeRtnetlinkChange({ type, flags: 0, sequence: 0, payload: new Uint8Array(64) }),
      undefined,
      `type ${type}`,
    )
  for (const [decode, length] of [
    [wire.decodeNeighbor, 12],
    [wire.decodeRoute, 12],
    [wire.decodeLink, 16],
    [wire.decodeInterfaceAddress, 8],
  ] as const) {
    t.equal(decode(new Uint8Array(length - 1)), undefined, `${decode.name}: cut`)
    if (length < 16) t.equal(decode(new Uint8Array(64).fill(7, 0, 1)), undefined, `${decode.name}: AF_BRIDGE`)
  }
  t.equal(wire.decodeNeighbor(new Uint8Array(12).fill(2, 0, 1)), undefined, 'a neighbour without an address')
  const [link] = messages('link-kinds')
  const wireless = wire.encodeAttributes([{ type: 11, data: new Uint8Array(8) }])
  t.equal(wire.decodeLink(Uint8Array.of(...link!.payload, ...wireless)), undefined, "a wireless driver's event")
})

t.test('RTA_MULTIPATH and RTA_VIA: lengths that do not fit end the list', async t => {
  const hop = (length: number, ...rest: number[]): number[] => [length & 255, length >> 8, 0, 0, 9, 0, 0, 0, ...rest]
  t.same(wire.decodeNextHops(Uint8Array.from(hop(0))), [], 'length 0 would never end')
  t.same(wire.decodeNextHops(Uint8Array.from(hop(7))), [])
  t.same(wire.decodeNextHops(Uint8Array.from(hop(9))), [])
  t.same(wire.decodeNextHops(Uint8Array.from(hop(0xffff))), [])
  t.same(wire.decodeNextHops(Uint8Array.from([...hop(8), ...hop(9)])).length, 1)
  t.match(wire.decodeNextHops(Uint8Array.from(hop(14, 6, 0, 5, 0, 1, 2))), [{ gateway: '' }], 'a gateway of two octets')
  for (const via of [[], [10], [2, 0, 1, 2, 3], [7, 0, 1, 2, 3, 4], [10, 0, ...new Uint8Array(15)]])
    t.match(wire.decodeNextHops(Uint8Array.from(hop(12 + via.length, 4 + via.length, 0, 18, 0, ...via))), [
      { gateway: '' },
    ])
})

t.test('requests ask for what the filter says', capture, async t => {
  t.same(wire.encodeAddressRequest({ family: 6, interfaceIndex: 0x0102 }), Uint8Array.of(10, 0, 0, 0, 2, 1, 0, 0))
  const neighbor = wire.encodeNeighborRequest({ family: 4, interfaceIndex: 3 })
  t.equal(neighbor[0], 2)
  t.same(wire.decodeAttributes(neighbor.subarray(12)), [{ type: 8, data: Uint8Array.of(3, 0, 0, 0) }])
  const route = wire.encodeRouteRequest({ interfaceIndex: 3, table: 1000 })
  t.same(route.subarray(0, 12), new Uint8Array(12), 'both families')
  t.same(wire.decodeAttributes(route.subarray(12)), [
    { type: 4, data: Uint8Array.of(3, 0, 0, 0) },
    { type: 15, data: Uint8Array.of(0xe8, 3, 0, 0) },
  ])
  t.equal(wire.encodeNeighborRequest().length, 12)
})

t.test('netlink(7): the port of a sender', capture, async t => {
  const kernel = wire.encodeNetlinkAddress()
  t.equal(wire.decodeNetlinkPort(kernel), 0)
  t.equal(wire.decodeNetlinkPort(kernel.with(4, 7)), 7)
  t.equal(wire.decodeNetlinkPort(kernel.subarray(0, 11)), -1)
  t.equal(wire.decodeNetlinkPort(new Uint8Array(12)), -1, 'another family')
})

/** Whatever is in the value, it is text and numbers that others can use. */
function assertWellFormed(change: wire.RtnetlinkChange | undefined): void {
  if (change === undefined) return
  const texts: string[] = []
  if (change.kind === 'address') texts.push(change.value.address, change.value.peer || '::')
  if (change.kind === 'neighbor') texts.push(change.value.address)
  if (change.kind === 'route') {
    const { destination, source, preferredSource, nextHops } = change.value
    texts.push(destination, ...[source, preferredSource, ...nextHops.map(({ gateway }) => gateway)].filter(Boolean))
  }
  for (const text of texts) wire.parseAddress(text)
  for (const value of Object.values(change.value)) assert.ok(value !== null && !Number.isNaN(value))
}

t.test('every cut of every recorded datagram is read as far as it goes', async t => {
  let count = 0
  for (const datagram of NAMES.flatMap(datagrams)) {
    // All of them would be some million: the beginning octet by octet, the rest in steps.
    for (let length = 0; length < datagram.length; length += length < 300 ? 1 : 37) {
      const whole = wire.decodeNetlink(datagram.subarray(0, length))
      for (const message of whole) assertWellFormed(wire.decodeRtnetlinkChange(message))
      // A cut message is left out; the one before it is not.
      assert.ok(whole.length <= wire.decodeNetlink(datagram).length)
      count++
    }
  }
  t.ok(count > 1000)
})

t.test('every cut of the payload of a recorded message', async () => {
  for (const name of NAMES) {
    for (const message of messages(name)) {
      for (let length = 0; length <= message.payload.length; length++)
        assertWellFormed(wire.decodeRtnetlinkChange({ ...message, payload: message.payload.subarray(0, length) }))
    }
  }
})

t.test(
  'property: recorded messages with octets and lengths overwritten give a value or nothing, and never an exception',
  async () => {
    const all = NAMES.flatMap(messages).filter(({ payload }) => payload.length > 0)
    const edit = fc.record({
      at: fc.nat({ max: 4096 }),
      to: fc.oneof(fc.constantFrom(0, 1, 3, 4, 0xff), fc.nat({ max: 255 })),
    })
    fc.assert(
      fc.property(fc.nat({ max: all.length - 1 }), fc.array(edit, { minLength: 1, maxLength: 8 }), (index, edits) => {
        const { payload, ...message } = all[index]!
        const mutated = payload.slice()
        for (const { at, to } of edits) mutated[at % mutated.length] = to
        assertWellFormed(wire.decodeRtnetlinkChange({ ...message, payload: mutated }))
      }),
      { numRuns: 20_000 },
    )
  },
)

t.test('property: any octets of any type', async () => {
  const type = fc.integer({ min: 14, max: 32 })
  fc.assert(
    fc.property(type, fc.uint8Array({ maxLength: 200 }), (type, payload) => {
      assertWellFormed(wire.decodeRtnetlinkChange({ type, flags: 0, sequence: 0, payload }))
      wire.decodeNextHops(payload)
    }),
    { numRuns: 20_000 },
  )
})

t.test('property: attributes within attributes cost no more than their octets', async () => {
  // IFLA_LINKINFO holds attributes of its own; the deepest nesting there can be takes one level of it and no more.
  fc.assert(
    fc.property(fc.nat({ max: 200 }), depth => {
      let nested: Uint8Array = new Uint8Array()
      for (let level = 0; level < depth; level++) nested = wire.encodeAttributes([{ type: 18, data: nested }])
      const payload = Uint8Array.of(...new Uint8Array(16), ...nested)
      assert.equal(wire.decodeLink(payload)?.kind, '')
    }),
  )
})

t.test('property: decodeAttributes inverts encodeAttributes', async t => {
  const attribute = fc.record(
    { type: fc.nat({ max: 0x3fff }), data: fc.uint8Array({ maxLength: 40 }) },
    { noNullPrototype: true },
  )
  fc.assert(
    fc.property(fc.array(attribute), attributes => {
      assert.deepEqual(wire.decodeAttributes(wire.encodeAttributes(attributes)), attributes)
    }),
  )
  t.throws(() => wire.encodeAttributes([{ type: 1, data: new Uint8Array(65_532) }]), {
    name: 'RangeError',
    message: /^data: /,
  })
})
