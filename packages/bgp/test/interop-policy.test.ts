/** What we make of routes on their way between real routers. */
import { BgpSpeaker } from '@typemetal/bgp'
import { until } from './interop/namespace.js'
import {
  eachRouter,
  established,
  hasLearned,
  interop,
  OUR_AS,
  peerOptions,
  routesOf,
  seen,
  THEIR_AS,
  withRouter,
  withScene,
} from './interop/scene.js'

const FAR_AS = 64_515
const NETWORKS = [
  { prefix: '198.51.100.0/24', communities: ['64513:1', 'large:64513:1:2'] },
  { prefix: '203.0.113.0/24' },
  { prefix: '2001:db8:ffff::/48' },
]

interop(() => {
  eachRouter('RFC 4271 section 9.1.1: an import policy refuses and changes', {}, async (t, kind) => {
    const options = {
      router: { networks: NETWORKS },
      peer: {
        importPolicy: ({ prefix }: { readonly prefix: string }) =>
          prefix === '203.0.113.0/24' ? false : { localPref: 200 },
      },
    }
    await withScene(kind, options, async scene => {
      await established(scene)
      await hasLearned(scene, ['198.51.100.0/24', '2001:db8:ffff::/48'])
      t.equal(scene.learned.get('198.51.100.0/24')?.[0]?.attributes.localPref, 200)
      const received = [...scene.peer.adjRibIn()]
      t.same(
        received.filter(({ accepted }) => !accepted).map(({ prefix }) => prefix),
        ['203.0.113.0/24'],
        'kept in the Adj-RIB-In',
      )
    })
  })

  eachRouter('RFC 4271 section 9.1.3: an export policy refuses and changes', {}, async (t, kind) => {
    const options = {
      peer: {
        exportPolicy: ({ prefix }: { readonly prefix: string }) =>
          prefix === '192.0.3.0/24' ? false : { communities: [64_512 * 0x1_0000 + 9], multiExitDisc: 77 },
      },
    }
    await withScene(kind, options, async scene => {
      scene.peer.setRoutes([{ prefix: '192.0.2.0/24' }, { prefix: '192.0.3.0/24' }])
      await established(scene)
      await seen(scene.router, ['192.0.2.0/24'])
      t.match((await routesOf(scene.router)).get('192.0.2.0/24'), { communities: ['64512:9'], multiExitDisc: 77 })
    })
  })

  eachRouter('RFC 4271 section 9.1.3: from one router to another, and taken back', {}, async (t, kind) => {
    const near = { router: { networks: NETWORKS } }
    const far = { router: { asn: FAR_AS } }
    await withRouter(kind, near, async one => {
      await withRouter(kind, far, async other => {
        await using speaker = new BgpSpeaker({ asn: OUR_AS, bgpIdentifier: one.ours.ipv4 })
        speaker.addPeer({ ...peerOptions(near, one.theirs), propagate: true })
        speaker.addPeer({ ...peerOptions(far, other.theirs), propagate: true })
        const prefixes = NETWORKS.map(({ prefix }) => prefix)
        await seen(other.router, prefixes)
        const routes = await routesOf(other.router)
        t.match(routes.get('198.51.100.0/24'), {
          asPath: `${OUR_AS} ${THEIR_AS}`,
          nextHop: other.ours.ipv4,
          communities: ['64513:1', 'large:64513:1:2'],
        })
        t.equal(routes.get('2001:db8:ffff::/48')?.nextHop, other.ours.ipv6)
        await one.router.daemon.kill()
        await seen(other.router, [])
        await until('the session stands', async () => (await other.router.established()).length === 1)
      })
    })
  })
})
