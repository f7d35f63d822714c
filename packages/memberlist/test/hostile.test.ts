/** What others may send: unreadable, unwanted, too much, of foreign rings. Counted, logged once in a while, never fatal. */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { Lab, nftablesInstalled, RingProcess } from '@typemetal/lab'
import { type Logger, Memberlist, type MemberlistOptions } from '@typemetal/memberlist'
import { Simulator } from '@typemetal/memberlist/simulator'
import * as wire from '@typemetal/memberlist/wire'
import t, { type Test } from 'tap'
import { at, bindAddress, names, ring, start, until } from './nodes.js'

t.setTimeout(1_200_000)

interface Line {
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** A log that keeps what is said above debug. */
function recorder(): { readonly log: Logger; readonly lines: Line[] } {
  const lines: Line[] = []
  const keep = (fields: object, message: string): void => void lines.push({ message, fields: { ...fields } })
  const log: Logger = { debug() {}, info: keep, warn: keep, error: keep, child: () => log }
  return { log, lines }
}

/** A sender of datagrams at an address of this host. */
async function sender(t: Test, address: string): Promise<Socket> {
  const socket = createSocket('udp4')
  t.teardown(() => socket.close())
  socket.bind({ address, port: 0 })
  await once(socket, 'listening')
  return socket
}

const faults = (node: Memberlist): number =>
  Object.values(node.counters.packetFaults).reduce((sum, count) => sum + count, 0)

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
  const a = await start(t, 'a', { tcpTimeout: 600_000 })
  const silent = Array.from({ length: 140 }, () => connect(a.port, '127.0.0.1').on('error', () => {}))
  t.teardown(() => silent.forEach(socket => socket.destroy()))
  await until(() => a.counters.streamsAccepted + a.counters.streamsRejected === 140, 'all have come')
  t.ok(a.counters.streamsAccepted <= 128, 'the surplus is turned away')
  const b = await start(t, 'b')
  await t.rejects(b.join([at(a)]))
  for (const socket of silent) socket.destroy()
  let reached = 0
  for (let tries = 0; reached === 0 && tries < 600; tries++) reached = await b.join([at(a)]).catch(() => delay(100, 0))
  t.equal(reached, 1, 'and there is room again')
})

t.test('streams that say nothing are closed at the deadline', async t => {
  const a = await start(t, 'a', { tcpTimeout: 500 })
  const silent = Array.from({ length: 10 }, () => connect(a.port, '127.0.0.1').on('error', () => {}))
  t.teardown(() => silent.forEach(socket => socket.destroy()))
  await until(() => silent.every(socket => socket.closed), 'all are closed')
  t.equal(a.counters.streamsAccepted, 10, 'and none because there was no room')
})

t.test('a peer that never answers', async t => {
  const server = createServer(() => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const hasty = await start(t, 'hasty', { tcpTimeout: 300 })
  await t.rejects(hasty.join([`127.0.0.1:${port}`]), { code: 'ERR_MEMBERLIST_JOIN', message: /timeout/ })
  const a = await start(t, 'a')
  await t.rejects(a.join(['127.0.0.1:1']), { message: /refused|ECONNREFUSED/ })
  const waiting = a.join([`127.0.0.1:${port}`])
  await a.close()
  await t.rejects(waiting, { message: /closed/ })
})

t.test('a datagram from port 0, which nothing can be sent to', { skip: withoutLab() }, async t => {
  await using lab = await Lab.create()
  const host = await lab.host('ring')
  await using node = await RingProcess.start({ kind: 'node', name: 'a', address: '127.0.0.1', host })
  await host.exec(['nft', '-f', '-'], {
    input: `table ip lab {
  chain output {
    type filter hook output priority 0
    udp dport 7946 udp sport set 0
  }
}
`,
  })
  // A ping without a name or a source: who gets it answers where it came from.
  const send = `require('dgram').createSocket('udp4').send(Buffer.from('00c0', 'hex'), 7946, '127.0.0.1', () => process.exit())`
  await host.exec([process.execPath, '-e', send])
  const count = async (): Promise<number> => (await node.command('counters')).faults?.['malformed'] ?? 0
  for (const end = Date.now() + 60_000; (await count()) === 0;) if (Date.now() > end) break
  t.equal(await count(), 1, 'is counted, and the process lives')
})

function withoutLab(): string | false {
  if (process.getuid?.() !== 0) return 'wants root, for network namespaces'
  return nftablesInstalled() ? false : 'wants nft of the package nftables'
}

t.test('one sender cannot fill the log, nor keep out what others cause', async t => {
  const { log, lines } = recorder()
  const node = await start(t, 'a', { log })
  const [noisy, other] = [await sender(t, '127.0.0.9'), await sender(t, '127.0.0.10')]
  const ping = (name: string): Uint8Array =>
    wire.encodePing({ seqNo: 1, node: name, sourceAddr: undefined, sourcePort: 0, sourceNode: '' })
  // No more at a time than the socket of any system holds: a datagram that does not fit is lost.
  for (let sent = 0; sent < 1000;) {
    for (const end = sent + 100; sent < end;) noisy.send(ping(`nobody-${sent++}`), node.port, bindAddress)
    await until(() => node.counters.notes.misdirectedPing === sent, `${sent} are counted`)
  }
  t.equal(lines.filter(({ message }) => message === 'misdirectedPing').length, 1, 'and logged once')
  other.send(ping('x'.repeat(500)), node.port, bindAddress)
  other.send('unreadable', node.port, bindAddress)
  await until(() => faults(node) === 1, 'the other is heard')
  const [, second, third] = lines
  t.match(second, { message: 'misdirectedPing', fields: { address: '127.0.0.10' } })
  t.ok(String(second?.fields['node']).length <= 65, 'a long name is cut')
  t.match(third, { message: 'packetFault', fields: { address: '127.0.0.10' } })
})

t.test('what is replayed, forged in its key or of another ring changes nothing', async t => {
  const secretKeys = [new Uint8Array(16).fill(1)]
  const [a, b] = await ring(t, 'a b', { secretKeys, label: 'dc1' })
  const events: string[] = []
  for (const event of ['join', 'leave', 'update', 'conflict'] as const) a.on(event, () => void events.push(event))
  const socket = await sender(t, '127.0.0.9')
  // A foreign ring that believes that a is one of its members: its datagrams come with another key, or another label.
  for (const foreign of [
    { secretKeys: [new Uint8Array(16).fill(2)], label: 'dc1' },
    { secretKeys, label: 'dc2' },
  ]) {
    const stranger = await start(t, 'b', { ...foreign, bindAddress: '127.0.0.9' })
    await t.rejects(stranger.join([at(a)]), { code: 'ERR_MEMBERLIST_JOIN' })
    stranger.sendBestEffort({ address: bindAddress, port: a.port }, Buffer.from('hello'))
  }
  await until(() => faults(a) === 2 && a.counters.streamFaults === 2, 'both are counted')
  t.match(a.counters.packetFaults, { decrypt: 1, label: 1 })
  for (const size of [0, 1, 28, 1400, 65_000]) socket.send(new Uint8Array(size).fill(1), a.port, bindAddress)
  await until(() => faults(a) === 7, 'truncated and enormous ones')
  t.same(events, [])
  t.equal(names(b), 'a b')
})

t.test('replayed: all that a ring ever said is said to it again, twice', async t => {
  const sim = new Simulator({ seed: 3, latency: [0.2, 1] })
  const nodes = sim.addRing(8, { enableCompression: false })
  const heard: (readonly [from: number, to: string, octets: Uint8Array])[] = []
  const send = sim.send.bind(sim)
  sim.send = (from, to, octets) => {
    heard.push([nodes.indexOf(from), to.address, Uint8Array.from(octets)])
    send(from, to, octets)
  }
  sim.run(20_000)
  for (const victim of [nodes[3]!, nodes[5]!]) {
    victim.kill()
    sim.run(5000)
    victim.start()
    victim.join(nodes[0]!)
    sim.run(20_000)
  }
  nodes[7]!.leave()
  sim.run(2000)
  nodes[7]!.kill()
  sim.run(60_000)
  t.ok(sim.converged())
  sim.send = send
  const events: string[] = []
  sim.onMember = (observer, event, member) => void events.push(`${observer.name} ${event} ${member.name}`)
  const [packets, started] = [sim.packets, sim.now]
  const recorded = [...heard, ...heard]
  for (const [i, [from, to, octets]] of recorded.entries())
    sim.after((i / recorded.length) * 30_000, () => send(nodes[from]!, { address: to, port: 7946 }, octets))
  sim.run(30_000)
  const spent = sim.packets - packets - recorded.length
  t.ok(spent < 2 * recorded.length, `${recorded.length} replayed in ${sim.now - started} ms cost ${spent} packets`)
  sim.run(60_000)
  t.ok(sim.converged(), 'all see who is there')
  t.same(
    events.filter(line => !line.endsWith('n007')),
    [],
    'and nobody who is there was lost meanwhile',
  )
})

t.test('one address cannot take all streams', async t => {
  const a = await start(t, 'a', { tcpTimeout: 600_000 })
  const idle = Array.from({ length: 100 }, () =>
    connect({ port: a.port, host: bindAddress, localAddress: '127.0.0.9' }).on('error', () => {}),
  )
  t.teardown(() => idle.forEach(socket => socket.destroy()))
  await until(() => a.counters.streamsRejected === 36, 'half of them are its share')
  const b = await start(t, 'b')
  t.equal(await b.join([at(a)]), 1, 'others still get through')
})

t.test('streams that stop in the middle are counted and end at the deadline', async t => {
  const { log, lines } = recorder()
  const a = await start(t, 'a', { tcpTimeout: 3000, log })
  const whole = wire.encodeCompress(new Uint8Array(100))
  for (const cut of [1, whole.length - 1]) connect(a.port, bindAddress).write(whole.subarray(0, cut))
  const hasty = connect(a.port, bindAddress)
  hasty.end(whole.subarray(0, 3))
  connect(a.port, bindAddress).end()
  await until(() => a.counters.streamsUnfinished === 3, 'three had said something')
  t.equal(lines.filter(({ message }) => message.startsWith('stream ended')).length, 1, 'logged once')
})

t.test('a plain stream that is no memberlist is closed without an answer', async t => {
  const a = await start(t, 'a')
  const stream = connect(a.port, bindAddress)
  stream.write('GET / HTTP/1.1\r\n\r\n')
  const answer: Buffer[] = []
  stream.on('data', chunk => void answer.push(chunk))
  await once(stream, 'close')
  t.same(answer, [])
  t.equal(a.counters.streamFaults, 1)
})

t.test('without a key, a public address is warned of', async t => {
  for (const [options, warned] of [
    [{ advertiseAddress: '8.8.8.8' }, 1],
    [{ advertiseAddress: '2a00::1' }, 1],
    [{ advertiseAddress: '8.8.8.8', secretKeys: [new Uint8Array(16)] }, 0],
    [{ advertiseAddress: '10.1.2.3' }, 0],
    [{ advertiseAddress: 'fd00::1' }, 0],
  ] as readonly (readonly [Partial<MemberlistOptions>, number])[]) {
    const { log, lines } = recorder()
    const node = await start(t, 'a', { ...options, log })
    t.equal(lines.filter(({ message }) => message.includes('public')).length, warned, options.advertiseAddress ?? '')
    await node.close()
  }
})
