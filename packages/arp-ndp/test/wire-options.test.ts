/** Options of Neighbor Discovery messages: RFC 4861 section 4.6, RFC 3971, 4191, 5175, 8106, 8781. */
import t from 'tap'
import * as wire from '@typemetal/arp-ndp/wire'
import { hex } from './octets.js'
import { fault, mac } from './wire-samples.js'

const decodeOne = (octets: string): wire.NdpOption | undefined => wire.decodeOptions(hex(octets), 0)[0]
function encodeOne(option: wire.NdpOption): Uint8Array {
  const octets = new Uint8Array(wire.optionsLength([option])).fill(0xee)
  wire.encodeOptions([option], octets)
  return octets
}

const RECORDS: readonly { readonly name: string; readonly octets: string; readonly value: wire.NdpOption }[] = [
  {
    name: 'RFC 4861 section 4.6.1: Source Link-Layer Address',
    octets: '0101 020000000009',
    value: { kind: 'source-link-layer-address', address: mac(9) },
  },
  {
    name: 'RFC 4861 section 4.6.1: Target Link-Layer Address, of a link whose addresses are longer',
    octets: `0203 ${'ab'.repeat(22)}`,
    value: { kind: 'target-link-layer-address', address: hex('ab'.repeat(22)) },
  },
  {
    name: 'RFC 4861 section 4.6.2, RFC 6275 section 7.2, RFC 9762 section 4: Prefix Information with all its flags',
    octets: '0304 40 f0 ffffffff 00003840 00000000 fd000010000000000000000000000001',
    value: {
      kind: 'prefix-information',
      prefixLength: 64,
      onLink: true,
      autonomous: true,
      routerAddress: true,
      dhcpv6PdPreferred: true,
      validLifetime: 0xffff_ffff,
      preferredLifetime: 14_400,
      prefix: hex('fd000010000000000000000000000001'),
    },
  },
  {
    name: 'RFC 4861 section 4.6.3: Redirected Header',
    octets: '0402 000000000000 60000000 00000000',
    value: { kind: 'redirected-header', packet: hex('6000000000000000') },
  },
  { name: 'RFC 4861 section 4.6.4: MTU', octets: '0501 0000 ffffffff', value: { kind: 'mtu', mtu: 0xffff_ffff } },
  {
    name: 'RFC 3971 section 5.3.2: Nonce',
    octets: '0e01 010203040506',
    value: { kind: 'nonce', nonce: hex('010203040506') },
  },
  {
    name: 'RFC 3971 section 5.3.2: a longer Nonce',
    octets: `0e02 ${'5a'.repeat(14)}`,
    value: { kind: 'nonce', nonce: hex('5a'.repeat(14)) },
  },
  ...[11, 12, 13].map(type => ({
    name: `RFC 3971 section 5: the option ${type} of SEND is carried`,
    octets: `0${type.toString(16)}02 ${'5a'.repeat(14)}`,
    value: { kind: 'unknown' as const, type, body: hex('5a'.repeat(14)) },
  })),
  {
    name: 'RFC 4191 section 2.3: a default route has no prefix',
    octets: '1801 00 00 00000e10',
    value: { kind: 'route-information', prefixLength: 0, preference: 'medium', lifetime: 3600, prefix: hex('') },
  },
  {
    name: 'RFC 4191 section 2.3: 8 octets of prefix do for 64 bits',
    octets: '1802 40 08 ffffffff 20010db800010000',
    value: {
      kind: 'route-information',
      prefixLength: 64,
      preference: 'high',
      lifetime: 0xffff_ffff,
      prefix: hex('20010db800010000'),
    },
  },
  {
    name: 'RFC 4191 section 2.3: 16 octets of prefix, also where fewer would do',
    octets: '1803 30 18 00000000 20010db8000100000000000000000000',
    value: {
      kind: 'route-information',
      prefixLength: 48,
      preference: 'low',
      lifetime: 0,
      prefix: hex('20010db8000100000000000000000000'),
    },
  },
  {
    name: 'RFC 5175 section 4: Flags Expansion',
    octets: '1a01 800000000001',
    value: { kind: 'flags-expansion', flags: hex('800000000001') },
  },
  {
    name: 'RFC 8106 section 5.1: one recursive DNS server',
    octets: '1903 0000 00000708 20010db8000000000000000000000053',
    value: { kind: 'recursive-dns-server', lifetime: 1800, servers: [hex('20010db8000000000000000000000053')] },
  },
  {
    name: 'RFC 8106 section 5.1: two of them, one link-local',
    octets: '1905 0000 00000000 20010db8000000000000000000000053 fe800000000000000000000000000053',
    value: {
      kind: 'recursive-dns-server',
      lifetime: 0,
      servers: [hex('20010db8000000000000000000000053'), hex('fe800000000000000000000000000053')],
    },
  },
  {
    name: 'RFC 8106 section 5.2: a search list, padded',
    octets: '1f04 0000 00000e10 076578616d706c6503636f6d00 03666f6f00 000000000000',
    value: { kind: 'dns-search-list', lifetime: 3600, domains: ['example.com', 'foo'] },
  },
  {
    name: 'RFC 8106 section 5.2: a search list without padding',
    octets: '1f02 0000 ffffffff 0163 0461626364 00',
    value: { kind: 'dns-search-list', lifetime: 0xffff_ffff, domains: ['c.abcd'] },
  },
  {
    name: 'RFC 8781 section 4: the well-known prefix for half an hour',
    octets: '2602 0708 0064ff9b 00000000 00000000',
    value: { kind: 'pref64', lifetime: 1800, prefixLength: 96, prefix: hex('0064ff9b0000000000000000') },
  },
  ...([64, 56, 48, 40, 32] as const).map((prefixLength, i) => ({
    name: `RFC 8781 section 4: Prefix Length Code ${i + 1}`,
    octets: `2602 fff${(8 + i + 1).toString(16)} 20010db8 00000000 00000000`,
    value: { kind: 'pref64', lifetime: 65_528, prefixLength, prefix: hex('20010db80000000000000000') } as const,
  })),
]

for (const { name, octets, value } of RECORDS) {
  t.test(name, async t => {
    t.same(decodeOne(octets), value)
    t.same(encodeOne(value), hex(octets))
    const whole = hex(octets)
    for (let n = 1; n < whole.length; n++) {
      t.throws(() => wire.decodeOptions(whole.subarray(0, n), 0), fault('truncated', n), `cut at ${n}`)
    }
    t.throws(() => wire.decodeOptions(whole.with(1, 0), 0), fault('bad-length', 1), 'section 4.6: length 0')
    t.throws(() => wire.decodeOptions(whole.with(1, 255), 0), fault('truncated', whole.length), 'beyond the end')
  })
}

for (const [name, octets, rule] of [
  ['RFC 4861 section 4.6.4: an MTU of 16 octets', '0502 0000 000005dc 0000000000000000', /not 8 octets/],
  ['RFC 4861 section 4.6.2: Prefix Information of 8 octets', '0301 000000000000', /not 32 octets/],
  ['RFC 4861 section 4.6.2: a prefix of 129 bits', `0304 81 00 ${'00'.repeat(28)}`, /above 128/],
  ['RFC 4191 section 2.3: a route of 32 octets', `1804 0000 ${'00'.repeat(28)}`, /above 24 octets/],
  ['RFC 4191 section 2.3: 64 bits without octets', '1801 40 00 00000000', /shorter than its prefix/],
  ['RFC 4191 section 2.3: 65 bits in 8 octets', '1802 41 00 00000000 20010db800000000', /shorter than its prefix/],
  ['RFC 4191 section 2.3: a prefix of 129 bits', `1803 81 00 ${'00'.repeat(20)}`, /above 128/],
  ['RFC 4191 section 2.3: the reserved preference', '1801 00 10 00000000', /reserved/],
  ['RFC 8106 section 5.3.1: RDNSS without a server', '1901 0000 00000708', /without a server/],
  ['RFC 8106 section 5.3.1: RDNSS with half a server', '1902 0000 00000708 20010db800000000', /half a server/],
  ['RFC 8106 section 5.3.1: a multicast server', `1903 0000 00000708 ff02${'00'.repeat(14)}`, /multicast/],
  ['RFC 8106 section 5.3.1: DNSSL of 8 octets', '1f01 0000 00000708', /without a domain/],
  ['RFC 8106 section 5.2: nothing but padding', '1f02 0000 00000708 0000000000000000', /without a domain/],
  ['RFC 8106 section 5.2: padded with ones', '1f02 0000 00000708 0163 00 0000000001', /other than zeros/],
  ['RFC 1035 section 3.1: a name that goes on behind the option', '1f02 0000 00000708 0761626364656667', /cut off/],
  ['RFC 1035 section 3.1: a label that goes on behind the option', '1f02 0000 00000708 3f61626364656667', /cut off/],
  ['RFC 8106 section 5.2: a compressed name', '1f02 0000 00000708 0163 c008 00000000', /compressed/],
  ['RFC 1035 section 4.1.4: a label type that is reserved', '1f02 0000 00000708 4163 0000 00000000', /compressed/],
  ['RFC 8781 section 4: PREF64 of 8 octets', '2601 0708 0064ff9b', /not 16 octets/],
  ['RFC 8781 section 4: PREF64 of 24 octets', `2603 0708 0064ff9b ${'00'.repeat(16)}`, /not 16 octets/],
  ['RFC 8781 section 4: Prefix Length Code 6', '2602 070e 0064ff9b 00000000 00000000', /Prefix Length Code/],
  ['RFC 8781 section 4: Prefix Length Code 7', '2602 070f 0064ff9b 00000000 00000000', /Prefix Length Code/],
] as const) {
  t.test(`${name} is malformed, and the options beside it are read`, async t => {
    const whole = hex(octets)
    const good = hex('0101 020000000009')
    const both = Uint8Array.from([...whole, ...good])
    const options = wire.decodeOptions(both, 0)
    t.match(options, [
      { kind: 'malformed', type: whole[0], rule },
      { kind: 'source-link-layer-address', address: mac(9) },
    ])
    t.same(options[0] && encodeOne(options[0]), whole, 'carried as it came')
    t.same(wire.linkLayerAddress(options, 'source-link-layer-address'), mac(9))
  })
}

t.test('RFC 4861 section 7.1.1: a solicitation with a bad option that has no business in it is processed', async t => {
  const target = '20010db8000000000000000000000001'
  const message = hex(`8700 0000 00000000 ${target} 0502 0000 000005dc 0000000000000000 0101 020000000009`)
  const { options } = wire.decodeNeighborSolicitation(message)
  t.same(wire.linkLayerAddress(options, 'source-link-layer-address'), mac(9))
  t.equal(wire.linkLayerAddress(options, 'target-link-layer-address'), undefined)
})

t.test('findOption: the first of a type, as octets; none behind a fault', async t => {
  const message = hex('ffff 0b01 000000000000 0e01 010203040506 0e01 060504030201 0e00 000000000000 0101 020000000009')
  t.same(wire.findOption(message, 2, wire.OptionType.Nonce), hex('0e01 010203040506'))
  t.equal(wire.findOption(message, 2, wire.OptionType.SourceLinkLayerAddress), undefined, 'behind length 0')
  t.equal(wire.findOption(message, 2, wire.OptionType.Mtu), undefined)
  t.equal(wire.findOption(message.subarray(0, 17), 2, wire.OptionType.Nonce), undefined, 'cut off')
  t.equal(wire.findOption(message.subarray(0, 11), 2, wire.OptionType.Nonce), undefined, 'cut off in its header')
})

t.test('RFC 1035 section 5.1: a domain name as text', async t => {
  const roundTrip = (label: string): readonly string[] => {
    const octets = hex(label)
    const option = new Uint8Array(Math.ceil((8 + octets.length) / 8) * 8)
    option.set([31, option.length / 8])
    option.set(octets, 8)
    const decoded = wire.decodeOptions(option, 0)[0]
    if (decoded?.kind !== 'dns-search-list') throw new Error(JSON.stringify(decoded))
    t.same(encodeOne(decoded), option, label)
    return decoded.domains
  }
  t.same(roundTrip('03 612e62 00'), ['a\\.b'], 'a dot inside a label')
  t.same(roundTrip('02 5c61 00'), ['\\\\a'])
  t.same(roundTrip('05 2000 7f ff 41 00'), ['\\032\\000\\127\\255A'], 'octets that do not print; case is kept')
  const domains = (...domains: string[]): Uint8Array => encodeOne({ kind: 'dns-search-list', lifetime: 0, domains })
  t.same(domains('example.com.'), domains('example.com'), 'a dot at the end')
  t.same(domains('\\e\\x\\097.c\\.om'), domains('exa.c\\046om'), 'characters that need no backslash')
  const longest = `${'a'.repeat(63)}.`.repeat(3) + 'b'.repeat(61)
  t.same(wire.decodeOptions(domains(longest), 0), [{ kind: 'dns-search-list', lifetime: 0, domains: [longest] }])
  for (const bad of [
    '',
    '.',
    'a..b',
    '.a',
    'a'.repeat(64),
    `${longest}b`,
    'bücher.example',
    'a\\',
    'a\\1',
    'a\\12x',
    '\\256',
    '\\é',
  ]) {
    t.throws(() => domains(bad), RangeError, JSON.stringify(bad))
  }
})

t.test('RFC 1035 section 2.3.4: a name of 256 octets is malformed, one of 255 is not', async t => {
  const option = (last: number): Uint8Array => {
    const labels = `3f${'61'.repeat(63)}`.repeat(3) + last.toString(16) + '62'.repeat(last) + '00'
    return hex(`1f21 0000 00000000 ${labels.padEnd(512, '0')}`)
  }
  t.match(wire.decodeOptions(option(61), 0), [{ kind: 'dns-search-list' }])
  t.match(wire.decodeOptions(option(62), 0), [{ kind: 'malformed', rule: /above 255/ }])
})

t.test('RFC 8781 section 4.1: a lifetime that is no multiple of 8 is rounded up', async t => {
  const lifetime = (lifetime: number): unknown =>
    wire.decodeOptions(encodeOne({ kind: 'pref64', lifetime, prefixLength: 96, prefix: new Uint8Array(12) }), 0)
  t.match(lifetime(1), [{ lifetime: 8 }])
  t.match(lifetime(65_521), [{ lifetime: 65_528 }])
  t.throws(() => lifetime(65_529), RangeError)
})

t.test('most and least that an option holds', async t => {
  const servers = (count: number): wire.NdpOption => ({
    kind: 'recursive-dns-server',
    lifetime: 1,
    servers: Array.from({ length: count }, (_, i) => Uint8Array.from({ length: 16 }, () => i)),
  })
  t.same(wire.decodeOptions(encodeOne(servers(127)), 0), [servers(127)], '2040 octets')
  t.throws(() => encodeOne(servers(128)), RangeError)
  t.throws(() => encodeOne(servers(0)), RangeError)
  t.throws(() => encodeOne({ kind: 'dns-search-list', lifetime: 1, domains: [] }), RangeError)
  const body = (length: number): wire.NdpOption => ({ kind: 'unknown', type: 253, body: new Uint8Array(length) })
  t.equal(encodeOne(body(2038)).length, 2040)
  t.throws(() => encodeOne(body(2039)), RangeError)
  t.same(encodeOne({ kind: 'source-link-layer-address', address: hex('01') }), hex('0101 010000000000'), 'padded')
})

t.test('wrong use by the caller is a RangeError that begins with the field', async t => {
  const refused = (option: wire.NdpOption, field: string, value: unknown): void => {
    const action = (): unknown => encodeOne({ ...option, [field]: value })
    t.throws(action, RangeError, `${option.kind} ${field}`)
    t.throws(action, { message: new RegExp(`^${field} `) }, `${option.kind} ${field}`)
  }
  const small = new Uint8Array(3)
  const valueOf = (kind: wire.NdpOption['kind']): wire.NdpOption =>
    RECORDS.find(({ value }) => value.kind === kind)!.value
  refused(valueOf('prefix-information'), 'prefix', small)
  refused(valueOf('prefix-information'), 'prefixLength', 129)
  refused(valueOf('prefix-information'), 'validLifetime', 2 ** 32)
  refused(valueOf('prefix-information'), 'preferredLifetime', -1)
  refused(valueOf('mtu'), 'mtu', 0.5)
  refused(valueOf('nonce'), 'nonce', small)
  refused(valueOf('nonce'), 'nonce', new Uint8Array(7))
  refused(valueOf('flags-expansion'), 'flags', small)
  refused(valueOf('route-information'), 'prefix', small)
  refused(valueOf('route-information'), 'prefix', new Uint8Array(24))
  refused(valueOf('route-information'), 'prefixLength', 1)
  refused(valueOf('route-information'), 'lifetime', -1)
  refused(valueOf('route-information'), 'preference', 'reserved')
  refused(valueOf('recursive-dns-server'), 'servers', [small])
  refused(valueOf('recursive-dns-server'), 'servers', [new Uint8Array(16).fill(0xff)])
  refused(valueOf('recursive-dns-server'), 'lifetime', 2 ** 32)
  refused(valueOf('dns-search-list'), 'lifetime', 2 ** 32)
  refused(valueOf('pref64'), 'prefix', small)
  refused(valueOf('pref64'), 'prefixLength', 95)
  refused(valueOf('unknown'), 'type', 256)
  t.throws(() => wire.encodeOptions([valueOf('mtu')], small), { message: /^into / })
})
