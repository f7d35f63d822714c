/** Neighbor Discovery messages of RFC 4861 section 4, as octets and as values. */
import t from 'tap'
import * as wire from '@typemetal/arp-ndp/wire'
import { hex, METALLB } from './octets.js'
import { MESSAGE_CODECS } from './wire-arbitraries.js'
import { fault, mac } from './wire-samples.js'

t.test('RFC 4861 section 4.4: Neighbor Advertisements of the reference', async t => {
  for (const [name, solicited] of [
    ['solicitedAdvertisement', true],
    ['unsolicitedAdvertisement', false],
  ] as const) {
    const message = {
      router: false,
      solicited,
      override: !solicited,
      targetAddress: hex('20010db8000000000000000000000001'),
      options: [{ kind: 'target-link-layer-address', address: mac(1) }],
    } as const
    t.same(wire.encodeNeighborAdvertisement(message), hex(METALLB[name]), name)
    t.same(wire.decodeNeighborAdvertisement(hex(METALLB[name])), message, name)
  }
})

const LINK_LAYER = { kind: 'source-link-layer-address', address: mac(9) } as const
const MESSAGES = [
  {
    name: 'section 4.1: Router Solicitation',
    fixed: 8,
    decode: wire.decodeRouterSolicitation,
    octets: '85 00 0000 00000000 0101 020000000009',
    value: { options: [LINK_LAYER] },
    encode: () => wire.encodeRouterSolicitation({ options: [LINK_LAYER] }),
  },
  {
    name: 'section 4.2: Router Advertisement',
    fixed: 16,
    decode: wire.decodeRouterAdvertisement,
    octets: `86 00 0000 40 c0 0708 00007530 000003e8 0501 0000 000005dc
      03 04 40 c0 00015180 00003840 00000000 fd000010000000000000000000000000`,
    value: {
      currentHopLimit: 64,
      managed: true,
      other: true,
      homeAgent: false,
      preference: 'medium',
      proxy: false,
      routerLifetime: 1800,
      reachableTime: 30_000,
      retransTimer: 1000,
      options: [
        { kind: 'mtu', mtu: 1500 },
        {
          kind: 'prefix-information',
          prefixLength: 64,
          onLink: true,
          autonomous: true,
          routerAddress: false,
          dhcpv6PdPreferred: false,
          validLifetime: 86_400,
          preferredLifetime: 14_400,
          prefix: hex('fd000010000000000000000000000000'),
        },
      ],
    },
    encode: (value: unknown) => wire.encodeRouterAdvertisement(value as wire.RouterAdvertisement),
  },
  {
    name: 'section 4.3: Neighbor Solicitation',
    fixed: 24,
    decode: wire.decodeNeighborSolicitation,
    octets: '87 00 0000 00000000 20010db8000000000000000000000001 0101 020000000009 0b01 010203040506',
    value: {
      targetAddress: hex('20010db8000000000000000000000001'),
      options: [LINK_LAYER, { kind: 'unknown', type: 11, body: hex('010203040506') }],
    },
    encode: (value: unknown) => wire.encodeNeighborSolicitation(value as wire.NeighborSolicitation),
  },
  {
    name: 'section 4.4: Neighbor Advertisement',
    fixed: 24,
    decode: wire.decodeNeighborAdvertisement,
    octets: '88 00 0000 e0000000 20010db8000000000000000000000001 0201 020000000009',
    value: {
      router: true,
      solicited: true,
      override: true,
      targetAddress: hex('20010db8000000000000000000000001'),
      options: [{ kind: 'target-link-layer-address', address: mac(9) }],
    },
    encode: (value: unknown) => wire.encodeNeighborAdvertisement(value as wire.NeighborAdvertisement),
  },
  {
    name: 'section 4.5: Redirect',
    fixed: 40,
    decode: wire.decodeRedirect,
    octets: `89 00 0000 00000000 fe800000000000000000000000000001 20010db8000000000000000000000002
      0402 000000000000 6000000000000000`,
    value: {
      targetAddress: hex('fe800000000000000000000000000001'),
      destinationAddress: hex('20010db8000000000000000000000002'),
      options: [{ kind: 'redirected-header', packet: hex('6000000000000000') }],
    },
    encode: (value: unknown) => wire.encodeRedirect(value as wire.Redirect),
  },
] as const

for (const { name, fixed, decode, octets, value, encode } of MESSAGES) {
  t.test(`RFC 4861 ${name}`, async t => {
    const message = hex(octets)
    t.same(decode(message), value)
    t.same(encode(value), message)
    const whole = new Set<number>([fixed])
    for (let at = fixed; at < message.length; at += message[at + 1]! * 8) whole.add(at)
    for (let n = 0; n < message.length; n++) {
      if (whole.has(n)) t.doesNotThrow(() => decode(message.subarray(0, n)), `${n} octets end between options`)
      else t.throws(() => decode(message.subarray(0, n)), fault('truncated', n), `cut at ${n}`)
    }
    t.throws(() => decode(message.with(0, 1)), fault('bad-field', 0), 'another type')
    t.throws(() => decode(message.with(1, 1)), fault('bad-field', 1), 'Code other than 0')
    t.throws(() => decode(message.with(fixed + 1, 0)), fault('bad-length', fixed + 1), 'an option of length 0')
  })
}

t.test('RFC 4861 section 4: what is reserved is ignored when it comes, and sent as zeros', async t => {
  const target = '20010db8000000000000000000000001'
  for (const [dirty, clean] of [
    ['8500 0000 ffffffff', '8500 0000 00000000'],
    [
      '8600 0000 40 43 0708 00000000 00000000 0501 ffff 000005dc',
      '8600 0000 40 40 0708 00000000 00000000 0501 0000 000005dc',
    ],
    [`8700 0000 ffffffff ${target}`, `8700 0000 00000000 ${target}`],
    [`8800 0000 3fffffff ${target}`, `8800 0000 20000000 ${target}`],
    [
      `8900 0000 ffffffff ${target} ${target} 0401 ffffffffffff 1801 00 e7 00000000`,
      `8900 0000 00000000 ${target} ${target} 0401 000000000000 1801 00 00 00000000`,
    ],
  ] as const) {
    const codec = MESSAGE_CODECS.find(({ type }) => type === hex(dirty)[0])!
    t.same(codec.encode(codec.decode(hex(dirty))), hex(clean), codec.name)
  }
})

t.test('RFC 4861 section 4.2, RFC 6275, 4191, 4389: the flags of a Router Advertisement', async t => {
  const withFlags = (flags: number): Uint8Array => hex('8600 0000 40 00 0708 00007530 000003e8').with(5, flags)
  const none = { managed: false, other: false, homeAgent: false, preference: 'medium', proxy: false }
  for (const [flags, fields] of [
    [0x00, {}],
    [0x80, { managed: true }],
    [0x40, { other: true }],
    [0x20, { homeAgent: true }],
    [0x08, { preference: 'high' }],
    [0x18, { preference: 'low' }],
    [0x04, { proxy: true }],
    [0xec, { managed: true, other: true, homeAgent: true, preference: 'high', proxy: true }],
  ] as const) {
    const decoded = wire.decodeRouterAdvertisement(withFlags(flags))
    t.match(decoded, { ...none, ...fields }, flags.toString(16))
    t.same(wire.encodeRouterAdvertisement(decoded), withFlags(flags))
  }
  const reserved = wire.decodeRouterAdvertisement(withFlags(0x10))
  t.equal(reserved.preference, 'medium', 'RFC 4191 section 2.2: the reserved preference is taken as medium')
  t.same(wire.encodeRouterAdvertisement(reserved), withFlags(0))
})

t.test('RFC 4861 sections 7.1.1, 7.1.2, 8.1: multicast where it is forbidden', async t => {
  const target = `ff02${'00'.repeat(14)}`
  t.throws(() => wire.decodeNeighborSolicitation(hex(`8700 0000 00000000 ${target}`)), fault('multicast-target', 8))
  t.throws(() => wire.decodeNeighborAdvertisement(hex(`8800 0000 00000000 ${target}`)), fault('multicast-target', 8))
  const redirect = hex(`8900 0000 00000000 ${'20'.repeat(16)} ${target}`)
  t.throws(() => wire.decodeRedirect(redirect), fault('bad-field', 24))
})

t.test('wrong use by the caller is a RangeError that begins with the field', async t => {
  const refused = (action: () => unknown, field: string): void => {
    t.throws(action, RangeError, field)
    t.throws(action, { message: new RegExp(`^${field} `) }, field)
  }
  const small = new Uint8Array(3)
  const address = new Uint8Array(16)
  const options = [{ kind: 'mtu', mtu: 1500 }] as const
  const solicitation = { targetAddress: address, options }
  const advertisement = { router: false, solicited: false, override: true, targetAddress: address, options }
  const redirect = { targetAddress: address, destinationAddress: address, options }
  const router = wire.decodeRouterAdvertisement(hex('8600 0000 40 00 0708 00007530 000003e8'))
  refused(() => wire.encodeRouterSolicitation({ options }, new Uint8Array(15)), 'into')
  refused(() => wire.encodeNeighborSolicitation(solicitation, new Uint8Array(31)), 'into')
  refused(() => wire.encodeNeighborAdvertisement(advertisement, new Uint8Array(31)), 'into')
  refused(() => wire.encodeRedirect(redirect, new Uint8Array(47)), 'into')
  refused(() => wire.encodeRouterAdvertisement(router, new Uint8Array(15)), 'into')
  refused(() => wire.encodeNeighborSolicitation({ ...solicitation, targetAddress: small }), 'targetAddress')
  refused(() => wire.encodeNeighborAdvertisement({ ...advertisement, targetAddress: small }), 'targetAddress')
  refused(() => wire.encodeRedirect({ ...redirect, targetAddress: small }), 'targetAddress')
  refused(() => wire.encodeRedirect({ ...redirect, destinationAddress: small }), 'destinationAddress')
  for (const field of ['currentHopLimit', 'routerLifetime', 'reachableTime', 'retransTimer', 'preference']) {
    refused(() => wire.encodeRouterAdvertisement({ ...router, [field]: 2 ** 32 }), field)
  }
})
