/** What real routers and we agree on in OPEN: next hops of the other family, long messages, roles. */
import type { FamilyName } from '@typemetal/bgp'
import { until, untilEqual } from './interop/namespace.js'
import {
  eachRouter,
  established,
  hasLearned,
  interop,
  routesOf,
  seen,
  THEIR_AS,
  withScene,
  type Lacks,
} from './interop/scene.js'

const IPV4: readonly FamilyName[] = ['ipv4-unicast']

interop(() => {
  const old: Lacks = { OpenBGPD: 'OpenBGPD 7.7 does not know RFC 8950' }
  eachRouter('RFC 8950 section 4: it takes IPv4 prefixes with a next hop of IPv6', old, async (t, kind) => {
    const options = { over: 'ipv6', router: { extendedNextHop: true }, peer: { extendedNextHop: IPV4 } } as const
    await withScene(kind, options, async scene => {
      const { peer, router, ours } = scene
      peer.setRoutes([{ prefix: '192.0.2.0/24', nextHop: ours.ipv6 }])
      await established(scene)
      t.same(peer.negotiated?.extendedNextHop, IPV4)
      await seen(router, ['192.0.2.0/24'])
      t.equal((await routesOf(router)).get('192.0.2.0/24')?.nextHop, ours.ipv6)
    })
  })

  eachRouter('RFC 8950 section 4: we take IPv4 prefixes with a next hop of IPv6', old, async (t, kind) => {
    const networks = [{ prefix: '198.51.100.0/24' }]
    const options = {
      over: 'ipv6',
      // Where it is the router that chooses, it has only this one to choose.
      router: { extendedNextHop: true, networks },
      ipv6NextHops: true,
      peer: { extendedNextHop: IPV4 },
    } as const
    await withScene(kind, options, async scene => {
      await established(scene)
      await hasLearned(scene, ['198.51.100.0/24'])
      t.equal(scene.learned.get('198.51.100.0/24')?.[0]?.nextHop, scene.theirs.ipv6)
    })
  })

  const short: Lacks = {
    GoBGP: 'GoBGP does not know RFC 8654',
    OpenBGPD: 'OpenBGPD 7.7 does not know RFC 8654',
  }
  eachRouter('RFC 8654 section 3: it takes messages of more than 4,096 octets', short, async (t, kind) => {
    await withScene(kind, { router: { extendedMessage: true } }, async scene => {
      const { peer, router } = scene
      let longest = 0
      peer.on('message', (direction, octets) => {
        if (direction === 'sent') longest = Math.max(longest, octets.length)
      })
      peer.setRoutes(Array.from({ length: 3000 }, (_, i) => ({ prefix: `100.64.${i >> 8}.${i & 255}/32` })))
      await established(scene)
      t.ok(peer.negotiated?.extendedMessage)
      await untilEqual('routes', 3000, () => router.count())
      t.ok(longest > 4096, `${longest} octets`)
    })
  })

  const roleless: Lacks = { GoBGP: 'GoBGP 3.10 does not know RFC 9234', ExaBGP: 'ExaBGP 4.2 does not know RFC 9234' }
  eachRouter('RFC 9234 section 5: its routes carry ONLY_TO_CUSTOMER', roleless, async (t, kind) => {
    const networks = [{ prefix: '198.51.100.0/24' }]
    await withScene(kind, { router: { networks, role: 'provider' }, peer: { role: 'customer' } }, async scene => {
      await established(scene)
      t.equal(scene.peer.negotiated?.role, 'customer')
      await hasLearned(scene, ['198.51.100.0/24'])
      t.equal(scene.learned.get('198.51.100.0/24')?.[0]?.attributes.onlyToCustomer, THEIR_AS)
    })
  })

  eachRouter('RFC 9234 section 4.2: roles that do not fit; never up', roleless, async (t, kind) => {
    await withScene(kind, { router: { role: 'provider' }, peer: { role: 'provider' } }, async ({ peer, history }) => {
      await until('a refusal', () => peer.counters.notificationsSent + peer.counters.notificationsReceived > 0)
      t.notOk(history.some(text => text.startsWith('Established')))
    })
  })
})
