/** Real routers that hang, die and come back, and that ask for routes again. */
import type { Route } from '@typemetal/bgp'
import { until } from './interop/namespace.js'
import {
  eachRouter,
  established,
  hasLearned,
  interop,
  prefixesOf,
  sawTheEnd,
  seen,
  withScene,
} from './interop/scene.js'

const ROUTES: readonly Route[] = [{ prefix: '192.0.2.0/24' }, { prefix: '2001:db8:1::/48' }]
const NETWORKS = [{ prefix: '198.51.100.0/24' }, { prefix: '2001:db8:ffff::/48' }]

/** Seconds: so much that the only pause of that length is the one that is made here. */
const HOLD_TIME = 15

interop(() => {
  eachRouter(
    'RFC 4271 section 6.5: frozen, the hold timer ends the session; thawed, it comes back',
    {},
    async (t, kind) => {
      await withScene(
        kind,
        { router: { holdTime: HOLD_TIME, networks: NETWORKS }, peer: { holdTime: HOLD_TIME } },
        async scene => {
          const { peer, router, learned } = scene
          await established(scene)
          await hasLearned(scene, prefixesOf(NETWORKS))
          t.equal(peer.negotiated?.holdTime, HOLD_TIME)
          const causes: string[] = []
          peer.on('state', (_to, from, cause) => from === 'Established' && causes.push(cause))
          router.daemon.freeze()
          await until('hold timer', () => causes.length > 0)
          t.same(causes, ['HoldTimer_Expires'])
          t.equal(learned.size, 0, 'its routes are gone')
          router.daemon.thaw()
          await sawTheEnd(scene)
          await router.hurry?.()
          await established(scene)
          await hasLearned(scene, prefixesOf(NETWORKS))
        },
      )
    },
  )

  eachRouter(
    'RFC 4271 section 8: killed and started again, the session and the routes come back',
    {},
    async (t, kind) => {
      await withScene(kind, { router: { networks: NETWORKS } }, async scene => {
        scene.peer.setRoutes(ROUTES)
        await established(scene)
        await scene.router.daemon.kill()
        await until('the end of the session', () => scene.peer.state !== 'Established')
        t.equal(scene.learned.size, 0)
        await scene.router.daemon.startAgain()
        await established(scene)
        await seen(scene.router, prefixesOf(ROUTES))
        await hasLearned(scene, prefixesOf(NETWORKS))
      })
    },
  )

  const deaf = {
    OpenBGPD: 'OpenBGPD 7.7 refuses every ROUTE-REFRESH: "AID IPv4 unicast not negotiated"',
    ExaBGP: 'ExaBGP 4.2.21 closes the connection on a ROUTE-REFRESH, and its routes come again with the next session',
  }
  eachRouter('RFC 2918: we ask for its routes again', deaf, async (t, kind) => {
    await withScene(kind, { router: { networks: NETWORKS } }, async scene => {
      const { peer } = scene
      await established(scene)
      await hasLearned(scene, prefixesOf(NETWORKS))
      for (const family of ['ipv4-unicast', 'ipv6-unicast'] as const) {
        const before = peer.counters.updatesReceived
        t.ok(peer.requestRefresh(family))
        await until(`${family} again`, () => peer.counters.updatesReceived > before)
      }
      t.equal(peer.counters.routeRefreshSent, 2)
      const ends = scene.history.filter(change => / Established /.test(change))
      t.same(ends, [], 'on the session that stood all the while')
    })
  })

  const lacks = { GoBGP: 'GoBGP answers softresetin from its Adj-RIB-In and sends no ROUTE-REFRESH' }
  eachRouter('RFC 2918: it asks for our routes again', lacks, async (t, kind) => {
    await withScene(kind, {}, async scene => {
      const { peer, router } = scene
      peer.setRoutes(ROUTES)
      await established(scene)
      await seen(router, prefixesOf(ROUTES))
      const before = peer.counters.updatesSent
      await router.requestRefresh('ipv4-unicast')
      await until('ROUTE-REFRESH', () => peer.counters.routeRefreshReceived > 0)
      await until('our UPDATEs again', () => peer.counters.updatesSent > before)
      await seen(router, prefixesOf(ROUTES))
      t.equal(peer.state, 'Established')
    })
  })
})
