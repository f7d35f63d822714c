/** BGP and BFD together with FRR and BIRD: RFC 5882 section 10 and RFC 9384. */
import type tap from 'tap'
import type { BfdPeerOptions } from '@typemetal/bgp'
import { bfdInterop, cut, mend, missingCut, ourBfd } from './interop/bfd-scene.js'
import { bird } from './interop/bird.js'
import { Capture, missingCapture } from './interop/capture.js'
import { vtysh } from './interop/frr-daemons.js'
import { frr } from './interop/frr.js'
import { until, untilEqual } from './interop/namespace.js'
import type { RouterKind } from './interop/router.js'
import {
  established,
  hasLearned,
  onRouter,
  peerOptions,
  prefixesOf,
  seen,
  withScene,
  type Lacks,
  type Scene,
} from './interop/scene.js'

const ROUTES = [{ prefix: '192.0.2.0/24' }, { prefix: '2001:db8:1::/48' }]
const NETWORKS = [{ prefix: '198.51.100.0/24' }, { prefix: '2001:db8:ffff::/48' }]
/** So many packets that no pause of a busy machine is a Detection Time. */
const TIMES = { transmitInterval: 200, receiveInterval: 200, detectMultiplier: 30 }
const DETECTION_TIME = 6000
/** Seconds, three times what anything here is waited for: what is noticed was noticed by BFD. */
const HOLD_TIME = 360

/** Plays with BGP and BFD up on both sides, and all routes exchanged. */
async function withBoth(
  kind: RouterKind,
  options: { readonly over?: 'ipv4' | 'ipv6'; readonly bfd?: BfdPeerOptions },
  play: (scene: Scene) => Promise<void>,
): Promise<void> {
  const { over = 'ipv4' } = options
  const peer = { holdTime: HOLD_TIME, bfd: { ...TIMES, ...options.bfd } }
  const router = { holdTime: HOLD_TIME, bfd: TIMES, networks: NETWORKS }
  await withScene(kind, { over, speaker: { bfd: ourBfd() }, peer, router }, async scene => {
    scene.peer.setRoutes(ROUTES)
    await both(scene)
    await play(scene)
  })
}

/**
 * BFD and BGP are up and all routes exchanged. FRR 8.4 makes its BFD session anew, with a Down of the old one, when BGP comes to
 * Established; that may end BGP once more.
 */
async function both(scene: Scene): Promise<void> {
  const { history, learned, peer, router } = scene
  for (let before = -1; before !== history.length;) {
    before = history.length
    await untilEqual('BFD', 'Up', () => peer.bfdState)
    await established(scene)
    await hasLearned({ learned }, prefixesOf(NETWORKS))
    await seen(router, prefixesOf(ROUTES))
  }
}

function each(
  name: string,
  lacks: Lacks | string | undefined,
  play: (t: typeof tap, kind: RouterKind) => Promise<void>,
): void {
  for (const kind of [frr, bird]) {
    const all = typeof lacks === 'string' ? { [kind.name]: lacks } : (lacks ?? {})
    onRouter(kind, name, all, play)
  }
}

/** Milliseconds until our routes to the other side's prefixes are gone. */
async function withdrawn({ learned }: Scene, act: () => void): Promise<number> {
  const start = performance.now()
  act()
  await until('our routes are gone', () => learned.size === 0)
  return performance.now() - start
}

await bfdInterop(() => {
  for (const over of ['ipv4', 'ipv6'] as const) {
    each(`RFC 5882 section 10.2: the link is cut without a word, ${over}`, missingCut(), async (t, kind) => {
      await withBoth(kind, { over }, async scene => {
        const { history, host, peer, router } = scene
        t.equal(peer.negotiated?.holdTime, HOLD_TIME)
        const before = history.length
        const start = performance.now()
        const elapsed = await withdrawn(scene, () => cut(host, 'both'))
        t.equal(history[before], 'Idle Established BfdDown: Control Detection Time Expired')
        await seen(router, [])
        const theirs = performance.now() - start
        t.comment(`our routes are gone after ${Math.round(elapsed)} ms of a detection time of ${DETECTION_TIME} ms,`)
        t.comment(`theirs, as far as their command line is asked, after ${Math.round(theirs)} ms`)
        t.same(await router.established(), [])
        mend(host)
        await router.hurry?.()
        await both(scene)
        t.equal(peer.bfdState, 'Up')
      })
    })
  }

  each('RFC 5882 section 10.2: the router hangs', undefined, async (t, kind) => {
    await withBoth(kind, {}, async scene => {
      const { history, router } = scene
      const before = history.length
      const elapsed = await withdrawn(scene, () => router.daemon.freeze())
      t.comment(`our routes are gone after ${Math.round(elapsed)} ms of a detection time of ${DETECTION_TIME} ms`)
      t.equal(history[before], 'Idle Established BfdDown: Control Detection Time Expired')
      router.daemon.thaw()
      await both(scene)
    })
  })

  const sharp = missingCut() ?? missingCapture()
  each('RFC 9384 section 3: the router is told Cease, BFD Down', sharp, async (t, kind) => {
    await withBoth(kind, {}, async scene => {
      const { history, host, ours } = scene
      await using capture = await Capture.start(host.link, 'tcp port 179')
      const before = history.length
      // Whatever the router says, so that its BGP, which learns from us that the path is down, does not end the session before ours does.
      cut(host, 'to us')
      await until('the end of the session', () => history.length > before)
      t.equal(history[before], 'Idle Established BfdDown: Control Detection Time Expired')
      const fields = ['bgp.notify.major_error', 'bgp.notify.minor_error_cease'] as const
      const [notification] = await capture.wait(1, `bgp.type == 3 && ip.src == ${ours.ipv4}`, ...fields)
      t.same(Object.values(notification ?? {}), ['6', '10'])
      mend(host)
      await both(scene)
    })
  })

  each('RFC 5882 section 10.2: the router does not hear us', missingCut(), async (t, kind) => {
    await withBoth(kind, {}, async scene => {
      const { history, host } = scene
      const before = history.length
      cut(host, 'to them', 'udp dport 3784')
      await until('the end of the session', () => history.length > before)
      t.comment(history[before])
      t.match(history[before], /^Idle Established (BfdDown|NotifMsg)/)
      mend(host)
      await both(scene)
    })
  })

  const silent = { BIRD: 'BIRD 2.0.12 sends nothing when its protocol is disabled' }
  each('RFC 5882 section 4.2: the router takes its BFD down, and BGP stays', silent, async (t, kind) => {
    await withBoth(kind, {}, async scene => {
      const { history, peer, router, ours, theirs } = scene
      const before = history.length
      const select = `peer ${ours.ipv4} local-address ${theirs.ipv4} interface eth0`
      const configure = (text: string): Promise<string> =>
        vtysh(router.daemon, 'bfdd', 'configure terminal', 'bfd', select, text)
      await configure('shutdown')
      await untilEqual('our BFD', 'Down', () => peer.bfdState)
      const { keepalivesReceived } = peer.counters
      await configure('no shutdown')
      await untilEqual('our BFD', 'Up', () => peer.bfdState)
      t.same(history.slice(before), [], `BGP has not noticed, ${keepalivesReceived} keepalives`)
      await both(scene)
    })
  })

  each('RFC 5882 section 4.2: we take our BFD down', missingCapture(), async (t, kind) => {
    await withBoth(kind, {}, async scene => {
      const { history, host, peer, ours, theirs } = scene
      await using capture = await Capture.start(host.link, 'udp port 3784 or tcp port 179')
      const before = history.length
      peer.change(peerOptions({ peer: { holdTime: HOLD_TIME } }, theirs))
      await untilEqual('our BFD', undefined, () => peer.bfdState)
      await capture.wait(1, `bfd.sta == 0 && ip.src == ${ours.ipv4}`, 'bfd.diag')
      // FRR 8.4 and BIRD 2.0.12 take AdminDown of a neighbour for the end of the path; we do not, and come back without BFD.
      await until('the end of the session', () => history.length > before)
      t.match(history[before], /^Idle Established NotifMsg/)
      await established(scene)
      t.equal(peer.bfdState, undefined)
      t.same(await capture.read(`bgp.type == 3 && ip.src == ${ours.ipv4}`, 'ip.src'), [], 'no NOTIFICATION of ours')
    })
  })

  each('draft-ietf-idr-bgp-bfd-strict-mode: BGP waits for BFD, on our side alone', missingCut(), async (t, kind) => {
    await withBoth(kind, { bfd: { strict: true } }, async scene => {
      const { host, peer, router } = scene
      const found: unknown[] = []
      peer.on('state', to => to === 'Established' && found.push(peer.bfdState))
      // Neither FRR 8.4 nor BIRD 2.0.12 knows strict mode and its capability.
      t.equal(peer.negotiated?.bfdStrictMode ?? false, false)
      cut(host, 'both', 'udp dport 3784')
      await until('the end of the session', () => peer.state !== 'Established')
      await router.hurry?.()
      await until('BGP waits for BFD', () => peer.bfdSubState !== undefined && peer.bfdState !== 'Up')
      t.not(peer.state, 'Established')
      t.same(found, [])
      mend(host)
      await both(scene)
      t.same([...new Set(found)], ['Up'], 'whenever BGP came to Established')
    })
  })
})
