/** Sessions with real routers, in network namespaces made here. What counts is what the router's own command line shows. */
import type { Route } from '@typemetal/bgp'
import { until } from './interop/namespace.js'
import {
  eachRouter,
  established,
  hasLearned,
  interop,
  OUR_AS,
  prefixesOf,
  routesOf,
  seen,
  withScene,
} from './interop/scene.js'

const ROUTES: readonly Route[] = [
  { prefix: '192.0.2.0/24', communities: ['64512:100', '64512:7', 'large:64512:1:2'] },
  { prefix: '203.0.113.1/32' },
  { prefix: '2001:db8:1::/48', communities: ['no-export'] },
  { prefix: '2001:db8::1/128' },
]
const NETWORKS = [{ prefix: '198.51.100.0/24' }, { prefix: '2001:db8:ffff::/48' }]

interop(() => {
  eachRouter('RFC 4760: we dial; both families over one session, changed and withdrawn', {}, async (t, kind) => {
    await withScene(kind, { router: { networks: NETWORKS } }, async scene => {
      const { router, peer, learned, ours, theirs } = scene
      peer.setRoutes(ROUTES)
      await established(scene)
      await seen(router, prefixesOf(ROUTES))
      const routes = await routesOf(router)
      t.match(routes.get('192.0.2.0/24'), { nextHop: ours.ipv4, asPath: String(OUR_AS) })
      t.same(routes.get('192.0.2.0/24')?.communities, ['64512:100', '64512:7', 'large:64512:1:2'])
      t.match(routes.get('2001:db8:1::/48'), { nextHop: ours.ipv6, asPath: String(OUR_AS) }, 'over an IPv4 session')
      t.same(routes.get('2001:db8:1::/48')?.communities, ['no-export'])
      await hasLearned(scene, prefixesOf(NETWORKS))
      t.match(learned.get('198.51.100.0/24'), [{ nextHop: theirs.ipv4 }])
      t.match(learned.get('2001:db8:ffff::/48'), [{ nextHop: theirs.ipv6 }])

      peer.setRoutes([{ prefix: '192.0.2.0/24', communities: ['64512:101'] }, { prefix: '2001:db8::1/128' }])
      await seen(router, ['192.0.2.0/24', '2001:db8::1/128'])
      await until('changed communities', async () => {
        const { communities } = (await routesOf(router)).get('192.0.2.0/24') ?? {}
        return communities?.join() === '64512:101'
      })
      t.equal(peer.counters.prefixesAnnounced, 2)
      peer.setRoutes([])
      await seen(router, [])
      t.equal((await router.established()).length, 1)

      await peer.close()
      await until('the router saw the Cease', async () => (await router.established()).length === 0)
      t.equal(learned.size, 0, 'its routes are gone with the session')
    })
  })

  eachRouter('RFC 4760: it dials us, over IPv6, both families', {}, async (t, kind) => {
    await withScene(kind, { over: 'ipv6', dials: 'them', router: { networks: NETWORKS } }, async scene => {
      const { router, speaker, learned, ours, theirs } = scene
      speaker.announce({ prefix: '192.0.2.0/24' })
      speaker.announce({ prefix: '2001:db8:1::/48' })
      await established(scene)
      await seen(router, ['192.0.2.0/24', '2001:db8:1::/48'])
      const routes = await routesOf(router)
      t.equal(routes.get('192.0.2.0/24')?.nextHop, ours.ipv4, 'IPv4 next hop over an IPv6 session')
      t.equal(routes.get('2001:db8:1::/48')?.nextHop, ours.ipv6)
      await until('their IPv6 prefix', () => learned.has('2001:db8:ffff::/48'))
      t.match(learned.get('2001:db8:ffff::/48'), [{ nextHop: theirs.ipv6 }])
      speaker.withdraw('192.0.2.0/24')
      await seen(router, ['2001:db8:1::/48'])
    })
  })
})
