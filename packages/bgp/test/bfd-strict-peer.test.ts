/** Strict mode between our own speakers, with BFD that a test plays. */
import t from 'tap'
import type { Peer, PeerOptions } from '@typemetal/bgp'
import { TestClock } from './clock.js'
import { ScriptedBfd } from './scripted-bfd.js'
import { createNode, createRouter, established, LOCAL, RecordingLog, until } from './speakers.js'

interface Side {
  readonly bfd: ScriptedBfd
  readonly peer: Peer
}

interface Scene {
  readonly ours: Side
  readonly theirs: Side
  readonly log: RecordingLog
  readonly clock: TestClock
}

/** We dial; both have BFD, and whichever options. */
async function withPair(
  ours: Partial<PeerOptions>,
  theirs: Partial<PeerOptions>,
  play: (scene: Scene) => Promise<void>,
): Promise<void> {
  const [here, there] = [new ScriptedBfd(), new ScriptedBfd()]
  const log = new RecordingLog()
  const clock = new TestClock()
  await using router = await createRouter({ bfd: there })
  const passive = router.speaker.addPeer({ address: LOCAL, asn: 64_512, passive: true, ...theirs })
  await using node = createNode({ bfd: here, log, clock, random: () => 1 })
  const peer = node.addPeer({ address: LOCAL, port: router.port, asn: 64_513, ...ours })
  await play({ ours: { bfd: here, peer }, theirs: { bfd: there, peer: passive }, log, clock })
}

const STRICT: Partial<PeerOptions> = { bfd: { strict: true } }
const waits = async (...peers: readonly Peer[]): Promise<void> =>
  until(() => peers.every(({ bfdSubState }) => bfdSubState !== undefined), 'waiting for BFD')

t.test('draft-ietf-idr-bgp-bfd-strict-mode section 8: Established when BFD is Up on both sides', async t => {
  await withPair(STRICT, STRICT, async ({ ours, theirs, log, clock }) => {
    await waits(ours.peer, theirs.peer)
    t.match(ours.peer, { state: 'OpenSent', bfdSubState: 'OpenSentBfdUpPending', bfdState: 'Down' })
    t.match(log.at('info').at(-1), { message: 'BGP waits for BFD', state: 'Down', peer: LOCAL })
    theirs.bfd.only.go('Up')
    await until(() => ours.peer.bfdSubState === 'OpenSentConfirmedBfdUpPending', 'confirmed')
    t.equal(theirs.peer.state, 'OpenConfirm')
    ours.bfd.only.go('Up')
    t.equal(ours.peer.state, 'Established')
    await established(theirs.peer)
    t.equal(ours.peer.negotiated?.bfdStrictMode, true)
    t.equal(ours.peer.bfdSubState, undefined)

    ours.bfd.only.fail()
    t.equal(ours.peer.state, 'Idle')
    await until(() => theirs.peer.state !== 'Established', 'told')
    clock.advance(1000)
    await waits(ours.peer)
    t.match(ours.peer, { state: 'OpenSent', bfdState: 'Down' }, 'it waits again')
    ours.bfd.only.go('Up')
    await established(ours.peer, theirs.peer)
  })
})

t.test('draft-ietf-idr-bgp-bfd-strict-mode section 7: BFD that is Up already is not waited for', async t => {
  await withPair(STRICT, {}, async ({ ours, theirs, log }) => {
    ours.bfd.only.go('Up')
    await established(ours.peer, theirs.peer)
    t.equal(ours.peer.negotiated?.bfdStrictMode, false, 'the peer has no such capability')
    t.same(
      log.lines.filter(({ message }) => message === 'BGP waits for BFD'),
      [],
    )
  })
})

t.test('RFC 5882 section 3.2: a neighbour that has switched BFD off is not waited for', async t => {
  await withPair(STRICT, {}, async ({ ours, theirs }) => {
    await waits(ours.peer)
    ours.bfd.only.goRemote('AdminDown')
    await established(ours.peer, theirs.peer)
    t.equal(ours.peer.bfdState, 'Down')
  })
})

t.test('draft-ietf-idr-bgp-bfd-strict-mode section 8.5.3: with Hold Time 0 the wait ends all the same', async t => {
  await withPair({ bfd: { strict: true, holdTime: 7 }, holdTime: 0 }, {}, async ({ ours, theirs, log, clock }) => {
    await waits(ours.peer)
    clock.advance(6999)
    t.equal(ours.peer.state, 'OpenSent')
    clock.advance(1)
    t.equal(ours.peer.state, 'Idle')
    t.match(log.at('info').at(-1), { message: 'notification sent', reason: 'Cease: BFD Down' })
    await until(() => theirs.peer.counters.notificationsReceived === 1, 'told')
  })
})

t.test('draft-ietf-idr-bgp-bfd-strict-mode section 4: options that change while BFD is waited for', async t => {
  await withPair(STRICT, {}, async ({ ours, theirs, clock }) => {
    const { address, port, asn } = ours.peer
    await waits(ours.peer)
    const [change, ...others] = ours.peer.change({ address, port, asn, bfd: {} })
    t.match([change, others], [{ field: 'bfd', effect: 'reset' }, []])
    t.equal(ours.peer.bfdSubState, undefined)
    clock.advance(1000)
    await established(ours.peer, theirs.peer)
    t.equal(ours.bfd.asked.length, 1, 'and the path is watched as before')
  })
})

t.test('draft-ietf-idr-bgp-bfd-strict-mode section 4: BFD that is taken away is not waited for', async t => {
  await withPair(STRICT, {}, async ({ ours, theirs, clock }) => {
    const { address, port, asn } = ours.peer
    await waits(ours.peer)
    ours.peer.change({ address, port, asn })
    t.same(ours.bfd.held, [])
    clock.advance(1000)
    await established(ours.peer, theirs.peer)
  })
})
