import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import t from 'tap'
import { BmpError, BmpStation, encodeBmpMessage, type BmpMessage, type BmpStationOptions } from '@typemetal/bgp/bmp'
import { EXAMPLES, PEER } from './bmp-messages.js'
import { hex } from './octets.js'

const INITIATION: BmpMessage = { type: 'initiation', information: [] }

interface Scene extends AsyncDisposable {
  readonly station: BmpStation
  /** Error of each connection that has ended. */
  readonly ended: (BmpError | undefined)[]
  /** Type of each message. */
  readonly seen: string[]
  dial(): Promise<Socket>
}

async function open(options: Partial<BmpStationOptions> = {}): Promise<Scene> {
  const station = new BmpStation({ host: '127.0.0.1', port: 0, ...options })
  const ended: (BmpError | undefined)[] = []
  const seen: string[] = []
  station.on('disconnected', (_, error) => ended.push(error))
  station.on('initiation', (_, { type }) => seen.push(type))
  station.on('peer-up', (_, { type }) => seen.push(type))
  station.on('peer-down', (_, { type }) => seen.push(type))
  station.on('route-monitoring', (_, { type }) => seen.push(type))
  station.on('statistics-report', (_, { type }) => seen.push(type))
  station.on('route-mirroring', (_, { type }) => seen.push(type))
  station.on('termination', (_, { type }) => seen.push(type))
  await station.start()
  return {
    station,
    ended,
    seen,
    async dial() {
      const socket = connect(station.port ?? 0, '127.0.0.1')
      socket.on('error', () => {})
      await once(socket, 'connect')
      return socket
    },
    [Symbol.asyncDispose]: () => station.close(),
  }
}

const peerUp = (last: number): Uint8Array => {
  const [example] = EXAMPLES.filter(message => message.type === 'peer-up')
  assert.ok(example)
  const address = Uint8Array.of(192, 0, 2, last)
  return encodeBmpMessage({ ...example, peer: { ...PEER, address } })
}

t.test('RFC 7854 section 4: every message type comes out as an event, unknown ones do not', async t => {
  await using scene = await open()
  const socket = await scene.dial()
  for (const message of EXAMPLES) socket.write(encodeBmpMessage(message))
  socket.end(encodeBmpMessage({ type: 'unknown', messageType: 99, body: new Uint8Array(4) }))
  await once(scene.station, 'disconnected')
  t.same(
    scene.seen,
    EXAMPLES.map(({ type }) => type),
  )
  t.same(scene.ended, [undefined])
})

const HOSTILE: readonly (readonly [name: string, octets: Uint8Array])[] = [
  ['RFC 7854 section 4.1: another version', hex('02 00000006 04')],
  ['RFC 7854 section 4.1: a length below the header', hex('03 00000005 04')],
  ['RFC 7854 section 4.1: a length beyond all bounds', hex('03 ffffffff 04')],
  ['RFC 7854 section 4.3: something before Initiation', peerUp(1)],
  [
    'RFC 7854 section 4.10: a Peer Up cut off',
    Buffer.concat([encodeBmpMessage(INITIATION), hex('03 00000008 03 0000')]),
  ],
  ['HTTP', new TextEncoder().encode('GET / HTTP/1.1\r\n\r\n')],
]

for (const [name, octets] of HOSTILE) {
  t.test(`${name} ends the connection, and only that`, async t => {
    await using scene = await open()
    const socket = await scene.dial()
    socket.write(octets)
    await once(scene.station, 'disconnected')
    t.ok(scene.ended[0] instanceof BmpError)
    const other = await scene.dial()
    other.end(encodeBmpMessage(INITIATION))
    await once(scene.station, 'disconnected')
    t.same(scene.ended[1], undefined)
    t.ok(scene.seen.includes('initiation'))
  })
}

t.test('a router with more peers than are allowed is cut off; one whose peers come and go is not', async t => {
  await using scene = await open({ maxPeers: 3 })
  const socket = await scene.dial()
  socket.write(encodeBmpMessage(INITIATION))
  const down = encodeBmpMessage({ type: 'peer-down', peer: PEER, reason: { type: 'remote-closed' } })
  for (let i = 0; i < 10; i++) socket.write(Buffer.concat([peerUp(1), down]))
  for (let i = 2; i < 6; i++) socket.write(peerUp(i))
  await once(scene.station, 'disconnected')
  t.match(scene.ended[0], { code: 'ERR_BGP_BMP', message: /more than 3 peers/ })
  t.equal(scene.seen.filter(type => type === 'peer-up').length, 13, 'the fourth at once is too many')
})

t.test('more routers than are allowed are closed', async t => {
  await using scene = await open({ maxRouters: 1 })
  const first = await scene.dial()
  first.write(encodeBmpMessage(INITIATION))
  await once(scene.station, 'initiation')
  const second = await scene.dial()
  await once(second, 'close')
  t.notOk(first.destroyed)
  first.destroy()
})

t.test('close ends what is connected, and a signal closes', async t => {
  const stop = new AbortController()
  const scene = await open({ signal: stop.signal })
  const socket = await scene.dial()
  socket.resume()
  stop.abort()
  await once(socket, 'close')
  await scene.station.close()
  t.equal(scene.station.port, undefined)
})
