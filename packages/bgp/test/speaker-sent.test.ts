/** What peers are told, message by message. */
import t from 'tap'
import type { PeerOptions } from '@typemetal/bgp'
import { createEndOfRib, familyOf } from '@typemetal/bgp/wire'
import { TestClock } from './clock.js'
import { toHex } from './octets.js'
import { RAW_OPEN, RawListener } from './raw-peer.js'
import { createNode, established, LOCAL, RecordingLog, until } from './speakers.js'

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

t.test('next hop self of the other family: none on this interface, so it says so once', async t => {
  const log = new RecordingLog()
  await using listener = await RawListener.open()
  await using node = createNode({ log })
  const accepting = listener.accept()
  const peer = node.addPeer({ address: LOCAL, port: listener.port, asn: 64_513 })
  peer.setRoutes([{ prefix: '2001:db8:1::/48' }, { prefix: '2001:db8:2::/48' }, { prefix: '192.0.2.0/24' }])
  const raw = await accepting
  await raw.establish()
  t.match(await raw.next('update'), { nlri: { length: 1 } })
  await established(peer)
  t.match(log.at('warn'), [{ message: /no local address of this family/, family: 'ipv6-unicast' }])
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
  await until(() => peer.counters.prefixesAnnounced > 0, 'the first are written')
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
