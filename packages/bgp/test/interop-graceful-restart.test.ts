/** Graceful restart with real routers: of theirs, which we help, and of ours, which they help. */
import { BgpSpeaker, type Route } from '@typemetal/bgp'
import { until } from './interop/namespace.js'
import {
  eachRouter,
  established,
  hasLearned,
  interop,
  OUR_AS,
  peerOptions,
  prefixesOf,
  routesOf,
  seen,
  staleActions,
  withRouter,
  withScene,
  type Lacks,
} from './interop/scene.js'
import { spawnSpeaker } from './interop/speaker-process.js'

const ROUTES: readonly Route[] = [{ prefix: '192.0.2.0/24' }, { prefix: '2001:db8:1::/48' }]
const NETWORKS = [{ prefix: '198.51.100.0/24' }, { prefix: '2001:db8:ffff::/48' }]
/** Seconds: enough for a daemon to start on a busy machine. */
const RESTART_TIME = 120

interop(() => {
  const never: Lacks = { OpenBGPD: 'OpenBGPD says End-of-RIB, and that it has not kept its forwarding state' }
  eachRouter(
    'RFC 4724 section 4.2: killed and started again, its routes stay until End-of-RIB',
    never,
    async (t, kind) => {
      const options = { router: { networks: NETWORKS, gracefulRestart: RESTART_TIME }, peer: { gracefulRestart: true } }
      await withScene(kind, options, async scene => {
        const { peer, router, speaker, learned } = scene
        await established(scene)
        await hasLearned(scene, prefixesOf(NETWORKS))
        t.ok(peer.negotiated?.gracefulRestart)
        const lost: string[] = []
        speaker.on('route', ({ prefix, paths }) => paths.length === 0 && lost.push(prefix))
        await router.daemon.kill()
        await until('the end of the session', () => peer.state !== 'Established')
        t.equal(learned.size, NETWORKS.length, 'its routes stay')
        t.ok(
          [...peer.adjRibIn()].every(({ stale }) => stale),
          'and are stale',
        )
        await router.daemon.startAgain()
        await established(scene)
        await until('End-of-RIB', () => [...peer.adjRibIn()].every(({ stale }) => !stale))
        t.same([...peer.adjRibIn()].map(({ prefix }) => prefix).toSorted(), prefixesOf(NETWORKS).toSorted())
        t.same(lost, [], 'none was ever gone')
      })
    },
  )

  eachRouter('RFC 4724 section 4.2: what it does not say again goes with End-of-RIB', never, async (t, kind) => {
    const options = { router: { networks: NETWORKS, gracefulRestart: RESTART_TIME }, peer: { gracefulRestart: true } }
    await withScene(kind, options, async scene => {
      const { peer, router, routerOptions, learned } = scene
      await established(scene)
      await hasLearned(scene, prefixesOf(NETWORKS))
      await router.daemon.kill()
      await until('the end of the session', () => peer.state !== 'Established')
      t.equal(learned.size, NETWORKS.length)
      router.configure({ ...routerOptions, networks: NETWORKS.slice(0, 1) })
      await router.daemon.startAgain()
      await hasLearned(scene, prefixesOf(NETWORKS.slice(0, 1)))
      t.equal(peer.state, 'Established')
    })
  })

  eachRouter(
    'RFC 4724 section 4.2: it does not come back; its routes go with the restart time',
    never,
    async (t, kind) => {
      const events: string[] = []
      const options = {
        router: { networks: NETWORKS, gracefulRestart: 2 },
        peer: { gracefulRestart: true },
        speaker: { log: staleActions(action => events.push(action)) },
      }
      await withScene(kind, options, async scene => {
        const { peer, router, speaker } = scene
        await established(scene)
        await hasLearned(scene, prefixesOf(NETWORKS))
        speaker.on('route', ({ paths }) => paths.length === 0 && events.push('gone'))
        peer.on('state', (_to, from) => from === 'Established' && events.push('down'))
        await router.daemon.kill()
        await hasLearned(scene, [])
        const happened = events.slice(events.indexOf('mark-stale')).filter((event, at, all) => event !== all[at - 1])
        t.equal(happened[0], 'mark-stale')
        t.ok(events.includes('down'), 'the session has ended')
        t.ok(happened.indexOf('delete-stale') > 0, 'its routes stay for the restart time')
        t.ok(happened.indexOf('gone') > happened.indexOf('delete-stale'), 'and go with it')
      })
    },
  )

  const forgets: Lacks = { ExaBGP: 'ExaBGP has no table that it would keep routes in' }
  eachRouter('RFC 4724 section 4.1: we are killed and started again, it keeps our routes', forgets, async (t, kind) => {
    const options = { router: { gracefulRestart: RESTART_TIME }, peer: { gracefulRestart: true } }
    await withRouter(kind, options, async ({ router, ours, theirs }) => {
      const speaker = { asn: OUR_AS, bgpIdentifier: ours.ipv4 }
      const peer = peerOptions(options, theirs)
      {
        await using _ = spawnSpeaker({ speaker, peer, routes: ROUTES })
        await seen(router, prefixesOf(ROUTES))
      }
      await until('the router saw the end', async () => (await router.established()).length === 0)
      const kept = await router.paths()
      t.same(kept.map(({ prefix }) => prefix).toSorted(), prefixesOf(ROUTES).toSorted(), 'our routes stay')
      t.ok(
        kept.every(({ stale }) => stale ?? true),
        'and are stale',
      )
      await using restarted = new BgpSpeaker({ ...speaker, restarting: true })
      restarted.addPeer(peer).setRoutes(ROUTES.slice(0, 1))
      await seen(router, prefixesOf(ROUTES.slice(0, 1)))
      await until('none is stale', async () => [...(await routesOf(router)).values()].every(({ stale }) => !stale))
    })
  })
})
