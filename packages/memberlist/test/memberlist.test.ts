/** The driver on real sockets, on 127.0.0.1 and ports that the system chooses. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { Keyring, Memberlist, type MemberlistOptions } from '@typemetal/memberlist'
import t, { type Test } from 'tap'

t.setTimeout(120_000)

/** Timing for tests: a tenth of the LAN's. */
const FAST = {
  probeInterval: 100,
  probeTimeout: 50,
  gossipInterval: 20,
  watchInterval: 50,
  refusedGrace: 60,
  pushPullInterval: 3000,
  tcpTimeout: 2000,
}
const bindAddress = '127.0.0.1'

async function start(t: Test, name: string, options: Partial<MemberlistOptions> = {}): Promise<Memberlist> {
  const node = new Memberlist({ name, bindAddress, bindPort: 0, ...FAST, ...options })
  t.teardown(() => node.close())
  await node.start()
  return node
}

const startAll = (t: Test, names: string, options: Partial<MemberlistOptions> = {}): Promise<Memberlist[]> =>
  Promise.all(names.split(' ').map(name => start(t, name, options)))
const at = (node: Memberlist): string => {
  const { address, port } = node.localMember()
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}
const names = (node: Memberlist): string =>
  node
    .members()
    .map(member => member.name)
    .toSorted()
    .join(' ')
const octets = (text: string): Uint8Array => Buffer.from(text)

async function until(condition: () => boolean, what: string, limit = 10_000): Promise<void> {
  for (const end = Date.now() + limit; !condition();) {
    if (Date.now() > end) throw new Error(`not in time: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

/** A ring of nodes that all know one another. */
async function ring(
  t: Test,
  list: string,
  options: Partial<MemberlistOptions> = {},
): Promise<[Memberlist, Memberlist, ...Memberlist[]]> {
  const nodes = await startAll(t, list, options)
  const [first, second, ...rest] = nodes
  await Promise.all(nodes.slice(1).map(node => node.join([at(first!)])))
  await until(() => nodes.every(node => names(node) === list), `a ring of ${list}`)
  return [first!, second!, ...rest]
}

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

t.test('a closed node refuses connections and is found dead at once', async t => {
  const [a, b, c] = await ring(t, 'a b c', { probeInterval: 1000, probeTimeout: 500, gossipInterval: 200 })
  await until(() => c!.counters.streamsAccepted >= 2, 'both have tried c over TCP')
  await new Promise(resolve => setTimeout(resolve, 100))
  const start = Date.now()
  await c!.close()
  await until(() => names(a) === 'a b' && names(b) === 'a b', 'c is dead')
  const took = Date.now() - start
  t.ok(took < 2000, `${took} ms, where the suspicion alone takes 4 s`)
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

t.test('meta, user messages, ping', async t => {
  const [a, b] = await ring(t, 'a b', { meta: octets('zone=a') })
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
  t.ok(rtt >= 0 && rtt < 50, `round trip of ${rtt.toFixed(2)} ms`)
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
  await new Promise(resolve => setTimeout(resolve, 200)) // what is under way with the old key arrives
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

t.test('what is not for us is counted, logged once in a while, and never fatal', async t => {
  const lines: string[] = []
  const log = {
    debug() {},
    info() {},
    warn: (_: object, line: string) => void lines.push(line),
    error() {},
    child: () => log,
  }
  const [a, b] = await ring(t, 'a b', { log, secretKeys: [new Uint8Array(16)] })
  const socket = createSocket('udp4')
  t.teardown(() => socket.close())
  for (let i = 0; i < 200; i++) socket.send(Buffer.alloc(i, i), a.port, '127.0.0.1')
  await until(() => Object.values(a.counters.packetFaults).reduce((sum, n) => sum + n, 0) >= 100, 'faults')
  const stream = connect(a.port, '127.0.0.1')
  stream.write('GET / HTTP/1.1\r\n\r\n')
  const [reply] = await once(stream, 'data')
  t.equal((reply as Buffer)[0], 10, 'an error, encrypted as all else')
  stream.destroy()
  t.ok(lines.filter(line => line === 'datagram dropped').length <= 4, 'one line per kind')
  t.equal(names(b), 'a b')
})

t.test('streams: too many, silent, and closed at once', async t => {
  const a = await start(t, 'a', { tcpTimeout: 500 })
  const silent = Array.from({ length: 140 }, () => connect(a.port, '127.0.0.1').on('error', () => {}))
  t.teardown(() => silent.forEach(socket => socket.destroy()))
  await until(() => a.counters.streamsRejected > 0, 'the surplus is turned away')
  t.ok(a.counters.streamsAccepted <= 128)
  const b = await start(t, 'b')
  await t.rejects(b.join([at(a)]))
  await until(() => silent.every(socket => socket.closed), 'the silent ones are closed at the deadline')
  t.equal(await b.join([at(a)]), 1, 'and there is room again')
})

t.test('a peer that never answers', async t => {
  const server = createServer(() => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const a = await start(t, 'a', { tcpTimeout: 300 })
  const { port } = server.address() as AddressInfo
  await t.rejects(a.join([`127.0.0.1:${port}`]), { code: 'ERR_MEMBERLIST_JOIN', message: /timeout/ })
  await t.rejects(a.join(['127.0.0.1:1']), { message: /refused|ECONNREFUSED/ })
  const waiting = a.join([`127.0.0.1:${port}`])
  await a.close()
  await t.rejects(waiting, { message: /closed/ })
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
  await new Promise(resolve => setTimeout(resolve, 500))
  t.same(
    [both.counters.notes.suspected, four.counters.notes.suspected],
    [undefined, undefined],
    'datagrams go both ways',
  )
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
    { probeTimeout: 2000 },
    { gossipInterval: -1 },
    { udpBufferSize: 10 },
    { awarenessMaxMultiplier: 0 },
  ]
  for (const options of bad) {
    t.throws(() => new Memberlist({ name: 'a', bindAddress, ...options }), RangeError, Object.keys(options).join())
  }
})
