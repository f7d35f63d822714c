/** Sessions with real routers, in network namespaces made here. What counts is what the router's own command line shows. */
import t from 'tap'
import { BgpSpeaker, type Clock, type Logger, type Peer, type PeerOptions, type Route } from '@typemetal/bgp'
import { TestClock } from './clock.js'
import { bird } from './interop/bird.js'
import { frr } from './interop/frr.js'
import { createHost, isInside, missingPrivilege, until, type Host } from './interop/namespace.js'
import type { Router, RouterKind, RouterOptions } from './interop/router.js'

const OURS = { v4: '10.1.0.1', v6: 'fd00:1::1' }
const THEIRS = { v4: '10.1.0.2', v6: 'fd00:1::2' }
const OUR_AS = 64512
const THEIR_AS = 64513

const ROUTES: readonly Route[] = [
  { prefix: '192.0.2.0/24', communities: ['64512:100', '64512:7', 'large:64512:1:2'] },
  { prefix: '203.0.113.1/32' },
  { prefix: '2001:db8:1::/48', communities: ['no-export'] },
  { prefix: '2001:db8::1/128' },
]

const makeHost = (): Promise<Host> =>
  createHost([`${OURS.v4}/24`, `${OURS.v6}/64`], [`${THEIRS.v4}/24`, `${THEIRS.v6}/64`])

/** A router and one of our speakers. */
interface Scene {
  readonly router: Router
  readonly speaker: BgpSpeaker
  readonly peer: ReturnType<BgpSpeaker['addPeer']>
  readonly learned: Map<string, readonly string[]>
}

interface SceneOptions {
  readonly asn?: number
  readonly v6?: boolean
  readonly listen?: boolean
  readonly router?: Partial<Omit<RouterOptions, 'neighbor'>> & {
    readonly neighbor?: Partial<RouterOptions['neighbor']>
  }
  readonly peer?: Partial<PeerOptions>
}

/** Sets the scene on two ends of a wire; everything goes when the play ends. */
async function withScene(
  kind: RouterKind,
  options: SceneOptions,
  play: (scene: Scene) => Promise<void>,
): Promise<void> {
  const { asn = OUR_AS, v6 = false, listen = false } = options
  const family = v6 ? 'v6' : 'v4'
  await using host = await makeHost()
  await using speaker = new BgpSpeaker({ asn, bgpIdentifier: '10.1.0.1', ...(listen && { listen: {} }) })
  await speaker.start()
  await using router = await kind.start(host, {
    asn: THEIR_AS,
    routerId: '10.1.0.2',
    address: THEIRS[family],
    ipv6NextHop: THEIRS.v6,
    ...options.router,
    neighbor: { address: OURS[family], asn, passive: !listen, ...options.router?.neighbor },
  })
  const learned = new Map<string, readonly string[]>()
  speaker.on('route', ({ prefix, paths }) => {
    if (paths.length > 0)
      learned.set(
        prefix,
        paths.map(({ nextHop }) => nextHop),
      )
    else learned.delete(prefix)
  })
  const asked = { address: THEIRS[family], asn: options.router?.asn ?? THEIR_AS, passive: listen, connectRetryTime: 1 }
  const peer = speaker.addPeer({ ...asked, ...options.peer })
  await play({ router, speaker, peer, learned })
}

const prefixes = (router: Router): readonly string[] => [...router.routes().keys()].toSorted()
const established = ({ peer, router }: Scene): Promise<unknown> =>
  until('Established on both sides', () => peer.state === 'Established' && router.isEstablished())
const seen = (router: Router, wanted: readonly string[]): Promise<unknown> =>
  until(`routes ${wanted.join(' ')}`, () => prefixes(router).join(' ') === wanted.toSorted().join(' '))

function suite(kind: RouterKind): void {
  const { name } = kind
  const skip = kind.missing() ?? false

  t.test(`${name}: we dial; IPv4 and IPv6 announced, changed and withdrawn over one session`, { skip }, async t => {
    const networks = ['198.51.100.0/24', '2001:db8:ffff::/48']
    await withScene(kind, { router: { networks } }, async scene => {
      const { router, peer, learned } = scene
      peer.setRoutes(ROUTES)
      await established(scene)
      await seen(
        router,
        ROUTES.map(({ prefix }) => prefix),
      )
      const routes = router.routes()
      const v4 = routes.get('192.0.2.0/24')
      t.match(v4, { nextHop: OURS.v4, asPath: String(OUR_AS) })
      t.same(v4?.communities.toSorted(), ['64512:100', '64512:7', 'large:64512:1:2'])
      const v6 = routes.get('2001:db8:1::/48')
      t.match(v6, { nextHop: OURS.v6, asPath: String(OUR_AS) }, 'IPv6 next hop over an IPv4 session')
      t.match(v6?.communities[0], /no-export|noExport|65535:65281/)
      await until('their routes', () => learned.size === 2)
      t.same(learned.get('198.51.100.0/24'), [THEIRS.v4])
      t.same(learned.get('2001:db8:ffff::/48'), [THEIRS.v6])

      peer.setRoutes([{ prefix: '192.0.2.0/24', communities: ['64512:101'] }, { prefix: '2001:db8::1/128' }])
      await seen(router, ['192.0.2.0/24', '2001:db8::1/128'])
      await until('changed communities', () => router.routes().get('192.0.2.0/24')?.communities.join() === '64512:101')
      t.equal(peer.counters.prefixesAnnounced, 2)
      peer.setRoutes([])
      await seen(router, [])
      t.ok(router.isEstablished())

      await peer.close()
      await until('the router saw the Cease', () => !router.isEstablished())
      t.equal(learned.size, 0, 'its routes are gone with the session')
    })
  })

  t.test(`${name}: it dials us, over IPv6, both families`, { skip }, async t => {
    await withScene(kind, { v6: true, listen: true }, async scene => {
      scene.speaker.announce({ prefix: '192.0.2.0/24' })
      scene.speaker.announce({ prefix: '2001:db8:1::/48' })
      await established(scene)
      await seen(scene.router, ['192.0.2.0/24', '2001:db8:1::/48'])
      const routes = scene.router.routes()
      t.equal(routes.get('192.0.2.0/24')?.nextHop, OURS.v4, 'IPv4 next hop over an IPv6 session')
      t.equal(routes.get('2001:db8:1::/48')?.nextHop, OURS.v6)
      scene.speaker.withdraw('192.0.2.0/24')
      await seen(scene.router, ['2001:db8:1::/48'])
    })
  })

  t.test(`${name}: internal peer, LOCAL_PREF`, { skip }, async t => {
    await withScene(kind, { router: { asn: OUR_AS } }, async scene => {
      scene.peer.setRoutes([{ prefix: '192.0.2.0/24', localPref: 150 }, { prefix: '192.0.3.0/24' }])
      await established(scene)
      await seen(scene.router, ['192.0.2.0/24', '192.0.3.0/24'])
      const routes = scene.router.routes()
      t.match(routes.get('192.0.2.0/24'), { localPref: 150, asPath: '' })
      t.match(routes.get('192.0.3.0/24'), { localPref: 100, asPath: '' })
    })
  })

  t.test(`${name}: 4-octet AS numbers, RFC 6793; TTL 1`, { skip }, async t => {
    await withScene(
      kind,
      { asn: 4_200_000_000, router: { asn: 4_200_000_001 }, peer: { multihop: false } },
      async scene => {
        scene.peer.setRoutes([{ prefix: '192.0.2.0/24' }])
        await established(scene)
        await seen(scene.router, ['192.0.2.0/24'])
        t.equal(scene.router.routes().get('192.0.2.0/24')?.asPath, '4200000000')
      },
    )
  })

  t.test(`${name}: TCP-MD5, RFC 2385, both ways`, { skip }, async t => {
    for (const listen of [false, true]) {
      const options = { listen, router: { neighbor: { password: 's3cret' } }, peer: { md5Key: 's3cret' } }
      await withScene(kind, options, async scene => {
        scene.peer.setRoutes([{ prefix: '192.0.2.0/24' }])
        await established(scene)
        await seen(scene.router, ['192.0.2.0/24'])
        t.pass(listen ? 'passive' : 'active')
      })
    }
  })

  t.test(`${name}: killed and started again, the session and the routes come back`, { skip }, async t => {
    await withScene(kind, {}, async scene => {
      scene.peer.setRoutes(ROUTES)
      await established(scene)
      await scene.router.restart()
      await established(scene)
      await seen(
        scene.router,
        ROUTES.map(({ prefix }) => prefix),
      )
      t.pass('all routes again')
    })
  })

  t.test(`${name}: frozen, the hold timer ends the session, RFC 4271 section 6.5`, { skip }, async t => {
    await withScene(kind, { router: { holdTime: 3 }, peer: { holdTime: 3 } }, async scene => {
      await established(scene)
      const causes: string[] = []
      scene.peer.on('state', (_to, from, cause) => from === 'Established' && causes.push(cause))
      scene.router.freeze()
      await until('hold timer', () => causes.length > 0)
      t.same(causes, ['HoldTimer_Expires'])
      scene.router.thaw()
      await established(scene)
    })
  })

  t.test(`${name}: both sides dial, one session`, { skip }, async t => {
    await withScene(kind, { listen: true, peer: { passive: false } }, async scene => {
      scene.peer.setRoutes(ROUTES)
      await established(scene)
      await seen(
        scene.router,
        ROUTES.map(({ prefix }) => prefix),
      )
      await scene.router.restart()
      await established(scene)
      t.pass('after a restart, too')
    })
  })

  t.test(`${name}: 10,000 routes and a full withdraw`, { skip }, async t => {
    await withScene(kind, {}, async scene => {
      const routes = Array.from({ length: 10_000 }, (_, i) => ({ prefix: `100.64.${i >> 8}.${i & 255}/32` }))
      scene.peer.setRoutes(routes)
      await established(scene)
      await until('10,000 routes', () => scene.router.routes().size === 10_000)
      t.ok(scene.peer.counters.updatesSent < 20, 'packed')
      scene.peer.setRoutes([])
      await seen(scene.router, [])
    })
  })
}

t.setTimeout(240_000)
const missing = missingPrivilege()
/** TCP-MD5 between two of ours, on the loopback interface of the namespace. */
function suiteOfKeys(): void {
  t.test('TCP-MD5, RFC 2385: keys for peers and prefixes, set and taken away while we listen', async t => {
    await using router = new BgpSpeaker({
      asn: 1,
      bgpIdentifier: '10.0.0.254',
      listen: { address: '127.0.0.1', port: 1790 },
    })
    await router.start()
    const dial = (from: string, md5Key: string | undefined, clock?: Clock): { speaker: BgpSpeaker; peer: Peer } => {
      const speaker = new BgpSpeaker({ asn: 2, bgpIdentifier: '10.0.0.1', ...(clock && { clock }) })
      const options = { address: '127.0.0.1', port: 1790, asn: 1, sourceAddress: from }
      const peer = speaker.addPeer({ ...options, ...(md5Key !== undefined && { md5Key }) })
      return { speaker, peer }
    }
    const comesUp = async (from: string, md5Key: string | undefined, what: string): Promise<void> => {
      const { speaker, peer } = dial(from, md5Key)
      await until(what, () => peer.state === 'Established')
      t.pass(what)
      await speaker.close()
    }
    const keyed = router.addPeer({ address: '127.0.0.2', asn: 2, passive: true, md5Key: 'one' })
    router.addDynamicPeers({ prefix: '127.0.1.0/24', asn: 2, md5Key: 'three' })
    router.addDynamicPeers({ prefix: '127.0.0.0/8', asn: 2 })
    await comesUp('127.0.0.2', 'one', 'a peer with its key')
    await comesUp('127.0.1.9', 'three', 'a peer with the key of its prefix')
    await comesUp('127.0.2.1', undefined, 'a peer without')

    const clock = new TestClock()
    const causes: string[] = []
    const { speaker, peer } = dial('127.0.0.2', 'wrong', clock)
    peer.on('state', (_to, _from, cause) => causes.push(cause))
    await new Promise(resolve => setTimeout(resolve, 100))
    t.equal(peer.state, 'Connect', 'silence')
    clock.advance(10_000)
    await until('the attempt ends', () => causes.length > 0)
    t.match(causes[0], /no answer within 10 s: .*TCP-MD5 key/)
    await speaker.close()

    const warnings: string[] = []
    const log: Logger = {
      debug() {},
      info() {},
      warn: (_, text) => void warnings.push(text),
      error() {},
      child: () => log,
    }
    const impatient = new TestClock()
    const hasty = new BgpSpeaker({ asn: 2, bgpIdentifier: '10.0.0.1', clock: impatient, log })
    const options = { address: '127.0.0.1', port: 1790, asn: 1, sourceAddress: '127.0.0.2', md5Key: 'wrong' }
    hasty.addPeer({ ...options, connectRetryTime: 1 })
    impatient.advance(5000)
    t.same(warnings.length, 1, 'said once')
    t.match(warnings[0], /no answer before the next attempt: .*TCP-MD5 key/)
    await hasty.close()

    await keyed.close()
    await new Promise(resolve => setTimeout(resolve, 50))
    await comesUp('127.0.0.2', undefined, 'without a key once the peer that had one is gone')
  })
}

if (missing) t.test('interop', { skip: missing }, async () => {})
else if (isInside()) {
  suiteOfKeys()
  for (const kind of [frr, bird]) suite(kind)
}
