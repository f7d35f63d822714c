import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type ListenOptions, type Server, type Socket } from 'node:net'
import t from 'tap'
import {
  connectTcp,
  listenTcp,
  readMd5Counters,
  removeServerMd5Key,
  setServerMd5Key,
  setServerTcpOptions,
  setTcpOptions,
  synTtl,
  type ConnectTcpOptions,
} from '@typemetal/sockets'
import { decodeMd5Counters, ttlOfHeader } from '@typemetal/sockets/wire'
import { enterNamespace, ip, makePair, until } from './namespace.js'

const portOf = (server: Server): number => (server.address() as AddressInfo).port
const SHORT = 100 // milliseconds for a handshake that must not come about

/** Two ends of one connection. */
interface Pair extends Disposable {
  readonly client: Socket
  readonly server: Socket
}

/** Connects to a server, and takes the connection there. */
async function pairOf(server: Server, options: Omit<ConnectTcpOptions, 'port'>): Promise<Pair> {
  const accepted = once(server, 'connection') as Promise<[Socket]>
  const client = await connectTcp({ ...options, port: portOf(server) })
  const [socket] = await accepted
  for (const end of [client, socket]) end.on('error', () => undefined)
  return {
    client,
    server: socket,
    [Symbol.dispose]() {
      client.destroy()
      socket.destroy()
    },
  }
}

/** Says something on one end and waits for it on the other. */
async function says(from: Socket, to: Socket, text: string): Promise<void> {
  const heard = once(to, 'data') as Promise<[Uint8Array]>
  from.write(text)
  const [octets] = await heard
  if (Buffer.from(octets).toString() !== text) throw new Error(`heard ${Buffer.from(octets).toString()}, not ${text}`)
}

async function plainServer(options: ListenOptions): Promise<Server> {
  const server = createServer().listen(options)
  await once(server, 'listening')
  return server
}

const failures = (): number => readMd5Counters()?.failure ?? 0

/** Both ends change their key, one after the other; what is said in between comes later. */
async function changeKeys({ client, server }: Pair, key: string): Promise<void> {
  const before = failures()
  setTcpOptions(client, { md5Key: key })
  const heard = once(server, 'data')
  client.write('signed with the new key')
  await until(() => failures() > before)
  setTcpOptions(server, { md5Key: key })
  await heard
  await says(server, client, 'understood')
}

async function testTcpOptions(): Promise<void> {
  ip('address add 127.0.0.2/8 dev lo')

  for (const { name, listen, address } of [
    { name: 'IPv4', listen: '0.0.0.0', address: '127.0.0.1' },
    { name: 'IPv4 on an IPv6 socket', listen: '::', address: '127.0.0.1' },
    { name: 'IPv6', listen: '::', address: '::1' },
  ]) {
    await t.test(`RFC 2385: another key on a connection that stands, ${name}`, async t => {
      await using server = await listenTcp({ address: listen, port: 0, md5Keys: [{ address, key: 'one' }] })
      using pair = await pairOf(server, { address, md5Key: 'one' })
      await says(pair.client, pair.server, 'hello')
      await changeKeys(pair, 'two')
      setServerMd5Key(server, { address, key: 'two' })
      using second = await pairOf(server, { address, md5Key: 'two' })
      await says(second.client, second.server, 'a connection with the new key')
      await changeKeys(pair, 'three')
      await says(second.client, second.server, 'which did not change')
      t.equal(pair.client.destroyed || pair.server.destroyed, false)
    })

    await t.test(`RFC 5082: TTL and minimum TTL of a connection that stands, ${name}`, async t => {
      await using server = await plainServer({ host: listen, port: 0 })
      using pair = await pairOf(server, { address })
      setTcpOptions(pair.client, { minTtl: 255 })
      const heard = once(pair.client, 'data')
      pair.server.write('from too far')
      const isHeard = heard.then(() => true)
      t.equal(await Promise.race([isHeard, after(SHORT)]), false)
      setTcpOptions(pair.server, { ttl: 255 })
      await heard
      t.pass('sent again with the new TTL')
      setTcpOptions(pair.client, { minTtl: 64 })
      for (const ttl of [63, 'default'] as const) {
        setTcpOptions(pair.server, { ttl })
        const again = once(pair.client, 'data').then(() => true)
        pair.server.write('x')
        t.equal(await Promise.race([again, ...(ttl === 63 ? [after(SHORT)] : [])]), ttl === 'default')
      }
    })

    await t.test(`TCP_SAVE_SYN: the TTL that a connection came with, ${name}`, async t => {
      await using server = await plainServer({ host: listen, port: 0 })
      using before = await pairOf(server, { address, ttl: 37 })
      t.equal(synTtl(before.server), undefined, 'the server saved no SYN')
      setServerTcpOptions(server, { saveSyn: true, ttl: 255 })
      using pair = await pairOf(server, { address, ttl: 37 })
      t.equal(synTtl(pair.server), 37)
      t.equal(synTtl(pair.server), undefined, 'told once')
      using near = await pairOf(server, { address, ttl: 255, minTtl: 255 })
      t.equal(synTtl(near.server), 255)
      await says(near.server, near.client, 'the SYN-ACK and all after it had TTL 255')
      await using other = await listenTcp({ address: listen, port: 0, saveSyn: true })
      using third = await pairOf(other, { address, ttl: 9 })
      t.equal(synTtl(third.server), 9)
    })
  }

  await t.test('RFC 2385: a first key on a connection that stands, and none again', async t => {
    await using server = await plainServer({ host: '127.0.0.1', port: 0 })
    using pair = await pairOf(server, { address: '127.0.0.1' })
    const { client, server: accepted } = pair
    for (const md5Key of ['first', '', '']) {
      for (const end of [client, accepted]) setTcpOptions(end, { md5Key })
      await says(client, accepted, 'ping')
      await says(accepted, client, 'pong')
    }
    t.throws(() => setTcpOptions(client, { md5Key: 'x'.repeat(81) }), RangeError)
    t.throws(() => setTcpOptions(client, { ttl: 0 }), RangeError)
    client.destroy()
    await once(client, 'close')
    t.throws(() => setTcpOptions(client, { ttl: 5 }), { name: 'TypeError', message: 'not an open TCP socket' })
    t.throws(() => synTtl(client), TypeError)
  })

  await t.test('RFC 2385: keys on a server that Node.js made', async t => {
    await using server = await plainServer({ port: 0 })
    setServerMd5Key(server, { address: '127.0.0.0', prefixLength: 30, key: 'one' })
    using pair = await pairOf(server, { address: '127.0.0.1', md5Key: 'one' })
    await says(pair.client, pair.server, 'signed')
    const silent = { address: '127.0.0.1', port: portOf(server), timeout: SHORT }
    await t.rejects(connectTcp(silent), { code: 'ETIMEDOUT' })
    setServerMd5Key(server, { address: '127.0.0.0', prefixLength: 30, key: 'two' })
    await t.rejects(connectTcp({ ...silent, md5Key: 'one' }), { code: 'ETIMEDOUT' })
    await says(pair.client, pair.server, 'the connection keeps its key')
    removeServerMd5Key(server, { address: '127.0.0.0', prefixLength: 30 })
    using plain = await pairOf(server, { address: '127.0.0.1' })
    await says(plain.client, plain.server, 'unsigned')
    const closed = await plainServer({ port: 0 })
    closed.close()
    t.throws(() => setServerMd5Key(closed, { address: '127.0.0.1', key: 'x' }), TypeError)
    t.throws(() => setServerTcpOptions(closed, { ttl: 1 }), TypeError)
  })

  await t.test('the counters of the kernel say which signatures were wrong', async t => {
    await using server = await listenTcp({ port: 0, md5Keys: [{ address: '127.0.0.1', key: 'one' }] })
    const counters = (): NonNullable<ReturnType<typeof readMd5Counters>> => readMd5Counters()!
    const before = counters()
    const to = { address: '127.0.0.1', port: portOf(server), timeout: SHORT }
    await t.rejects(connectTcp({ ...to, md5Key: 'two' }), { code: 'ETIMEDOUT' })
    await until(() => counters().failure > before.failure)
    await t.rejects(connectTcp(to), { code: 'ETIMEDOUT' })
    await until(() => counters().notFound > before.notFound)
    await t.rejects(connectTcp({ ...to, sourceAddress: '127.0.0.2', md5Key: 'two' }), { code: 'ETIMEDOUT' })
    // A signature, and no key here.
    await until(() => counters().unexpected > before.unexpected)
  })

  await t.test('SO_BINDTODEVICE: a server for one interface beside the one for all', async t => {
    makePair('va', 'vb')
    ip('address add 10.0.0.1/24 dev va')
    await using all = await plainServer({ port: 0 })
    const port = portOf(all)
    await t.rejects(listenTcp({ port, device: 'lo' }), { code: 'EADDRINUSE' })
    await using narrow = await listenTcp({ port, device: 'lo', besides: all })
    const heard: string[] = []
    all.on('connection', socket => heard.push('all') && socket.destroy())
    narrow.on('connection', socket => heard.push('lo') && socket.destroy())
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'close')
    t.same(heard, ['lo'])
    await t.rejects(listenTcp({ port }), { code: 'EADDRINUSE' }, 'nobody else gets the port by it')
    await using third = await listenTcp({ port, device: 'va', besides: all })
    t.equal(portOf(third), port)
    narrow.close()
    await once(narrow, 'close')
    await once(connect(port, '127.0.0.1'), 'close')
    t.same(heard, ['lo', 'all'], 'the rest')
  })
}

const after = async (milliseconds: number): Promise<false> => {
  await new Promise(resolve => setTimeout(resolve, milliseconds))
  return false
}

if (await enterNamespace(import.meta.url)) await testTcpOptions()
else {
  t.test('decodeMd5Counters: by name, wherever they stand', async t => {
    const text =
      'TcpExt: SyncookiesSent TCPMD5Failure TCPMD5NotFound TCPMD5Unexpected\nTcpExt: 7 1 2 3\nIpExt: A\nIpExt: 1\n'
    t.same(decodeMd5Counters(text), { failure: 1, notFound: 2, unexpected: 3 })
    t.equal(decodeMd5Counters('TcpExt: SyncookiesSent\nTcpExt: 7\n'), undefined)
    t.equal(decodeMd5Counters(''), undefined)
  })
  t.test('ttlOfHeader: RFC 791 section 3.1, RFC 8200 section 3', async t => {
    const header = (version: number, length: number): Uint8Array =>
      Uint8Array.from({ length }, (_, i) => (i ? i : version << 4))
    t.equal(ttlOfHeader(header(4, 20)), 8)
    t.equal(ttlOfHeader(header(6, 40)), 7)
    t.equal(ttlOfHeader(header(4, 8)), undefined)
    t.equal(ttlOfHeader(header(5, 40)), undefined)
    t.equal(ttlOfHeader(new Uint8Array(0)), undefined)
  })
}
