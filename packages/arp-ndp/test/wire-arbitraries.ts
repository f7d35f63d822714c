/** Values of every shape that the codecs write, for property tests, fuzzing and a second implementation to read. */
import * as fc from 'fast-check'
import * as wire from '@typemetal/arp-ndp/wire'

/** Ordinary objects, which deepEqual tells from those without a prototype. */
const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(model, { noNullPrototype: true })

/** So many octets. */
export const octets = (length: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: length, maxLength: length })
const octet = fc.nat({ max: 0xff })
const word = fc.nat({ max: 0xffff })
const longWord = fc.nat({ max: 0xffff_ffff })
const preference = fc.constantFrom<wire.RouterPreference>('high', 'medium', 'low')
/** What fills options of 8, 16, 24 … octets. */
const wholeUnits = fc.constantFrom(6, 14, 22).chain(octets)
/** An address where multicast is forbidden. */
const unicast = octets(16).map(address => (address[0] === 0xff ? address.fill(0x20, 0, 1) : address))

const vlanTag = record<wire.VlanTag>({
  tpid: fc.constantFrom(0x8100, 0x88a8, 0x9100),
  priority: fc.nat({ max: 7 }),
  dropEligible: fc.boolean(),
  vlanId: fc.nat({ max: 4095 }),
})

export const anyEthernet = record<wire.EthernetFrame>({
  destination: octets(6),
  source: octets(6),
  tags: fc.array(vlanTag, { maxLength: 3 }),
  etherType: word.filter(type => type >= 0x0600 && !wire.isVlanTag(type)),
  payload: fc.uint8Array({ maxLength: 100 }),
})

export const anyArp = record<wire.ArpPacket>({
  operation: word,
  senderHardwareAddress: octets(6),
  senderProtocolAddress: octets(4),
  targetHardwareAddress: octets(6),
  targetProtocolAddress: octets(4),
})

export const anyIpv6 = record<wire.Ipv6Packet>({
  trafficClass: octet,
  flowLabel: fc.nat({ max: 0xfffff }),
  nextHeader: octet,
  hopLimit: octet,
  source: octets(16),
  destination: octets(16),
  payload: fc.uint8Array({ maxLength: 100 }),
})

/** A label's octets as RFC 1035 §5.1 writes them. */
const label = fc
  .uint8Array({ minLength: 1, maxLength: 20 })
  .map(octets => Array.from(octets, octet => textOf(octet)).join(''))
const textOf = (octet: number): string => {
  const character = String.fromCharCode(octet)
  if (character === '.' || character === '\\') return `\\${character}`
  return octet > 0x20 && octet < 0x7f ? character : `\\${String(octet).padStart(3, '0')}`
}
const domain = fc.array(label, { minLength: 1, maxLength: 5 }).map(labels => labels.join('.'))

/** One of each kind; `malformed` ones come from octets only. */
export const anyOption: fc.Arbitrary<wire.NdpOption> = fc.oneof(
  record<wire.LinkLayerAddressOption>({
    kind: fc.constantFrom('source-link-layer-address' as const, 'target-link-layer-address' as const),
    address: wholeUnits,
  }),
  record<wire.PrefixInformationOption>({
    kind: fc.constant('prefix-information' as const),
    prefixLength: fc.nat({ max: 128 }),
    onLink: fc.boolean(),
    autonomous: fc.boolean(),
    routerAddress: fc.boolean(),
    dhcpv6PdPreferred: fc.boolean(),
    validLifetime: longWord,
    preferredLifetime: longWord,
    prefix: octets(16),
  }),
  record<wire.RedirectedHeaderOption>({
    kind: fc.constant('redirected-header' as const),
    packet: fc.constantFrom(0, 8, 64).chain(octets),
  }),
  record<wire.MtuOption>({ kind: fc.constant('mtu' as const), mtu: longWord }),
  record<wire.NonceOption>({ kind: fc.constant('nonce' as const), nonce: wholeUnits }),
  fc.constantFrom(0, 8, 16).chain(length =>
    record<wire.RouteInformationOption>({
      kind: fc.constant('route-information' as const),
      prefixLength: fc.nat({ max: length * 8 }),
      preference,
      lifetime: longWord,
      prefix: octets(length),
    }),
  ),
  record<wire.RecursiveDnsServerOption>({
    kind: fc.constant('recursive-dns-server' as const),
    lifetime: longWord,
    servers: fc.array(unicast, { minLength: 1, maxLength: 3 }),
  }),
  record<wire.FlagsExpansionOption>({ kind: fc.constant('flags-expansion' as const), flags: wholeUnits }),
  record<wire.DnsSearchListOption>({
    kind: fc.constant('dns-search-list' as const),
    lifetime: longWord,
    domains: fc.array(domain, { minLength: 1, maxLength: 3 }),
  }),
  record<wire.Pref64Option>({
    kind: fc.constant('pref64' as const),
    lifetime: fc.nat({ max: 8191 }).map(scaled => scaled * 8),
    prefixLength: fc.constantFrom(96, 64, 56, 48, 40, 32),
    prefix: octets(12),
  }),
  record<wire.UnknownOption>({
    kind: fc.constant('unknown' as const),
    type: fc.constantFrom(0, 7, 8, 11, 12, 13, 37, 253, 254, 255),
    body: wholeUnits,
  }),
)

const options = fc.array(anyOption, { maxLength: 4 })

export const anyRouterSolicitation = record<wire.RouterSolicitation>({ options })
export const anyRouterAdvertisement = record<wire.RouterAdvertisement>({
  currentHopLimit: octet,
  managed: fc.boolean(),
  other: fc.boolean(),
  homeAgent: fc.boolean(),
  preference,
  proxy: fc.boolean(),
  routerLifetime: word,
  reachableTime: longWord,
  retransTimer: longWord,
  options,
})
export const anyNeighborSolicitation = record<wire.NeighborSolicitation>({ targetAddress: unicast, options })
export const anyNeighborAdvertisement = record<wire.NeighborAdvertisement>({
  router: fc.boolean(),
  solicited: fc.boolean(),
  override: fc.boolean(),
  targetAddress: unicast,
  options,
})
export const anyRedirect = record<wire.Redirect>({ targetAddress: octets(16), destinationAddress: unicast, options })

/** The codec of one Neighbor Discovery message, the type of its value left out. */
export interface MessageCodec {
  readonly name: string
  /** ICMPv6 type. */
  readonly type: number
  readonly any: fc.Arbitrary<unknown>
  readonly decode: (octets: Uint8Array) => unknown
  readonly encode: (value: unknown, into?: Uint8Array) => Uint8Array
  readonly length: (value: unknown) => number
}

function codec<T>(
  name: string,
  type: number,
  any: fc.Arbitrary<T>,
  decode: (octets: Uint8Array) => T,
  encode: (value: T, into?: Uint8Array) => Uint8Array,
  length: (value: T) => number,
): MessageCodec {
  return {
    name,
    type,
    any,
    decode,
    encode: (value, into) => encode(value as T, into),
    length: value => length(value as T),
  }
}

/** All five messages of RFC 4861 §4. */
export const MESSAGE_CODECS: readonly MessageCodec[] = [
  codec(
    'Router Solicitation',
    133,
    anyRouterSolicitation,
    wire.decodeRouterSolicitation,
    wire.encodeRouterSolicitation,
    wire.routerSolicitationLength,
  ),
  codec(
    'Router Advertisement',
    134,
    anyRouterAdvertisement,
    wire.decodeRouterAdvertisement,
    wire.encodeRouterAdvertisement,
    wire.routerAdvertisementLength,
  ),
  codec(
    'Neighbor Solicitation',
    135,
    anyNeighborSolicitation,
    wire.decodeNeighborSolicitation,
    wire.encodeNeighborSolicitation,
    wire.neighborSolicitationLength,
  ),
  codec(
    'Neighbor Advertisement',
    136,
    anyNeighborAdvertisement,
    wire.decodeNeighborAdvertisement,
    wire.encodeNeighborAdvertisement,
    wire.neighborAdvertisementLength,
  ),
  codec('Redirect', 137, anyRedirect, wire.decodeRedirect, wire.encodeRedirect, wire.redirectLength),
]
