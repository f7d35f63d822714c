/** Path attributes as real routers read ours, and as we read theirs. */
import type { Route } from '@typemetal/bgp'
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

const WELL_KNOWN = ['graceful-shutdown', 'blackhole', 'no-export', 'no-advertise', 'no-export-subconfed', 'no-peer']
const MANY = Array.from({ length: 200 }, (_, index) => `64512:${index}`)

/** Each with what the router is to show, in the order of the text. */
const COMMUNITIES: ReadonlyMap<string, readonly string[]> = new Map([
  ['192.0.2.0/24', ['64512:100', '0:0', '65535:65535']],
  ['192.0.3.0/24', ['large:64512:1:2', 'large:4294967295:0:4294967295', 'large:0:0:0']],
  ['192.0.4.0/24', WELL_KNOWN],
  ['192.0.5.0/24', ['64512:100', 'large:64512:1:2', 'no-export']],
  ['2001:db8:1::/48', ['64512:100', 'large:64512:1:2', 'no-export']],
])

interop(() => {
  eachRouter('RFC 1997, RFC 8092: communities read back as sent', {}, async (t, kind) => {
    await withScene(kind, {}, async scene => {
      const routes: readonly Route[] = [...COMMUNITIES].map(([prefix, communities]) => ({ prefix, communities }))
      scene.peer.setRoutes(routes)
      await established(scene)
      await seen(scene.router, prefixesOf(routes))
      const paths = await routesOf(scene.router)
      for (const [prefix, communities] of COMMUNITIES) {
        t.same(paths.get(prefix)?.communities, communities.toSorted(), prefix)
      }
    })
  })

  eachRouter('RFC 4360, RFC 5668: extended communities read back as sent', {}, async (t, kind) => {
    await withScene(kind, {}, async scene => {
      const communities = ['rt:64512:100', 'rt:10.0.0.1:5', 'rt:4200000000:6', 'soo:64512:7']
      scene.peer.setRoutes([{ prefix: '192.0.2.0/24', communities }])
      await established(scene)
      await seen(scene.router, ['192.0.2.0/24'])
      t.same((await routesOf(scene.router)).get('192.0.2.0/24')?.communities, communities.toSorted())
    })
  })

  const zero = { OpenBGPD: 'its command line shows the octets of link bandwidth as zeros' }
  eachRouter('draft-ietf-idr-link-bandwidth: read back as sent, by an internal peer', zero, async (t, kind) => {
    await withScene(kind, { router: { asn: OUR_AS } }, async scene => {
      scene.peer.setRoutes([{ prefix: '192.0.2.0/24', communities: ['link-bandwidth:64512:1250000'] }])
      await established(scene)
      await seen(scene.router, ['192.0.2.0/24'])
      t.same((await routesOf(scene.router)).get('192.0.2.0/24')?.communities, ['link-bandwidth:64512:1250000'])
    })
  })

  const cut = { BIRD: 'its command line cuts long lists' }
  eachRouter('RFC 1997: 200 communities, an attribute with extended length', cut, async (t, kind) => {
    await withScene(kind, {}, async scene => {
      scene.peer.setRoutes([{ prefix: '192.0.2.0/24', communities: MANY }])
      await established(scene)
      await seen(scene.router, ['192.0.2.0/24'])
      t.same((await routesOf(scene.router)).get('192.0.2.0/24')?.communities, MANY.toSorted())
    })
  })

  eachRouter(
    'RFC 1997, RFC 4271 section 5.1.4: their communities and MULTI_EXIT_DISC as they say',
    {},
    async (t, kind) => {
      const networks = [
        {
          prefix: '198.51.100.0/24',
          multiExitDisc: 7,
          communities: ['64513:1', '64513:2', 'large:64513:1:2', 'rt:64513:3'],
        },
      ]
      await withScene(kind, { router: { networks } }, async scene => {
        await established(scene)
        await hasLearned(scene, prefixesOf(networks))
        const [path] = scene.learned.get('198.51.100.0/24') ?? []
        t.match(path?.attributes, {
          multiExitDisc: 7,
          communities: [64_513 * 0x1_0000 + 1, 64_513 * 0x1_0000 + 2],
          largeCommunities: [{ globalAdministrator: 64_513, localData1: 1, localData2: 2 }],
        })
      })
    },
  )

  eachRouter('RFC 4271 section 5.1.4: MULTI_EXIT_DISC read back as sent', {}, async (t, kind) => {
    await withScene(kind, {}, async scene => {
      const routes = [0, 5, 0xffff_ffff].map((multiExitDisc, index) => ({
        prefix: `192.0.${index}.0/24`,
        multiExitDisc,
      }))
      scene.peer.setRoutes(routes)
      await established(scene)
      await seen(scene.router, prefixesOf(routes))
      const paths = await routesOf(scene.router)
      for (const { prefix, multiExitDisc } of routes) t.equal(paths.get(prefix)?.multiExitDisc, multiExitDisc)
    })
  })

  eachRouter('RFC 4271 section 5.1.5: LOCAL_PREF to an internal peer', {}, async (t, kind) => {
    await withScene(kind, { router: { asn: OUR_AS } }, async scene => {
      scene.peer.setRoutes([{ prefix: '192.0.2.0/24', localPref: 150 }, { prefix: '192.0.3.0/24' }])
      await established(scene)
      await seen(scene.router, ['192.0.2.0/24', '192.0.3.0/24'])
      const routes = await routesOf(scene.router)
      t.match(routes.get('192.0.2.0/24'), { localPref: 150, asPath: '' })
      t.match(routes.get('192.0.3.0/24'), { localPref: 100, asPath: '' })
    })
  })

  eachRouter('RFC 6793: 4-octet AS numbers; TTL 1', {}, async (t, kind) => {
    const options = { asn: 4_200_000_000, router: { asn: 4_200_000_001 }, peer: { multihop: false } }
    await withScene(kind, options, async scene => {
      scene.peer.setRoutes([{ prefix: '192.0.2.0/24' }])
      await established(scene)
      await seen(scene.router, ['192.0.2.0/24'])
      t.equal((await routesOf(scene.router)).get('192.0.2.0/24')?.asPath, '4200000000')
    })
  })
})
