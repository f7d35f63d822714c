/** What a speaker makes of the routes of one peer on their way to others: RFC 4271 section 9.1.3 and what has been added to it. */
import t from 'tap'
import {
  BgpSpeaker,
  formatCommunities,
  type BgpSpeakerOptions,
  type PathAttributes,
  type Peer,
  type PeerOptions,
  type Route,
} from '@typemetal/bgp'
import { TestClock } from './clock.js'
import { createRouter, established, LOCAL, until, type Router } from './speakers.js'

const HUB_AS = 64_512

/** A neighbour of the hub: a speaker of ours on an address of its own. */
interface Neighbor extends AsyncDisposable {
  readonly speaker: BgpSpeaker
  /** The hub, as it sees it. */
  readonly hub: Peer
  /** Itself, as the hub sees it. */
  readonly peer: Peer
  /** What it is told: attributes by prefix, before its own policy. */
  readonly told: () => Map<string, PathAttributes>
}

interface NeighborOptions {
  readonly asn: number
  /** What the hub has for it. */
  readonly peer?: Partial<PeerOptions>
  /** What it has for the hub. */
  readonly hub?: Partial<PeerOptions>
  readonly speaker?: Partial<BgpSpeakerOptions>
}

let addresses = 0

/** Connects a neighbour to a hub, which passes on to it what it has learned. */
async function connect(router: Router, options: NeighborOptions): Promise<Neighbor> {
  const address = `127.0.2.${++addresses}`
  const { asn } = options
  const peer = router.speaker.addPeer({ address, asn, passive: true, propagate: true, ...options.peer })
  const speaker = new BgpSpeaker({ asn, bgpIdentifier: address, ...options.speaker })
  const remoteAs = asn === HUB_AS ? 'internal' : 'external'
  const hub = speaker.addPeer({
    address: LOCAL,
    port: router.port,
    asn: remoteAs,
    sourceAddress: address,
    ...options.hub,
  })
  await established(peer, hub)
  return {
    speaker,
    hub,
    peer,
    told: () => new Map([...hub.adjRibIn()].map(({ prefix, attributes }) => [prefix, attributes])),
    [Symbol.asyncDispose]: () => speaker.close(),
  }
}

const createHub = (options: Partial<BgpSpeakerOptions> = {}): Promise<Router> =>
  createRouter({ asn: HUB_AS, bgpIdentifier: '10.0.0.1', ...options })

/** A route that all are told comes last: what has not come before it does not come. */
const LAST = '203.0.113.0/24'

/** Announces from one side, and waits until all have heard the last of it. */
async function announce(from: Neighbor, to: readonly Neighbor[], routes: readonly Route[]): Promise<void> {
  from.hub.setRoutes([...routes, { prefix: LAST }])
  await until(() => to.every(neighbor => neighbor.told().has(LAST)), `${LAST} everywhere`)
}

const sequence = (...asns: readonly number[]) => ({ type: 2, asns })

t.test('RFC 4271 5.1: next hop, LOCAL_PREF and MED to an external and an internal peer', async t => {
  await using hub = await createHub()
  await using from = await connect(hub, { asn: 64_513 })
  await using outside = await connect(hub, { asn: 64_514 })
  await using inside = await connect(hub, { asn: HUB_AS })
  await using unchanged = await connect(hub, { asn: 64_515, peer: { nextHop: 'unchanged' } })
  await using self = await connect(hub, { asn: HUB_AS, peer: { nextHop: 'self' } })
  const route = { prefix: '192.0.2.0/24', nextHop: '10.9.9.9', multiExitDisc: 5 }
  await announce(from, [outside, inside, unchanged, self], [route])
  const hops = [outside, inside, unchanged, self].map(({ hub: peer }) =>
    [...peer.adjRibIn()].filter(({ prefix }) => prefix === route.prefix).map(({ nextHop }) => nextHop),
  )
  t.same(hops, [[LOCAL], ['10.9.9.9'], ['10.9.9.9'], [LOCAL]], 'RFC 4271 5.1.3')
  const external = outside.told().get(route.prefix)
  const internal = inside.told().get(route.prefix)
  t.same(external?.asPath, [sequence(HUB_AS, 64_513)])
  t.same(internal?.asPath, [sequence(64_513)])
  t.same([external?.localPref, internal?.localPref], [undefined, 100], 'RFC 4271 5.1.5')
  t.same([external?.multiExitDisc, internal?.multiExitDisc], [undefined, 5], 'RFC 4271 5.1.4')
  t.notOk(from.told().has(route.prefix), 'not back to where it came from')
})

t.test(
  'RFC 4271 5: attributes that we do not know: transitive ones go on with the Partial bit, others end here',
  async t => {
    await using hub = await createHub()
    await using from = await connect(hub, { asn: 64_513 })
    await using to = await connect(hub, { asn: 64_514 })
    const value = Uint8Array.of(1, 2, 3)
    const unknown = [
      { code: 200, flags: 0xc0, value },
      { code: 201, flags: 0x80, value },
    ]
    await announce(from, [to], [{ prefix: '192.0.2.0/24', attributes: { unknown } }])
    t.match(to.told().get('192.0.2.0/24')?.unknown, [{ code: 200, flags: 0xe0, value }])
    t.equal(to.told().get('192.0.2.0/24')?.unknown?.length, 1)
  },
)

t.test('RFC 4271 9.1.2: allowOwnAs lets a path be used that has been here', async t => {
  await using hub = await createHub()
  await using from = await connect(hub, { asn: 64_513, peer: { allowOwnAs: 1 } })
  await using to = await connect(hub, { asn: 64_514 })
  await announce(
    from,
    [to],
    [
      { prefix: '192.0.2.0/24', asPath: [HUB_AS] },
      { prefix: '192.0.3.0/24', asPath: [HUB_AS, HUB_AS] },
    ],
  )
  t.same([...to.told().keys()].toSorted(), ['192.0.2.0/24', LAST])
})

t.test('RFC 4271 9.2.1.1: MinRouteAdvertisementInterval', async t => {
  const clock = new TestClock()
  await using hub = await createHub({ clock, random: () => 1 })
  await using from = await connect(hub, { asn: 64_513 })
  await using to = await connect(hub, { asn: 64_514, peer: { minRouteAdvertisementInterval: 30 } })
  await using other = await connect(hub, { asn: 64_515 })
  await announce(from, [to], [])
  from.hub.announce({ prefix: '192.0.2.0/24' })
  await until(() => hub.routes.has('192.0.2.0/24'), 'learned')
  from.hub.announce({ prefix: '192.0.3.0/24' })
  await until(() => hub.routes.has('192.0.3.0/24'), 'learned')
  await until(() => other.told().has('192.0.3.0/24'), 'told to who has no such interval')
  t.notOk(to.told().has('192.0.3.0/24'), 'held back')
  const { updatesSent } = to.peer.counters
  clock.advance(30_000)
  await until(() => to.told().has('192.0.3.0/24'), 'told when the interval is over')
  t.ok(to.told().has('192.0.2.0/24'))
  t.equal(to.peer.counters.updatesSent, updatesSent + 1, 'in one UPDATE')
})

t.test('RFC 1997: well-known communities of learned routes', async t => {
  await using hub = await createHub()
  await using from = await connect(hub, { asn: 64_513 })
  await using outside = await connect(hub, { asn: 64_514 })
  await using inside = await connect(hub, { asn: HUB_AS })
  const texts = ['no-export', 'no-advertise', 'no-export-subconfed', '64513:1']
  const routes = texts.map((community, i) => ({ prefix: `192.0.${i}.0/24`, communities: [community] }))
  await announce(from, [outside, inside], routes)
  const heard = ({ told }: Neighbor) => [...told().values()].flatMap(formatCommunities).toSorted()
  t.same(heard(outside), ['64513:1'])
  t.same(heard(inside), ['64513:1', 'no-export', 'no-export-subconfed'])
  hub.speaker.announce({ prefix: '192.0.9.0/24', communities: ['no-export', 'no-advertise'] })
  await until(() => outside.told().has('192.0.9.0/24'), 'what we attach ourselves is for the receiver to heed')
})

t.test('RFC 4360 section 6: non-transitive extended communities end at the border of the AS', async t => {
  await using hub = await createHub()
  await using from = await connect(hub, { asn: 64_513 })
  await using outside = await connect(hub, { asn: 64_514 })
  await using inside = await connect(hub, { asn: HUB_AS })
  const route = { prefix: '192.0.2.0/24', communities: ['link-bandwidth:64513:1000', 'rt:64513:1'] }
  await announce(from, [outside, inside], [route])
  const heard = ({ told }: Neighbor) => formatCommunities(told().get(route.prefix) ?? {})
  t.same(heard(outside), ['rt:64513:1'])
  t.same(heard(inside), route.communities)
  hub.speaker.announce({ prefix: '192.0.3.0/24', communities: ['link-bandwidth:64512:2000'] })
  await until(() => outside.told().has('192.0.3.0/24'), 'told')
  t.same(formatCommunities(outside.told().get('192.0.3.0/24') ?? {}), ['link-bandwidth:64512:2000'], 'but for our own')
})

t.test('RFC 4456 section 6: who is told by a reflector; section 8: ORIGINATOR_ID and CLUSTER_LIST', async t => {
  await using hub = await createHub({ clusterId: '10.0.0.99' })
  const client = { asn: HUB_AS, peer: { routeReflectorClient: true } } as const
  await using first = await connect(hub, client)
  await using second = await connect(hub, client)
  await using one = await connect(hub, { asn: HUB_AS })
  await using other = await connect(hub, { asn: HUB_AS })
  first.hub.announce({ prefix: '192.0.2.0/24', localPref: 200 })
  one.hub.announce({ prefix: '192.0.3.0/24' })
  hub.speaker.announce({ prefix: LAST })
  const all = [first, second, one, other]
  const size = [2, 3, 2, 2]
  await until(() => all.every(({ told }, i) => told().size === size[i]), 'routes')
  t.same([...second.told().keys()].toSorted(), ['192.0.2.0/24', '192.0.3.0/24', LAST], 'a client hears all')
  t.same([...other.told().keys()].toSorted(), ['192.0.2.0/24', LAST], 'one that is none hears the clients')
  t.match(other.told().get('192.0.2.0/24'), {
    localPref: 200,
    originatorId: first.peer.negotiated?.peerBgpIdentifier,
    clusterList: [0x0a00_0063],
    asPath: { length: 0 },
  })
  t.equal(other.told().get(LAST)?.originatorId, undefined, 'a route of our own is not reflected')
})

t.test('RFC 5065 section 4: paths within a confederation, into it and out of it', async t => {
  const confederation = (member: number) => ({ identifier: HUB_AS, members: [member] })
  await using hub = await createHub({ asn: 65_001, confederation: confederation(65_002) })
  const speaker = { confederation: confederation(65_001) }
  await using member = await connect(hub, { asn: 65_002, speaker, hub: { asn: 65_001 } })
  await using outside = await connect(hub, { asn: 64_513, hub: { asn: HUB_AS } })
  outside.hub.announce({ prefix: '192.0.2.0/24', multiExitDisc: 7, nextHop: '10.9.9.9' })
  member.hub.announce({ prefix: '192.0.3.0/24', localPref: 150, asPath: [64_999] })
  await until(() => member.told().size === 1 && outside.told().size === 1, 'one route each')
  t.equal(member.hub.negotiated?.confederation, true)
  t.match(member.told().get('192.0.2.0/24'), {
    asPath: [{ type: 3, asns: [65_001] }, sequence(64_513)],
    localPref: 100,
    multiExitDisc: 7,
  })
  const out = outside.told().get('192.0.3.0/24')
  t.same(out?.asPath, [sequence(HUB_AS, 64_999)], 'nobody outside sees the members')
  t.equal(out?.localPref, undefined)
  t.equal(
    [...hub.speaker.locRib()].find(({ prefix }) => prefix === '192.0.3.0/24')?.paths[0]?.attributes.localPref,
    150,
  )
})

t.test('RFC 6996: private AS numbers are taken off the paths of external peers', async t => {
  await using hub = await createHub({ asn: 1000 })
  await using from = await connect(hub, { asn: 64_513 })
  await using to = await connect(hub, { asn: 2000, peer: { removePrivateAs: true } })
  await announce(from, [to], [{ prefix: '192.0.2.0/24', asPath: [3000, 65_534, 4_200_000_001] }])
  t.same(to.told().get('192.0.2.0/24')?.asPath, [sequence(1000, 3000)])
})

t.test('RFC 7311 section 3.4: AIGP goes on within the AS and not out of it', async t => {
  await using hub = await createHub()
  await using from = await connect(hub, { asn: HUB_AS, peer: { routeReflectorClient: true } })
  await using inside = await connect(hub, { asn: HUB_AS })
  await using outside = await connect(hub, { asn: 64_514 })
  await announce(from, [inside, outside], [{ prefix: '192.0.2.0/24', attributes: { aigp: 10n } }])
  t.equal(inside.told().get('192.0.2.0/24')?.aigp, 10n)
  t.equal(outside.told().get('192.0.2.0/24')?.aigp, undefined)
})

t.test('RFC 7947 section 2.2: a route server leaves AS_PATH, next hop, MED and communities as they came', async t => {
  await using hub = await createHub()
  const peer = { routeServerClient: true }
  await using from = await connect(hub, { asn: 64_513, peer })
  await using to = await connect(hub, { asn: 64_514, peer })
  const route = { prefix: '192.0.2.0/24', nextHop: '10.9.9.9', multiExitDisc: 5, communities: ['64513:1', 'rt:1:2'] }
  await announce(from, [to], [route])
  t.match(to.told().get(route.prefix), { asPath: [sequence(64_513)], multiExitDisc: 5 })
  t.same(formatCommunities(to.told().get(route.prefix) ?? {}), route.communities)
  t.equal([...to.hub.adjRibIn()].find(({ prefix }) => prefix === route.prefix)?.nextHop, '10.9.9.9')
})

t.test('RFC 8326 section 4: what the other side is about to take away comes last; what we are, is said', async t => {
  await using hub = await createHub()
  await using leaving = await connect(hub, { asn: 64_513 })
  await using staying = await connect(hub, { asn: 64_514 })
  leaving.hub.announce({ prefix: '192.0.2.0/24', communities: ['graceful-shutdown'] })
  await until(() => hub.routes.has('192.0.2.0/24'), 'the only path')
  t.equal(hub.routes.get('192.0.2.0/24')?.paths[0]?.attributes.localPref, 0)
  staying.hub.announce({ prefix: '192.0.2.0/24', asPath: [1, 2, 3, 4] })
  await until(() => hub.routes.get('192.0.2.0/24')?.paths[0]?.peer === staying.peer, 'a longer path is better')

  await using inside = await connect(hub, { asn: HUB_AS, peer: { gracefulShutdown: true } })
  await until(() => inside.told().size === 1, 'told')
  const told = inside.told().get('192.0.2.0/24') ?? {}
  t.equal(told.localPref, 0)
  t.same(formatCommunities(told), ['graceful-shutdown'])
})

t.test('RFC 9234 section 5: what comes from above goes down only, and is marked', async t => {
  await using hub = await createHub()
  await using provider = await connect(hub, { asn: 1, peer: { role: 'customer' }, hub: { role: 'provider' } })
  await using peer = await connect(hub, { asn: 2, peer: { role: 'peer' } })
  await using customer = await connect(hub, { asn: 3, peer: { role: 'provider' }, hub: { role: 'customer' } })
  provider.hub.announce({ prefix: '192.0.1.0/24' })
  peer.hub.announce({ prefix: '192.0.2.0/24' })
  customer.hub.announce({ prefix: '192.0.3.0/24' })
  await until(() => customer.told().size === 2 && peer.told().size === 1 && provider.told().size === 1, 'routes')
  t.match(customer.told().get('192.0.1.0/24'), { onlyToCustomer: 1 })
  t.match(customer.told().get('192.0.2.0/24'), { onlyToCustomer: 2 })
  t.match(peer.told().get('192.0.3.0/24'), { onlyToCustomer: HUB_AS }, 'marked for those that the peer tells')
  t.equal(provider.told().get('192.0.3.0/24')?.onlyToCustomer, undefined)
})

t.test('RFC 9234 section 5: a leak of a customer or a peer is not used', async t => {
  await using hub = await createHub()
  await using customer = await connect(hub, { asn: 3, peer: { role: 'provider' } })
  await using peer = await connect(hub, { asn: 2, peer: { role: 'peer' } })
  const marked = (onlyToCustomer: number) => ({ attributes: { onlyToCustomer } })
  customer.hub.setRoutes([{ prefix: '192.0.1.0/24', ...marked(3) }, { prefix: '192.0.2.0/24' }])
  peer.hub.setRoutes([
    { prefix: '192.0.3.0/24', ...marked(1) },
    { prefix: '192.0.4.0/24', ...marked(2) },
  ])
  await until(() => customer.peer.counters.prefixesReceived + peer.peer.counters.prefixesReceived === 4, 'all')
  t.same([...hub.routes.keys()].toSorted(), ['192.0.2.0/24', '192.0.4.0/24'])
})

t.test('RFC 9494 section 4.6: stale routes are not for peers that do not know them', async t => {
  await using hub = await createHub()
  const longLived = { gracefulRestart: true, longLivedGracefulRestart: { staleTime: 60 } }
  await using from = await connect(hub, { asn: 64_513 })
  await using old = await connect(hub, { asn: 64_514 })
  await using knowing = await connect(hub, { asn: 64_515, peer: longLived, hub: longLived })
  await announce(from, [old, knowing], [{ prefix: '192.0.2.0/24', communities: ['llgr-stale'] }])
  t.notOk(old.told().has('192.0.2.0/24'))
  t.ok(knowing.told().has('192.0.2.0/24'))
})

t.test('RFC 4486 section 4: too many prefixes end the session with 6/1, or are only logged', async t => {
  await using hub = await createHub()
  await using from = await connect(hub, { asn: 64_513, peer: { maximumPrefixes: { 'ipv4-unicast': 2 } } })
  const causes: string[] = []
  from.hub.on('state', (_to, was, cause) => was === 'Established' && causes.push(cause))
  from.hub.setRoutes(['192.0.1.0/24', '192.0.2.0/24'].map(prefix => ({ prefix })))
  await until(() => hub.routes.size === 2, 'as many as are allowed')
  t.equal(from.peer.state, 'Established')
  from.hub.announce({ prefix: '192.0.3.0/24' })
  await until(() => causes.length > 0, 'the end')
  t.same(causes, ['NotifMsg 6/1'])

  await using warned = await connect(hub, { asn: 64_514, peer: { maximumPrefixes: 1, maximumPrefixesAction: 'warn' } })
  warned.hub.setRoutes(['192.0.4.0/24', '192.0.5.0/24'].map(prefix => ({ prefix })))
  await until(() => warned.peer.counters.prefixesReceived === 2, 'all taken')
  t.equal(warned.peer.state, 'Established')
})
