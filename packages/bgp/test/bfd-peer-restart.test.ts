/** BFD and graceful restart (RFC 5882 section 4.3): whether a path that fails tells more than that a peer restarts. */
import { once } from 'node:events'
import t from 'tap'
import type { Peer } from '@typemetal/bgp'
import { bfdVerdict, createOpen, type LocalSpeaker } from '@typemetal/bgp/fsm'
import { createEndOfRib } from '@typemetal/bgp/wire'
import { RawPeer } from './raw-peer.js'
import { ScriptedBfd } from './scripted-bfd.js'
import { createRouter, LOCAL, RecordingLog, until, update } from './speakers.js'

const RAW: LocalSpeaker = {
  asn: 64_512,
  bgpIdentifier: 0x0a00_0001,
  holdTime: 0,
  families: ['ipv4-unicast'],
  gracefulRestart: { restartTime: 100 },
}
const OPEN = createOpen(RAW)
const OPEN_AGAIN = createOpen(RAW, { restarting: true, forwardingPreserved: true })

interface Scene {
  readonly bfd: ScriptedBfd
  readonly peer: Peer
  readonly log: RecordingLog
  readonly prefixes: () => readonly string[]
  /** The peer comes again, and forwards what it did; it has not said all again. */
  readonly comeBack: () => Promise<RawPeer>
}

/** A peer that has announced 192.0.2.0/24, whose BFD was Up, and that has gone without a word. */
async function withRestartingPeer(
  controlPlaneIndependent: boolean,
  play: (scene: Scene) => Promise<void>,
): Promise<void> {
  const bfd = new ScriptedBfd()
  const log = new RecordingLog()
  await using router = await createRouter({ bfd, log })
  const peer = router.speaker.addPeer({ address: LOCAL, asn: 64_512, passive: true, bfd: {} })
  bfd.only.remoteControlPlaneIndependent = controlPlaneIndependent
  bfd.only.go('Up')
  const prefixes = (): readonly string[] => [...router.routes.keys()]
  {
    await using raw = await RawPeer.connect(router.port)
    await raw.establish(OPEN)
    raw.send(update([64_512]))
    await until(() => prefixes().length === 1, 'a route')
  }
  await until(() => peer.state !== 'Established', 'gone')
  const comeBack = async (): Promise<RawPeer> => {
    const raw = await RawPeer.connect(router.port)
    await raw.establish(OPEN_AGAIN)
    await until(() => peer.state === 'Established', 'back')
    return raw
  }
  await play({ bfd, peer, log, prefixes, comeBack })
}

t.test('RFC 5882 section 4.3: what follows from a path that fails', async t => {
  const verdict = (state: Peer['state'], restarting: boolean, controlPlaneIndependent: boolean): readonly boolean[] => {
    const { ends, forgets, reason } = bfdVerdict({ state, restarting, controlPlaneIndependent })
    t.match(reason, /^[a-z].*[^.]$/)
    return [ends, forgets]
  }
  for (const state of ['Idle', 'OpenConfirm', 'Established'] as const) {
    t.same(verdict(state, false, false), [true, false], '4.3.2.2: without a restart it counts')
    t.same(verdict(state, false, true), [true, false])
    t.same(verdict(state, true, true), [true, true], '4.3.1: the restart is aborted')
    t.same(verdict(state, true, false), [state !== 'Established', false], '4.3.2: it is not')
  }
})

t.test('RFC 5882 section 4.3.2: BFD that shares fate with the control plane does not abort the restart', async t => {
  await withRestartingPeer(false, async ({ bfd, peer, log, prefixes, comeBack }) => {
    t.same(prefixes(), ['192.0.2.0/24'], 'kept')
    bfd.only.fail()
    t.same(prefixes(), ['192.0.2.0/24'], 'still')
    t.match(log.at('info').at(-1), {
      message: 'BFD is not believed',
      diagnostic: 'Control Detection Time Expired',
      reason: 'the peer restarts, and its BFD with it',
    })

    await using raw = await comeBack()
    bfd.only.go('Up')
    bfd.only.fail()
    t.equal(peer.state, 'Established', 'it has not said all again')
    t.same(prefixes(), ['192.0.2.0/24'])
    const synchronized = once(peer, 'endOfRib')
    raw.send(update([64_512]), createEndOfRib({ afi: 1, safi: 1 }))
    await synchronized
    bfd.only.go('Up')
    bfd.only.fail()
    t.equal(peer.state, 'Idle', 'the restart is over')
    t.same(prefixes(), [])
  })
})

t.test('RFC 5882 section 4.3.1: with the C bit a path that fails is lost: stale routes go at once', async t => {
  await withRestartingPeer(true, async ({ bfd, peer, log, prefixes }) => {
    t.same(prefixes(), ['192.0.2.0/24'], 'kept')
    bfd.only.fail()
    t.same(prefixes(), [])
    t.ok(log.at('info').some(({ message }) => message === 'stale routes go with the path'))
    t.not(peer.state, 'Established')
  })
})

t.test('RFC 5882 section 4.3.1: so too when the peer is back and has not said all again', async t => {
  await withRestartingPeer(true, async ({ bfd, peer, prefixes, comeBack }) => {
    await using raw = await comeBack()
    t.same(prefixes(), ['192.0.2.0/24'])
    bfd.only.fail()
    t.equal(peer.state, 'Idle')
    t.same(prefixes(), [])
    await until(() => raw.received.some(({ type }) => type === 'notification'), 'told')
    t.match(raw.received.at(-1), { errorCode: 6, errorSubcode: 10 })
  })
})

t.test('RFC 5882 section 4.3.1: after the path no helper is begun when TCP goes as well', async t => {
  const bfd = new ScriptedBfd()
  await using router = await createRouter({ bfd })
  const peer = router.speaker.addPeer({ address: LOCAL, asn: 64_512, passive: true, bfd: {} })
  bfd.only.remoteControlPlaneIndependent = true
  bfd.only.go('Up')
  await using raw = await RawPeer.connect(router.port)
  await raw.establish(OPEN)
  raw.send(update([64_512]))
  await until(() => router.routes.size === 1, 'a route')
  bfd.only.fail()
  t.equal(router.routes.size, 0)
  raw.socket.destroy()
  await raw.closed()
  t.match(peer, { state: 'Idle', counters: { prefixesReceived: 0 } })
})
