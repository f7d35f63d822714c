/** Whose connections are taken, and how sessions end. */
import { once } from 'node:events'
import t from 'tap'
import { BgpSpeaker, CeaseSubcode, type Peer } from '@typemetal/bgp'
import { shutdownCommunication } from '@typemetal/bgp/wire'
import { RAW_OPEN, RawPeer } from './raw-peer.js'
import { createRouter, established, listen, LOCAL, until } from './speakers.js'

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
