/** Tables of 10,000 routes, to and from real routers. */
import { BgpSpeaker, type Route } from '@typemetal/bgp'
import { untilEqual } from './interop/namespace.js'
import { exabgp } from './interop/exabgp.js'
import { eachRouter, established, interop, onRouter, withScene, type Addresses } from './interop/scene.js'

const COUNT = 10_000
const SOURCE_AS = 64_514
const ROUTES: readonly Route[] = Array.from({ length: COUNT }, (_, i) => ({
  prefix: `100.64.${i >> 8}.${i & 255}/32`,
}))

/** An address of ours from which a second speaker feeds the router. */
const sourceOf = ({ ipv4 }: Addresses): string => ipv4.replace(/1$/, '3')

interop(() => {
  eachRouter('RFC 4271 section 9.2: 10,000 routes to it and a full withdraw', {}, async (t, kind) => {
    await withScene(kind, {}, async scene => {
      const { peer, router } = scene
      peer.setRoutes(ROUTES)
      await established(scene)
      await untilEqual('routes', COUNT, () => router.count())
      t.ok(peer.counters.updatesSent < 30, 'packed')
      peer.setRoutes([])
      await untilEqual('routes', 0, () => router.count())
      t.equal(peer.state, 'Established')
    })
  })

  const alone = { ExaBGP: 'ExaBGP has no table to pass routes on from; see the next test' }
  eachRouter('RFC 4271 section 9.1: 10,000 routes from it and a full withdraw', alone, async (t, kind) => {
    const options = {
      aliases: (ours: Addresses) => [`${sourceOf(ours)}/24`],
      others: (ours: Addresses, theirs: Addresses) => [
        { address: sourceOf(ours), localAddress: theirs.ipv4, asn: SOURCE_AS, passive: true },
      ],
    }
    await withScene(kind, options, async scene => {
      const { peer, learned, ours, theirs } = scene
      await established(scene)
      const bgpIdentifier = sourceOf(ours)
      await using source = new BgpSpeaker({ asn: SOURCE_AS, bgpIdentifier })
      const feed = source.addPeer({ address: theirs.ipv4, asn: peer.asn, sourceAddress: bgpIdentifier })
      feed.setRoutes(ROUTES)
      await untilEqual('learned', COUNT, () => learned.size)
      t.equal(peer.counters.prefixesReceived, COUNT)
      t.match(learned.get('100.64.1.0/32')?.[0]?.attributes.asPath, [{ asns: [peer.asn, SOURCE_AS] }])
      feed.setRoutes([])
      await untilEqual('learned', 0, () => learned.size)
      t.equal(peer.counters.prefixesReceived, 0)
      t.equal(peer.state, 'Established')
    })
  })

  onRouter(exabgp, 'RFC 4271 section 9.1: 10,000 routes of its own and a full withdraw', {}, async (t, kind) => {
    await withScene(kind, {}, async scene => {
      const { peer, learned, theirs, router } = scene
      await established(scene)
      const tell = async (word: string): Promise<void> => {
        await router.command?.(...ROUTES.map(({ prefix }) => `${word} route ${prefix} next-hop ${theirs.ipv4}`))
      }
      await tell('announce')
      await untilEqual('learned', COUNT, () => learned.size)
      t.equal(peer.counters.prefixesReceived, COUNT)
      await tell('withdraw')
      await untilEqual('learned', 0, () => learned.size)
      t.equal(peer.state, 'Established')
    })
  })
})
