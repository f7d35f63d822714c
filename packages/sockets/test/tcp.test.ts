import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import t from 'tap'
import {
  connectTcp,
  listenTcp,
  removeServerMd5Key,
  setServerMd5Key,
  TcpSocket,
  UdpSocket,
  type ConnectTcpOptions,
  type UdpPacket,
} from '@typemetal/sockets'
import { addIpv6, enterNamespace, ip, makePair, until } from './namespace.js'

const portOf = (server: Server): number => (server.address() as AddressInfo).port
/** For a handshake that must come about, and for one that must not. Milliseconds. */
const LONG = 60_000
const SHORT = 100

/** Connects, says "ping", and returns what comes back. */
async function ping(options: ConnectTcpOptions): Promise<string> {
  const socket = await connectTcp({ timeout: LONG, ...options })
  socket.end('ping')
  let text = ''
  for await (const chunk of socket) text += String(chunk)
  return text
}

/** Answers each connection with the client's address and what it said. */
async function echo(server: Server): Promise<void> {
  server.on('connection', (socket: Socket) => {
    const from = `${socket.remoteAddress} `
    socket.on('error', () => undefined)
    socket.on('data', data => socket.end(from + data.toString()))
  })
  if (!server.listening) await once(server, 'listening')
}

async function testTcp(): Promise<void> {
  ip('address add 127.0.0.2/8 dev lo')
  ip('address add fd00::2/128 dev lo nodad')

  await t.test('connectTcp gives an ordinary socket; listenTcp an ordinary server for both families', async t => {
    await using server = await listenTcp({ port: 0 })
    await echo(server)
    const port = portOf(server)
    t.equal(await ping({ address: '127.0.0.1', port }), '::ffff:127.0.0.1 ping')
    t.equal(await ping({ address: '::1', port }), '::1 ping')
    t.equal(await ping({ address: '127.0.0.1', port, sourceAddress: '127.0.0.2' }), '::ffff:127.0.0.2 ping')
    t.equal(await ping({ address: '::1', port, sourceAddress: 'fd00::2', device: 'lo', ttl: 3 }), 'fd00::2 ping')
    const socket = await connectTcp({ address: '::1', port })
    t.match(socket, { remoteAddress: '::1', remotePort: port, connecting: false })
    socket.destroy()
    await using narrow = await listenTcp({ address: '::', port: 0, ipv6Only: true, backlog: 5, ttl: 255, device: 'lo' })
    await t.rejects(ping({ address: '127.0.0.1', port: portOf(narrow) }), { code: 'ECONNREFUSED' })
  })

  await t.test('RFC 2385: MD5 signatures on both ends', async t => {
    await using server = await listenTcp({
      address: '0.0.0.0',
      port: 0,
      md5Keys: [{ address: '127.0.0.1', key: 'secret' }],
    })
    await echo(server)
    const port = portOf(server)
    const connect = (sourceAddress: string, md5Key?: string, timeout = LONG): Promise<string> =>
      ping({ address: '127.0.0.1', port, sourceAddress, timeout, ...(md5Key ? { md5Key } : {}) })
    t.equal(await connect('127.0.0.1', 'secret'), '127.0.0.1 ping')
    const silence = { code: 'ETIMEDOUT', syscall: 'connect', message: /another MD5 key/ }
    await t.rejects(connect('127.0.0.1', 'wrong', SHORT), silence, 'another key is silence, never a refusal')
    await t.rejects(connect('127.0.0.1', undefined, SHORT), silence, 'no key at all as well')
    t.equal(await connect('127.0.0.2'), '127.0.0.2 ping', 'a peer without a key needs none')
    setServerMd5Key(server, { address: '127.0.0.2', key: Uint8Array.of(1, 2, 3) })
    t.equal(await connect('127.0.0.2', '\x01\x02\x03'), '127.0.0.2 ping', 'a key on a listening server')
    removeServerMd5Key(server, { address: '127.0.0.2' })
    t.equal(await connect('127.0.0.2'), '127.0.0.2 ping')
    t.throws(() => removeServerMd5Key(server, { address: '127.0.0.2' }), { code: 'ENOENT', message: /no such key/ })
    t.throws(() => setServerMd5Key(createServer(), { address: '127.0.0.2', key: 'x' }), TypeError)
    t.throws(() => setServerMd5Key(server, { address: '127.0.0.2', key: 'x'.repeat(81) }), RangeError)
  })

  await t.test('TCP_MD5SIG_EXT: a key for a prefix, IPv4 and IPv6 on one socket', async t => {
    await using server = await listenTcp({
      port: 0,
      md5Keys: [
        { address: '127.0.0.0', prefixLength: 24, key: 'four' },
        { address: 'fd00::', prefixLength: 64, key: 'six' },
      ],
    })
    await echo(server)
    const port = portOf(server)
    t.equal(
      await ping({ address: '127.0.0.1', port, sourceAddress: '127.0.0.2', md5Key: 'four' }),
      '::ffff:127.0.0.2 ping',
    )
    t.equal(await ping({ address: 'fd00::2', port, sourceAddress: 'fd00::2', md5Key: 'six' }), 'fd00::2 ping')
    await t.rejects(ping({ address: 'fd00::2', port, sourceAddress: 'fd00::2', md5Key: 'four', timeout: SHORT }), {
      code: 'ETIMEDOUT',
    })
    t.equal(await ping({ address: '::1', port }), '::1 ping', 'outside the prefix')
  })

  await t.test('RFC 5082: GTSM takes only what comes with a TTL that no router lowered', async t => {
    for (const address of ['127.0.0.1', '::1']) {
      await using server = await listenTcp({ port: 0, minTtl: 255, ttl: 255 })
      await echo(server)
      const port = portOf(server)
      t.match(await ping({ address, port, ttl: 255, minTtl: 255 }), 'ping', address)
      await t.rejects(ping({ address, port, ttl: 254, timeout: SHORT }), { code: 'ETIMEDOUT' })
    }
    using socket = new TcpSocket(4)
    for (const ttl of [0, 256, 1.5]) t.throws(() => socket.setTtl(ttl), RangeError)
  })

  await t.test('what goes wrong says what to do', async t => {
    await using server = await listenTcp({ address: '127.0.0.1', port: 0 })
    const port = portOf(server)
    const refused = { code: 'EADDRINUSE', syscall: /bind|listen/, message: `127.0.0.1:${port}` }
    await t.rejects(listenTcp({ address: '127.0.0.1', port }), { ...refused, message: /another process has this port/ })
    await t.rejects(listenTcp({ address: '10.9.9.9', port: 0 }), {
      code: 'EADDRNOTAVAIL',
      message: /no interface of this host/,
    })
    await t.rejects(listenTcp({ address: '0.0.0.0', port: 0, device: 'nothere' }), { code: 'ENODEV' })
    await t.rejects(listenTcp({ port: 0, device: 'a'.repeat(16) }), RangeError)
    await t.rejects(listenTcp({ address: 'localhost', port: 0 }), TypeError)
    await t.rejects(connectTcp({ address: '127.0.0.1', port: 1 }), {
      code: 'ECONNREFUSED',
      message: /^connect 127.0.0.1:1: /,
    })
    await t.rejects(connectTcp({ address: '203.0.113.1', port: 1 }), { code: 'ENETUNREACH', message: /no route/ })
    await t.rejects(connectTcp({ address: 'fe80::1%nothere', port: 1 }), { code: 'ENODEV', syscall: 'if_nametoindex' })
    await t.rejects(connectTcp({ address: '127.0.0.1', port: 1, sourceAddress: '::1' }), TypeError)
    await t.rejects(connectTcp({ address: '127.0.0.1', port: 70000 }), RangeError)
  })

  await t.test('a peer that never answers: timeout, abort, neighbour missing', async t => {
    makePair('va', 'vb')
    ip('address add 10.0.0.1/24 dev va')
    ip('neighbor add 10.0.0.2 lladdr 02:00:00:00:00:99 dev va')
    const start = performance.now()
    await t.rejects(connectTcp({ address: '10.0.0.2', port: 179, timeout: 50 }), { code: 'ETIMEDOUT', errno: 110 })
    t.ok(performance.now() - start < LONG, 'the kernel by itself would try for two minutes')
    const signal = AbortSignal.timeout(20)
    await t.rejects(connectTcp({ address: '10.0.0.2', port: 179, signal }), { name: 'TimeoutError' })
    await t.rejects(connectTcp({ address: '10.0.0.2', port: 179, signal }), { name: 'TimeoutError' }, 'already aborted')
    const socket = new TcpSocket(4)
    const connecting = socket.connect('10.0.0.2', 179, { timeout: 60_000 })
    socket.close()
    await t.rejects(connecting, { code: 'EBADF' }, 'closed while it waits')
  })

  await t.test('a link-local peer by its zone, as name and as index', async t => {
    await addIpv6('fe80::1', 'lo')
    await using server = await listenTcp({ address: 'fe80::1%lo', port: 0 })
    await echo(server)
    t.match(await ping({ address: 'fe80::1%lo', port: portOf(server) }), /^fe80::1.* ping$/)
    t.match(await ping({ address: 'fe80::1%1', port: portOf(server) }), 'ping')
  })

  await t.test('TcpSocket: step by step, each descriptor closed once', async t => {
    const socket = new TcpSocket(6)
    socket.setIpv6Only(true)
    socket.bind('::1')
    t.match(socket.localAddress(), { family: 6, address: '::1', scopeId: 0 })
    socket.listen()
    const server = createServer()
    server.listen({ fd: socket.release() })
    await once(server, 'listening')
    socket.close()
    t.throws(() => socket.localAddress(), { code: 'EBADF' })
    t.throws(() => socket.release(), { code: 'EBADF' })
    const client = await connectTcp({ address: '::1', port: portOf(server) })
    client.destroy()
    server.close()
    await once(server, 'close')
  })

  for (const { address, other } of [
    { address: '127.0.0.1', other: '127.0.0.2' },
    { address: '::1', other: 'fd00::2' },
  ]) {
    await t.test(`UDP on ${address}: hop limit, destination, interface`, async t => {
      const packets: UdpPacket[] = []
      const onPackets = (batch: readonly UdpPacket[]): void => {
        for (const packet of batch) packets.push({ ...packet, data: packet.data.slice() })
      }
      const any = address.includes(':') ? '::' : '0.0.0.0'
      using receiver = new UdpSocket({ address: any, port: 0, device: 'lo', onPackets })
      using sender = new UdpSocket({ address: other, port: 0, ttl: 255, receiveBuffer: 8192, onPackets })
      sender.send(Uint8Array.of(1, 2, 3), address, receiver.port)
      await until(() => packets.length === 1)
      t.same(packets, [
        {
          data: Uint8Array.of(1, 2, 3),
          source: other,
          sourcePort: sender.port,
          destination: address,
          hopLimit: 255,
          interfaceIndex: 1,
        },
      ])
      t.throws(() => new UdpSocket({ address: any, port: receiver.port, onPackets }), { code: 'EADDRINUSE' })
    })
  }
}

if (await enterNamespace(import.meta.url)) await testTcp()
