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

const START = { transmitInterval: 200, receiveInterval: 200, detectMultiplier: 3 }
const AT_START: Timing = {
  ourTransmitInterval: 200,
  ourDetectionTime: 600,
  theirTransmitInterval: 200,
  theirDetectionTime: 600,
}

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
      session.change({ transmitInterval: 700, receiveInterval: 900, detectMultiplier: 3 })
      await agreed(scene, {
        ourTransmitInterval: 700,
        theirDetectionTime: 2100,
        theirTransmitInterval: 900,
        ourDetectionTime: 2700,
      })
      await polled(t, capture, sessionOptions.localAddress ?? '', sessionOptions.address, [700, 900])
      session.change({ transmitInterval: 100, receiveInterval: 100, detectMultiplier: 3 })
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
      await agreed(scene, {
        ourTransmitInterval: 600,
        theirDetectionTime: 1800,
        theirTransmitInterval: 800,
        ourDetectionTime: 2400,
      })
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
        const interval = Math.max(ours, theirs)
        await agreed(scene, {
          ourTransmitInterval: interval,
          theirDetectionTime: 3 * interval,
          theirTransmitInterval: interval,
          ourDetectionTime: 3 * interval,
        })
      }
      await unbroken(t, scene)
    })
  })

  eachBfdPeer('RFC 5880 section 6.8.12: each changes its Detect Mult while it is up', undefined, async (t, kind) => {
    await withBfd(kind, { session: START, peer: START }, async scene => {
      const { peer, peerOptions, session } = scene
      await agreed(scene, AT_START)
      session.change({ ...START, detectMultiplier: 7 })
      await agreed(scene, { ...AT_START, theirDetectionTime: 1400 })
      await peer.change({ ...peerOptions, detectMultiplier: 10 })
      await agreed(scene, { ...AT_START, theirDetectionTime: 1400, ourDetectionTime: 2000 })
      await unbroken(t, scene)
    })
  })

  eachBfdPeer(
    'RFC 5880 section 6.5: Poll Sequences end where half of all packets are lost',
    missingCut(),
    async (t, kind) => {
      // A gap of 20 packets comes once in a million of them.
      const times = { ...START, detectMultiplier: 20 }
      await withBfd(kind, { session: times, peer: times }, async scene => {
        const { peer, peerOptions, session, host } = scene
        await up(scene)
        cut(host, 'both', 'udp dport 3784 numgen random mod 100 < 50')
        session.change({ ...times, transmitInterval: 300, receiveInterval: 300 })
        await peer.change({ ...peerOptions, transmitInterval: 150, receiveInterval: 150 })
        await agreed(scene, {
          ourTransmitInterval: 300,
          theirDetectionTime: 6000,
          theirTransmitInterval: 300,
          ourDetectionTime: 6000,
        })
        session.change({ ...times, transmitInterval: 150, receiveInterval: 150 })
        await agreed(scene, {
          ourTransmitInterval: 150,
          theirDetectionTime: 3000,
          theirTransmitInterval: 150,
          ourDetectionTime: 3000,
        })
        await up(scene)
        await unbroken(t, scene)
      })
    },
  )
})
