import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import t from 'tap'
import type { Logger } from '@typemetal/bgp'
import {
  BmpClient,
  BmpFramer,
  bmpRib,
  BmpStation,
  decodeBmpMessage,
  terminationReason,
  type BmpClientOptions,
  type BmpMessage,
} from '@typemetal/bgp/bmp'
import { decodeMessage, DEFAULT_CONTEXT, type MessageContext, type UpdateMessage } from '@typemetal/bgp/wire'
import { TestClock } from './clock.js'
import { PlayedSpeaker, route, SESSION } from './observed-speaker.js'

const DEADLINE = 60_000

/** Waits until `ask` says yes. @throws after a minute */
async function until(what: string, ask: () => boolean): Promise<void> {
  const end = performance.now() + DEADLINE
  while (!ask()) {
    if (performance.now() > end) throw new Error(`timed out: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

const isEndOfRib = ({ withdrawnRoutes, nlri, pathAttributes }: UpdateMessage): boolean =>
  nlri.length + withdrawnRoutes.length === 0 &&
  (Object.keys(pathAttributes).length === 0 || pathAttributes.mpUnreachNlri?.withdrawnRoutes.length === 0)

/** One line for what a station was told. */
function describe(message: BmpMessage, context: MessageContext = DEFAULT_CONTEXT): string {
  switch (message.type) {
    case 'route-monitoring': {
      const update = decodeMessage(message.update, context) as UpdateMessage
      const rib = bmpRib(message.peer)
      if (isEndOfRib(update)) return `${rib} end-of-rib ${update.pathAttributes.mpUnreachNlri?.afi ?? 1}`
      const { mpReachNlri, mpUnreachNlri } = update.pathAttributes
      const reach = update.nlri.length + (mpReachNlri?.nlri.length ?? 0)
      const lost = update.withdrawnRoutes.length + (mpUnreachNlri?.withdrawnRoutes.length ?? 0)
      return `${rib} +${reach} -${lost}`
    }
    case 'peer-down':
      return `down ${message.reason.type}`
    case 'peer-up':
      return `up ${message.peer.address.length === 4 ? message.peer.address.join('.') : 'v6'}`
    default:
      return message.type
  }
}

/** A station that keeps a line for each message. */
interface Listening extends AsyncDisposable {
  readonly station: BmpStation
  readonly told: string[]
  readonly messages: BmpMessage[]
}

async function listen(): Promise<Listening> {
  const station = new BmpStation({ host: '127.0.0.1', port: 0 })
  const told: string[] = []
  const messages: BmpMessage[] = []
  const note = (message: BmpMessage, context?: MessageContext): void => {
    told.push(describe(message, context))
    messages.push(structuredClone(message))
  }
  station.on('initiation', (_, message) => note(message))
  station.on('peer-up', (_, message) => note(message))
  station.on('peer-down', (_, message) => note(message))
  station.on('statistics-report', (_, message) => note(message))
  station.on('termination', (_, message) => note(message))
  station.on('route-monitoring', (_, message, context) => note(message, context))
  await station.start()
  return { station, told, messages, [Symbol.asyncDispose]: () => station.close() }
}

const start = (speaker: PlayedSpeaker, port: number, options: Partial<BmpClientOptions> = {}): BmpClient =>
  new BmpClient({
    speaker,
    host: '127.0.0.1',
    port,
    sysName: 'r1',
    sysDescr: 'test',
    statisticsInterval: 0,
    retryTime: 0.05,
    ...options,
  })

t.test('RFC 7854 section 3.3: Initiation, Peer Up, the table, End-of-RIB, and what follows', async t => {
  const speaker = new PlayedSpeaker()
  const peer = speaker.addPeer('10.0.0.2')
  peer.up()
  for (const prefix of ['192.0.2.0/24', '198.51.100.0/24', '2001:db8::/32']) peer.routes.set(prefix, route(prefix))
  await using listening = await listen()
  const { station, told, messages } = listening
  const client = start(speaker, station.port ?? 0)
  await until('End-of-RIB', () => told.includes('adj-rib-in-pre-policy end-of-rib 2'))
  const pre = 'adj-rib-in-pre-policy'
  t.same(told, [
    'initiation',
    'up 10.0.0.2',
    `${pre} +2 -0`,
    `${pre} +1 -0`,
    `${pre} end-of-rib 1`,
    `${pre} end-of-rib 2`,
  ])
  const up = messages[1]
  assert.ok(up?.type === 'peer-up')
  t.match(decodeMessage(up.receivedOpen), { bgpIdentifier: SESSION.peerBgpIdentifier, holdTime: 90 }, 'made anew')
  t.equal(up.peer.asn, SESSION.peerAsn)
  t.same(up.localAddress, Uint8Array.of(10, 0, 0, 1))

  told.length = 0
  const nlri = [{ length: 24, prefix: Uint8Array.of(192, 0, 2) }]
  peer.say('received', { type: 'update', withdrawnRoutes: nlri, pathAttributes: {}, nlri: [] })
  peer.say('sent', { type: 'update', withdrawnRoutes: nlri, pathAttributes: {}, nlri: [] })
  peer.say('received', { type: 'keepalive' })
  await until('the withdrawal', () => told.length > 0)
  t.same(told, [`${pre} +0 -1`], 'only what the peer has said')
  await client.close()
  await until('Termination', () => told.includes('termination'))
  const last = messages.at(-1)
  assert.ok(last?.type === 'termination')
  t.equal(terminationReason(last), 0)
  t.equal(speaker.listenerCount('state') + peer.listenerCount('message'), 0, 'watches no more')
})

t.test('RFC 7854 section 4.10: the OPEN messages of a session that was watched from its start', async t => {
  const speaker = new PlayedSpeaker()
  await using listening = await listen()
  const { station, told, messages } = listening
  await using client = start(speaker, station.port ?? 0)
  await until('Initiation', () => told.length > 0)
  const peer = speaker.addPeer('2001:db8::2')
  peer.change('Connect', 'ManualStart')
  peer.up()
  await until('Peer Up', () => told.includes('up v6'))
  const up = messages[1]
  assert.ok(client.connected && up?.type === 'peer-up')
  t.match(decodeMessage(up.sentOpen), { asn: 64512, holdTime: 180, capabilities: [] })
  t.match(decodeMessage(up.receivedOpen), { asn: 23456, holdTime: 180 })
})

t.test('RFC 7854 section 4.9: Peer Down says why', async t => {
  const speaker = new PlayedSpeaker()
  const peer = speaker.addPeer('10.0.0.2')
  await using listening = await listen()
  const { station, told, messages } = listening
  await using client = start(speaker, station.port ?? 0)
  await once(client, 'connected')
  const cease = { type: 'notification', errorCode: 6, errorSubcode: 2, data: new Uint8Array() } as const
  const ends: readonly (readonly [string, () => void])[] = [
    ['remote-closed', () => peer.down('TcpConnectionFails: closed by the peer')],
    ['local-event', () => peer.down('HoldTimer_Expires')],
    ['remote-notification', () => (peer.say('received', cease), peer.down('NotifMsg 6/2'))],
    ['local-notification', () => (peer.down('ManualStop'), peer.say('sent', cease))],
  ]
  for (const [reason, end] of ends) {
    told.length = 0
    peer.up()
    await until('Peer Up', () => told.some(line => line.endsWith('end-of-rib 2')))
    end()
    await until(reason, () => told.includes(`down ${reason}`))
  }
  const events = messages.flatMap(message => (message.type === 'peer-down' ? [message.reason] : []))
  t.match(events[1], { event: 10 }, 'number of HoldTimer_Expires in RFC 4271 section 8.1.3')

  told.length = 0
  peer.up()
  await until('Peer Up', () => told.some(line => line.endsWith('end-of-rib 2')))
  // For another connection of the peer: not why this session ends later.
  peer.say('sent', cease)
  await new Promise(resolve => setImmediate(() => setImmediate(resolve)))
  peer.down('TcpConnectionFails')
  await until('Peer Down', () => told.includes('down remote-closed'))
})

t.test('RFC 8671, RFC 9069: what peers are told, and the Loc-RIB', async t => {
  const speaker = new PlayedSpeaker()
  const peer = speaker.addPeer('10.0.0.2', { ...SESSION, fourOctetAs: false })
  peer.up()
  peer.told.set('192.0.2.0/24', route('192.0.2.0/24'))
  speaker.setBest({ prefix: '192.0.2.0/24', paths: [route('192.0.2.0/24')] })
  await using listening = await listen()
  const { station, told, messages } = listening
  await using client = start(speaker, station.port ?? 0, {
    monitor: ['adj-rib-out-post-policy', 'loc-rib'],
    statisticsInterval: 0.05,
  })
  await once(client, 'connected')
  await until('both tables', () => told.filter(line => line.endsWith('end-of-rib 2')).length === 2)
  t.ok(told.includes('adj-rib-out-post-policy +1 -0'))
  t.ok(told.includes('loc-rib +1 -0'))
  told.length = 0
  speaker.setBest({ prefix: '2001:db8::/32', paths: [route('2001:db8::/32')] })
  speaker.setBest({ prefix: '192.0.2.0/24', paths: [] })
  peer.say(
    'sent',
    { type: 'update', withdrawnRoutes: [], pathAttributes: {}, nlri: [] },
    { fourOctetAs: false, internal: false },
  )
  await until('what follows', () => told.filter(line => line !== 'statistics-report').length === 3)
  t.same(
    told.filter(line => line !== 'statistics-report'),
    ['loc-rib +1 -0', 'loc-rib +0 -1', 'adj-rib-out-post-policy end-of-rib 1'],
  )
  const raw = messages.findLast(message => message.type === 'route-monitoring')
  t.equal((raw?.peer.flags ?? 0) & 0x20, 0x20, 'flag A: as the session writes it')
  await until('Statistics Reports', () => told.filter(line => line === 'statistics-report').length >= 4)
  const reports = messages.flatMap(message => (message.type === 'statistics-report' ? [message.statistics] : []))
  t.ok(
    reports.some(([first]) => first?.statistic === 8 && first.value === 1n),
    'Loc-RIB routes',
  )
  t.ok(
    reports.some(([, second]) => second?.statistic === 15 && second.value === 1n),
    'Adj-RIB-Out routes',
  )
})

t.test('RFC 7854 section 5: a table that cannot be shown whole has no End-of-RIB', async t => {
  const speaker = new PlayedSpeaker()
  const peer = speaker.addPeer('10.0.0.2')
  peer.up()
  const { nextHop: _, ...withoutNextHop } = route('198.51.100.0/24')
  peer.told.set('192.0.2.0/24', route('192.0.2.0/24'))
  peer.told.set('198.51.100.0/24', withoutNextHop)
  await using listening = await listen()
  const { station, told } = listening
  await using client = start(speaker, station.port ?? 0, {
    monitor: ['adj-rib-out-post-policy', 'adj-rib-in-pre-policy'],
  })
  await until('the other table', () => told.includes('adj-rib-in-pre-policy end-of-rib 2'))
  t.ok(client.connected)
  t.same(
    told.filter(line => line.startsWith('adj-rib-out')),
    ['adj-rib-out-post-policy +1 -0'],
  )
})

t.test('RFC 7854 section 3.2: tries again, later each time', async t => {
  const speaker = new PlayedSpeaker()
  const first = await listen()
  const port = first.station.port ?? 0
  await first.station.close()
  const clock = new TestClock()
  const waits: number[] = []
  const warn = (fields: object): void => void waits.push((fields as { readonly seconds: number }).seconds)
  const log: Logger = { debug() {}, info() {}, warn, error() {}, child: () => log }
  await using client = start(speaker, port, { maxRetryTime: 0.2, clock, log })
  for (let attempt = 1; attempt <= 4; attempt++) {
    if (attempt > 1) clock.advance(1000 * (waits.at(-1) ?? 0))
    await until(`attempt ${attempt}`, () => waits.length === attempt)
  }
  t.same(waits, [0.05, 0.1, 0.2, 0.2], 'waits longer, up to a limit')
  await using second = new BmpStation({ host: '127.0.0.1', port })
  await second.start()
  const connected = once(client, 'connected')
  clock.advance(200)
  await connected
  t.throws(() => start(speaker, 0), RangeError)
  t.throws(() => start(speaker, port, { monitor: ['adj-rib-in' as 'loc-rib'] }), RangeError)
  t.throws(() => start(speaker, port, { retryTime: 2, maxRetryTime: 1 }), RangeError)
})

t.test('a station that does not read: memory stays bounded, and it is right again once it reads', async t => {
  const speaker = new PlayedSpeaker()
  const peer = speaker.addPeer('10.0.0.2')
  peer.up()
  const received: Buffer[] = []
  let listen = (): void => {}
  const server = createServer(socket => {
    socket.pause()
    socket.on('data', chunk => received.push(chunk))
    listen = () => socket.resume()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const client = start(speaker, port, { queueLimit: 1 << 18 })
  let resyncs = 0
  client.on('resync', () => resyncs++)
  await once(client, 'connected')
  let most = 0
  const prefix = (i: number): string => `10.${i >> 8}.${i & 255}.0/24`
  let round = 0
  let late = 0
  for (; round < 200 && late < 3; round++) {
    for (let i = 0; i < 1000; i++) {
      const pathAttributes = {
        ...route(prefix(i)).attributes,
        nextHop: Uint8Array.of(10, 0, 0, 2),
        communities: Array.from({ length: 60 }, () => round),
      }
      peer.routes.set(prefix(i), { ...route(prefix(i)), attributes: pathAttributes })
      peer.say('received', {
        type: 'update',
        withdrawnRoutes: [],
        pathAttributes,
        nlri: [{ length: 24, prefix: Uint8Array.of(10, i >> 8, i & 255) }],
      })
      most = Math.max(most, client.queued)
    }
    await new Promise(resolve => setImmediate(resolve))
    if (resyncs > 0) late++
  }
  t.ok(resyncs > 0, 'its view was thrown away')
  t.ok(most <= (1 << 18) + 4096, `${most} octets waited at most`)
  peer.routes.delete(prefix(7))
  listen()
  const view = (): Map<string, number> => viewOf(received)
  await until('its view is whole', () => view().size === 999)
  t.notOk(view().has('10.0.7'), 'what went while it did not listen is gone')
  t.ok(
    [...view().values()].every(seen => seen === round - 1),
    'and the rest is the newest',
  )
  await client.close()
  server.close()
})

/** What a station that keeps routes has now: a community for each prefix. */
function viewOf(chunks: readonly Buffer[]): Map<string, number> {
  const framer = new BmpFramer()
  framer.push(Buffer.concat(chunks))
  const view = new Map<string, number>()
  for (let octets = framer.next(); octets; octets = framer.next()) {
    const message = decodeBmpMessage(octets)
    if (message.type === 'peer-down') view.clear()
    if (message.type !== 'route-monitoring') continue
    const { nlri, pathAttributes } = decodeMessage(message.update) as UpdateMessage
    for (const { prefix } of nlri) view.set(prefix.join('.'), pathAttributes.communities?.[0] ?? -1)
  }
  return view
}
