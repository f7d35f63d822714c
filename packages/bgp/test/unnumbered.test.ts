/** Who is at the other end of an interface: the decisions and the messages, without a socket. */
import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import t from 'tap'
import { Discovery, type DiscoveryAction } from '../dist/node/unnumbered/discovery.js'
import { decodeNdpOptions, encodeNdpOptions, NdpOptionType } from '../dist/node/unnumbered/ndp-option.js'
import {
  decodeRouterAdvertisement,
  encodeRouterAdvertisement,
  type RouterAdvertisement,
} from '../dist/node/unnumbered/router-advertisement.js'
import { decodeRouterSolicitation, encodeRouterSolicitation } from '../dist/node/unnumbered/router-solicitation.js'
import { hex } from './octets.js'

const PLAIN: RouterAdvertisement = {
  currentHopLimit: 64,
  flags: 0xc0,
  routerLifetime: 0,
  reachableTime: 0,
  retransTimer: 0,
  options: [],
}
const MAC = { type: NdpOptionType.SourceLinkLayerAddress, value: hex('02 00 00 00 00 0b') }
/** As FRR 8.4 sends it on an unnumbered interface. */
const FROM_FRR = hex('86 00 00 00  40 00 00 00  00 00 00 00  00 00 00 00  01 01 02 00 00 00 00 0b')

t.test('RFC 4861 section 4.2: Router Advertisement', async t => {
  const message = { ...PLAIN, flags: 0, options: [MAC] }
  t.same(decodeRouterAdvertisement(FROM_FRR), message)
  t.same(encodeRouterAdvertisement(message), FROM_FRR)
})

t.test('RFC 4861 section 4.1: Router Solicitation', async t => {
  const message = hex('85 00 00 00  00 00 00 00  01 01 02 00 00 00 00 0b')
  t.same(decodeRouterSolicitation(message), { options: [MAC] })
  t.same(encodeRouterSolicitation({ options: [MAC] }), message)
})

t.test(
  'RFC 4861 sections 6.1.1 and 6.1.2: every cut of a message, and options of length zero, are discarded',
  async t => {
    for (let length = 0; length < FROM_FRR.length; length++) {
      const cut = decodeRouterAdvertisement(FROM_FRR.subarray(0, length))
      t.equal(cut === undefined, length !== 16, `${length} octets`)
    }
    t.equal(decodeRouterAdvertisement(hex('86 01 00 00  40 00 00 00  00 00 00 00  00 00 00 00')), undefined, 'code 1')
    t.equal(decodeRouterSolicitation(hex('85 00 00 00  00 00 00 00  01 00 00 00 00 00 00 00')), undefined)
    t.equal(decodeRouterSolicitation(hex('85 00 00 00  00 00 00')), undefined)
    t.equal(decodeRouterSolicitation(hex('85 01 00 00  00 00 00 00')), undefined)
  },
)

t.test('RFC 4861 section 4.6: options we do not know are carried; decode inverts encode', async () => {
  const value = fc.nat(254).chain(units => fc.uint8Array({ minLength: units * 8 + 6, maxLength: units * 8 + 6 }))
  const option = fc.record({ type: fc.nat(255), value }, { noNullPrototype: true })
  fc.assert(
    fc.property(fc.array(option, { maxLength: 4 }), options => {
      assert.deepEqual(decodeNdpOptions(encodeNdpOptions(options)), options)
    }),
  )
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), any => {
      decodeRouterAdvertisement(any)
      decodeRouterSolicitation(any)
      decodeNdpOptions(any)
    }),
  )
  assert.throws(() => encodeNdpOptions([{ type: 1, value: new Uint8Array(2039) }]), RangeError)
})

const OURS = 'fe80::1'
const THEIRS = 'fe80::2'
const OTHER = 'fe80::3'

/** A {@link Discovery} on a clock of its own. */
class Link {
  readonly discovery = new Discovery({ interface: 'eth0', ownAddresses: [OURS], random: () => 1 })
  readonly log: string[] = []
  now = 1000

  constructor() {
    this.#note(this.discovery.start(this.now))
  }

  hears(data: Uint8Array, source: string, hopLimit = 255): readonly string[] {
    return this.#note(this.discovery.handle({ data, source, hopLimit }, this.now))
  }

  advertises(source: string, message: Partial<RouterAdvertisement> = {}): readonly string[] {
    return this.hears(encodeRouterAdvertisement({ ...PLAIN, ...message }), source)
  }

  /** Lets time pass, with what others do in it. */
  passes(ms: number, answer: () => void = () => {}): readonly string[] {
    const end = this.now + ms
    const before = this.log.length
    while (this.discovery.nextTimeout <= end) {
      this.now = this.discovery.nextTimeout
      const said = this.#note(this.discovery.handleTimeout(this.now))
      if (said.some(line => line.includes('solicit'))) answer()
    }
    this.now = end
    return this.log.slice(before)
  }

  #note(actions: readonly DiscoveryAction[]): readonly string[] {
    const lines = actions.map(action => {
      if (action.type === 'discarded') return action.why
      return `${this.now / 1000 - 1}s ${action.type}${action.type === 'advertise' ? ` ${action.to}` : ''}`
    })
    this.log.push(...lines)
    return lines
  }
}

t.test('RFC 4861 section 6.2.4: fast at first, then every 7.5 to 10 s; section 6.3.7: solicitations', async t => {
  const link = new Link()
  link.passes(21_000)
  t.same(
    link.log.filter(line => line.includes('advertise')),
    ['0s', '3s', '6s', '13.5s', '21s'].map(at => `${at} advertise ff02::1`),
  )
  t.same(
    link.log.filter(line => line.includes('solicit')),
    ['0s', '4s', '8s', '18s'].map(at => `${at} solicit`),
  )
  t.same(link.discovery.neighbor, { reason: 'no router advertisement on eth0 yet' })
})

t.test(
  'RFC 4861 section 6.3.4: the router that advertises itself is the neighbour, and hears of us at once',
  async t => {
    const link = new Link()
    t.same(link.hears(FROM_FRR, THEIRS), [`0s advertise ${THEIRS}`])
    t.same(link.discovery.neighbor, { address: THEIRS })
    t.same(link.hears(FROM_FRR, THEIRS), [], 'once')
  },
)

t.test('RFC 4861 section 6.1.2: what does not come from a router on this link is discarded', async t => {
  const link = new Link()
  t.same(link.hears(FROM_FRR, THEIRS, 254), ['hop limit 254'])
  t.same(link.hears(FROM_FRR, '2001:db8::1'), ['router advertisement from an address that is not link-local'])
  t.same(link.hears(FROM_FRR.subarray(0, 20), THEIRS), ['malformed router advertisement'])
  t.same(link.hears(hex('88 00 00 00'), THEIRS), ['neither advertisement nor solicitation'])
  t.same(link.advertises(OURS), [], 'our own')
  t.same(link.discovery.neighbor, { reason: 'no router advertisement on eth0 yet' })
})

t.test(
  'RFC 4861 section 6.2.6: a solicitation is answered within half a second, to its sender where it has one',
  async t => {
    const link = new Link()
    link.passes(6000)
    const solicitation = encodeRouterSolicitation({ options: [] })
    link.hears(solicitation, THEIRS)
    t.same(link.passes(500), [`6.5s advertise ${THEIRS}`])
    link.hears(solicitation, '::')
    t.same(
      link.passes(2500, () => {}).filter(line => line.includes('advertise')),
      ['9s advertise ff02::1'],
      '3 s after the last',
    )
    t.same(link.hears(encodeRouterSolicitation({ options: [MAC] }), '::'), [
      'router solicitation from nowhere with a link-layer address',
    ])
    t.same(link.hears(solicitation.subarray(0, 7), THEIRS), ['malformed router solicitation'])
    for (let i = 0; i < 100; i++) link.hears(solicitation, `fe80::${i + 16}`)
    t.equal(link.passes(500).filter(line => /advertise fe80/.test(line)).length, 8, 'a flood of them costs nothing')
  },
)

t.test('RFC 4861 section 6.3.5: a neighbour that is silent is solicited, and then it is gone', async t => {
  const link = new Link()
  link.passes(10_000)
  link.advertises(THEIRS)
  const solicitations = link.passes(36_999).filter(line => line.includes('solicit'))
  t.same(
    solicitations,
    ['22s', '26s', '30s', '34s', '38s', '42s', '46s'].map(at => `${at} solicit`),
  )
  t.same(link.discovery.neighbor, { address: THEIRS })
  link.passes(1)
  t.same(link.discovery.neighbor, { reason: 'no router advertisement on eth0 any more' })
  link.advertises(THEIRS)
  link.passes(100_000, () => link.advertises(THEIRS))
  t.same(link.discovery.neighbor, { address: THEIRS }, 'one that answers stays')
})

t.test('RFC 4861 section 6.2.1, RFC 6275 section 7.3: a router that advertises rarely lives longer', async t => {
  const interval = { type: NdpOptionType.AdvertisementInterval, value: hex('00 00 00 00 ea 60') }
  for (const { message, lifetime } of [
    { message: { routerLifetime: 1800 }, lifetime: 1_800_000 },
    { message: { options: [interval] }, lifetime: 180_000 },
    { message: { options: [{ ...interval, value: new Uint8Array(0) }] }, lifetime: 37_000 },
  ]) {
    const link = new Link()
    link.advertises(THEIRS, message)
    link.passes(lifetime - 1)
    t.same(link.discovery.neighbor, { address: THEIRS })
    link.passes(1)
    t.match(link.discovery.neighbor, { reason: /any more/ })
  }
})

t.test('several routers on the link: none is the neighbour, until all but one are silent', async t => {
  const link = new Link()
  link.advertises(THEIRS, { routerLifetime: 1800 })
  link.passes(60_000)
  link.advertises(OTHER)
  const reason = '2 routers on eth0 (fe80::2, fe80::3): an unnumbered peer must be the only one'
  t.same(link.discovery.neighbor, { reason })
  const both = (): void => {
    for (const source of [THEIRS, OTHER]) link.advertises(source)
  }
  link.passes(60_000, both)
  t.same(link.discovery.neighbor, { reason })
  link.passes(20_000, () => link.advertises(OTHER))
  t.same(link.discovery.neighbor, { address: OTHER })
  for (let i = 16; i < 100; i++) link.advertises(`fe80::${i}`)
  t.match(link.discovery.neighbor, { reason: /^8 routers on eth0/ }, 'a flood of them costs nothing')
})
