/** Graceful restart between our own speakers: the one that restarts and the ones that keep its routes. */
import t from 'tap'
import { BgpSpeaker, CeaseSubcode, type BgpSpeakerOptions, type Peer, type PeerOptions } from '@typemetal/bgp'
import { TestClock } from './clock.js'
import { createRouter, established, LOCAL, nextPeer, until, type Router } from './speakers.js'

const RESTARTING: Partial<PeerOptions> = { gracefulRestart: { restartTime: 100 }, idleHoldTime: 0 }

interface Scene {
  /** Keeps the routes of the one that restarts. */
  readonly router: Router
  /** Starts the node, again or for the first time, with these routes. */
  readonly start: (routes: readonly string[], options?: Partial<BgpSpeakerOptions>) => Promise<Peer>
  /** The router's side of the session. */
  readonly helper: () => Peer
  readonly clock: TestClock
  readonly nodes: BgpSpeaker[]
}

/** A router that takes any peer, and a node with graceful restart that dials it. */
async function withRestart(play: (scene: Scene) => Promise<void>, more: Partial<PeerOptions> = {}): Promise<void> {
  const clock = new TestClock()
  await using router = await createRouter({ clock, random: () => 1 })
  const { gracefulRestart: _, ...common } = more
  const helper = router.speaker.addPeer({
    ...common,
    ...(common.longLivedGracefulRestart && { gracefulRestart: true }),
    address: LOCAL,
    asn: 64_512,
    passive: true,
  })
  router.speaker.announce({ prefix: '203.0.113.0/24' })
  const nodes: BgpSpeaker[] = []
  const start = async (routes: readonly string[], options: Partial<BgpSpeakerOptions> = {}): Promise<Peer> => {
    const node = new BgpSpeaker({ asn: 64_512, bgpIdentifier: '10.0.0.1', clock, random: () => 1, ...options })
    nodes.push(node)
    const peer = node.addPeer({ ...RESTARTING, ...more, address: LOCAL, port: router.port, asn: 64_513 })
    for (const prefix of routes) node.announce({ prefix })
    await established(peer, helper)
    return peer
  }
  try {
    await play({ router, start, helper: () => helper, clock, nodes })
  } finally {
    await Promise.all(nodes.map(node => node.close()))
  }
}

const stale = (peer: Peer): readonly string[] =>
  [...peer.adjRibIn()].filter(route => route.stale).map(({ prefix }) => prefix)
const known = (peer: Peer): readonly string[] => [...peer.adjRibIn()].map(({ prefix }) => prefix).toSorted()

t.test('RFC 4724 section 4: a speaker restarts, its peer keeps the routes, End-of-RIB takes what is gone', async t => {
  await withRestart(async ({ router, start, helper, nodes }) => {
    await start(['192.0.2.0/24', '198.51.100.0/24'])
    await until(() => known(helper()).length === 2, 'both routes')
    await nodes[0]!.close({ gracefulRestart: true })
    await until(() => helper().state !== 'Established', 'gone')
    t.equal(helper().counters.notificationsReceived, 0, 'TCP just closes')
    t.same(stale(helper()), ['192.0.2.0/24', '198.51.100.0/24'])
    t.ok(router.routes.has('192.0.2.0/24'), 'and still used')

    const changes: string[] = []
    router.speaker.on('route', ({ prefix, paths }) => changes.push(`${prefix} ${paths.length}`))
    const peer = await start(['192.0.2.0/24'], { restarting: true })
    const said = helper().negotiated?.gracefulRestart
    t.match(said, { restarting: true, restartTime: 100, families: [{ forwardingPreserved: true }, {}] }, 'R and F bits')
    await until(() => !router.routes.has('198.51.100.0/24'), 'purged')
    t.same(stale(helper()), [])
    t.same(known(helper()), ['192.0.2.0/24'])
    t.same(changes, ['198.51.100.0/24 0'], 'what has stayed was never gone')
    t.same(known(peer), ['203.0.113.0/24'])
  })
})

t.test('RFC 4724 section 4.1: nothing is announced before the peers have said all that they have', async t => {
  const clock = new TestClock()
  await using router = await createRouter()
  router.speaker.addDynamicPeers({ prefix: '127.0.0.0/8', asn: 64_512 })
  await using node = new BgpSpeaker({
    asn: 64_512,
    bgpIdentifier: '10.0.0.1',
    restarting: true,
    clock,
    random: () => 1,
  })
  let restarted = 0
  node.on('restarted', () => restarted++)
  node.announce({ prefix: '192.0.2.0/24' })
  const connected = nextPeer(router.speaker)
  const reached = node.addPeer({ ...RESTARTING, address: LOCAL, port: router.port, asn: 64_513, holdTime: 0 })
  const away = node.addPeer({ ...RESTARTING, address: '127.0.0.77', port: 1, asn: 64_513 })
  const dynamic = await connected
  await established(reached, dynamic)
  await until(() => reached.counters.updatesReceived === 2, 'its End-of-RIB')
  reached.requestRefresh('ipv4-unicast')
  await until(() => dynamic.counters.routeRefreshReceived === 1, 'what it says next')
  t.equal(dynamic.counters.updatesReceived, 0, 'one peer has not been heard')
  t.equal(restarted, 0)
  clock.advance(359_000)
  t.equal(restarted, 0)
  clock.advance(1000)
  t.equal(restarted, 1, 'Selection_Deferral_Timer')
  await until(() => dynamic.counters.updatesReceived === 3, 'a route and two End-of-RIB')
  t.equal(away.state, 'Idle')
})

t.test('RFC 4724 section 4.2: without the F bit, or after the Restart Time, the routes go', async t => {
  await withRestart(async ({ router, start, helper, nodes, clock }) => {
    await start(['192.0.2.0/24'])
    await until(() => known(helper()).length === 1, 'a route')
    await nodes[0]!.close({ gracefulRestart: true })
    await until(() => stale(helper()).length === 1, 'kept')
    await start(['198.51.100.0/24'])
    await until(() => router.routes.has('198.51.100.0/24'), 'said anew')
    t.same(known(helper()), ['198.51.100.0/24'], 'F was not set')

    await nodes[1]!.close({ gracefulRestart: true })
    await until(() => stale(helper()).length === 1, 'kept')
    clock.advance(99_000)
    t.same(stale(helper()), ['198.51.100.0/24'])
    clock.advance(1000)
    t.same(known(helper()), [], 'Restart Time')
  })
})

t.test('RFC 9494 section 4.2: long-lived stale routes are kept for longer, as the last resort', async t => {
  const longLived = { longLivedGracefulRestart: { staleTime: 3600 } }
  await withRestart(
    async ({ router, start, helper, nodes, clock }) => {
      await start(['192.0.2.0/24'])
      await until(() => known(helper()).length === 1, 'a route')
      await nodes[0]!.close({ gracefulRestart: true })
      await until(() => stale(helper()).length === 1, 'kept')
      clock.advance(101_000)
      t.same(stale(helper()), ['192.0.2.0/24'])
      t.ok(router.routes.has('192.0.2.0/24'))
      clock.advance(3_600_000)
      t.same(known(helper()), [])
    },
    { ...RESTARTING, ...longLived },
  )
})

t.test('RFC 8538 section 4: a NOTIFICATION keeps the routes, a Hard Reset does not', async t => {
  await withRestart(
    async ({ start, helper, clock }) => {
      const peer = await start(['192.0.2.0/24'])
      await until(() => known(helper()).length === 1 && known(peer).length === 1, 'routes')
      t.match(helper().negotiated?.gracefulRestart, { notification: true })
      peer.reset({ communication: 'new filters' })
      t.same(stale(peer), ['203.0.113.0/24'], 'ours as well')
      await until(() => helper().state !== 'Established', 'told')
      t.equal(helper().counters.notificationsReceived, 1)
      t.same(stale(helper()), ['192.0.2.0/24'])
      clock.advance(1000)
      await established(peer, helper())
      await until(() => stale(helper()).length === 0 && stale(peer).length === 0, 'synchronized')
      t.same(known(helper()), ['192.0.2.0/24'])

      peer.reset({ hard: true })
      await until(() => helper().state !== 'Established', 'told')
      t.same([known(peer), known(helper())], [[], []])
      clock.advance(4000)
      await established(peer, helper())
      await until(() => known(helper()).length === 1, 'back')
    },
    { gracefulRestart: true, longLivedGracefulRestart: { staleTime: 0 } },
  )
})

t.test('RFC 4724 section 4: who does not keep our routes is told of the end', async t => {
  await using router = await createRouter()
  const helper = router.speaker.addPeer({ address: LOCAL, asn: 64_512, passive: true, gracefulRestart: false })
  const node = new BgpSpeaker({ asn: 64_512, bgpIdentifier: '10.0.0.1' })
  const peer = node.addPeer({ ...RESTARTING, address: LOCAL, port: router.port, asn: 64_513 })
  await established(peer, helper)
  const ended = new Promise<string>(resolve => helper.once('state', (_to, _from, cause) => resolve(cause)))
  await node.close({ gracefulRestart: true })
  t.equal(await ended, `NotifMsg 6/${CeaseSubcode.AdministrativeShutdown}`)
})
