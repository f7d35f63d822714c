import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import {
  BgpSpeaker,
  CeaseSubcode,
  type BgpSpeakerOptions,
  type Logger,
  type Peer,
  type PeerOptions,
  type RouteChange,
} from '@typemetal/bgp'
import { createEndOfRib, familyOf, shutdownCommunication, updateChanges, type UpdateMessage } from '@typemetal/bgp/wire'
import { TestClock } from './clock.js'
import { hex, message, toHex } from './octets.js'
import { RAW_OPEN, RawListener, RawPeer } from './raw-peer.js'

const LOCAL = '127.0.0.1'
const listen = { address: LOCAL, port: 0 }

/** Until a fact holds; the events that make it so are on their way. */
async function until(fact: () => boolean, what: string): Promise<void> {
  const end = performance.now() + 10_000
  while (!fact()) {
    if (performance.now() > end) throw new Error(`timed out: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 2))
  }
}

/** A started speaker, AS 64513, which takes dynamic peers of AS 64512 and keeps count of its routes. */
async function createRouter(options: Partial<BgpSpeakerOptions> = {}): Promise<{
  readonly speaker: BgpSpeaker
  readonly port: number
  readonly routes: Map<string, RouteChange>
  [Symbol.asyncDispose](): Promise<void>
}> {
  const speaker = new BgpSpeaker({ asn: 64_513, bgpIdentifier: '10.0.0.254', listen, ...options })
  const routes = new Map<string, RouteChange>()
  speaker.on('route', change => {
    if (change.paths.length > 0) routes.set(change.prefix, change)
    else routes.delete(change.prefix)
  })
  await speaker.start()
  return { speaker, port: speaker.port!, routes, [Symbol.asyncDispose]: () => speaker.close() }
}

const createNode = (options: Partial<BgpSpeakerOptions> = {}): BgpSpeaker =>
  new BgpSpeaker({ asn: 64_512, bgpIdentifier: '10.0.0.1', ...options })

const established = async (...peers: readonly Peer[]): Promise<void> =>
  until(() => peers.every(({ state }) => state === 'Established'), 'Established')

t.test('two speakers: IPv4 and IPv6 announced, changed, withdrawn; gone with the session', async t => {
  await using router = await createRouter()
  router.speaker.addDynamicPeers({ prefix: '127.0.0.0/8', asn: 64_512 })
  await using node = createNode()
  const peer = node.addPeer({ address: LOCAL, port: router.port, asn: 64_513 })
  t.match(peer, {
    name: LOCAL,
    address: LOCAL,
    port: router.port,
    asn: 64_513,
    passive: false,
    sourceAddress: undefined,
  })
  peer.setRoutes([
    { prefix: '192.0.2.0/24', communities: ['64512:2', '64512:1', '64512:2', 'large:64512:1:2', 'no-export'] },
    { prefix: '2001:db8::/32', nextHop: '2001:db8::1' },
  ])
  node.announce({ prefix: '198.51.100.0/24' })
  await until(() => router.routes.size === 3, 'three routes')
  t.match(router.routes.get('192.0.2.0/24')?.paths, [
    {
      nextHop: LOCAL,
      attributes: {
        origin: 0,
        asPath: [{ type: 2, asns: [64_512] }],
        communities: [64_512 * 65_536 + 1, 64_512 * 65_536 + 2, 0xffff_ff01],
        largeCommunities: [{ globalAdministrator: 64_512, localData1: 1, localData2: 2 }],
      },
    },
  ])
  t.match(router.routes.get('2001:db8::/32')?.paths, [{ nextHop: '2001:db8::1' }])
  const [dynamic] = router.speaker.peers
  t.equal(router.routes.get('2001:db8::/32')?.paths[0]?.peer, dynamic)
  t.same([...router.speaker.locRib()].map(({ prefix }) => prefix).toSorted(), [...router.routes.keys()].toSorted())
  t.match(peer.counters, {
    opensSent: 1,
    opensReceived: 1,
    prefixesAnnounced: 3,
    prefixesPending: 3,
    connectRetryCounter: 0,
  })
  t.equal(peer.counters.updatesSent, 5, 'three sets of attributes, two End-of-RIB')
  t.equal(dynamic?.counters.prefixesReceived, 3)
  t.match(peer.negotiated, { peerAsn: 64_513, internal: false, families: ['ipv4-unicast', 'ipv6-unicast'] })
  t.equal(peer.localAddress, LOCAL)

  peer.setRoutes([
    { prefix: '192.0.2.0/24', communities: ['no-export', '64512:1', '64512:2', 'large:64512:1:2'] },
    { prefix: '2001:db8::/32', nextHop: '2001:db8::2' },
  ])
  await until(() => router.routes.get('2001:db8::/32')?.paths[0]?.nextHop === '2001:db8::2', 'another next hop')
  t.equal(peer.counters.updatesSent, 6, 'what says the same is not sent again, a change is one UPDATE')
  node.announce({ prefix: '198.51.100.0/24' })
  node.withdraw('192.0.2.0/24')
  peer.setRoutes([])
  node.withdraw('198.51.100.0/24')
  await until(() => router.routes.size === 0, 'all withdrawn')
  t.match(peer.counters, { prefixesAnnounced: 0, prefixesPending: 0 })

  node.announce({ prefix: '198.51.100.0/24' })
  await until(() => router.routes.size === 1, 'announced again')
  const gone = once(router.speaker, 'state') as Promise<unknown[]>
  await node.close({ communication: 'gone fishing' })
  t.same((await gone).slice(1), ['Idle', 'Established', 'NotifMsg 6/2'])
  t.equal(router.routes.size, 0)
  await until(() => router.speaker.peers.length === 0, 'a dynamic peer goes with its session')
})

t.test('routes set before the session are announced on it, and again on the next', async t => {
  await using listener = await RawListener.open()
  const clock = new TestClock()
  await using node = createNode({ clock, random: () => 1 })
  const accepting = listener.accept()
  const peer = node.addPeer({ address: LOCAL, port: listener.port, asn: 64_513, name: 'tor' })
  t.equal(peer.name, 'tor')
  peer.setRoutes([{ prefix: '192.0.2.0/24' }, { prefix: '192.0.3.0/24' }])
  t.match(peer.counters, { prefixesAnnounced: 0, prefixesPending: 2 })
  const first = await accepting
  const open = await first.establish()
  t.match(open, { asn: 64_512, holdTime: 90, bgpIdentifier: 0x0a000001 })
  t.match(open.capabilities, [
    { type: 'multiprotocol', afi: 1 },
    { type: 'multiprotocol', afi: 2 },
    { type: 'route-refresh' },
    { type: 'extended-message' },
    { type: 'graceful-restart', families: { length: 0 } },
    { type: 'four-octet-as', asn: 64_512 },
    { type: 'enhanced-route-refresh' },
  ])
  t.match(await first.next('update'), { nlri: { length: 2 } })
  t.same(await first.next('update'), createEndOfRib(familyOf('ipv4-unicast')), 'RFC 4724 2: End-of-RIB')
  t.same(await first.next('update'), createEndOfRib(familyOf('ipv6-unicast')))

  const again = listener.accept()
  first.socket.destroy()
  await until(() => peer.state === 'Idle', 'Idle')
  t.equal(peer.counters.prefixesAnnounced, 0)
  clock.advance(1000)
  const second = await again
  await second.establish()
  t.match(await second.next('update'), { nlri: { length: 2 } })
  t.equal(peer.counters.opensSent, 2)
})

t.test('RFC 2918: a refresh sends one family again; one for a family not agreed on is ignored', async t => {
  await using listener = await RawListener.open()
  await using node = createNode()
  const accepting = listener.accept()
  const options: PeerOptions = { address: LOCAL, port: listener.port, asn: 64_513, families: ['ipv4-unicast'] }
  const peer = node.addPeer(options)
  peer.setRoutes([{ prefix: '192.0.2.0/24' }, { prefix: '2001:db8::/32', nextHop: '2001:db8::1' }])
  const raw = await accepting
  await raw.establish()
  t.match(await raw.next('update'), { nlri: { length: 1 } })
  t.same(await raw.next('update'), createEndOfRib(familyOf('ipv4-unicast')), 'the only family')
  raw.send(
    { type: 'route-refresh', afi: 2, subtype: 0, safi: 1 },
    { type: 'route-refresh', afi: 25, subtype: 0, safi: 65 },
    { type: 'route-refresh', afi: 1, subtype: 0, safi: 1 },
  )
  t.match(await raw.next('route-refresh'), { afi: 1, safi: 1, subtype: 1 }, 'RFC 7313: it begins')
  t.match(await raw.next('update'), { nlri: { length: 1 } })
  t.match(await raw.next('route-refresh'), { afi: 1, safi: 1, subtype: 2 }, 'and ends')
  t.equal(peer.counters.routeRefreshReceived, 3)
  t.ok(peer.requestRefresh('ipv4-unicast'))
  t.match(await raw.next('route-refresh'), { afi: 1, safi: 1, subtype: 0 })
  t.notOk(peer.requestRefresh('ipv6-unicast'), 'not carried')
  t.equal(peer.counters.routeRefreshSent, 3)
  t.equal(peer.state, 'Established')
})

t.test('LOCAL_PREF to internal peers, 100 when unset; MED where given', async t => {
  await using listener = await RawListener.open()
  await using node = createNode()
  const accepting = listener.accept()
  node.addPeer({ address: LOCAL, port: listener.port, asn: 'internal' }).setRoutes([
    { prefix: '192.0.2.0/24', localPref: 150 },
    { prefix: '192.0.3.0/24', localPref: 0, multiExitDisc: 7 },
  ])
  const raw = await accepting
  await raw.establish({ ...RAW_OPEN, asn: 64_512, capabilities: [{ type: 'four-octet-as', asn: 64_512 }] })
  t.match((await raw.next('update')).pathAttributes, { localPref: 150, asPath: { length: 0 } })
  t.match((await raw.next('update')).pathAttributes, { localPref: 100, multiExitDisc: 7 })
})

t.test('RFC 6793 4.2.2: to a 2-octet speaker AS_TRANS, with AS4_PATH; localAsn is the AS it sees', async t => {
  await using listener = await RawListener.open()
  await using node = createNode()
  const accepting = listener.accept({ fourOctetAs: false, internal: false })
  const options = { address: LOCAL, port: listener.port, asn: 'external', localAsn: 4_200_000_000 } as const
  node.addPeer({ ...options, bgpIdentifier: '10.9.9.9' }).setRoutes([{ prefix: '192.0.2.0/24', localPref: 150 }])
  const raw = await accepting
  const open = await raw.establish({ ...RAW_OPEN, capabilities: [] })
  t.match(open, { asn: 23_456, bgpIdentifier: 0x0a090909 })
  const { pathAttributes } = await raw.next('update')
  t.match(pathAttributes, {
    asPath: [{ type: 2, asns: [23_456] }],
    as4Path: [{ type: 2, asns: [4_200_000_000] }],
  })
  t.equal(pathAttributes.localPref, undefined, 'never to external peers')
})

/** A raw external peer with an Established session. */
async function withRaw(
  play: (raw: RawPeer, router: Awaited<ReturnType<typeof createRouter>>) => Promise<void>,
): Promise<void> {
  await using router = await createRouter({ asn: 64_512, bgpIdentifier: '10.0.0.1' })
  router.speaker.addPeer({ address: '127.0.0.9', asn: 64_513, passive: true })
  await using raw = await RawPeer.connect(router.port, '127.0.0.9')
  await raw.establish()
  await play(raw, router)
}

const update = (asns: readonly number[], length = 24, more: object = {}): UpdateMessage => ({
  type: 'update',
  withdrawnRoutes: [],
  pathAttributes: { origin: 0, asPath: [{ type: 2, asns }], nextHop: hex('0a000002'), ...more },
  nlri: [{ length, prefix: hex('c00002').subarray(0, (length + 7) >> 3) }],
})

t.test('RFC 7606: a malformed UPDATE withdraws its prefixes and keeps the session', async t => {
  const warnings: object[] = []
  const log: Logger = {
    debug() {},
    info() {},
    warn: fields => void warnings.push(fields),
    error() {},
    child: () => log,
  }
  await using router = await createRouter({ asn: 64_512, bgpIdentifier: '10.0.0.1', log })
  const peer = router.speaker.addPeer({ address: LOCAL, asn: 64_513, passive: true })
  await using raw = await RawPeer.connect(router.port)
  await raw.establish()
  raw.send(update([64_513], 24), update([64_513], 16))
  await until(() => router.routes.size === 2, 'two routes')
  raw.send(message(2, '0000 0014 40010103 40020602010000fc01 4003040a000002 18c00002'))
  await until(() => router.routes.size === 1, 'withdrawn')
  raw.send(message(2, '0000 0018 40010100 40020602010000fc01 4003040a000002 40060100 18c00002'))
  await until(() => router.routes.size === 2, 'attribute discarded, route taken')
  t.equal(peer.state, 'Established')
  t.match(warnings, [{ disposition: 'treat-as-withdraw' }, { disposition: 'attribute-discard' }])

  raw.send(message(2, '0000 0000 21c000020100'))
  await raw.next('update')
  await raw.next('update')
  const notification = await raw.next('notification')
  t.match(notification, { errorCode: 3, errorSubcode: 10 }, 'and what nobody can read resets it')
  await raw.closed()
  t.equal(router.routes.size, 0)
})

t.test('RFC 4271 6.1, 6.2, 6.5, 6608: what is wrong is answered by its NOTIFICATION', async t => {
  await using router = await createRouter({ asn: 64_512, bgpIdentifier: '10.0.0.1' })
  router.speaker.addPeer({ address: LOCAL, asn: 64_513, passive: true })
  for (const { octets, answer, data = '' } of [
    { octets: hex(`${'00'.repeat(16)}001304`), answer: '1/1' },
    { octets: message(4, 'aabb'), answer: '1/2', data: '0015' },
    { octets: message(9, ''), answer: '1/3', data: '09' },
    { octets: message(1, '05fc01005a0a0000fe00'), answer: '2/1', data: '0004' },
    { octets: message(1, '04fc02005a0a0000fe00'), answer: '2/2' },
    { octets: message(1, '04fc0100010a0000fe00'), answer: '2/6' },
    { octets: message(4, ''), answer: '5/1' },
  ]) {
    await using raw = await RawPeer.connect(router.port)
    await raw.next('open')
    raw.send(octets)
    const { errorCode, errorSubcode, data: sent } = await raw.next('notification')
    t.equal(`${errorCode}/${errorSubcode}`, answer)
    t.equal(toHex(sent), data)
    await raw.closed()
  }
})

t.test('RFC 4271 6.5: a silent peer loses its session when the hold timer expires', async t => {
  const clock = new TestClock()
  await using router = await createRouter({ clock, random: () => 1, asn: 64_512, bgpIdentifier: '10.0.0.1' })
  const peer = router.speaker.addPeer({ address: LOCAL, asn: 64_513, passive: true, holdTime: 30 })
  await using raw = await RawPeer.connect(router.port)
  await raw.establish()
  await established(peer)
  raw.send(update([64_513]))
  await until(() => router.routes.size === 1, 'a route')
  await until(() => raw.received.length === 2, 'End-of-RIB twice')
  raw.received.length = 0
  clock.advance(10_000)
  await raw.next('keepalive')
  clock.advance(19_000)
  await raw.next('keepalive')
  t.equal(peer.state, 'Established')
  clock.advance(1000)
  t.match(await raw.next('notification'), { errorCode: 4, errorSubcode: 0 })
  t.equal(router.routes.size, 0)
})

t.test('RFC 4271 9.1.2: paths that have been here are not used, nor those that lead to us', async t => {
  await withRaw(async (raw, router) => {
    raw.send(update([64_513, 64_512], 8), update([64_513], 16, { clusterList: [0x0a000001] }))
    const ipv6 = { afi: 2, safi: 1, nlri: [{ length: 32, prefix: hex('20010db8') }] }
    const nextHop = hex('20010db8000000000000000000000001fe800000000000000000000000000001')
    raw.send({
      ...update([64_513]),
      pathAttributes: { origin: 0, asPath: [], mpReachNlri: { ...ipv6, nextHop } },
      nlri: [],
    })
    raw.send(update([64_513], 23, { nextHop: hex('7f000001') }))
    await until(() => router.routes.size === 2, 'two of four')
    t.same([...router.routes.keys()], ['192.0.0.0/16', '2001:db8::/32'])
    t.match(router.routes.get('2001:db8::/32')?.paths, [{ nextHop: '2001:db8::1' }], 'the global one of two')
    t.notOk(router.routes.has('192.0.0.0/8'), 'our AS in the path')
    t.notOk(router.routes.has('192.0.2.0/23'), 'our address for a next hop')
    raw.send({
      ...update([64_513]),
      pathAttributes: { mpUnreachNlri: { afi: 2, safi: 1, withdrawnRoutes: ipv6.nlri } },
      nlri: [],
    })
    await until(() => !router.routes.has('2001:db8::/32'), 'withdrawn')
  })
})

t.test('RFC 6793 4.2.3: AS4_PATH and AS4_AGGREGATOR of a 2-octet speaker are merged', async t => {
  await using router = await createRouter({ asn: 64_512, bgpIdentifier: '10.0.0.1' })
  router.speaker.addPeer({ address: LOCAL, asn: 64_513, passive: true })
  const context = { fourOctetAs: false, internal: false }
  await using first = await RawPeer.connect(router.port)
  const raw = new RawPeer(first.socket, context)
  await first.establish({ ...RAW_OPEN, capabilities: [] })
  const as4 = { as4Path: [{ type: 2, asns: [4_200_000_000] }], as4Aggregator: { asn: 4_200_000_000, bgpIdentifier: 5 } }
  raw.send(update([64_513, 23_456], 24, { ...as4, aggregator: { asn: 23_456, bgpIdentifier: 5 } }))
  raw.send(update([64_513, 23_456], 16, { ...as4, aggregator: { asn: 64_513, bgpIdentifier: 6 } }))
  await until(() => router.routes.size === 2, 'two routes')
  const attributesOf = (prefix: string): object => router.routes.get(prefix)?.paths[0]?.attributes ?? {}
  t.match(attributesOf('192.0.2.0/24'), {
    asPath: [{ type: 2, asns: [64_513, 4_200_000_000] }],
    aggregator: { asn: 4_200_000_000, bgpIdentifier: 5 },
  })
  t.notOk('as4Path' in attributesOf('192.0.2.0/24'))
  t.match(attributesOf('192.0.0.0/16'), { asPath: [{ type: 2, asns: [64_513, 23_456] }], aggregator: { asn: 64_513 } })
})

t.test('multipath: the same prefix from several peers, one of which goes away', async t => {
  await using router = await createRouter()
  router.speaker.addDynamicPeers({ prefix: '127.0.0.0/8', asn: 'external' })
  const ends = [2, 3, 4].map(i => {
    const node = createNode({ bgpIdentifier: `10.0.0.${i}` })
    const peer = node.addPeer({ address: LOCAL, port: router.port, asn: 64_513, sourceAddress: `127.0.0.${i}` })
    node.announce({ prefix: '192.0.2.1/32' })
    return { node, peer }
  })
  const nextHops = (): string =>
    router.routes
      .get('192.0.2.1/32')
      ?.paths.map(({ nextHop }) => nextHop)
      .join(' ') ?? ''
  await until(() => nextHops() === '127.0.0.2 127.0.0.3 127.0.0.4', 'three paths')
  ends[1]?.node.withdraw('192.0.2.1/32')
  await until(() => nextHops() === '127.0.0.2 127.0.0.4', 'two paths')
  await ends[0]?.peer.close()
  await until(() => nextHops() === '127.0.0.4', 'one path')
  t.pass('as the peers say')
  for (const { node } of ends) await node.close()
})

t.test('RFC 4271 6.8: both sides dial at once, on real sockets, always exactly one session', async t => {
  for (let round = 0; round < 20; round++) {
    const identifiers = round % 2 ? ['10.0.0.1', '10.0.0.2'] : ['10.0.0.2', '10.0.0.1']
    const [a, b] = identifiers.map((bgpIdentifier, i) => {
      const address = `127.0.1.${i + 1}`
      return { address, speaker: new BgpSpeaker({ asn: 64_512 + i, bgpIdentifier, listen: { address, port: 0 } }) }
    }) as [{ address: string; speaker: BgpSpeaker }, { address: string; speaker: BgpSpeaker }]
    await Promise.all([a.speaker.start(), b.speaker.start()])
    const dial = (from: typeof a, to: typeof a): Peer => {
      const asn = to.speaker.asn
      return from.speaker.addPeer({ address: to.address, port: to.speaker.port!, asn, sourceAddress: from.address })
    }
    const [ab, ba] = [dial(a, b), dial(b, a)]
    a.speaker.announce({ prefix: '192.0.2.0/24' })
    b.speaker.announce({ prefix: '198.51.100.0/24' })
    const learned = (): number =>
      [a, b].flatMap(({ speaker }) => [...speaker.locRib()]).filter(({ paths }) => paths[0]?.peer).length
    await until(() => learned() === 2, 'routes on both sides')
    await new Promise(resolve => setTimeout(resolve, 20))
    if (ab.state !== 'Established' || ba.state !== 'Established') t.fail(`round ${round}: ${ab.state}, ${ba.state}`)
    await Promise.all([a.speaker.close(), b.speaker.close()])
  }
  t.pass('20 times')
})

t.test('RFC 4486: connections nobody waits for are rejected, peers taken out are told so', async t => {
  await using router = await createRouter()
  await using stranger = await RawPeer.connect(router.port)
  t.match(await stranger.next('notification'), { errorCode: 6, errorSubcode: CeaseSubcode.ConnectionRejected })
  await stranger.closed()

  const peer = router.speaker.addPeer({ address: LOCAL, asn: 64_513, localAsn: 64_512, passive: true })
  await using raw = await RawPeer.connect(router.port)
  await raw.establish()
  await established(peer)
  raw.received.length = 0
  await using second = await RawPeer.connect(router.port)
  t.match(await second.next('notification'), { errorCode: 6, errorSubcode: 5 }, 'one session is enough')
  const closing = peer.close()
  t.equal(peer.close(), closing, 'twice is once')
  await until(() => raw.received.some(({ type }) => type === 'notification'), 'Cease')
  t.match(raw.received.at(-1), { errorCode: 6, errorSubcode: CeaseSubcode.PeerDeconfigured })
  await closing
  t.same(router.speaker.peers, [])
})

t.test('RFC 9003: a shutdown communication arrives; the signal ends the speaker', async t => {
  const controller = new AbortController()
  await using router = await createRouter({ asn: 64_512, signal: controller.signal })
  const peer = router.speaker.addPeer({ address: LOCAL, asn: 64_513, passive: true })
  {
    await using raw = await RawPeer.connect(router.port)
    await raw.establish()
    await established(peer)
    raw.received.length = 0
    void peer.close({ subcode: CeaseSubcode.AdministrativeReset, communication: 'new software' })
    await until(() => raw.received.some(({ type }) => type === 'notification'), 'Cease')
    t.equal(shutdownCommunication(raw.received.at(-1) as never), 'new software')
  }
  controller.abort()
  await router.speaker.close()
  t.equal(router.speaker.port, undefined, 'no longer listening')
  await t.rejects(new BgpSpeaker({ asn: 1, bgpIdentifier: '1.1.1.1', listen, signal: controller.signal }).start())
  t.throws(() => router.speaker.addPeer({ address: LOCAL, asn: 1 }), RangeError)
})

t.test('dynamic peers: longest prefix, end with their range', async t => {
  await using router = await createRouter()
  router.speaker.addDynamicPeers({ prefix: '127.0.0.0/8', asn: 1 })
  const range = router.speaker.addDynamicPeers({ prefix: '127.0.0.0/30', asn: 64_513, localAsn: 64_512 })
  const connected = once(router.speaker, 'peer') as Promise<[Peer]>
  await using raw = await RawPeer.connect(router.port, '127.0.0.2')
  await raw.establish()
  const [peer] = await connected
  t.equal(peer.address, '127.0.0.2')
  await established(peer)
  await range[Symbol.asyncDispose]()
  t.same(router.speaker.peers, [])
  await using other = await RawPeer.connect(router.port, '127.0.0.2')
  await other.next('open')
  other.send(RAW_OPEN)
  t.match(await other.next('notification'), { errorCode: 2, errorSubcode: 2 }, 'the wider range wants AS 1')
})

t.test('importPolicy reject: nothing is learned, UPDATEs are still told', async t => {
  await using router = await createRouter({ asn: 64_512 })
  const peer = router.speaker.addPeer({ address: LOCAL, asn: 64_513, passive: true, importPolicy: 'reject' })
  await using raw = await RawPeer.connect(router.port)
  const told = once(peer, 'update') as Promise<[UpdateMessage]>
  await raw.establish()
  raw.send(update([64_513]))
  const [first] = await told
  t.match(updateChanges(first), [{ reachable: [{ length: 24 }] }])
  t.equal(peer.counters.prefixesReceived, 0)
  t.equal(router.routes.size, 0)
})

t.test('next hop self of the other family: none on this interface, so it says so once', async t => {
  const warnings: string[] = []
  const log: Logger = {
    debug() {},
    info() {},
    warn: (_, text) => void warnings.push(text),
    error() {},
    child: () => log,
  }
  await using listener = await RawListener.open()
  await using node = createNode({ log })
  const accepting = listener.accept()
  const peer = node.addPeer({ address: LOCAL, port: listener.port, asn: 64_513 })
  peer.setRoutes([{ prefix: '2001:db8:1::/48' }, { prefix: '2001:db8:2::/48' }, { prefix: '192.0.2.0/24' }])
  const raw = await accepting
  await raw.establish()
  t.match(await raw.next('update'), { nlri: { length: 1 } })
  await established(peer)
  t.match(warnings, [/no local address of this family/])
  t.match(peer.counters, { prefixesAnnounced: 1, prefixesPending: 1 })
})

t.test('back-pressure: a peer that does not read costs no memory, and gets everything when it does', async t => {
  await using listener = await RawListener.open()
  await using node = createNode()
  const accepting = listener.accept()
  const peer = node.addPeer({ address: LOCAL, port: listener.port, asn: 64_513 })
  // Each with attributes of its own, so each in an UPDATE of its own, of 3.6 kB.
  const communities = (i: number): string[] => Array.from({ length: 300 }, (_, k) => `large:${i}:${k}:0`)
  const routes = Array.from({ length: 2000 }, (_, i) => ({
    prefix: `10.${i >> 8}.${i & 255}.0/24`,
    communities: communities(i),
  }))
  peer.setRoutes(routes)
  const raw = await accepting
  await raw.establish()
  raw.socket.pause()
  await new Promise(resolve => setTimeout(resolve, 300))
  const { prefixesAnnounced } = peer.counters
  t.ok(prefixesAnnounced > 0 && prefixesAnnounced < 1900, `${prefixesAnnounced} of 2000 written before it blocked`)
  peer.setRoutes([])
  raw.socket.resume()
  await until(() => peer.counters.prefixesAnnounced === 0, 'all withdrawn')
  const prefixes = new Set<string>()
  const take = (): void => {
    for (const m of raw.received.splice(0)) {
      if (m.type !== 'update') continue
      for (const { prefix } of m.nlri) prefixes.add(toHex(prefix))
      for (const { prefix } of m.withdrawnRoutes) prefixes.delete(toHex(prefix))
    }
  }
  await until(() => {
    take()
    return prefixes.size === 0
  }, 'the peer knows no prefix')
  t.ok(peer.counters.updatesSent < 2000, 'what was taken back before it was sent was never sent')
})

t.test("bad options and routes are the caller's fault, said at once", async t => {
  t.throws(() => createNode({ asn: 0 }), RangeError)
  t.throws(() => createNode({ bgpIdentifier: 'node-1' }), RangeError)
  await using node = createNode()
  const wrong: Partial<PeerOptions>[] = [
    { address: 'localhost' },
    { address: '10.0.0.0/8' },
    { port: 0 },
    { sourceAddress: 'eth0' },
    { holdTime: 2 },
    { bgpIdentifier: '1' },
    { md5Key: '' },
    { md5Key: 'x'.repeat(81) },
    { localAsn: -1 },
  ]
  for (const options of wrong) {
    t.throws(() => node.addPeer({ address: LOCAL, asn: 64_513, ...options }), RangeError, JSON.stringify(options))
  }
  t.throws(() => node.addDynamicPeers({ prefix: '10.0.0.0', asn: 1 }), RangeError)
  for (const route of [
    { prefix: '10.0.0.0/33' },
    { prefix: '10.0.0.0' },
    { prefix: '2001:db8::/129' },
    { prefix: 'cluster.local/24' },
    { prefix: '2001:db8::/32', nextHop: '10.0.0.1' },
    { prefix: '10.0.0.0/8', nextHop: 'gateway' },
    { prefix: '10.0.0.0/8', nextHop: '224.0.0.1' },
    { prefix: '2001:db8::/32', nextHop: '::' },
    { prefix: '10.0.0.0/8', localPref: -1 },
    { prefix: '10.0.0.0/8', localPref: 2 ** 32 },
    { prefix: '10.0.0.0/8', multiExitDisc: 0.5 },
    { prefix: '10.0.0.0/8', communities: ['65536:1'] },
    { prefix: '10.0.0.0/8', communities: ['1:2:3'] },
    { prefix: '10.0.0.0/8', communities: ['large:1:2'] },
    { prefix: '10.0.0.0/8', communities: ['blackhole!'] },
    { prefix: '10.0.0.0/8', communities: Array.from({ length: 951 }, (_, i) => `1:${i}`) },
  ]) {
    t.throws(() => node.announce(route), RangeError, JSON.stringify(route).slice(0, 80))
  }
  t.throws(() => node.withdraw('10.0.0.0'), RangeError)
})

t.test('a peer that is not there: the cause says why, and it is tried again', async t => {
  const clock = new TestClock()
  let port = 0
  {
    await using listener = await RawListener.open()
    port = listener.port
  }
  await using node = createNode({ clock, random: () => 1 })
  const states: string[] = []
  const peer = node.addPeer({ address: LOCAL, port, asn: 64_513, name: 'gone' })
  peer.on('state', (to, _from, cause) => states.push(`${to} ${cause}`))
  await until(() => states.length === 1, 'refused')
  clock.advance(1000)
  await until(() => states.length === 3, 'refused again')
  const reason = `${LOCAL}: connection refused: nothing listens on port ${port} there, or a firewall says so (ECONNREFUSED)`
  const refused = `Idle TcpConnectionFails: ${reason}`
  t.same(states, [refused, 'Connect IdleHoldTimer_Expires', refused])
  await node.addPeer({ address: LOCAL, port, asn: 64_513 })[Symbol.asyncDispose]()
  t.same(node.peers, [peer])
})

t.test('a port in use, or not ours: one clear sentence', async t => {
  await using router = await createRouter()
  const taken = createNode({ listen: { address: LOCAL, port: router.port } })
  await t.rejects(taken.start(), { code: 'ERR_BGP_SOCKET', message: /another process/ })
  const elsewhere = createNode({ listen: { address: '192.0.2.1', port: 0 } })
  await t.rejects(elsewhere.start(), { code: 'ERR_BGP_SOCKET', message: /cannot listen on port 0: / })
  t.equal(elsewhere.port, undefined)
})

t.test('a listener that calls back into the peer', async t => {
  await using router = await createRouter()
  router.speaker.addDynamicPeers({ prefix: '127.0.0.0/8', asn: 64_512 })
  await using node = createNode()
  const peer = node.addPeer({ address: LOCAL, port: router.port, asn: 64_513 })
  const states: string[] = []
  const closed = new Promise<void>(resolve => {
    peer.on('state', to => {
      states.push(to)
      if (to === 'OpenSent') void peer.close().then(resolve)
    })
  })
  await closed
  t.same(states, ['OpenSent', 'Idle'])
  t.same(node.peers, [])
})

const packageFile = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url))

/** Starts a script; its lines come as they are printed. */
function start(script: string, ...args: readonly string[]): { child: ChildProcess; lines: AsyncIterator<string> } {
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  return { child, lines: createInterface(child.stdout)[Symbol.asyncIterator]() }
}

/** The first line that says it. */
async function lineWith(lines: AsyncIterator<string>, what: string): Promise<string> {
  for (;;) {
    const { done, value } = await lines.next()
    if (done) throw new Error(`ended without ${what}`)
    if (value.includes(what)) return value
  }
}

t.test('examples: the collector sees what announce announces, and that it takes leave', async t => {
  const collector = start(packageFile('examples/collector.mjs'), '--address', LOCAL, '--port', '0')
  const { listening } = JSON.parse(await lineWith(collector.lines, 'listening')) as { listening: number }
  const args = ['--peer', LOCAL, '--port', String(listening), '--community', '1:2', '192.0.2.0/24']
  const announce = start(packageFile('examples/announce.mjs'), ...args)
  const route = JSON.parse(await lineWith(collector.lines, '192.0.2.0/24')) as object
  t.match(route, { prefix: '192.0.2.0/24', paths: [{ nextHop: LOCAL, asPath: [64_512], communities: ['1:2'] }] })
  announce.child.kill('SIGINT')
  t.same(await once(announce.child, 'exit'), [0, null])
  t.match(await lineWith(collector.lines, '192.0.2.0/24'), /"paths":\[\]/)
  collector.child.kill('SIGTERM')
  t.same(await once(collector.child, 'exit'), [0, null])
})

t.test('README: the example runs as pasted', async t => {
  const code = /```js\n(.*?)```/s.exec(readFileSync(packageFile('README.md'), 'utf8'))?.[1] ?? ''
  // Beside the compiled tests, from where the package is found by its name.
  const directory = mkdtempSync(packageFile('dist-test/readme-'))
  writeFileSync(join(directory, 'example.mjs'), code)
  const { child, lines } = start(join(directory, 'example.mjs'))
  t.match(await lineWith(lines, '192.0.2.0/24'), /127\.0\.0\.1/)
  t.same(await once(child, 'exit'), [0, null])
  rmSync(directory, { recursive: true })
})
