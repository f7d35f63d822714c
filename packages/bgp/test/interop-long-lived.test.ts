/** Routes of real routers that outlive more than a restart. */
import { until } from './interop/namespace.js'
import {
  eachRouter,
  established,
  hasLearned,
  interop,
  prefixesOf,
  sawTheEnd,
  staleActions,
  withScene,
  type Lacks,
} from './interop/scene.js'

const NETWORKS = [{ prefix: '198.51.100.0/24' }, { prefix: '2001:db8:ffff::/48' }]

/** Seconds: so much that the only pause of that length is the one that is made here. */
const HOLD_TIME = 15

interop(() => {
  const without: Lacks = {
    BIRD: 'BIRD 2.0.12 does not know RFC 8538',
    OpenBGPD: 'OpenBGPD 7.7 does not know RFC 8538',
    ExaBGP: 'ExaBGP 4.2 does not know RFC 8538',
  }
  eachRouter('RFC 8538 section 4: frozen, its routes outlive the hold timer', without, async (t, kind) => {
    const options = {
      router: { networks: NETWORKS, gracefulRestart: 120, holdTime: HOLD_TIME },
      peer: { gracefulRestart: true, holdTime: HOLD_TIME },
    }
    await withScene(kind, options, async scene => {
      const { peer, router, learned, history } = scene
      await established(scene)
      await hasLearned(scene, prefixesOf(NETWORKS))
      t.ok(peer.negotiated?.gracefulRestart?.notification)
      const before = history.length
      router.daemon.freeze()
      await until('hold timer', () => history.length > before)
      t.equal(history[before], 'Idle Established HoldTimer_Expires')
      t.equal(learned.size, NETWORKS.length, 'its routes stay')
      router.daemon.thaw()
      await sawTheEnd(scene)
      await established(scene)
      await until('End-of-RIB', () => [...peer.adjRibIn()].every(({ stale }) => !stale))
      t.equal(learned.size, NETWORKS.length)
    })
  })

  const mortal: Lacks = { OpenBGPD: 'OpenBGPD 7.7 does not know RFC 9494', ExaBGP: 'ExaBGP 4.2 does not know RFC 9494' }
  eachRouter(
    'RFC 9494 section 4.2: away for longer than the restart time, its routes stay',
    mortal,
    async (t, kind) => {
      const actions: string[] = []
      const options = {
        router: { networks: NETWORKS, gracefulRestart: 1, longLivedStaleTime: 600 },
        peer: { gracefulRestart: true, longLivedGracefulRestart: { staleTime: 600 } },
        speaker: { log: staleActions(action => actions.push(action)) },
      }
      await withScene(kind, options, async scene => {
        const { peer, router, learned } = scene
        await established(scene)
        await hasLearned(scene, prefixesOf(NETWORKS))
        t.equal(peer.negotiated?.longLivedGracefulRestart?.length, 2)
        await router.daemon.kill()
        await until('the restart time', () => actions.filter(action => action === 'mark-long-lived').length === 2)
        t.equal(learned.size, NETWORKS.length, 'its routes stay')
        t.ok([...peer.adjRibIn()].every(({ stale }) => stale))
        await router.daemon.startAgain()
        await established(scene)
        await until('End-of-RIB', () => [...peer.adjRibIn()].every(({ stale }) => !stale))
        await hasLearned(scene, prefixesOf(NETWORKS))
      })
    },
  )
})
