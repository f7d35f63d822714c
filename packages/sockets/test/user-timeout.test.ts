/** TCP_USER_TIMEOUT with the kernel: a connection on which nothing gets through any more ends when it is to, not a quarter of an hour later. */
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import t from 'tap'
import { connectTcp, setTcpOptions, TcpSocket, type ConnectTcpOptions } from '@typemetal/sockets'
import { enterNamespace } from './namespace.js'

/** Milliseconds. */
const LIMIT = 400
const PATIENCE = 60_000

/** Two ends of one connection. */
interface Pair extends AsyncDisposable {
  readonly client: Socket
  readonly server: Socket
}

async function pairOf(options: Omit<ConnectTcpOptions, 'port'>): Promise<Pair> {
  const listener = createServer({ pauseOnConnect: true }).listen({ host: options.address, port: 0 })
  await once(listener, 'listening')
  const accepted = once(listener, 'connection') as Promise<[Socket]>
  const client = await connectTcp({ ...options, port: (listener.address() as AddressInfo).port })
  const [server] = await accepted
  for (const end of [client, server]) end.on('error', () => undefined)
  return {
    client,
    server,
    async [Symbol.asyncDispose]() {
      client.destroy()
      server.destroy()
      listener.close()
      await once(listener, 'close')
    },
  }
}

/** From now on the hosts throw away what comes from the other side: one signs, and the other knows no key. */
const sever = ({ client }: Pair): void => setTcpOptions(client, { md5Key: 'nobody knows this' })

/** @returns the code of the error that ends the connection */
async function endOf(socket: Socket): Promise<string | undefined> {
  const [error] = (await once(socket, 'error', { signal: AbortSignal.timeout(PATIENCE) })) as [NodeJS.ErrnoException]
  return error.code
}

/** Writes more than both ends have room for. */
function fill(socket: Socket): void {
  const octets = new Uint8Array(1 << 20)
  for (let i = 0; i < 64; i++) socket.write(octets)
}

async function testUserTimeout(): Promise<void> {
  for (const { name, address } of [
    { name: 'IPv4', address: '127.0.0.1' },
    { name: 'IPv6', address: '::1' },
  ]) {
    await t.test(`RFC 9293 section 3.8.3: nothing is acknowledged any more, ${name}`, async t => {
      await using pair = await pairOf({ address })
      await using patient = await pairOf({ address })
      setTcpOptions(pair.client, { userTimeout: LIMIT })
      const began = performance.now()
      for (const each of [pair, patient]) {
        sever(each)
        each.client.write('into the void')
      }
      t.equal(await endOf(pair.client), 'ETIMEDOUT')
      const after = performance.now() - began
      t.ok(after >= LIMIT - 50, `${Math.round(after)} ms`)
      t.equal(patient.client.destroyed, false, 'without it, the kernel tries on')
      setTcpOptions(patient.client, { userTimeout: LIMIT })
      t.equal(await endOf(patient.client), 'ETIMEDOUT', 'as soon as it is set')
    })

    await t.test(`RFC 9293 section 3.8.6.1: the other side takes nothing any more, ${name}`, async t => {
      await using pair = await pairOf({ address, userTimeout: LIMIT })
      fill(pair.client)
      t.equal(await endOf(pair.client), 'ETIMEDOUT', 'although its host acknowledges each question')
    })
  }

  await t.test('a connection on which all goes well is not touched, nor one that got its patience back', async t => {
    await using pair = await pairOf({ address: '127.0.0.1', userTimeout: LIMIT })
    await new Promise(resolve => setTimeout(resolve, 2 * LIMIT))
    pair.server.resume()
    const heard = once(pair.server, 'data')
    pair.client.write('still here')
    await heard
    setTcpOptions(pair.client, { userTimeout: 0 })
    sever(pair)
    pair.client.write('into the void')
    await new Promise(resolve => setTimeout(resolve, 4 * LIMIT))
    t.equal(pair.client.destroyed, false)
  })

  await t.test('a time that is none is refused by its name', async t => {
    await using pair = await pairOf({ address: '127.0.0.1' })
    using socket = new TcpSocket(4)
    for (const userTimeout of [-1, 1.5, Number.NaN, 2 ** 31]) {
      const refused = { name: 'RangeError', message: /^userTimeout must be / }
      t.throws(() => setTcpOptions(pair.client, { userTimeout }), refused)
      t.throws(() => socket.setUserTimeout(userTimeout), refused)
    }
  })
}

if (await enterNamespace(import.meta.url)) await testUserTimeout()
