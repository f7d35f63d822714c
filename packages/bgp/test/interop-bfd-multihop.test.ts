/** BFD over a router, RFC 5883, with FRR's bfdd and BIRD behind it. */
import {
  bfdInterop,
  cut,
  eachBfdPeer,
  mend,
  missingCut,
  playOn,
  theyAre,
  timed,
  up,
  weAre,
  type BfdScene,
} from './interop/bfd-scene.js'
import type { BfdPeerKind, BfdPeerOptions } from './interop/bfd-peer.js'
import { Capture, missingCapture } from './interop/capture.js'
import { createHost, run, until, type Host } from './interop/namespace.js'
import { Diagnostic, type SessionOptions } from '@typemetal/bgp/bfd'

/** Milliseconds. */
const INTERVAL = 200
/** So many that no pause of a busy machine is a Detection Time. */
const DETECT_MULT = 30
const DETECTION_TIME = DETECT_MULT * INTERVAL
const TIMES = { transmitInterval: INTERVAL, receiveInterval: INTERVAL, detectMultiplier: DETECT_MULT }

/** TTL that a daemon sends with. RFC 5883 leaves it free, so that our default of FRR's, 254, is not for BIRD. */
const SENT_TTL = { FRR: 255, BIRD: 64 } as const

/** Counts networks, of which each play has two. */
let plays = 0

/** Plays with a daemon behind a router. */
async function withRouterBetween(
  kind: BfdPeerKind,
  over: 'ipv4' | 'ipv6',
  options: { readonly session?: SessionOptions; readonly peer?: Partial<BfdPeerOptions> },
  play: (scene: BfdScene & { readonly router: Host }) => Promise<void>,
): Promise<void> {
  const near = 2 * ++plays
  const [network, length] = over === 'ipv4' ? (['10.3', 24] as const) : (['2001:db8:c', 64] as const)
  const host = (subnet: number, id: number): string =>
    over === 'ipv4' ? `${network}.${subnet}.${id}` : `${network}:${subnet}::${id}`
  const subnetOf = (subnet: number): string =>
    over === 'ipv4' ? `${network}.${subnet}.0/24` : `${network}:${subnet}::/64`
  const far = near + 1
  const [ours, theirs] = [host(near, 1), host(far, 1)]
  await using router = await createHost([`${ours}/${length}`], [`${host(near, 2)}/${length}`])
  router.exec('sh', '-c', 'echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding')
  await using behind = await createHost([`${host(far, 2)}/${length}`], [`${theirs}/${length}`], router)
  run('ip', 'route', 'add', subnetOf(far), 'via', host(near, 2))
  behind.exec('ip', 'route', 'add', subnetOf(near), 'via', host(far, 2))
  const minimumTtl = SENT_TTL[kind.name] - 1
  const session = { address: theirs, localAddress: ours, multihop: true, minimumTtl, ...TIMES, ...options.session }
  const peer = { neighbors: [{ address: ours, localAddress: theirs }], multihop: true, ...TIMES, ...options.peer }
  await playOn(kind, behind, session, peer, scene => play({ ...scene, router }))
}

await bfdInterop(() => {
  for (const over of ['ipv4', 'ipv6'] as const) {
    eachBfdPeer(`RFC 5883: a session over a router, ${over}`, missingCapture() ?? missingCut(), async (t, kind) => {
      await withRouterBetween(kind, over, {}, async scene => {
        const { session, router, host, peer } = scene
        await up(scene)
        const snapshot = session.snapshot()
        t.match(snapshot, { multihop: true, detectionTime: DETECTION_TIME * 1000, upTransitions: 1 })
        await using capture = await Capture.start(router.link, 'udp')
        const ttl = over === 'ipv4' ? 'ip.ttl' : 'ipv6.hlim'
        const packets = await capture.wait(8, 'bfd', ttl, 'udp.dstport', 'udp.srcport')
        t.same([...new Set(packets.map(packet => packet['udp.dstport']))], ['4784'])
        const hops = new Set(packets.map(packet => Number(packet[ttl])))
        const wanted = [SENT_TTL[kind.name] - 1, 255]
        t.same(
          [...hops].toSorted((a, b) => a - b),
          wanted,
          'theirs is one less for the router',
        )
        t.same(await capture.faults(), [], 'no packet is malformed')
        const details = (await peer.session())?.details
        if (details) {
          t.equal(details.myDiscriminator, snapshot.yourDiscriminator)
          t.equal(details.yourDiscriminator, snapshot.myDiscriminator)
        }
        const elapsed = await timed(scene, 'Down', () => cut(host, 'both'))
        t.comment(`${kind.name} is cut off: known after ${Math.round(elapsed)} ms of ${DETECTION_TIME} ms`)
        t.ok(elapsed >= DETECTION_TIME / 2, `not too early: ${elapsed} ms`)
        t.equal(session.snapshot().diagnostic, Diagnostic.ControlDetectionTimeExpired)
        await theyAre(scene, 'Down')
        mend(host)
        await up(scene)
      })
    })
  }

  eachBfdPeer(
    'RFC 5883 section 5: packets with a TTL below our minimum are not taken',
    missingCut(),
    async (t, kind) => {
      await withRouterBetween(kind, 'ipv4', {}, async scene => {
        const { router, session } = scene
        await up(scene)
        t.same(session.snapshot().discards, {})
        // What leaves the router towards us has passed more of them, for all that we can tell.
        const rules = 'type filter hook postrouting priority 0;\noifname "eth0" ip ttl set 44'
        router.exec('nft', `table ip far {\nchain out {\n${rules}\n}\n}`)
        await weAre(scene, 'Down')
        await until('packets are counted', () => (session.snapshot().discards.ttl ?? 0) > 1)
        t.equal(session.snapshot().diagnostic, Diagnostic.ControlDetectionTimeExpired)
        session.change({ ...TIMES, minimumTtl: 44 })
        await up(scene)
        t.match(session.snapshot(), { upTransitions: 2, downTransitions: 1 })
      })
    },
  )

  eachBfdPeer('RFC 5883: its minimum TTL', { BIRD: 'BIRD 2.0.12 has none' }, async (t, kind) => {
    await withRouterBetween(kind, 'ipv4', { peer: { minimumTtl: 254 } }, async scene => {
      await up(scene)
      t.equal(scene.session.snapshot().upTransitions, 1, 'one router leaves 254 of our 255')
    })
  })

  eachBfdPeer('RFC 5883: a single-hop session does not take packets of a router', undefined, async (t, kind) => {
    await withRouterBetween(kind, 'ipv4', {}, async scene => {
      const { bfd, session, sessionOptions } = scene
      await up(scene)
      const { address, localAddress = '' } = sessionOptions
      using single = bfd.session({ address, localAddress, ...TIMES })
      await until('it has said something', () => single.snapshot().packetsSent > 1)
      t.match(single.snapshot(), { state: 'Down', packetsReceived: 0 })
      t.match(session.snapshot(), { state: 'Up', downTransitions: 0 })
    })
  })
})
