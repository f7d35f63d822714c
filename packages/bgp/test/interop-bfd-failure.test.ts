/** FRR's bfdd and BIRD die, hang, are cut off in one direction, and are taken down by their operator or by us. */
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
  weAre,
  withBfd,
  type BfdScene,
} from './interop/bfd-scene.js'
import { until, untilEqual } from './interop/namespace.js'

/** Milliseconds; with so many packets that a busy machine makes no gap of a Detection Time by itself. */
const INTERVAL = 200
const DETECT_MULT = 30
const DETECTION_TIME = DETECT_MULT * INTERVAL
const TIMES = { transmitInterval: INTERVAL, receiveInterval: INTERVAL, detectMultiplier: DETECT_MULT }

/**
 * Nobody was accused before silence had lasted, which may have begun before we began to count. That it is not noticed late is held where
 * time is ours, in `bfd-node.test.ts`; here the cause says that it was silence, and which side has noticed.
 */
function notEarly(t: typeof tap, who: string, elapsed: number): void {
  t.comment(`${who} after ${Math.round(elapsed)} ms of a detection time of ${DETECTION_TIME} ms`)
  t.ok(elapsed >= DETECTION_TIME / 2, `${who} not too early: ${elapsed} ms`)
}

/** Our session was Up, went down once for this cause, and is Up again. */
async function upAgain(t: typeof tap, scene: BfdScene, cause: string): Promise<void> {
  await up(scene)
  t.match(scene.session.snapshot(), { upTransitions: 2, downTransitions: 1 })
  t.same(
    scene.history.filter(text => text.includes(' Up ')),
    [`Down Up ${cause}`],
  )
}

const SILENCE = 'no control packet within the detection time'
const SCENE = { session: TIMES, peer: TIMES }

await bfdInterop(() => {
  eachBfdPeer('RFC 5880 section 6.8.4: killed, the detection time tells us', undefined, async (t, kind) => {
    await withBfd(kind, SCENE, async scene => {
      await up(scene)
      const elapsed = await timed(scene, 'Down', () => scene.peer.daemon.kill())
      notEarly(t, `${kind.name} is dead: known`, elapsed)
      t.match(scene.session.snapshot(), { diagnostic: Diagnostic.ControlDetectionTimeExpired, state: 'Down' })
      await scene.peer.daemon.startAgain()
      await upAgain(t, scene, SILENCE)
    })
  })

  eachBfdPeer('RFC 5880 section 6.8.4: frozen, then thawed', undefined, async (t, kind) => {
    await withBfd(kind, SCENE, async scene => {
      await up(scene)
      const { myDiscriminator, yourDiscriminator } = scene.session.snapshot()
      const elapsed = await timed(scene, 'Down', () => scene.peer.daemon.freeze())
      notEarly(t, `${kind.name} is frozen: known`, elapsed)
      t.equal(scene.session.snapshot().diagnostic, Diagnostic.ControlDetectionTimeExpired)
      scene.peer.daemon.thaw()
      await upAgain(t, scene, SILENCE)
      t.match(scene.session.snapshot(), { myDiscriminator, yourDiscriminator })
    })
  })

  eachBfdPeer('RFC 5880 section 6.2: our packets are lost, theirs are not', missingCut(), async (t, kind) => {
    await withBfd(kind, SCENE, async scene => {
      const { host, peer, session } = scene
      await up(scene)
      const elapsed = await timed(scene, 'Down', () => cut(host, 'to them'))
      notEarly(t, `${kind.name} does not hear us: told`, elapsed)
      t.match(session.snapshot(), {
        diagnostic: Diagnostic.NeighborSignaledSessionDown,
        remoteDiagnostic: Diagnostic.ControlDetectionTimeExpired,
        remoteState: 'Down',
      })
      const details = (await peer.session())?.details
      if (details) t.equal(details.diagnostic, 'control detection time expired')
      // It hears nothing of that we are ready.
      await weAre(scene, 'Init')
      await theyAre(scene, 'Down')
      mend(host)
      await upAgain(t, scene, 'the neighbor signaled Down')
    })
  })

  eachBfdPeer('RFC 5880 section 6.2: their packets are lost, ours are not', missingCut(), async (t, kind) => {
    await withBfd(kind, SCENE, async scene => {
      const { host, peer, session } = scene
      await up(scene)
      const elapsed = await timed(scene, 'Down', () => cut(host, 'to us'))
      notEarly(t, `${kind.name} is not heard: known`, elapsed)
      t.equal(session.snapshot().diagnostic, Diagnostic.ControlDetectionTimeExpired)
      await theyAre(scene, 'Init')
      t.equal(session.state, 'Down')
      const details = (await peer.session())?.details
      if (details) {
        // What we tell has Your Discriminator 0 (RFC 5880 section 6.8.1), which bfdd does not take while it is Up or Init:
        // it finds out by itself, since we are slow now.
        t.equal(details.diagnostic, 'control detection time expired')
        t.equal(details.remoteDiagnostic, 'control detection time expired')
      }
      mend(host)
      await upAgain(t, scene, SILENCE)
    })
  })

  eachBfdPeer('RFC 5880 section 6.8.16: we take the session down, and up again', undefined, async (t, kind) => {
    await withBfd(kind, SCENE, async scene => {
      const { peer, session } = scene
      await up(scene)
      session.disable()
      await weAre(scene, 'AdminDown')
      await theyAre(scene, 'Down')
      const details = (await peer.session())?.details
      if (details) {
        t.equal(details.diagnostic, 'neighbor signaled session down')
        t.equal(details.remoteDiagnostic, 'administratively down')
      }
      t.equal(session.snapshot().diagnostic, Diagnostic.AdministrativelyDown)
      session.enable()
      await up(scene)
      t.match(session.snapshot(), { upTransitions: 2, downTransitions: 1 })
    })
  })

  const silent = { BIRD: 'BIRD 2.0.12 sends nothing when its protocol is disabled' }
  eachBfdPeer('RFC 5880 section 6.8.16: its operator takes the session down, and up again', silent, async (t, kind) => {
    await withBfd(kind, SCENE, async scene => {
      const { peer, session } = scene
      await up(scene)
      await peer.disable()
      await weAre(scene, 'Down')
      // Its diagnostic is 0, where RFC 5880 would have 7.
      t.match(session.snapshot(), {
        remoteState: 'AdminDown',
        diagnostic: Diagnostic.NeighborSignaledSessionDown,
      })
      await peer.enable()
      await upAgain(t, scene, 'the neighbor signaled AdminDown')
    })
  })

  const told = { FRR: 'FRR tells AdminDown, see above' }
  eachBfdPeer('RFC 5880 section 6.8.4: disabled without a word, and enabled', told, async (t, kind) => {
    await withBfd(kind, SCENE, async scene => {
      await up(scene)
      notEarly(t, `${kind.name} is disabled: known`, await timed(scene, 'Down', () => scene.peer.disable()))
      t.equal(scene.session.snapshot().diagnostic, Diagnostic.ControlDetectionTimeExpired)
      await scene.peer.enable()
      await upAgain(t, scene, SILENCE)
    })
  })

  eachBfdPeer('RFC 5880 section 6.8.16: our last holder goes, and takes its leave', undefined, async (t, kind) => {
    await withBfd(kind, SCENE, async scene => {
      const { bfd, peer, session, sessionOptions } = scene
      await up(scene)
      session.close()
      await until('they are not Up', async () => (await peer.session())?.state !== 'Up')
      const details = (await peer.session())?.details
      if (details) t.equal(details.remoteDiagnostic, 'administratively down')
      using again = bfd.session(sessionOptions)
      await untilEqual('a new session', 'Up', () => again.state)
      await theyAre(scene, 'Up')
      t.match(again.snapshot(), { upTransitions: 1, downTransitions: 0 })
    })
  })
})
