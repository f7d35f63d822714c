/** BFD with FRR's bfdd and BIRD: sessions come up, and both ends and Wireshark say the same of them. */
import { agreed, bfdInterop, eachBfdPeer, playOn, theyAre, up, weAre, withBfd } from './interop/bfd-scene.js'
import { Capture, missingCapture } from './interop/capture.js'
import { createHost, untilEqual } from './interop/namespace.js'

/** One end's wishes are other than the other's, so that it shows who has got what from whom. */
const OURS = { transmitInterval: 120, receiveInterval: 250, detectMultiplier: 50 }
const THEIRS = { transmitInterval: 200, receiveInterval: 150, detectMultiplier: 40 }
const AGREED = {
  ourTransmitInterval: 150,
  theirTransmitInterval: 250,
  ourDetectionTime: 10_000,
  theirDetectionTime: 7500,
}

await bfdInterop(() => {
  for (const over of ['ipv4', 'ipv6', 'link-local'] as const) {
    eachBfdPeer(
      `RFC 5881: a session over ${over} comes up, and both ends know the same of it`,
      undefined,
      async (t, kind) => {
        await withBfd(kind, { over, session: OURS, peer: THEIRS }, async scene => {
          const { peer, session } = scene
          await agreed(scene, AGREED)
          const ours = session.snapshot()
          t.match(ours, { remoteState: 'Up', diagnostic: 0, remoteDiagnostic: 0 })
          t.match(ours, { detectMult: 50, remoteDetectMult: 40 })
          t.match(ours, { upTransitions: 1, downTransitions: 0, sendErrors: 0 })
          t.same(ours.discards, {})
          const details = (await peer.session())?.details
          if (!details) return
          t.equal(details.myDiscriminator, ours.yourDiscriminator)
          t.equal(details.yourDiscriminator, ours.myDiscriminator)
          t.match(details, { detectMult: 40, remoteDetectMult: 50, diagnostic: 'ok', remoteDiagnostic: 'ok' })
          t.match(details, { upTransitions: 1, downTransitions: 0 })
        })
      },
    )
  }

  eachBfdPeer('RFC 5880 section 4.1: what Wireshark reads on the wire', missingCapture(), async (t, kind) => {
    await withBfd(kind, { session: OURS, peer: { ...THEIRS, passive: true } }, async scene => {
      // The daemon is told to wait, so that the beginning is seen here.
      await using capture = await Capture.start(scene.host.link, 'udp port 3784')
      const { address, localAddress = '' } = scene.sessionOptions
      await agreed(scene, AGREED)
      const { myDiscriminator, yourDiscriminator } = scene.session.snapshot()
      const isUp = 'bfd.sta == 3 && bfd.desired_min_tx_interval < 1000000'
      const read = (source: string) =>
        capture.wait(
          2,
          `${isUp} && ip.src == ${source}`,
          ...(['ip.ttl', 'udp.srcport', 'bfd.version', 'bfd.message_length', 'bfd.detect_time_multiplier'] as const),
          ...(['bfd.desired_min_tx_interval', 'bfd.required_min_rx_interval'] as const),
          ...(['bfd.my_discriminator', 'bfd.your_discriminator'] as const),
        )
      const ours = (await read(localAddress)).at(-1)
      t.match(ours, { 'ip.ttl': '255', 'bfd.version': '1', 'bfd.message_length': '24' })
      t.match(ours, { 'bfd.detect_time_multiplier': '50', 'bfd.desired_min_tx_interval': '120000' })
      t.equal(Number(ours?.['bfd.my_discriminator']), myDiscriminator)
      t.equal(Number(ours?.['bfd.your_discriminator']), yourDiscriminator)
      t.equal(ours?.['bfd.required_min_rx_interval'], '250000')
      const theirs = (await read(address)).at(-1)
      t.equal(Number(theirs?.['bfd.my_discriminator']), yourDiscriminator)
      t.equal(Number(theirs?.['bfd.your_discriminator']), myDiscriminator)
      const sent = await capture.read(`bfd && ip.src == ${localAddress}`, 'udp.srcport')
      const ports = [...new Set(sent.map(packet => Number(packet['udp.srcport'])))]
      t.equal(ports.length, 1, 'RFC 5881 section 4: one source port for the session')
      t.ok(ports.every(port => port >= 49_152 && port <= 65_535))
      t.same(await capture.faults(), [], 'no packet is malformed')
    })
  })

  eachBfdPeer('RFC 5880 section 6.1: we are passive, and the other end begins', undefined, async (t, kind) => {
    await withBfd(kind, { session: { passiveMode: true } }, async scene => {
      await up(scene)
      t.match(scene.session.snapshot(), { upTransitions: 1, downTransitions: 0 })
    })
  })

  eachBfdPeer('RFC 5880 section 6.1: the other end is passive, and we begin', undefined, async (t, kind) => {
    await withBfd(kind, { peer: { passive: true } }, async scene => {
      await up(scene)
      const details = (await scene.peer.session())?.details
      t.equal(details?.passive ?? true, true)
    })
  })

  eachBfdPeer('RFC 5880 section 6.1: both are passive, and nobody says a word', missingCapture(), async (t, kind) => {
    await withBfd(kind, { session: { passiveMode: true }, peer: { passive: true } }, async scene => {
      await using capture = await Capture.start(scene.host.link, 'udp port 3784')
      await theyAre(scene, 'Down')
      // An active system says something every second; a longer look shows that nobody does.
      await scene.host.ask('sleep', '2.5')
      t.same(await capture.read('bfd', 'ip.src'), [])
      t.match(scene.session.snapshot(), { state: 'Down', packetsSent: 0, packetsReceived: 0 })
      scene.session.change({ passiveMode: false })
      await up(scene)
    })
  })

  eachBfdPeer(
    'RFC 5880 section 6.8.6: killed and started again, it has another discriminator',
    undefined,
    async (t, kind) => {
      await withBfd(kind, {}, async scene => {
        await up(scene)
        const before = scene.session.snapshot()
        await scene.peer.daemon.kill()
        await weAre(scene, 'Down')
        await scene.peer.daemon.startAgain()
        await up(scene)
        const after = scene.session.snapshot()
        t.not(after.yourDiscriminator, before.yourDiscriminator)
        t.equal(after.myDiscriminator, before.myDiscriminator)
        t.equal(after.upTransitions, 2)
        t.equal(after.downTransitions, 1)
      })
    },
  )

  eachBfdPeer('two holders have one session on the wire', missingCapture(), async (t, kind) => {
    await withBfd(kind, { session: { transmitInterval: 400 } }, async scene => {
      const { bfd, session, sessionOptions } = scene
      await up(scene)
      await using capture = await Capture.start(scene.host.link, 'udp port 3784')
      using second = bfd.session({ ...sessionOptions, transmitInterval: 200, receiveInterval: 200 })
      const states: string[] = []
      second.on('state', to => states.push(to))
      await agreed(scene, {
        ourTransmitInterval: 300,
        ourDetectionTime: 6000,
        theirTransmitInterval: 300,
        theirDetectionTime: 6000,
      })
      t.match(session.snapshot(), { desiredMinTxInterval: 200_000, requiredMinRxInterval: 200_000, upTransitions: 1 })
      t.equal(second.snapshot().myDiscriminator, session.snapshot().myDiscriminator)
      second.close()
      await untilEqual('the wish that is left', 400_000, () => session.snapshot().desiredMinTxInterval)
      await up(scene)
      t.same(states, [], 'it was Up from the beginning')
      const seen = await capture.wait(
        1,
        `bfd && ip.dst == ${sessionOptions.address}`,
        'bfd.my_discriminator',
        'bfd.sta',
      )
      t.equal(new Set(seen.map(packet => packet['bfd.my_discriminator'])).size, 1)
      t.ok(seen.every(packet => Number(packet['bfd.sta']) === 3))
    })
  })

  eachBfdPeer('RFC 5880 section 6.3: 20 sessions at once', undefined, async (t, kind) => {
    const pairs = Array.from({ length: 20 }, (_, index) => {
      const wire = kind.name === 'FRR' ? 20 : 21
      return { address: `10.${wire}.0.${index + 1}`, localAddress: `10.${wire}.0.${index + 101}` }
    })
    const [first, ...others] = pairs.map(({ address, localAddress }) => ({
      address: localAddress,
      localAddress: address,
      detectMultiplier: 20,
    }))
    await using host = await createHost(
      pairs.map(({ address }) => `${address}/24`),
      pairs.map(({ localAddress }) => `${localAddress}/24`),
    )
    await playOn(kind, host, first!, { neighbors: pairs, detectMultiplier: 20 }, async scene => {
      const { bfd, session, peer } = scene
      const sessions = [session, ...others.map(options => bfd.session(options))]
      try {
        for (const each of sessions) await untilEqual(`session with ${each.address}`, 'Up', () => each.state)
        for (const { address } of pairs) {
          await untilEqual(`their session with ${address}`, 'Up', async () => (await peer.session(address))?.state)
        }
        const snapshots = sessions.map(each => each.snapshot())
        t.equal(new Set(snapshots.map(each => each.myDiscriminator)).size, 20)
        t.equal(new Set(snapshots.map(each => each.yourDiscriminator)).size, 20)
        await peer.daemon.kill()
        for (const each of sessions) await untilEqual(`session with ${each.address}`, 'Down', () => each.state)
        t.same(
          sessions.map(each => each.snapshot().downTransitions),
          sessions.map(() => 1),
        )
      } finally {
        for (const each of sessions) each.close()
      }
    })
  })
})
