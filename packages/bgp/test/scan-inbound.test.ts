import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import t from 'tap'
import { LocRib, type AdjRibIn } from '@typemetal/bgp/rib'
import {
  encodeMessage,
  WireError,
  type FamilyName,
  type MessageContext,
  type PathAttributes,
} from '@typemetal/bgp/wire'
import type { Negotiated, RoleName } from '../dist/fsm/index.js'
import type { ImportSession } from '../dist/import.js'
import { formatAddress, formatPrefix } from '../dist/address.js'
import { Inbound } from '../dist/node/inbound.js'
import type { ImportPolicy } from '../dist/policy.js'
import type { RouteSource } from '../dist/route-source.js'
import { GOOD, hex, update } from './octets.js'
import { Announcer, assertEmpty, FAMILIES, source } from './rib-scene.js'
import { anyScannedContext, anyScannedOctets } from './scan-updates.js'

const POLICY_PEER = { name: 'peer', address: '10.0.0.1', asn: 64_513, internal: false }

interface Setting {
  readonly context?: Partial<MessageContext>
  readonly families?: readonly FamilyName[]
  readonly role?: RoleName | undefined
  readonly policy?: ImportPolicy
  readonly allowOwnAs?: number
  /** The whole way is taken, for somebody wants the UPDATEs. */
  readonly whole?: boolean
  readonly address?: string
}

/** A session that receives, and what has come of it. */
class Receiver {
  readonly rib = new LocRib<RouteSource>()
  readonly adjRibIn: AdjRibIn<RouteSource>
  readonly inbound: Inbound
  readonly events: string[] = []
  readonly failures: unknown[] = []

  constructor({
    context = {},
    families = FAMILIES,
    role,
    policy = 'accept',
    allowOwnAs = 0,
    whole = false,
    address = '10.0.0.1',
  }: Setting = {}) {
    const {
      fourOctetAs = true,
      internal = false,
      addPath = [],
      extendedMessage = false,
      extendedNextHop = [],
    } = context
    this.adjRibIn = new Announcer(this.rib, source(1, { internal })).adjRibIn
    const negotiated: Negotiated = {
      peerAsn: 64_513,
      peerBgpIdentifier: 1,
      internal,
      confederation: false,
      holdTime: 90,
      fourOctetAs,
      families,
      addPath: { receive: addPath, send: [] },
      extendedMessage,
      extendedNextHop,
      promised: { extendedMessage, extendedNextHop },
      routeRefresh: true,
      enhancedRouteRefresh: false,
      role,
      gracefulRestart: undefined,
      longLivedGracefulRestart: undefined,
      aigp: internal,
      bfdStrictMode: false,
      peerCapabilities: [],
    }
    const session: ImportSession = {
      asn: 64_512,
      peerAsn: 64_513,
      bgpIdentifier: 7,
      clusterId: 8,
      internal,
      allowOwnAs,
      role,
      policy,
      policyPeer: POLICY_PEER,
      policyFailed: error => this.failures.push(error),
    }
    this.inbound = new Inbound({
      address,
      localAddress: '192.0.2.1',
      negotiated,
      rib: this.rib,
      adjRibIn: this.adjRibIn,
      session,
      keeps: policy !== 'reject',
      handlers: {
        wantsUpdates: () => whole,
        update: () => {},
        fault: fault => this.events.push(fault.message),
        endOfRib: family => this.events.push(`End-of-RIB ${family}`),
        disabled: family => this.events.push(`disabled ${family}`),
      },
    })
  }

  /** @returns whether the session goes on */
  receive(octets: Uint8Array): boolean {
    try {
      this.inbound.receive(octets)
      return true
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      this.events.push(`reset: ${error.message}`)
      return false
    }
  }

  /** All paths in values, by prefix and Path Identifier. */
  paths(): Map<string, { received: PathAttributes; used: PathAttributes | undefined; nextHop: string }> {
    const { attributes } = this.rib
    const found = new Map<string, { received: PathAttributes; used: PathAttributes | undefined; nextHop: string }>()
    for (const family of FAMILIES) {
      const paths = this.rib.family(family)
      for (const path of this.adjRibIn.paths(family)) {
        const used = paths.attributes(path)
        found.set(`${formatPrefix(family, paths.prefixes.nlri(paths.prefixOf(path)))} ${paths.pathId(path)}`, {
          received: attributes.attributes(paths.received(path)),
          used: used === 0 ? undefined : attributes.attributes(used),
          nextHop: formatAddress(attributes.nextHop(paths.received(path))),
        })
      }
    }
    return found
  }
}

/** Messages back to back. */
function join(list: readonly Uint8Array[]): Uint8Array {
  const octets = new Uint8Array(list.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const one of list) {
    octets.set(one, at)
    at += one.length
  }
  return octets
}

const anyRole = fc.constantFrom<(RoleName | undefined)[]>(
  undefined,
  undefined,
  undefined,
  'provider',
  'rs',
  'rs-client',
  'customer',
  'peer',
)
/** Depends on nothing but the route. */
const policy: ImportPolicy = ({ prefix, attributes }) => {
  if (prefix.startsWith('32.1.')) return false
  if (attributes.multiExitDisc === undefined) return true
  return { localPref: 7, multiExitDisc: undefined, ...(prefix.includes('.') && { nextHop: '10.9.9.9' }) }
}

t.test('property: the quick way and the whole way leave the same Adj-RIB-In', async () => {
  const any = anyScannedContext.chain(context =>
    fc.record({
      context: fc.constant(context),
      families: fc.constantFrom<FamilyName[]>(['ipv4-unicast', 'ipv6-unicast'], ['ipv4-unicast'], ['ipv6-unicast']),
      role: context.internal ? fc.constant(undefined) : anyRole,
      policy: fc.constantFrom<ImportPolicy>('accept', 'accept', 'reject', policy),
      allowOwnAs: fc.nat({ max: 2 }),
      runs: fc.array(fc.array(anyScannedOctets(context, true), { minLength: 1, maxLength: 4 }), { maxLength: 5 }),
    }),
  )
  fc.assert(
    fc.property(any, ({ runs, ...setting }) => {
      const quick = new Receiver(setting)
      const whole = new Receiver({ ...setting, whole: true })
      for (const run of runs) {
        const goesOn = quick.receive(join(run))
        assert.equal(whole.receive(join(run)), goesOn)
        assert.deepEqual(quick.events, whole.events)
        assert.deepEqual(quick.paths(), whole.paths())
        assert.equal(quick.rib.size, whole.rib.size)
        if (!goesOn) break
      }
      quick.adjRibIn.close()
      whole.adjRibIn.close()
      assertEmpty(quick.rib)
      assertEmpty(whole.rib)
    }),
    { numRuns: 800 },
  )
})

const announce = (nlri: string, attributes = GOOD): Uint8Array => update(attributes, nlri)
const OTC = 'c02304 0000fde8'
/** Both ways, so that each test is of both. */
const WAYS = [
  { way: 'the quick way', whole: false },
  { way: 'the whole way', whole: true },
]

for (const { way, whole } of WAYS) {
  t.test(`RFC 9234 5: a leak is one, whatever stood in the row before (${way})`, async t => {
    const receiver = new Receiver({ role: 'provider', whole })
    receiver.receive(join([announce('080a'), update('', '', '080a'), announce('080b', GOOD + OTC)]))
    t.same([...receiver.paths().keys()], ['11.0.0.0/8 0'])
    t.equal(receiver.rib.size, 0, 'known, and not used')
  })

  t.test(`RFC 4271 9.1.2: a path with our own AS is kept and not used (${way})`, async t => {
    const looped = `40010100 400206 0201 0000fc00 4003040a000002`
    const strict = new Receiver({ whole })
    strict.receive(announce('080a', looped))
    t.equal(strict.adjRibIn.size(), 1)
    t.equal(strict.rib.size, 0)
    const lenient = new Receiver({ whole, allowOwnAs: 1 })
    lenient.receive(announce('080a', looped))
    t.equal(lenient.rib.size, 1)
  })

  t.test(`RFC 4456 8: what has been here before is kept and not used (${way})`, async t => {
    for (const been of ['80090400000007', '800a0800000009 00000008']) {
      const receiver = new Receiver({ whole, context: { internal: true } })
      receiver.receive(announce('080a', GOOD + been))
      t.same([receiver.adjRibIn.size(), receiver.rib.size], [1, 0])
    }
  })

  t.test(`RFC 4271 6.3: prefixes with our own address as next hop are taken as withdrawn (${way})`, async t => {
    const receiver = new Receiver({ whole })
    const ours = '40010100 400206 0201 0000fde8 400304c0000201'
    receiver.receive(join([announce('080a080b'), announce('080a', ours)]))
    t.same([...receiver.paths().keys()], ['11.0.0.0/8 0'])
    const same = new Receiver({ whole, address: '192.0.2.1' })
    same.receive(announce('080a', ours))
    t.equal(same.adjRibIn.size(), 1, 'unless both speakers have that address')
  })

  t.test(
    `RFC 4760 3: IPv6 prefixes with :: or a multicast address as next hop are taken as withdrawn (${way})`,
    async t => {
      const receiver = new Receiver({ whole })
      const reach = (nextHop: string, nlri: string): Uint8Array => {
        const value = `000201${(nextHop.length / 2).toString(16).padStart(2, '0')}${nextHop}00${nlri}`
        return update(`800e${(value.length / 2).toString(16).padStart(2, '0')}${value}4001010040020602010000fde8`, '')
      }
      const global = '20010db8'.padEnd(31, '0') + '9'
      receiver.receive(reach(`${global}fe80${'0'.repeat(27)}1`, '1020011020021020031020042020010db8'))
      t.equal(receiver.adjRibIn.size('ipv6-unicast'), 5)
      t.match([...receiver.paths().values()], [{ nextHop: '2001:db8::9' }])
      receiver.receive(
        join([reach('0'.repeat(32), '102001'), reach('ff02'.padEnd(32, '0'), '102002'), reach(global, '102003')]),
      )
      t.same([...receiver.paths().keys()].toSorted(), ['2001:db8::/32 0', '2003::/16 0', '2004::/16 0'])
    },
  )

  t.test(`RFC 7606 2: a family that cannot be read any longer is disabled, the other one goes on (${way})`, async t => {
    const receiver = new Receiver({ whole })
    const global = '20010db8'.padEnd(32, '0')
    const good = update(`800e1800020110${global}00102001${GOOD.slice(0, 8)}40020602010000fde8`, '')
    receiver.receive(join([good, announce('080a')]))
    t.equal(receiver.adjRibIn.size(), 2)
    const bad = update(`800e1800020110${global}00ff2001${GOOD.slice(0, 8)}40020602010000fde8`, '')
    t.ok(receiver.receive(join([bad, announce('080b'), good])))
    t.same([...receiver.inbound.disabled], ['ipv6-unicast'])
    t.same([receiver.adjRibIn.size('ipv4-unicast'), receiver.adjRibIn.size('ipv6-unicast')], [2, 0])
    t.ok(receiver.events.includes('disabled ipv6-unicast'))
    const only = new Receiver({ whole, families: ['ipv6-unicast'] })
    t.notOk(only.receive(bad), 'the last family takes the session with it')
  })

  t.test(`RFC 4724 2: End-of-RIB of each family, not of those that the session does not carry (${way})`, async t => {
    const receiver = new Receiver({ whole, families: ['ipv4-unicast'] })
    receiver.receive(join([announce('080a'), update('', ''), update('800f03000201', '')]))
    t.same(receiver.events, ['End-of-RIB ipv4-unicast'])
  })
}

t.test('RFC 6793 4.2.3: from a speaker with 2-octet AS numbers the path is that of AS4_PATH', async t => {
  const receiver = new Receiver({ context: { fourOctetAs: false } })
  const attributes =
    '40010100 400206 02025ba05ba0 4003040a000002 c0110602010003 0d40 c00706 5ba0 0a000001 c01208 00030d41 0a000002'
  receiver.receive(announce('080a', attributes))
  t.match(
    [...receiver.paths().values()],
    [
      {
        received: {
          asPath: [{ type: 2, asns: [0x5ba0, 200_000] }],
          aggregator: { asn: 200_001, bgpIdentifier: 0x0a000002 },
          as4Path: undefined,
          as4Aggregator: undefined,
        },
      },
    ],
  )
})

t.test(
  'RFC 8654: a path that is too long in 4-octet AS numbers withdraws its prefix, and the session goes on',
  async t => {
    const context = { fourOctetAs: false, internal: false, extendedMessage: true }
    const receiver = new Receiver({ context })
    const asns = Array.from({ length: 255 }, (_, i) => i + 1)
    const long: PathAttributes = {
      origin: 0,
      asPath: Array.from({ length: 100 }, () => ({ type: 2 as const, asns })),
      nextHop: hex('0a000002'),
    }
    const nlri = [{ length: 8, prefix: hex('0a') }]
    const octets = encodeMessage({ type: 'update', withdrawnRoutes: [], pathAttributes: long, nlri }, context)
    receiver.receive(announce('080a080b', '40010100 400204 0201fde9 4003040a000002'))
    t.equal(receiver.adjRibIn.size(), 2)
    t.ok(receiver.receive(octets))
    t.same([...receiver.paths().keys()], ['11.0.0.0/8 0'])
  },
)

t.test('RFC 4271 9.1.1: policy is asked again about everything', async t => {
  const receiver = new Receiver({ policy: ({ prefix }) => prefix !== '11.0.0.0/8' })
  receiver.receive(announce('080a080b080c'))
  t.same([receiver.adjRibIn.size(), receiver.rib.size], [3, 2])
  receiver.inbound.reconsider()
  t.same([receiver.adjRibIn.size(), receiver.rib.size], [3, 2])
  receiver.inbound.change(
    {
      asn: 64_512,
      peerAsn: 64_513,
      bgpIdentifier: 7,
      clusterId: 8,
      internal: false,
      allowOwnAs: 0,
      role: undefined,
      policy: ({ prefix }) => prefix === '11.0.0.0/8' && { asPath: [{ type: 2, asns: [9] }], localPref: 5 },
      policyPeer: POLICY_PEER,
      policyFailed: () => t.fail(),
    },
    true,
  )
  receiver.inbound.reconsider()
  t.same([receiver.adjRibIn.size(), receiver.rib.size], [3, 1])
  t.match(receiver.paths().get('11.0.0.0/8 0'), {
    used: { localPref: 5, asPath: [{ asns: [9] }] },
    received: { localPref: undefined },
  })
  receiver.adjRibIn.close()
  assertEmpty(receiver.rib)
})

t.test('RFC 4271 9.1.1: a policy that throws rejects the route, and that is said', async t => {
  const receiver = new Receiver({
    policy: ({ prefix }) => {
      if (prefix === '11.0.0.0/8') throw new Error('policy')
      return prefix === '12.0.0.0/8' ? { nextHop: 'nonsense' } : true
    },
  })
  t.ok(receiver.receive(announce('080a080b080c')))
  t.match(receiver.failures, [{ message: 'policy' }, RangeError])
  t.same([receiver.adjRibIn.size(), receiver.rib.size], [3, 1])
  receiver.adjRibIn.close()
  assertEmpty(receiver.rib)
})
