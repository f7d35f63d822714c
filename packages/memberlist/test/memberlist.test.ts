/** The driver on real sockets, on 127.0.0.1 and ports that the system chooses. */
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { Keyring, Memberlist, type MemberlistOptions } from '@typemetal/memberlist'
import t from 'tap'
import { at, bindAddress, names, octets, ring, start, startAll, until } from './nodes.js'

t.setTimeout(1_200_000)

t.test('join, members, leave', async t => {
  const [a, b, c] = await ring(t, 'a b c')
  t.match(a.localMember(), {
    name: 'a',
    address: '127.0.0.1',
    port: a.port,
    state: 'alive',
    incarnation: 1,
    meta: undefined,
  })
  t.equal(await b.join([at(a), `c/${at(c!)}`]), 2, 'joining again does no harm')
  t.equal(await b.join([]), 0)
  const gone = once(a, 'leave')
  await c!.leave(2000)
  t.match((await gone)[0], { name: 'c', state: 'left' })
  await c!.leave(2000)
  await c!.close()
  await until(() => names(a) === 'a b' && names(b) === 'a b', 'c is gone')
  await a.leave()
  t.ok(a.healthScore >= 0)
})

t.test('a node that has left comes back on the same sockets, as often as it likes', async t => {
  const [a, b, c] = await ring(t, 'a b c')
  await c!.rejoin() // has not left: nothing happens
  for (let round = 1; round <= 3; round++) {
    await c!.leave(2000)
    t.equal(names(c!), 'a b', 'it sees the others, and not itself')
    await until(() => names(a) === 'a b' && names(b) === 'a b', 'c has left')
    await c!.rejoin()
    await until(() => [a, b, c!].every(node => names(node) === 'a b c'), 'c is back')
  }
  await c!.close()
  await t.rejects(c!.rejoin(), { code: 'ERR_MEMBERLIST_STATE' })
})

t.test('a closed node refuses connections and is found dead at once', async t => {
  const timing = { probeInterval: 1000, probeTimeout: 500, gossipInterval: 200 }
  // A suspicion alone takes ten minutes here, and nobody waits for one as long.
  const [a, b, c] = await ring(t, 'a b c', { ...timing, suspicionMult: 600 })
  const proven = (node: Memberlist): boolean => (node.counters.notes.answersTcp ?? 0) >= 2
  await until(() => proven(a) && proven(b), 'c has answered both over TCP')
  await c!.close()
  await until(() => names(a) === 'a b' && names(b) === 'a b', 'c is dead')
  t.ok((a.counters.notes.refusedDead ?? 0) + (b.counters.notes.refusedDead ?? 0) > 0)
})

t.test('a ring that stands still for a while accuses nobody', async t => {
  const nodes = await ring(t, 'a b c')
  const events: string[] = []
  for (const node of nodes) node.on('leave', member => void events.push(member.name))
  for (let round = 0; round < 3; round++) {
    await new Promise(resolve => setTimeout(resolve, 120))
    for (const end = Date.now() + 800; Date.now() < end;); // longer than a suspicion lasts
  }
  await new Promise(resolve => setTimeout(resolve, 300))
  t.same(events, [])
  t.same(
    nodes.map(node => node.counters.notes.suspected ?? 0),
    [0, 0, 0],
  )
})

t.test('section 20: what the metrics of the reference tell', async t => {
  const [a, b, c] = await ring(t, 'a b c')
  t.same(a.states(), { alive: 3, suspect: 0, dead: 0, left: 0 })
  await c!.leave()
  await until(() => a.states().left === 1 && a.queuedBroadcasts === 0, 'c has left, and all is told')
  await c!.close()
  await b.close()
  await until(() => a.states().dead === 1, 'b is dead')
  t.same(a.states(), { alive: 1, suspect: 0, dead: 1, left: 1 })
  t.ok(a.messages.alive > 0 && a.messages.dead > 0)
  const { packetsSent, packetsReceived, octetsSent, streamsAccepted, streamsDialed, streamOctetsSent } = a.counters
  for (const count of [packetsSent, packetsReceived, octetsSent, streamsAccepted, streamsDialed, streamOctetsSent])
    t.ok(count > 0)
  const fresh = new Memberlist({ name: 'x', bindAddress })
  t.same([fresh.states().alive, fresh.messages.alive, fresh.queuedBroadcasts], [0, 0, 0])
})

t.test('meta, user messages, ping', async t => {
  // Nobody is suspected here, however late this process comes to answer: a refutation would count as an incarnation.
  const [a, b] = await ring(t, 'a b', { meta: octets('zone=a'), probeInterval: 10_000, probeTimeout: 5000 })
  const updated = once(b, 'update')
  await a.updateMeta(octets('zone=b'))
  t.match((await updated)[0], { name: 'a', meta: Buffer.from('zone=b'), incarnation: 2 })
  await t.rejects(a.updateMeta(new Uint8Array(513)), RangeError)

  const messages: string[] = []
  b.on('message', payload => void messages.push(Buffer.from(payload).toString()))
  const to = { address: '127.0.0.1', port: b.port }
  a.sendBestEffort(to, octets('best effort'))
  await a.sendReliable(to, octets('reliable'))
  await a.sendReliable(to, octets('long '.repeat(50_000)))
  a.broadcast(octets('to all'))
  const has = (start: string): boolean => messages.some(message => message.startsWith(start))
  await until(() => ['best effort', 'reliable', 'long', 'to all'].every(has), 'all messages')
  t.equal(messages.find(message => message.startsWith('long'))?.length, 250_000)

  const rtt = await a.ping('b', to)
  t.ok(rtt > 0, `round trip of ${rtt.toFixed(2)} ms`)
  await t.rejects(a.ping('another', to), { code: 'ERR_MEMBERLIST_EXCHANGE' }, 'a ping for another name is not answered')
  await t.rejects(a.sendReliable({ address: '127.0.0.1', port: 1 }, octets('x')), { code: 'ERR_MEMBERLIST_EXCHANGE' })
})

t.test('delegates: user state, ack payload, probe results', async t => {
  const delegate = { localState: (join: boolean) => octets(`state ${join}`), ackPayload: () => octets('ack') }
  const [a, b] = await startAll(t, 'a b', { delegate })
  const state = once(a!, 'remoteState')
  const probed = once(a!, 'probed')
  await b!.join([at(a!)])
  const [received, join] = await state
  t.same([Buffer.from(received as Uint8Array).toString(), join], ['state true', true])
  const [member, rtt, payload] = await probed
  t.match(member, { name: 'b' })
  t.ok((rtt as number) >= 0)
  t.equal(Buffer.from(payload as Uint8Array).toString(), 'ack')
})

t.test('section 9.5: keys change while the ring runs', async t => {
  const [first, second] = [new Uint8Array(16).fill(1), new Uint8Array(32).fill(2)]
  const nodes = await ring(t, 'a b c', { secretKeys: [first] })
  for (const node of nodes) node.keyring.add(second)
  for (const node of nodes) node.keyring.use(second)
  let heard = 0
  for (const node of nodes) node.on('message', () => void heard++)
  for (const node of nodes)
    for (const { port } of nodes)
      if (port !== node.port) node.sendBestEffort({ address: bindAddress, port }, octets('new'))
  await until(() => heard === 6, 'what is under way with the old key has arrived: something later has')
  for (const node of nodes) node.keyring.remove(first)
  const late = await start(t, 'd', { secretKeys: [second] })
  t.equal(await late.join([at(nodes[0])]), 1)
  await until(() => nodes.every(node => names(node) === 'a b c d'), 'a ring of four')
  const old = await start(t, 'old', { secretKeys: [first] })
  await t.rejects(old.join([at(nodes[0])]), { code: 'ERR_MEMBERLIST_JOIN' })
  t.ok(nodes[0].counters.streamFaults > 0)
  t.same(nodes[0].counters.packetFaults, {}, 'no datagram was lost to the rotation')
})

t.test('the keyring', async t => {
  const [k1, k2] = [new Uint8Array(16).fill(1), new Uint8Array(24).fill(2)]
  const keyring = new Keyring([k1])
  keyring.add(k1)
  keyring.add(k2)
  t.same(keyring.keys, [k1, k2])
  keyring.use(k2)
  t.same(keyring.primary, k2)
  t.throws(() => keyring.remove(k2), RangeError)
  keyring.remove(k1)
  keyring.remove(k1)
  t.throws(() => keyring.use(k1), RangeError)
  t.throws(() => keyring.add(new Uint8Array(10)), RangeError)
  t.throws(() => {
    for (let i = 0; i < 20; i++) keyring.add(new Uint8Array(16).fill(i))
  }, RangeError)
})

t.test('section 9.4: migration from plaintext', async t => {
  const secretKeys = [new Uint8Array(16).fill(9)]
  const plain = await start(t, 'a')
  const listening = await start(t, 'b', { secretKeys, gossipVerifyIncoming: false, gossipVerifyOutgoing: false })
  const sending = await start(t, 'c', { secretKeys, gossipVerifyIncoming: false })
  const strict = await start(t, 'd', { secretKeys })
  t.equal(await listening.join([at(plain)]), 1, 'a node that only listens to encryption is in a plain ring')
  t.equal(await sending.join([at(listening)]), 1)
  t.equal(await strict.join([at(sending)]), 1)
  await t.rejects(plain.join([at(strict)]), { message: /remote state is encrypted and encryption is not configured/ })
  await t.rejects(strict.join([at(plain)]), { message: /encryption is configured but remote state is not encrypted/ })
})

t.test('section 10: labels keep rings apart', async t => {
  for (const secretKeys of [[], [new Uint8Array(16).fill(3)]]) {
    const one = await ring(t, 'a b c', { label: 'dc1', secretKeys })
    const other = await start(t, 'd', { label: 'dc2', secretKeys })
    const none = await start(t, 'e', { secretKeys })
    await t.rejects(other.join([at(one[0])]), { code: 'ERR_MEMBERLIST_JOIN' })
    await t.rejects(none.join([at(one[0])]), { code: 'ERR_MEMBERLIST_JOIN' })
    await t.rejects(one[0].join([at(none)]), { code: 'ERR_MEMBERLIST_JOIN' })
    t.same(one[0].counters.packetFaults, {})
    await Promise.all([...one, other, none].map(node => node.close()))
  }
  t.throws(() => new Memberlist({ name: 'a', bindAddress, label: 'x'.repeat(256) }), RangeError)
})

t.test('encrypted, with protocol version 1 and its padding', async t => {
  const secretKeys = [new Uint8Array(16).fill(4)]
  const a = await start(t, 'a', { secretKeys, protocolVersion: 1 })
  const b = await start(t, 'b', { secretKeys })
  await b.join([at(a)])
  await until(() => names(a) === 'a b', 'both versions of encryption are read')
})

t.test('section 20: join addresses', async t => {
  const a = await start(t, 'a')
  const b = await start(t, 'b')
  t.equal((await b.join([`localhost:${a.port}`])) >= 1, true)
  for (const bad of ['/x', '', 'a:b:', '127.0.0.1:0', '127.0.0.1:x', 'no-such-host.invalid']) {
    await t.rejects(b.join([bad]), { code: 'ERR_MEMBERLIST_JOIN' }, bad)
  }
})

t.test('section 23.7: allowed address blocks', async t => {
  const a = await start(t, 'a', { allowedCidrs: ['10.0.0.0/8', 'fd00::/8'] })
  const b = await start(t, 'b', { allowedCidrs: ['127.0.0.0/8'] })
  await t.rejects(b.join([at(a)]))
  t.ok(a.counters.streamsRejected > 0)
  t.throws(() => new Memberlist({ name: 'a', bindAddress, allowedCidrs: ['10.0.0.0/99'] }), RangeError)
})

t.test('IPv6, and IPv4 through a socket of both', async t => {
  const six = await ring(t, 'a b', { bindAddress: '::1' }).catch(() => undefined)
  if (!six) {
    t.pass('IPv6', { skip: 'wants IPv6 on the loopback interface' })
    return
  }
  t.equal(six[0].localMember().address, '::1')
  const both = await start(t, 'c', { bindAddress: '::', advertiseAddress: '127.0.0.1' })
  const four = await start(t, 'd')
  await both.join([at(four)])
  await until(() => names(four) === 'c d' && names(both) === 'c d', 'a ring')
  // A probe is a success when an answer came, by datagram.
  const answered = (node: Memberlist): Promise<unknown> => once(node, 'probed')
  await Promise.all([answered(both), answered(four)])
  t.pass('datagrams go both ways')
})

t.test('a life', async t => {
  const a = new Memberlist({ name: 'a', bindAddress, bindPort: 0 })
  t.same([a.members(), a.port], [[], 0])
  t.throws(() => a.localMember(), { code: 'ERR_MEMBERLIST_STATE' })
  await t.rejects(a.join(['127.0.0.1']), { code: 'ERR_MEMBERLIST_STATE' })
  await a.start()
  await t.rejects(a.start(), { code: 'ERR_MEMBERLIST_STATE' })
  const taken = new Memberlist({ name: 'b', bindAddress, bindPort: a.port })
  await t.rejects(taken.start(), { code: 'EADDRINUSE' })
  await a.close()
  await a.close()
  const abort = new AbortController()
  const b = new Memberlist({ name: 'b', bindAddress, bindPort: 0, signal: abort.signal })
  await b.start()
  abort.abort()
  await b.close()
  const c = new Memberlist({ name: 'c', bindAddress, bindPort: 0 })
  const starting = c.start()
  await c.close()
  await t.rejects(starting, { code: 'ERR_MEMBERLIST_STATE' })
  await using d = new Memberlist({ name: 'd', bindAddress, bindPort: 0 })
  await d.start()
  t.ok(d.port > 0)
})

t.test('what waits for an answer gets one when the node is closed', async t => {
  const server = createServer(() => {})
  server.listen(0, bindAddress)
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const [a, b] = await ring(t, 'a b', { gossipInterval: 5000, enableCompression: false })
  const asked: readonly Promise<unknown>[] = [
    a.sendReliable({ address: bindAddress, port }, new Uint8Array(18_000_000)),
    a.ping('nobody', { address: bindAddress, port }),
    a.updateMeta(octets('new')),
    b.leave(),
  ]
  const waiting = asked.map(promise =>
    t.rejects(promise as Promise<void>, { code: 'ERR_MEMBERLIST_STATE', message: 'closed' }),
  )
  await Promise.all([a.close(), b.close()])
  await Promise.all(waiting)
})

t.test('leave and updateMeta: alone, with a deadline, and again', async t => {
  const alone = await start(t, 'a')
  await alone.updateMeta(octets('x'), 0)
  await alone.leave(0)
  const [a, b] = await ring(t, 'a b', { gossipInterval: 400 })
  await t.rejects(a.updateMeta(octets('x'), 1), { code: 'ERR_MEMBERLIST_EXCHANGE' })
  await t.rejects(a.leave(1), { code: 'ERR_MEMBERLIST_EXCHANGE', message: 'timeout waiting for leave broadcast' })
  await a.leave(0)
  await until(() => names(b) === 'b', 'it has been told all the same')
  await a.leave(1)
})

t.test('a listener that throws is not caught, and stops nothing', async t => {
  const uncaught: unknown[] = []
  const catcher = (error: unknown): void => void uncaught.push(error)
  process.prependListener('uncaughtException', catcher)
  const listeners = process.listeners('uncaughtException').filter(listener => listener !== catcher)
  for (const listener of listeners) process.off('uncaughtException', listener)
  t.teardown(() => {
    process.off('uncaughtException', catcher)
    for (const listener of listeners) process.on('uncaughtException', listener)
  })
  const [a, b, c] = await startAll(t, 'a b c')
  a!.on('join', ({ name }) => {
    throw new Error(`no ${name}`)
  })
  await b!.join([at(a!)])
  await c!.join([at(a!)])
  await until(() => [a!, b!, c!].every(node => names(node) === 'a b c'), 'a ring of three')
  await until(() => uncaught.length === 2, 'both errors came out')
  t.same(uncaught.map(String).toSorted(), ['Error: no b', 'Error: no c'])
})

t.test('a start that failed may be tried again', async t => {
  const first = await start(t, 'a')
  const second = new Memberlist({ name: 'b', bindAddress, bindPort: first.port })
  t.teardown(() => second.close())
  await t.rejects(second.start(), { code: 'EADDRINUSE' })
  await first.close()
  await second.start()
  t.equal(names(second), 'b')
  const abort = new AbortController()
  const third = new Memberlist({ name: 'c', bindAddress, bindPort: 0, signal: abort.signal })
  const starting = third.start()
  abort.abort(new Error('enough'))
  await t.rejects(starting, { message: 'enough' })
})

t.test('a join that reached some says whom it did not reach', async t => {
  const lines: [object, string][] = []
  const keep = (fields: object, line: string): void => void lines.push([fields, line])
  const log = { debug() {}, info: keep, warn() {}, error() {}, child: () => log }
  const a = await start(t, 'a')
  const b = await start(t, 'b', { log })
  t.equal(await b.join([at(a), '127.0.0.1:1', 'no-such-host.invalid']), 1)
  const [[fields] = [{}]] = lines.filter(([, line]) => line === 'joined in part')
  t.match(fields, { reached: 1, missed: [/no-such-host/, /127\.0\.0\.1:1: .*ECONNREFUSED/] })
})

t.test('options that make no sense', async t => {
  const bad: readonly Partial<MemberlistOptions>[] = [
    { name: '' },
    { name: 'x'.repeat(2000) },
    { bindAddress: 'nowhere' },
    { bindPort: 70_000 },
    { secretKeys: [new Uint8Array(5)] },
    { meta: new Uint8Array(513) },
    { protocolVersion: 6 },
    { delegateVersions: { min: 3, max: 2, current: 2 } },
    { tcpTimeout: 3e9 },
    { gossipInterval: -1 },
    { udpBufferSize: 10 },
    { awarenessMaxMultiplier: 0 },
  ]
  for (const options of bad) {
    t.throws(() => new Memberlist({ name: 'a', bindAddress, ...options }), RangeError, Object.keys(options).join())
  }
})
