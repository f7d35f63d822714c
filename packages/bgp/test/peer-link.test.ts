/** What of a peer's TCP connection its options decide: keys (RFC 2385), TTLs (RFC 5082), devices. */
import { readMd5Counters } from '@typemetal/sockets'
import t, { type Test } from 'tap'
import { BgpSpeaker, type Peer, type PeerOptions } from '@typemetal/bgp'
import { TestClock } from './clock.js'
import { isInside, missingPrivilege } from './interop/namespace.js'
import { RawPeer } from './raw-peer.js'
import { createNode, createRouter, established, LOCAL, nextPeer, RecordingLog, until, type Router } from './speakers.js'

/** Both ends of a session with these options on both, and how to change them. */
interface Pair {
  readonly router: Router
  readonly ours: Peer
  readonly theirs: Peer
  /** @returns effects, of both ends */
  change(options: Partial<PeerOptions>): readonly string[]
}

async function withPair(options: Partial<PeerOptions>, play: (pair: Pair) => Promise<void>): Promise<void> {
  await using router = await createRouter()
  await using node = createNode()
  const passive = { address: LOCAL, asn: 64_512, passive: true }
  const ours = router.speaker.addPeer({ ...passive, ...options })
  const active = { address: LOCAL, port: router.port, asn: 64_513 }
  const theirs = node.addPeer({ ...active, ...options })
  const change = (more: Partial<PeerOptions>): readonly string[] =>
    [ours.change({ ...passive, ...more }), theirs.change({ ...active, ...more })].flat().map(({ effect }) => effect)
  await established(ours, theirs)
  await play({ router, ours, theirs, change })
}

/** The session still carries routes, and is the one that it was. */
async function stands(t: Test, { router, ours, theirs }: Pair, prefix: string): Promise<void> {
  theirs.announce({ prefix })
  await until(() => router.routes.has(prefix), `${prefix} on the session`)
  t.equal(ours.counters.opensReceived, 1)
}

function suite(): void {
  t.test('RFC 2385: another key: silence, of which cause and log say what it may mean', async t => {
    const clock = new TestClock()
    await using router = await createRouter()
    router.speaker.addPeer({ address: LOCAL, asn: 64_512, passive: true, md5Key: 'one' })
    const log = new RecordingLog()
    await using node = createNode({ clock, random: () => 1, log })
    const count = (): number => readMd5Counters()?.failure ?? 0
    const before = count()
    const peer = node.addPeer({ address: LOCAL, port: router.port, asn: 64_513, md5Key: 'two', connectTime: 3 })
    let cause = ''
    peer.on('state', (_to, _from, why) => (cause = why))
    await until(() => count() > before, 'a segment was dropped')
    clock.advance(3000)
    await until(() => cause !== '', 'the attempt ends')
    t.match(cause, /^TcpConnectionFails: no answer within 3 s: .*another TCP-MD5 key/)
    t.match(log.at('warn'), [{ message: 'peer cannot be reached', reason: /another TCP-MD5 key/, peer: LOCAL }])
  })

  t.test('RFC 2385: a key changes on both sides, and the session stands', async t => {
    await withPair({ md5Key: 'one' }, async pair => {
      await stands(t, pair, '192.0.2.0/24')
      t.same(pair.change({ md5Key: 'two' }), ['live', 'live'])
      await stands(t, pair, '198.51.100.0/24')
      const again = once(pair)
      pair.theirs.reset()
      await again
      t.equal(pair.ours.counters.opensReceived, 2, 'and the next one has the new key')
    })
  })

  t.test('RFC 2385: a key for a range', async t => {
    await using router = await createRouter()
    const range = router.speaker.addDynamicPeers({ prefix: '127.0.0.0/8', asn: 64_512, md5Key: 'one' })
    await using node = createNode()
    const connected = nextPeer(router.speaker)
    const peer = node.addPeer({ address: LOCAL, port: router.port, asn: 64_513, md5Key: 'one' })
    await established(peer, await connected)
    range.change({ prefix: '127.0.0.0/8', asn: 64_512, md5Key: 'two' })
    peer.change({ address: LOCAL, port: router.port, asn: 64_513, md5Key: 'two' })
    node.announce({ prefix: '192.0.2.0/24' })
    await until(() => router.routes.has('192.0.2.0/24'), 'a route')
    t.equal(range.peers.length, 1)
  })

  t.test('RFC 5082 section 3: who comes from too far is dropped without a word', async t => {
    const log = new RecordingLog()
    // The peer before it listens: a connection that is there before its terms are is one that the kernel alone makes fall silent.
    await using router = new BgpSpeaker({
      asn: 64_512,
      bgpIdentifier: '10.0.0.254',
      listen: { address: LOCAL, port: 0 },
      log,
    })
    const peer = router.addPeer({ address: LOCAL, asn: 64_513, passive: true, ttlSecurity: 1 })
    await router.start()
    await using node = createNode({ asn: 64_513 })
    const far = node.addPeer({ address: LOCAL, port: router.port!, asn: 64_512, idleHoldTime: 0 })
    const reason = "it came with TTL 64, and this peer's is 255 at least"
    await until(() => log.at('warn').some(line => line['reason'] === reason), 'looked at')
    t.match(log.at('warn')[0], { message: 'connection dropped', address: LOCAL })
    t.equal(peer.state, 'Active')
    t.equal(far.counters.totalReceived, 0)
  })

  t.test('RFC 5082 section 3: GTSM on both sides, taken away and set again on the session that stands', async t => {
    await withPair({ ttlSecurity: 1 }, async pair => {
      await stands(t, pair, '192.0.2.0/24')
      t.same(pair.change({}), ['live', 'live'])
      await stands(t, pair, '198.51.100.0/24')
      t.same(pair.change({ ttlSecurity: 2 }), ['live', 'live'])
      await stands(t, pair, '203.0.113.0/24')
    })
  })

  t.test('a device: only what comes in by it is the peer', async t => {
    await withPair({ device: 'lo' }, async pair => {
      await stands(t, pair, '192.0.2.0/24')
    })
    await using router = await createRouter({ asn: 64_512 })
    router.speaker.addPeer({ address: LOCAL, asn: 64_513, passive: true, device: 'tmbgp0' })
    await using raw = await RawPeer.connect(router.port)
    t.match(await raw.next('notification'), { errorCode: 6, errorSubcode: 5 })
  })
}

/** The session ends and comes back. */
async function once({ ours, theirs }: Pair): Promise<void> {
  await until(() => ours.state !== 'Established', 'ended')
  await established(ours, theirs)
}

t.setTimeout(900_000)
const missing = missingPrivilege()
if (missing) t.test('links of peers', { skip: missing }, async () => {})
else if (isInside()) suite()
