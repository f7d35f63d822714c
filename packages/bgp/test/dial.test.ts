/** How we reach a peer: on the loopback interface of a network namespace made here. */
import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { listenTcp, readMd5Counters } from '@typemetal/sockets'
import t from 'tap'
import { dialTcp, type DialOptions } from '../dist/node/dial.js'
import { TestClock } from './clock.js'
import { isInside, missingPrivilege, run, until } from './interop/namespace.js'

const NEVER = new AbortController().signal

async function listening(address = '127.0.0.1'): Promise<{ server: Server; port: number }> {
  const server = createServer().listen(0, address)
  await once(server, 'listening')
  return { server, port: (server.address() as AddressInfo).port }
}

/** A listener that is silent to all who do not sign with its key. */
async function secretive(key: string): Promise<{ server: Server; port: number }> {
  const md5Keys = [{ address: '127.0.0.0', prefixLength: 8, key }]
  const server = await listenTcp({ address: '127.0.0.1', port: 0, md5Keys })
  return { server, port: (server.address() as AddressInfo).port }
}

const reasonOf = (attempt: Promise<Socket>): Promise<Error & { code?: string }> =>
  attempt.then(
    () => new Error('connected'),
    (error: Error) => error,
  )

const failures = (): number => readMd5Counters()!.failure

function suite(): void {
  t.test('RFC 4271 section 8.1.4: a connection that is refused says so in one sentence', async t => {
    const { server, port } = await listening()
    server.close()
    await once(server, 'close')
    for (const options of [{}, { ttl: 1 }]) {
      const error = await reasonOf(dialTcp({ address: '127.0.0.1', port, ...options }, NEVER))
      t.equal(error.code, 'ERR_BGP_SOCKET')
      t.match(error.message, /^127\.0\.0\.1: connection refused: nothing listens on port \d+ there.* \(ECONNREFUSED\)$/)
      t.match(error.cause, { code: 'ECONNREFUSED' })
    }
  })

  for (const { name, options, message } of [
    {
      name: 'no route',
      options: { address: '203.0.113.1' },
      message: /^203\.0\.113\.1: no route to it \(ENETUNREACH\)$/,
    },
    {
      name: 'source address of another machine',
      options: { address: '127.0.0.1', sourceAddress: '203.0.113.1' },
      message: /the source address 203\.0\.113\.1 is not one of this machine/,
    },
    { name: 'no such device', options: { address: '127.0.0.1', device: 'nothere' }, message: /no interface nothere/ },
    { name: 'no such zone', options: { address: 'fe80::1%nothere', ttl: 255 }, message: /no interface nothere/ },
  ]) {
    t.test(`RFC 4271 section 8.1.4: ${name}`, async t => {
      const error = await reasonOf(dialTcp({ port: 179, ...options }, NEVER))
      t.match(error, { code: 'ERR_BGP_SOCKET', message })
    })
  }

  t.test('the mistakes of the caller stay theirs', async t => {
    const wrong = (options: Partial<DialOptions>): Promise<Error> =>
      reasonOf(dialTcp({ address: '127.0.0.1', port: 179, ...options }, NEVER))
    t.ok((await wrong({ ttl: 256 })) instanceof RangeError)
    t.ok((await wrong({ md5Key: 'x'.repeat(81) })) instanceof RangeError)
    t.ok((await wrong({ address: 'nowhere', ttl: 1 })) instanceof TypeError)
  })

  t.test('RFC 4271 section 8.2.2: an attempt is given up when the signal says so, with its reason', async t => {
    const { server, port } = await secretive('one')
    for (const options of [{}, { md5Key: 'two' }]) {
      const controller = new AbortController()
      const attempt = reasonOf(dialTcp({ address: '127.0.0.1', port, ...options }, controller.signal))
      controller.abort(new Error('given up'))
      t.equal((await attempt).message, 'given up')
      t.equal((await reasonOf(dialTcp({ address: '127.0.0.1', port }, controller.signal))).message, 'given up')
    }
    server.close()
  })

  t.test('source address, device, TTL and minimum TTL (RFC 5082) of the connection', async t => {
    const { server, port } = await listening()
    for (const options of [{}, { device: 'lo', ttl: 255 }]) {
      const accepted = once(server, 'connection') as Promise<[Socket]>
      const socket = await dialTcp({ address: '127.0.0.1', port, sourceAddress: '127.0.0.9', ...options }, NEVER)
      const [other] = await accepted
      t.equal(other.remoteAddress, '127.0.0.9')
      socket.destroy()
      other.destroy()
    }
    const clock = new TestClock()
    const far = reasonOf(dialTcp({ address: '127.0.0.1', port, minTtl: 255, ttl: 255 }, NEVER, clock))
    clock.advance(10_000)
    t.match((await far).message, /^no answer within 10 s: peer down, packets filtered/, 'its SYN-ACK had TTL 64')
    server.close()
    const near = await listenTcp({ address: '127.0.0.1', port: 0, ttl: 255 })
    const socket = await dialTcp(
      { address: '127.0.0.1', port: (near.address() as AddressInfo).port, minTtl: 255, ttl: 255 },
      NEVER,
    )
    socket.destroy()
    near.close()
  })

  t.test('connectTime: seconds until an attempt ends', async t => {
    const { server, port } = await secretive('one')
    const clock = new TestClock()
    const attempt = reasonOf(dialTcp({ address: '127.0.0.1', port, connectTime: 3 }, NEVER, clock))
    let ended = false
    void attempt.then(() => (ended = true))
    clock.advance(2999)
    await new Promise(resolve => setImmediate(resolve))
    t.equal(ended, false)
    clock.advance(1)
    const { message } = await attempt
    t.match(message, /^no answer within 3 s: peer down, packets filtered, or another TCP-MD5 key/)
    server.close()
  })

  for (const { name, md5Key, counter, message } of [
    {
      name: 'another key',
      md5Key: 'two',
      counter: 'failure',
      message: /dropped here meanwhile: \d+ signed with another key$/,
    },
    {
      name: 'no key',
      md5Key: undefined,
      counter: 'notFound',
      message: /meanwhile: \d+ not signed though a key is set$/,
    },
  ] as const) {
    t.test(`RFC 2385 section 4.1: ${name} is silence, and the message says that signatures were wrong`, async t => {
      const { server, port } = await secretive('one')
      const clock = new TestClock()
      const options = { address: '127.0.0.1', port, ...(md5Key !== undefined && { md5Key }) }
      const count = (): number => readMd5Counters()![counter]
      const atStart = count()
      const attempt = reasonOf(dialTcp(options, NEVER, clock))
      await until('the first SYN was dropped', () => count() > atStart)
      clock.advance(500)
      // The watch takes a turn to begin, and TCP a second to send its SYN again.
      const before = count()
      await until('the second SYN was dropped', () => count() > before)
      clock.advance(10_000)
      t.match((await attempt).message, message)
      server.close()
    })
  }

  t.test('RFC 2385: the same key on both sides', async t => {
    const { server, port } = await secretive('one')
    const before = failures()
    const socket = await dialTcp({ address: '127.0.0.1', port, md5Key: 'one' }, NEVER)
    t.equal(socket.remotePort, port)
    t.equal(failures(), before)
    socket.destroy()
    server.close()
  })
}

const missing = missingPrivilege()
if (missing) t.test('dial', { skip: missing }, async () => {})
else if (isInside()) {
  run('ip', 'address', 'add', '127.0.0.9/8', 'dev', 'lo')
  suite()
}
