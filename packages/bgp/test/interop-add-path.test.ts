/** Several paths to a prefix, RFC 7911, with real routers. */
import { BgpSpeaker, type FamilyName } from '@typemetal/bgp'
import { until } from './interop/namespace.js'
import { eachRouter, established, interop, withScene, type Addresses, type Lacks } from './interop/scene.js'

const FAMILIES: readonly FamilyName[] = ['ipv4-unicast', 'ipv6-unicast']
const BOTH_WAYS = { addPath: { send: FAMILIES, receive: FAMILIES } }

/** An address of ours from which a further speaker feeds the router. */
const sourceOf = ({ ipv4 }: Addresses, index: number): string => ipv4.replace(/1$/, String(3 + index))
const SOURCES = [64_514, 64_515]

interop(() => {
  eachRouter('RFC 7911 section 3: it takes two paths of ours', {}, async (t, kind) => {
    await withScene(kind, { router: { addPath: true }, peer: BOTH_WAYS }, async scene => {
      const { peer, router } = scene
      await established(scene)
      t.same(peer.negotiated?.addPath.send, FAMILIES)
      const texts = async (): Promise<string> => {
        const paths = await router.paths()
        return paths
          .map(({ prefix, communities }) => `${prefix} ${communities.join()}`)
          .toSorted()
          .join('; ')
      }
      peer.setRoutes([
        { prefix: '192.0.2.0/24', pathId: 1, communities: ['64512:1'] },
        { prefix: '192.0.2.0/24', pathId: 2, communities: ['64512:2'] },
        { prefix: '2001:db8:1::/48', pathId: 7, communities: ['64512:7'] },
      ])
      const all = '192.0.2.0/24 64512:1; 192.0.2.0/24 64512:2; 2001:db8:1::/48 64512:7'
      await until('three paths', async () => (await texts()) === all)
      peer.withdraw('192.0.2.0/24', 1)
      await until('two paths', async () => (await texts()) === '192.0.2.0/24 64512:2; 2001:db8:1::/48 64512:7')
    })
  })

  const alone: Lacks = { ExaBGP: 'ExaBGP has no table to pass routes on from' }
  eachRouter('RFC 7911 section 3: we take two paths from it', alone, async (t, kind) => {
    const options = {
      aliases: (ours: Addresses) => SOURCES.map((_, index) => `${sourceOf(ours, index)}/24`),
      others: (ours: Addresses, theirs: Addresses) =>
        SOURCES.map((asn, index) => ({
          address: sourceOf(ours, index),
          localAddress: theirs.ipv4,
          asn,
          passive: true,
        })),
      router: { addPath: true },
      peer: BOTH_WAYS,
    }
    await withScene(kind, options, async scene => {
      const { peer, ours, theirs } = scene
      await established(scene)
      t.same(peer.negotiated?.addPath.receive, FAMILIES)
      const feeds = SOURCES.map((asn, index) => {
        const bgpIdentifier = sourceOf(ours, index)
        const speaker = new BgpSpeaker({ asn, bgpIdentifier })
        const feed = speaker.addPeer({
          address: theirs.ipv4,
          asn: peer.asn,
          sourceAddress: bgpIdentifier,
          connectRetryTime: 1,
        })
        feed.setRoutes([{ prefix: '192.0.2.0/24' }])
        return { speaker, feed }
      })
      try {
        const received = () => [...peer.adjRibIn()].filter(({ prefix }) => prefix === '192.0.2.0/24')
        await until('two paths', () => received().length === 2)
        t.equal(new Set(received().map(({ pathId }) => pathId)).size, 2, 'two Path Identifiers')
        const origins = received().flatMap(({ attributes }) => attributes.asPath?.[0]?.asns.at(-1) ?? [])
        t.same(new Set(origins), new Set(SOURCES))
        feeds[0]?.feed.setRoutes([])
        await until('one path', () => received().length === 1)
        t.equal(received()[0]?.attributes.asPath?.[0]?.asns.at(-1), SOURCES[1])
      } finally {
        await Promise.all(feeds.map(({ speaker }) => speaker.close()))
      }
    })
  })
})
