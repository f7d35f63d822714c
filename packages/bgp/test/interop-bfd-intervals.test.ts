/** Intervals change while sessions with FRR's bfdd and BIRD are up: Poll Sequences, and never a flap. */
import type tap from 'tap'
import {
  agreed,
  bfdInterop,
  cut,
  eachBfdPeer,
  missingCut,
  up,
  withBfd,
  type BfdScene,
  type Timing,
} from './interop/bfd-scene.js'
import { Capture, missingCapture } from './interop/capture.js'

/** So many packets make a Detection Time that no pause of a busy machine comes near it. */
const DETECT_MULT = 30
const START = { transmitInterval: 200, receiveInterval: 200, detectMultiplier: DETECT_MULT }

/** With so many milliseconds between our packets, and between theirs. */
const timing = (ours: number, theirs = ours, detectMult = DETECT_MULT): Timing => ({
  ourTransmitInterval: ours,
  theirDetectionTime: detectMult * ours,
  theirTransmitInterval: theirs,
  ourDetectionTime: detectMult * theirs,
})
const AT_START = timing(200)

/** Both sessions were never anything but Up since they came up. */
async function unbroken(t: typeof tap, { session, peer, history }: BfdScene): Promise<void> {
  t.match(session.snapshot(), { upTransitions: 1, downTransitions: 0 }, 'no flap here')
  t.equal(history.filter(text => text.startsWith('Up ')).length, 1)
  const details = (await peer.session())?.details
  if (details) t.match(details, { upTransitions: 1, downTransitions: 0 }, 'no flap there')
}

/** Somebody's Poll with these values, and the Final that the other end has answered with. */
async function polled(
  t: typeof tap,
  capture: Capture,
  from: string,
  to: string,
  [tx, rx]: readonly number[],
): Promise<void> {
  const values = `bfd.desired_min_tx_interval == ${tx}000 && bfd.required_min_rx_interval == ${rx}000`
  await capture.wait(1, `bfd.flags.p == 1 && ip.src == ${from} && ${values}`, 'ip.src')
  await capture.wait(1, `bfd.flags.f == 1 && ip.src == ${to}`, 'ip.src')
  t.same(await capture.read('bfd.sta != 3', 'ip.src', 'bfd.sta'), [], 'Up in every packet')
  t.same(await capture.faults(), [], 'no packet is malformed')
}

await bfdInterop(() => {
  const title = (what: string): string => `RFC 5880 section 6.8.3: ${what} while it is up`

  eachBfdPeer(title('we change our intervals'), missingCapture(), async (t, kind) => {
    await withBfd(kind, { session: START, peer: START }, async scene => {
      const { session, host, sessionOptions } = scene
      await agreed(scene, AT_START)
      await up(scene)
      await using capture = await Capture.start(host.link, 'udp port 3784')
      session.change({ ...START, transmitInterval: 700, receiveInterval: 900 })
      await agreed(scene, timing(700, 900))
      await polled(t, capture, sessionOptions.localAddress ?? '', sessionOptions.address, [700, 900])
      session.change({ ...START, transmitInterval: 100, receiveInterval: 100 })
      await agreed(scene, AT_START)
      await up(scene)
      await unbroken(t, scene)
    })
  })

  eachBfdPeer(title('the other end changes its intervals'), missingCapture(), async (t, kind) => {
    await withBfd(kind, { session: START, peer: START }, async scene => {
      const { peer, peerOptions, host, sessionOptions } = scene
      await agreed(scene, AT_START)
      await up(scene)
      await using capture = await Capture.start(host.link, 'udp port 3784')
      await peer.change({ ...peerOptions, transmitInterval: 800, receiveInterval: 600 })
      await agreed(scene, timing(600, 800))
      await polled(t, capture, sessionOptions.address, sessionOptions.localAddress ?? '', [800, 600])
      await peer.change({ ...peerOptions, transmitInterval: 100, receiveInterval: 100 })
      await agreed(scene, AT_START)
      await unbroken(t, scene)
    })
  })

  eachBfdPeer(title('both change their intervals, again and again'), undefined, async (t, kind) => {
    await withBfd(kind, { session: START, peer: START }, async scene => {
      const { peer, peerOptions, session } = scene
      await agreed(scene, AT_START)
      for (const [ours, theirs] of [
        [900, 100],
        [100, 900],
        [500, 500],
        [150, 150],
      ] as const) {
        session.change({ ...START, transmitInterval: ours, receiveInterval: ours })
        await peer.change({ ...peerOptions, transmitInterval: theirs, receiveInterval: theirs })
        await agreed(scene, timing(Math.max(ours, theirs)))
      }
      await unbroken(t, scene)
    })
  })

  eachBfdPeer('RFC 5880 section 6.8.12: each changes its Detect Mult while it is up', undefined, async (t, kind) => {
    await withBfd(kind, { session: START, peer: START }, async scene => {
      const { peer, peerOptions, session } = scene
      await agreed(scene, AT_START)
      session.change({ ...START, detectMultiplier: 40 })
      await agreed(scene, { ...AT_START, theirDetectionTime: 8000 })
      await peer.change({ ...peerOptions, detectMultiplier: 50 })
      await agreed(scene, { ...AT_START, theirDetectionTime: 8000, ourDetectionTime: 10_000 })
      await unbroken(t, scene)
    })
  })

  eachBfdPeer(
    'RFC 5880 section 6.5: Poll Sequences end where half of all packets are lost',
    missingCut(),
    async (t, kind) => {
      // A gap of 60 packets does not come.
      const times = { ...START, detectMultiplier: 60 }
      await withBfd(kind, { session: times, peer: times }, async scene => {
        const { peer, peerOptions, session, host } = scene
        await up(scene)
        cut(host, 'both', 'udp dport 3784 numgen random mod 100 < 50')
        session.change({ ...times, transmitInterval: 300, receiveInterval: 300 })
        await peer.change({ ...peerOptions, transmitInterval: 150, receiveInterval: 150 })
        await agreed(scene, timing(300, 300, 60))
        session.change({ ...times, transmitInterval: 150, receiveInterval: 150 })
        await agreed(scene, timing(150, 150, 60))
        await up(scene)
        await unbroken(t, scene)
      })
    },
  )
})
