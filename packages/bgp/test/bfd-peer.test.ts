/** BGP sessions and what BFD says of their paths (RFC 5882), with BFD that a test plays. */
import t from 'tap'
import type { BgpSpeaker, Peer, PeerOptions } from '@typemetal/bgp'
import { Diagnostic } from '@typemetal/bgp/bfd'
import { TestClock } from './clock.js'
import { RawListener } from './raw-peer.js'
import { ScriptedBfd } from './scripted-bfd.js'
import {
  createNode,
  createRouter,
  established,
  LOCAL,
  nextPeer,
  RecordingLog,
  until,
  type LogLine,
} from './speakers.js'

interface Scene {
  readonly bfd: ScriptedBfd
  readonly node: BgpSpeaker
  /** The one with BFD. */
  readonly peer: Peer
  readonly theirs: Peer
  readonly options: PeerOptions
  readonly log: RecordingLog
  /** `state: cause` of the peer. */
  readonly states: string[]
  readonly clock: TestClock
}

/** A session with a router that knows nothing of BFD; the node has announced a route, and learned one. */
async function withSession(
  more: Partial<PeerOptions>,
  play: (scene: Scene) => Promise<void>,
  router: Partial<PeerOptions> = {},
): Promise<void> {
  const bfd = new ScriptedBfd()
  const log = new RecordingLog()
  const clock = new TestClock()
  await using other = await createRouter()
  const theirs = other.speaker.addPeer({ address: LOCAL, asn: 64_512, passive: true, ...router })
  other.speaker.announce({ prefix: '203.0.113.0/24' })
  await using node = createNode({ bfd, log, clock, random: () => 1 })
  node.announce({ prefix: '192.0.2.0/24' })
  const options: PeerOptions = { address: LOCAL, port: other.port, asn: 64_513, bfd: {}, ...more }
  const states: string[] = []
  node.on('state', (_, to, _from, cause) => states.push(`${to}: ${cause}`))
  const peer = node.addPeer(options)
  await established(peer, theirs)
  await until(() => peer.counters.prefixesReceived === 1 && theirs.counters.prefixesReceived === 1, 'routes')
  states.length = 0
  await play({ bfd, node, peer, theirs, options, log, states, clock })
}

const without = (log: RecordingLog, message: string): readonly LogLine[] =>
  log.at('info').filter(line => line.message !== message)

t.test('RFC 5882 section 3.2, RFC 9384 section 3: a path that fails ends the session, which comes again', async t => {
  await withSession({}, async ({ bfd, node, peer, theirs, log, states, clock }) => {
    t.equal(peer.bfdState, 'Down', 'BGP has not waited')
    bfd.only.go('Init')
    bfd.only.go('Up')
    t.equal(peer.bfdState, 'Up')
    const told: string[] = []
    theirs.on('state', (_to, _from, cause) => told.push(cause))
    bfd.only.fail()
    t.same(states, ['Idle: BfdDown: Control Detection Time Expired'])
    t.equal([...node.locRib()].length, 1, 'what the peer had said is gone')
    await until(() => told.length > 0, 'told')
    t.equal(told[0], 'NotifMsg 6/10')
    t.match(without(log, 'graceful restart').slice(-3), [
      {
        message: 'BFD session state',
        to: 'Down',
        from: 'Up',
        diagnostic: 'Control Detection Time Expired',
        peer: LOCAL,
      },
      { message: 'notification sent', reason: 'Cease: BFD Down' },
      { message: 'session state', to: 'Idle', from: 'Established', cause: 'BfdDown: Control Detection Time Expired' },
    ])
    t.equal(peer.counters.bfdNotifications, 3)

    t.equal(bfd.asked.length, 1)
    t.equal(bfd.only.closed, false, 'the path is watched on')
    clock.advance(1000)
    await established(peer, theirs)
    t.equal(peer.bfdState, 'Down', 'and BGP does not wait for it')
  })
})

t.test(
  'RFC 9384 section 4, RFC 8538 section 3.1: where both keep routes it is a Hard Reset, and neither does',
  async t => {
    const gracefulRestart = { restartTime: 100 }
    await withSession(
      { gracefulRestart },
      async ({ bfd, peer, theirs, log }) => {
        t.match(peer.negotiated?.gracefulRestart, { notification: true })
        const told: string[] = []
        theirs.on('state', (_to, _from, cause) => told.push(cause))
        bfd.only.go('Up')
        bfd.only.fail()
        t.equal(peer.counters.prefixesReceived, 0)
        await until(() => told.length > 0, 'told')
        t.equal(told[0], 'NotifMsg 6/9 (6/10)')
        t.equal(theirs.counters.prefixesReceived, 0)
        t.match(without(log, 'graceful restart').at(-2), { reason: 'Cease: Hard Reset (Cease: BFD Down)' })
      },
      { gracefulRestart },
    )
  },
)

t.test('RFC 5880 section 6.8.1: the cause has the diagnostics of both sides', async t => {
  await withSession({}, async ({ bfd, states }) => {
    bfd.only.go('Up')
    bfd.only.go('Down', {
      diagnostic: Diagnostic.NeighborSignaledSessionDown,
      remoteDiagnostic: Diagnostic.ControlDetectionTimeExpired,
    })
    t.same(states, ['Idle: BfdDown: Neighbor Signaled Session Down (Control Detection Time Expired)'])
  })
})

t.test('RFC 5882 section 3.2: AdminDown of either side is no failure', async t => {
  await withSession({}, async ({ bfd, peer, states }) => {
    bfd.only.go('Up')
    bfd.only.go('Down', { diagnostic: Diagnostic.NeighborSignaledSessionDown, remoteState: 'AdminDown' })
    t.equal(peer.state, 'Established', 'the neighbour has switched it off')
    bfd.only.goRemote('Down')
    bfd.only.go('Init')
    bfd.only.go('Up')
    bfd.only.go('AdminDown', { diagnostic: Diagnostic.AdministrativelyDown })
    t.equal(peer.state, 'Established', 'we have')
    bfd.only.go('Down')
    t.equal(peer.state, 'Established', 'on again, and not Up yet')
    t.same(states, [])
    bfd.only.go('Up')
    bfd.only.fail()
    t.equal(peer.state, 'Idle', 'and then it counts')
  })
})

t.test('RFC 5882 section 10.2: BFD that never was Up ends nothing', async t => {
  await withSession({}, async ({ bfd, peer, states }) => {
    bfd.only.go('Init')
    bfd.only.fail()
    bfd.only.go('Init')
    bfd.only.go('Down')
    t.equal(peer.state, 'Established')
    t.same(states, [])
  })
})

t.test('RFC 5882 section 3: the path is watched from the first to the last of the peer', async t => {
  const bfd = new ScriptedBfd()
  await using node = createNode({ bfd })
  const peer = node.addPeer({ address: '127.0.0.9', port: 1, asn: 64_513, bfd: { transmitInterval: 50 } })
  t.match(bfd.only.request, { address: '127.0.0.9', multihop: false, transmitInterval: 50, detectMultiplier: 3 })
  bfd.only.go('Up')
  t.match(peer, { bfdState: 'Up', state: 'Connect' })
  bfd.only.fail()
  t.equal(peer.counters.bfdNotifications, 2)
  await peer.close()
  t.same(bfd.held, [])
  t.equal(peer.bfdState, undefined)
})

t.test('RFC 5882 section 3.2: a session that opens on a path that fails is ended as well', async t => {
  const bfd = new ScriptedBfd()
  await using listener = await RawListener.open()
  await using node = createNode({ bfd })
  const peer = node.addPeer({ address: LOCAL, port: listener.port, asn: 64_513, bfd: {} })
  const raw = await listener.accept()
  await raw.next('open')
  bfd.only.go('Up')
  bfd.only.fail()
  t.match(await raw.next('notification'), { errorCode: 6, errorSubcode: 10 })
  t.equal(peer.state, 'Idle')
  await raw[Symbol.asyncDispose]()
})

t.test('RFC 5882 section 3: dynamic peers are watched while they are there', async t => {
  const bfd = new ScriptedBfd()
  const log = new RecordingLog()
  await using router = await createRouter({ bfd, log })
  router.speaker.addDynamicPeers({ prefix: '127.0.0.0/8', asn: 64_512, bfd: { detectMultiplier: 5 } })
  t.same(bfd.asked, [])
  const node = createNode()
  const connected = nextPeer(router.speaker)
  const theirs = node.addPeer({ address: LOCAL, sourceAddress: '127.0.0.8', port: router.port, asn: 64_513 })
  const dynamic = await connected
  t.match(bfd.only.request, { address: '127.0.0.8', multihop: false, detectMultiplier: 5 })
  await established(dynamic, theirs)
  bfd.only.go('Up')
  t.equal(dynamic.bfdState, 'Up')
  bfd.only.fail()
  t.equal(dynamic.state, 'Idle')
  await until(() => bfd.held.length === 0, 'given back')

  bfd.refusal = 'authentication must be the same for all who share a session'
  const again = nextPeer(router.speaker)
  theirs.reset()
  const unwatched = await again
  await established(unwatched, theirs)
  t.equal(unwatched.bfdState, undefined)
  t.match(
    log.at('error'),
    [{ message: 'no BFD session', error: bfd.refusal, peer: '127.0.0.8' }],
    'it comes up without',
  )
  await node.close()
})

t.test('RFC 5882 section 3: a peer that has ended watches no path, whatever is still said of it', async t => {
  await withSession({}, async ({ bfd, peer, options }) => {
    await peer.close()
    t.same(bfd.held, [])
    peer.change({ ...options, bfd: { multihop: true } })
    t.same(bfd.held, [])
    t.equal(peer.bfdState, undefined)
  })
})
