/** What becomes of what peers send, right or wrong. */
import { once } from 'node:events'
import t from 'tap'
import type { Logger } from '@typemetal/bgp'
import { updateChanges, type UpdateMessage } from '@typemetal/bgp/wire'
import { TestClock } from './clock.js'
import { hex, message, toHex } from './octets.js'
import { RAW_OPEN, RawPeer } from './raw-peer.js'
import { createRouter, established, LOCAL, until, update, type Router } from './speakers.js'

/** A raw external peer with an Established session. */
async function withRaw(play: (raw: RawPeer, router: Router) => Promise<void>): Promise<void> {
  await using router = await createRouter({ asn: 64_512, bgpIdentifier: '10.0.0.1' })
  router.speaker.addPeer({ address: '127.0.0.9', asn: 64_513, passive: true })
  await using raw = await RawPeer.connect(router.port, '127.0.0.9')
  await raw.establish()
  await play(raw, router)
}

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
    { octets: message(4, ''), answer: '5/1', data: '04' },
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

t.test(
  'RFC 7313 section 5: a refresh mark of 4,096 octets is answered by a NOTIFICATION that fits, and the peer may come again',
  async t => {
    await using router = await createRouter({ asn: 64_512, bgpIdentifier: '10.0.0.1' })
    const peer = router.speaker.addPeer({ address: LOCAL, asn: 64_513, passive: true, extendedMessage: false })
    {
      await using raw = await RawPeer.connect(router.port)
      await raw.establish()
      await established(peer)
      raw.send(message(5, `00010101${'00'.repeat(4096 - 19 - 4)}`))
      while (raw.received[0]?.type === 'update') raw.received.shift()
      await until(() => raw.received.some(({ type }) => type === 'notification'), 'a NOTIFICATION')
      t.match(
        raw.received.find(({ type }) => type === 'notification'),
        { errorCode: 7, errorSubcode: 1 },
      )
      await raw.closed()
    }
    await using again = await RawPeer.connect(router.port)
    await again.establish()
    await established(peer)
    t.equal(peer.state, 'Established')
  },
)
