/** The Echo function with FRR's bfdd, both ways; BIRD has none. */
import type tap from 'tap'
import { Diagnostic } from '@typemetal/bgp/bfd'
import {
  bfdInterop,
  cut,
  eachBfdPeer,
  mend,
  missingCut,
  theyAre,
  timed,
  up,
  withBfd,
  type BfdScene,
} from './interop/bfd-scene.js'
import { Capture, missingCapture } from './interop/capture.js'
import { run, until, untilEqual, type Host } from './interop/namespace.js'

const BIRD = 'BIRD 2.0.12 has no Echo function'
const lacks = (missing: string | undefined): { readonly BIRD: string; readonly FRR?: string } =>
  missing === undefined ? { BIRD } : { BIRD, FRR: missing }
/** So many packets that no pause of a busy machine is a Detection Time, of the echo packets either. */
const DETECT_MULT = 50
const TIMES = { transmitInterval: 300, receiveInterval: 300, detectMultiplier: DETECT_MULT, echoInterval: 100 }
const SCENE = { session: { ...TIMES, echoMode: true }, peer: TIMES } as const
/** Milliseconds: of the echo packets, and of the slow control packets beside them. */
const ECHO_DETECTION_TIME = DETECT_MULT * 100
const CONTROL_DETECTION_TIME = DETECT_MULT * 1000

/** bfdd leaves the looping of our packets to its kernel, which forwards only where it is told to. */
function letForward(host: Host): void {
  host.exec('sh', '-c', 'echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding')
}

/** Echo packets with this source. */
const echoOf = (source: string | undefined): string => `ip saddr ${source} udp dport 3785`

/** Echo packets of both ends come back, and the sessions were never down. */
async function echoing(t: typeof tap, { session, peer }: BfdScene): Promise<void> {
  const before = session.snapshot()
  const theirsBefore = (await peer.session())?.details
  await until('ours come back', () => session.snapshot().echoPacketsReceived > before.echoPacketsReceived + 20)
  await until('theirs come back', async () => {
    const now = (await peer.session())?.details
    return now && theirsBefore && now.echoPacketsReceived > theirsBefore.echoPacketsReceived + 20
  })
  const after = session.snapshot()
  t.match(after, { state: 'Up', echoActive: true, upTransitions: 1, downTransitions: 0 })
  const details = (await peer.session())?.details
  t.match(details, { upTransitions: 1, downTransitions: 0 })
  t.equal(after.requiredMinRxInterval, 1_000_000, 'RFC 5880 section 6.8.3: control packets are slow meanwhile')
  t.comment(`ours: ${after.echoPacketsSent} sent, ${after.echoPacketsReceived} back`)
  t.comment(`theirs: ${details?.echoPacketsSent} sent, ${details?.echoPacketsReceived} back`)
}

await bfdInterop(() => {
  for (const over of ['ipv4', 'ipv6'] as const) {
    eachBfdPeer(`RFC 5880 section 6.4: echo packets both ways, ${over}`, lacks(missingCapture()), async (t, kind) => {
      await withBfd(kind, { ...SCENE, over }, async scene => {
        letForward(scene.host)
        await up(scene)
        await echoing(t, scene)
        t.ok(scene.session.snapshot().echoPacketsLooped > 20, 'ours is no router: we loop theirs')
        await using capture = await Capture.start(scene.host.link, 'udp')
        const name = over === 'ipv4' ? 'ip' : 'ipv6'
        const fields = ['frame.protocols', `${name}.src`, `${name}.dst`, 'udp.dstport'] as const
        const packets = await capture.wait(40, 'udp.port == 3785', ...fields)
        t.ok(packets.every(packet => packet['frame.protocols'].endsWith(':bfd_echo')))
        t.ok(packets.every(packet => packet['udp.dstport'] === '3785'))
        const { localAddress } = scene.sessionOptions
        const ours = packets.filter(packet => packet[`${name}.src`] === localAddress)
        t.ok(
          ours.some(packet => packet[`${name}.dst`] === localAddress),
          'RFC 5881 section 4: ours are addressed to ourselves',
        )
        t.same(await capture.faults(), [], 'no packet is malformed')
      })
    })
  }

  eachBfdPeer(
    'RFC 5881 section 4: where we are a router, our kernel loops theirs',
    lacks(undefined),
    async (t, kind) => {
      await withBfd(kind, { session: { detectMultiplier: DETECT_MULT }, peer: TIMES }, async scene => {
        const { bfd, host, session, sessionOptions } = scene
        letForward(host)
        run('sh', '-c', `echo 1 >/proc/sys/net/ipv4/conf/${host.link}/forwarding`)
        await up(scene)
        using echo = bfd.session({ ...sessionOptions, ...SCENE.session })
        await until('the Echo function', () => echo.snapshot().echoActive)
        await up(scene)
        await echoing(t, scene)
        t.equal(session.snapshot().echoPacketsLooped, 0)
        echo.close()
        await until('control packets alone', () => !session.snapshot().echoActive)
        await untilEqual('their pace', 300_000, () => session.snapshot().receiveInterval)
        t.match(session.snapshot(), { state: 'Up', upTransitions: 1, downTransitions: 0 })
      })
    },
  )

  eachBfdPeer(
    'RFC 5880 section 6.8.5: our echo packets are lost',
    lacks(missingCapture() ?? missingCut()),
    async (t, kind) => {
      await withBfd(kind, SCENE, async scene => {
        const { host, session, sessionOptions } = scene
        letForward(host)
        await up(scene)
        await echoing(t, scene)
        await using capture = await Capture.start(host.link, 'udp port 3784')
        let diagnostic: number | undefined
        session.once('state', (_to, _from, details) => (diagnostic = details.diagnostic))
        const elapsed = await timed(scene, 'Down', () => cut(host, 'to them', echoOf(sessionOptions.localAddress)))
        t.comment(`known after ${Math.round(elapsed)} ms of an echo detection time of ${ECHO_DETECTION_TIME} ms`)
        t.equal(diagnostic, Diagnostic.EchoFunctionFailed)
        t.ok(elapsed >= ECHO_DETECTION_TIME / 2, `not too early: ${elapsed} ms`)
        await capture.wait(
          1,
          `bfd.diag == ${Diagnostic.EchoFunctionFailed} && bfd.sta == 1 && ip.dst == ${session.address}`,
          'ip.src',
        )
        mend(host)
        await up(scene)
      })
    },
  )

  eachBfdPeer('RFC 5880 section 6.8.5: their echo packets are lost', lacks(missingCut()), async (t, kind) => {
    await withBfd(kind, SCENE, async scene => {
      const { host, session, sessionOptions } = scene
      letForward(host)
      await up(scene)
      await echoing(t, scene)
      let told: { readonly diagnostic: number; readonly remoteDiagnostic: number } | undefined
      session.once('state', (_to, _from, details) => (told = details))
      const elapsed = await timed(scene, 'Down', () => cut(host, 'to us', echoOf(sessionOptions.address)))
      t.comment(`told after ${Math.round(elapsed)} ms of an echo detection time of ${ECHO_DETECTION_TIME} ms`)
      t.match(told, {
        diagnostic: Diagnostic.NeighborSignaledSessionDown,
        remoteDiagnostic: Diagnostic.EchoFunctionFailed,
      })
      mend(host)
      await up(scene)
    })
  })

  eachBfdPeer(
    'RFC 5880 section 6.4: a cut is known long before control packets tell',
    lacks(missingCut()),
    async (t, kind) => {
      await withBfd(kind, SCENE, async scene => {
        const { host, session } = scene
        letForward(host)
        await up(scene)
        await echoing(t, scene)
        const { detectionTime } = session.snapshot()
        t.equal(detectionTime / 1000, CONTROL_DETECTION_TIME)
        const elapsed = await timed(scene, 'Down', () => cut(host, 'both'))
        t.comment(`known after ${Math.round(elapsed)} ms of an echo detection time of ${ECHO_DETECTION_TIME} ms`)
        t.equal(session.snapshot().diagnostic, Diagnostic.EchoFunctionFailed)
        await theyAre(scene, 'Down')
        mend(host)
        await up(scene)
      })
    },
  )
})
