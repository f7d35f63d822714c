/** How peers reach us: one listening socket, and what it does for keys (RFC 2385), TTLs (RFC 5082) and devices. */
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { readMd5Counters } from '@typemetal/sockets'
import t from 'tap'
import { changeLink, changeMd5Key, dialTcp, type DialOptions } from '../dist/node/dial.js'
import { LinkWatch } from '../dist/node/link-watch.js'
import { Listener, type ListenerOptions, type ListenTerms } from '../dist/node/listener.js'
import { TestClock } from './clock.js'
import { createHost, isInside, missingPrivilege, run, until, type Host } from './interop/namespace.js'

const NEVER = new AbortController().signal

interface Accepted {
  readonly socket: Socket
  readonly device: string | undefined
}

/** A listener that keeps what it has accepted; all is closed in the end. */
class Station implements AsyncDisposable {
  readonly listener: Listener
  readonly accepted: Accepted[] = []
  readonly errors: Error[] = []
  readonly links = new LinkWatch(error => this.errors.push(error))
  readonly #sockets: Socket[] = []

  constructor(options: ListenerOptions = { address: '127.0.0.1', port: 0 }) {
    const accept = (socket: Socket, device: string | undefined): void => {
      socket.on('error', () => {})
      this.#sockets.push(socket)
      this.accepted.push({ socket, device })
    }
    this.listener = new Listener(options, accept, error => this.errors.push(error), this.links)
  }

  static async open(terms: readonly ListenTerms[] = [], options?: ListenerOptions): Promise<Station> {
    const station = new Station(options)
    await station.listener.open(terms)
    return station
  }

  /** Connects to it; both ends, and the device of the socket that took it. */
  async connect(from: string, options: Partial<DialOptions> = {}): Promise<Accepted & { readonly client: Socket }> {
    const { port } = this.listener
    const count = this.accepted.length
    const client = await dialTcp({ address: '127.0.0.1', port: port ?? 0, sourceAddress: from, ...options }, NEVER)
    client.on('error', () => {})
    this.#sockets.push(client)
    await until('accepted', () => this.accepted.length > count)
    return { client, ...this.accepted.at(-1)! }
  }

  /** Whether a connection comes to nothing: the kernel has dropped its SYN for the signature. */
  async isSilent(from: string, options: Partial<DialOptions> = {}): Promise<boolean> {
    const clock = new TestClock()
    const count = this.accepted.length
    const before = wrongSignatures()
    const to = { address: '127.0.0.1', port: this.listener.port ?? 0, sourceAddress: from }
    const attempt = dialTcp({ ...to, ...options }, NEVER, clock).then(
      () => 'connected',
      () => 'silence',
    )
    await until('a wrong signature', () => wrongSignatures() > before)
    clock.advance(10_000)
    return (await attempt) === 'silence' && this.accepted.length === count
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await this.listener.close()
  }
}

function wrongSignatures(): number {
  const { failure, notFound, unexpected } = readMd5Counters()!
  return failure + notFound + unexpected
}

/** Says something on one end and hears it on the other. */
async function talks(from: Socket, to: Socket): Promise<boolean> {
  const heard = once(to, 'data') as Promise<[Uint8Array]>
  from.write('hello')
  const [octets] = await heard
  return Buffer.from(octets).toString().endsWith('hello')
}

const key = (address: string, text: string): ListenTerms & { readonly key: string } => ({ address, key: text })

function suiteOfKeys(): void {
  t.test('RFC 2385: keys come, change and go while it listens, and connections that stand do not notice', async t => {
    await using station = await Station.open()
    const { listener } = station
    const port = listener.port
    const plain = await station.connect('127.0.0.2')
    const one = key('127.0.0.2', 'one')
    await listener.add(one)
    t.equal(listener.port, port)
    t.ok(await talks(plain.client, plain.socket), 'the unsigned connection stands')
    const first = await station.connect('127.0.0.2', { md5Key: 'one' })
    t.ok(await station.isSilent('127.0.0.2'), 'unsigned ones are not taken any more')

    const two = key('127.0.0.2', 'two')
    await listener.change(one, two)
    t.ok(await talks(first.client, first.socket), 'the connection with the key of before stands')
    t.ok(await station.isSilent('127.0.0.2', { md5Key: 'one' }))
    const second = await station.connect('127.0.0.2', { md5Key: 'two' })

    await listener.remove(two)
    t.ok(await talks(second.client, second.socket))
    const third = await station.connect('127.0.0.2')
    for (const { client, socket } of [plain, first, second, third]) t.ok(await talks(socket, client))
    t.same(station.errors, [])
  })

  t.test('RFC 2385: keys that are there when it opens hold from the first connection on', async t => {
    await using station = await Station.open([
      key('127.0.0.2', 'one'),
      { address: '127.0.0.0', prefixLength: 30, key: 'all' },
    ])
    t.ok(await station.isSilent('127.0.0.2', { md5Key: 'all' }), 'the longest prefix counts')
    await station.connect('127.0.0.2', { md5Key: 'one' })
    await station.connect('127.0.0.3', { md5Key: 'all' })
    await station.connect('127.0.0.9')
    t.ok(await station.isSilent('127.0.0.9', { md5Key: 'all' }), 'a peer without a key must not sign')
  })

  t.test('RFC 2385: the key of a prefix changes and goes', async t => {
    await using station = await Station.open([], { port: 0 })
    const range = { address: '127.0.0.0', prefixLength: 29 }
    const one = { ...range, key: 'one' }
    await station.listener.add(one)
    await station.connect('127.0.0.2', { md5Key: 'one' })
    const two = { ...range, key: 'two' }
    await station.listener.change(one, two)
    t.ok(await station.isSilent('127.0.0.3', { md5Key: 'one' }))
    await station.connect('127.0.0.3', { md5Key: 'two' })
    await station.listener.remove(two)
    await station.connect('127.0.0.3')
  })

  t.test('RFC 2385: two peers with one address share the key of the last; it goes with the last of them', async () => {
    await using station = await Station.open()
    const { listener } = station
    const [one, same, two] = [key('127.0.0.2', 'one'), key('127.0.0.2', 'one'), key('127.0.0.2', 'two')]
    for (const terms of [one, same]) await listener.add(terms)
    await listener.remove(one)
    await station.connect('127.0.0.2', { md5Key: 'one' })
    await listener.add(two)
    await station.connect('127.0.0.2', { md5Key: 'two' })
    await listener.remove(two)
    await station.connect('127.0.0.2', { md5Key: 'one' })
    await listener.remove(same)
    await listener.remove(same)
    await station.connect('127.0.0.2')
  })

  t.test('RFC 2385: a key that the kernel does not take is an error, and the terms of before hold', async t => {
    await using station = await Station.open([key('127.0.0.2', 'one')])
    await t.rejects(station.listener.add(key('127.0.0.2', 'x'.repeat(81))), {
      code: 'ERR_BGP_SOCKET',
      message: /at most 80/,
    })
    await station.connect('127.0.0.2', { md5Key: 'one' })
  })

  t.test('RFC 2385: a session changes its key without a restart, on both sides, one after the other', async t => {
    const one = key('127.0.0.2', 'one')
    await using station = await Station.open([one])
    const { client, socket } = await station.connect('127.0.0.2', { md5Key: 'one' })
    const before = wrongSignatures()
    await changeMd5Key(client, 'two')
    const heard = talks(client, socket)
    await until('the new signature is wrong there', () => wrongSignatures() > before)
    await changeMd5Key(socket, 'two')
    t.ok(await heard, 'what was sent meanwhile comes after all')
    t.ok(await talks(socket, client))
    client.destroy()
    await t.rejects(changeMd5Key(client, 'three'), TypeError)
  })
}

function suiteOfTtls(): void {
  t.test('RFC 5082 section 3: each peer has its own minimum TTL on the shared socket', async t => {
    for (const terms of [[], [{ address: '127.0.0.2', minTtl: 255 }]]) {
      await using station = await Station.open(terms)
      const { listener } = station
      await listener.add({ address: '127.0.0.3', minTtl: 254 })
      const near = await station.connect('127.0.0.2', { ttl: 255, minTtl: 255 })
      t.equal(listener.admit(near.socket, { ttl: 255, minTtl: 255 }), undefined)
      t.ok(await talks(near.client, near.socket))
      t.ok(await talks(near.socket, near.client), 'what we send comes from near, too: SYN-ACK and all')

      const far = await station.connect('127.0.0.2', { ttl: 254 })
      t.match(listener.admit(far.socket, { minTtl: 255 }), /it came with TTL 254, and this peer's is 255 at least/)
      const second = await station.connect('127.0.0.3', { ttl: 254 })
      t.equal(listener.admit(second.socket, { minTtl: 254 }), undefined, 'two hops, and so it was configured')
      const other = await station.connect('127.0.0.9')
      t.equal(listener.admit(other.socket, {}), undefined, 'a peer without a minimum')
    }
  })

  t.test('RFC 5082 section 3: what comes later from too far is dropped by the kernel', async t => {
    await using station = await Station.open([{ address: '127.0.0.2', minTtl: 255 }])
    const { client, socket } = await station.connect('127.0.0.2', { ttl: 255 })
    t.equal(station.listener.admit(socket, { minTtl: 255 }), undefined)
    const { setTcpOptions } = await import('@typemetal/sockets')
    let heard = false
    socket.once('data', () => (heard = true))
    setTcpOptions(client, { ttl: 254 })
    const sent = retransmissions()
    client.write('from afar')
    await until('sent again, since nobody answers', () => retransmissions() > sent)
    t.equal(heard, false)
    setTcpOptions(client, { ttl: 255 })
    await until('heard', () => heard)
  })

  t.test('RFC 5082 section 3: a session gets GTSM, and loses it, without a restart', async t => {
    await using station = await Station.open()
    const { client, socket } = await station.connect('127.0.0.2')
    const none = { md5Key: undefined, ttl: undefined, minTtl: undefined }
    const gtsm = { ...none, ttl: 255, minTtl: 255 }
    await changeLink(client, none, gtsm)
    await changeLink(client, gtsm, gtsm)
    const heard = talks(socket, client)
    const sent = retransmissions()
    await until('dropped for its TTL, and sent again', () => retransmissions() > sent)
    await changeLink(socket, none, gtsm)
    t.ok(await heard)
    for (const end of [client, socket]) await changeLink(end, gtsm, none)
    t.ok((await talks(socket, client)) && (await talks(client, socket)))
  })

  t.test('a connection whose TTL cannot be judged yet is not admitted', async t => {
    await using station = await Station.open()
    const { socket } = await station.connect('127.0.0.2')
    t.match(station.listener.admit(socket, { minTtl: 255 }), /cannot be looked at yet/)
    await station.listener.add({ address: '127.0.0.2', minTtl: 255 })
    socket.destroy()
    t.match(station.listener.admit(socket, { ttl: 255 }), /cannot be set: not an open TCP socket/)
  })
}

/** Segments that TCP has sent again in this namespace. */
function retransmissions(): number {
  const [names, numbers] = run('cat', '/proc/self/net/snmp')
    .split('\n')
    .filter(line => line.startsWith('Tcp:'))
    .map(line => line.split(' '))
  return Number(numbers?.[names?.indexOf('RetransSegs') ?? -1])
}

function suiteOfDevices(): void {
  t.test('a peer bound to a device has a socket of its own beside the one for all; keys hold on each', async t => {
    await using station = await Station.open([key('127.0.0.3', 'three')], { port: 0 })
    const { listener } = station
    const before = await station.connect('127.0.0.2')
    t.equal(before.device, undefined)
    const onLo = { address: '127.0.0.2', device: 'lo', key: 'lo' }
    await listener.add(onLo)
    await until('the socket is there', async () => (await probe(station)) === 'lo')
    t.equal((await station.connect('127.0.0.2', { md5Key: 'lo' })).device, 'lo')
    const third = await station.connect('127.0.0.3', { md5Key: 'three' })
    t.equal(third.device, 'lo', 'keys for all devices hold there, too')
    t.ok(await station.isSilent('127.0.0.2'))
    t.ok(await talks(before.client, before.socket))
    await listener.add({ address: '127.0.0.4', key: 'four' })
    t.equal((await station.connect('127.0.0.4', { md5Key: 'four' })).device, 'lo', 'and those that come later')
    const same = { address: '127.0.0.5', device: 'lo' }
    await listener.add(same)
    await listener.remove(onLo)
    t.equal((await station.connect('127.0.0.2')).device, 'lo', 'another peer needs it still')
    await listener.remove(same)
    t.equal((await station.connect('127.0.0.2')).device, undefined)
    t.equal((await station.connect('127.0.0.4', { md5Key: 'four' })).device, undefined)
    t.same(station.errors, [])
  })

  t.test('a device that is not there yet, goes and comes back', async t => {
    const device = 'late'
    await using station = await Station.open([{ address: '10.8.0.2', device }], { port: 0 })
    for (const round of ['first', 'again']) {
      await withDevice(device, async host => {
        await until(`a connection on the device, ${round}`, () => knocks(station, host, device))
      })
    }
    t.same(station.errors, [])
  })
}

/** A device for as long as the play lasts, and a machine behind it. */
async function withDevice(device: string, play: (host: Host) => Promise<void>): Promise<void> {
  await using host = await createHost(['10.8.0.1/24'], ['10.8.0.2/24'])
  rename(host.link, device)
  try {
    await play(host)
  } finally {
    rename(device, host.link)
  }
}

function rename(from: string, to: string): void {
  run('ip', 'link', 'set', from, 'down')
  run('ip', 'link', 'set', from, 'name', to)
  run('ip', 'link', 'set', to, 'up')
}

/** Whether a connection from a machine is taken by the device's socket. */
async function knocks(station: Station, host: Host, device: string): Promise<boolean> {
  const count = station.accepted.length
  await host.ask('bash', '-c', `exec 3<>/dev/tcp/10.8.0.1/${station.listener.port}`)
  await until('accepted', () => station.accepted.length > count)
  return station.accepted.at(-1)?.device === device
}

/** Which socket takes a connection on the loopback interface now. */
async function probe(station: Station): Promise<string | undefined> {
  return (await station.connect('127.0.0.9')).device
}

const missing = missingPrivilege()
if (missing) t.test('listener', { skip: missing }, async () => {})
else if (isInside()) {
  run('ip', 'address', 'add', '127.0.0.9/8', 'dev', 'lo')
  suiteOfKeys()
  suiteOfTtls()
  suiteOfDevices()
}
