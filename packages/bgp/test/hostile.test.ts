/** What a peer, or anybody, can make a speaker spend, and what of it is bounded by what. */
import { once } from 'node:events'
import type { Socket } from 'node:net'
import t, { type Test } from 'tap'
import type { Peer } from '@typemetal/bgp'
import { decodeMessage, encodeMessage, Framer, type Message, type MessageContext } from '@typemetal/bgp/wire'
import { untilTrue } from './fuzz/witness.js'
import {
  HOSTILE,
  hostileOpen,
  memoryHeld,
  openScene,
  pause,
  prefix24,
  repeat,
  type HostileScene,
} from './hostile-load.js'

const MEBIBYTE = 1 << 20

t.setTimeout(900_000)

const CONTEXT: MessageContext = { fourOctetAs: true, internal: false }
const EXTENDED: MessageContext = { ...CONTEXT, extendedMessage: true }
const ATTRIBUTES = {
  origin: 0,
  asPath: [{ type: 2, asns: [64_513] }],
  nextHop: Uint8Array.of(192, 0, 2, 1),
} as const

const peerOf = ({ speaker }: HostileScene): Peer => speaker.peers.find(({ address }) => address === HOSTILE)!

/** All messages that come, type by type. */
function countMessages(socket: Socket): { readonly [T in Message['type']]: number } & { prefixes: number } {
  const counts = { open: 0, update: 0, notification: 0, keepalive: 0, 'route-refresh': 0, prefixes: 0 }
  const framer = new Framer()
  socket.on('data', (chunk: Uint8Array) => {
    framer.push(chunk)
    for (let octets = framer.next(65_535); octets; octets = framer.next(65_535)) {
      const message = decodeMessage(octets, EXTENDED)
      counts[message.type]++
      if (message.type === 'update') counts.prefixes += message.nlri.length
    }
  })
  return counts
}

/** The session beside the hostile one stands, and hears of a new route. */
async function checkWitness(t: Test, { speaker, witness }: HostileScene, prefix = '203.0.113.0/24'): Promise<void> {
  speaker.announce({ prefix })
  await untilTrue(() => witness.has(prefix) || witness.trouble !== undefined, 60_000)
  t.equal(witness.trouble, undefined, 'the other session stands')
  t.ok(witness.has(prefix), 'and has heard')
}

t.test(
  'RFC 4271 section 4.3: a flood of UPDATEs of one prefix costs no memory, and others are served beside it',
  async t => {
    await using scene = await openScene()
    const socket = await scene.establish()
    const nlri = [prefix24(1)]
    const announce = { type: 'update', withdrawnRoutes: [], pathAttributes: ATTRIBUTES, nlri } as const
    const withdraw = { type: 'update', withdrawnRoutes: nlri, pathAttributes: {}, nlri: [] } as const
    const pair = Buffer.concat([encodeMessage(announce, CONTEXT), encodeMessage(withdraw, CONTEXT)])
    const flood = repeat(pair, 1000)
    const received = (): number => peerOf(scene).counters.updatesReceived
    socket.write(flood)
    await untilTrue(() => received() >= 2000, 60_000)
    const before = memoryHeld()
    for (let i = 0; i < 50; i++) socket.write(flood)
    await checkWitness(t, scene)
    await untilTrue(() => received() >= 102_000, 60_000)
    t.equal(received(), 102_000)
    const growth = memoryHeld() - before
    t.ok(growth < 8 * MEBIBYTE, `${Math.round(growth / 1024)} KiB more`)
    t.equal(peerOf(scene).state, 'Established')
  },
)

t.test('RFC 8654 section 4: a message of 65,535 octets that comes octet by octet', async t => {
  await using scene = await openScene()
  const socket = await scene.establish(hostileOpen({ extendedMessage: true }))
  socket.setNoDelay(true)
  const value = new Uint8Array(65_535)
  const update = (length: number): Uint8Array =>
    encodeMessage(
      {
        type: 'update',
        withdrawnRoutes: [],
        pathAttributes: { ...ATTRIBUTES, unknown: [{ code: 99, flags: 0xc0, value: value.subarray(0, length) }] },
        nlri: [],
      },
      EXTENDED,
    )
  const spare = 65_535 - update(60_000).length
  const octets = update(60_000 + spare)
  t.equal(octets.length, 65_535)
  const before = memoryHeld()
  for (let at = 0; at < octets.length; at++) {
    socket.write(octets.subarray(at, at + 1))
    if (at % 16 === 0) await new Promise(resolve => setImmediate(resolve))
    if (at === 40_000) {
      const growth = memoryHeld() - before
      t.ok(growth < 4 * MEBIBYTE, `${Math.round(growth / 1024)} KiB more for 40,000 octets`)
    }
  }
  await untilTrue(() => peerOf(scene).counters.updatesReceived > 0, 60_000)
  t.equal(peerOf(scene).counters.updatesReceived, 1)
  t.equal(peerOf(scene).state, 'Established')
  await checkWitness(t, scene)
})

/**
 * Until a number stays as it is: both ends live in this process, and would have gone on in one of so many turns of its loop, however long
 * they take.
 */
async function untilQuiet(look: () => number): Promise<void> {
  for (let last = NaN, turns = 0; turns < 100; turns++, await pause(5)) {
    if (look() === last) continue
    last = look()
    turns = 0
  }
}

/** Rounds of half a mebibyte, more than TCP takes from us for a peer that does not read. */
const ENOUGH = 40

/** Room for a table that takes a while. */
const TABLE = 20_000

function announceTable({ speaker }: HostileScene): void {
  for (let i = 0; i < TABLE; i++) speaker.announce({ prefix: `10.${i >> 8}.${i & 255}.0/24`, nextHop: '192.0.2.9' })
}

const REFRESH = encodeMessage({ type: 'route-refresh', afi: 1, subtype: 0, safi: 1 })

for (const enhancedRouteRefresh of [false, true]) {
  const name = enhancedRouteRefresh ? 'RFC 7313 section 4.1' : 'RFC 2918 section 4'
  t.test(
    `${name}: a storm of ROUTE-REFRESH is answered by one table, and one more for what came meanwhile`,
    async t => {
      await using scene = await openScene()
      announceTable(scene)
      const socket = await scene.establish(hostileOpen({ enhancedRouteRefresh }))
      const counts = countMessages(socket)
      await untilTrue(() => counts.prefixes === TABLE, 60_000)
      t.equal(counts.prefixes, TABLE)
      socket.write(repeat(REFRESH, 10_000))
      await untilTrue(
        () => peerOf(scene).counters.routeRefreshReceived === 10_000 && counts.prefixes >= 2 * TABLE,
        60_000,
      )
      await untilQuiet(() => counts.prefixes + counts['route-refresh'])
      t.equal(counts.prefixes % TABLE, 0, 'as many tables as come are whole')
      t.ok(counts.prefixes >= 2 * TABLE, 'it was told again')
      const tables = counts.prefixes / TABLE
      // One for each piece in which TCP brought them, at most: the requests of a piece are one.
      t.ok(tables <= 1 + 2 * Math.ceil((10_000 * REFRESH.length) / 16_384), `${tables} tables for 10,000 requests`)
      t.equal(counts['route-refresh'], enhancedRouteRefresh ? 2 * (tables - 1) : 0, 'each between its marks')
      await checkWitness(t, scene)
    },
  )

  t.test(`${name}: a storm of ROUTE-REFRESH from a peer that does not read costs no memory`, async t => {
    await using scene = await openScene()
    announceTable(scene)
    const socket = await scene.establish(hostileOpen({ enhancedRouteRefresh }))
    socket.pause()
    socket.write(repeat(REFRESH, 1000))
    await untilTrue(() => peerOf(scene).counters.routeRefreshReceived === 1000, 60_000)
    const before = memoryHeld()
    const sent = peerOf(scene).counters.routeRefreshSent
    for (let i = 0; i < 100; i++) socket.write(repeat(REFRESH, 1000))
    await untilTrue(() => peerOf(scene).counters.routeRefreshReceived === 101_000, 60_000)
    t.equal(peerOf(scene).counters.routeRefreshReceived, 101_000)
    const growth = memoryHeld() - before
    t.ok(growth < 4 * MEBIBYTE, `${Math.round(growth / 1024)} KiB more`)
    t.ok(peerOf(scene).counters.routeRefreshSent - sent < 1000, 'marks wait for TCP as the routes between them do')
    await checkWitness(t, scene)
  })
}

t.test('RFC 4486 section 4: connections from addresses that no peer has are refused, and none stays', async t => {
  await using scene = await openScene()
  const before = memoryHeld()
  const answers = await Promise.all(
    Array.from({ length: 200 }, async (_, i) => {
      const socket = await scene.dial(`127.1.1.${1 + i}`)
      const [octets] = (await once(socket, 'data')) as [Uint8Array]
      const message = decodeMessage(octets)
      // It neither closes nor speaks.
      socket.pause()
      return message.type === 'notification' ? `${message.errorCode}/${message.errorSubcode}` : message.type
    }),
  )
  t.same(new Set(answers), new Set(['6/5']))
  t.equal(scene.speaker.peers.length, 2, 'no peer was made for them')
  await checkWitness(t, scene)
  // Each is closed when it has been given time to go. Our own ends of 200 sockets are in it.
  const growth = (): number => memoryHeld() - before
  await untilTrue(() => growth() < 6 * MEBIBYTE, 60_000)
  t.ok(growth() < 6 * MEBIBYTE, `${Math.round(growth() / 1024)} KiB more`)
})

t.test(
  'RFC 4486 section 4: who goes on talking after the refusal is cut off, and so are more than 256 at once',
  async t => {
    await using scene = await openScene()
    const sockets = await Promise.all(
      Array.from({ length: 400 }, (_, i) => scene.dial(`127.1.2.${1 + (i % 200)}`, true)),
    )
    const isOver = ({ destroyed, readyState }: Socket): boolean => destroyed || readyState === 'closed'
    for (const socket of sockets) socket.resume()
    const talk = setInterval(() => {
      for (const socket of sockets) if (socket.writable) socket.write('x')
    }, 100)
    t.teardown(() => clearInterval(talk))
    await untilTrue(() => sockets.every(isOver), 60_000)
    t.equal(sockets.filter(isOver).length, 400)
    await checkWitness(t, scene)
  },
)

t.test('RFC 4271 section 6.8: a peer that connects a hundred times has two connections at most', async t => {
  await using scene = await openScene()
  const sockets = await Promise.all(Array.from({ length: 100 }, () => scene.dial()))
  const ends = sockets.map(async socket => {
    socket.resume()
    await once(socket, 'close')
    return socket
  })
  await untilTrue(() => sockets.filter(({ closed }) => closed).length >= 98, 60_000)
  t.ok(sockets.filter(({ closed }) => !closed).length <= 2)
  for (const socket of sockets) socket.destroy()
  await Promise.all(ends)
  await checkWitness(t, scene)
})

t.test(
  'RFC 9687 section 4: a peer that never reads is given up by the SendHoldTimer, and costs no memory until then',
  async t => {
    // It sends KEEPALIVE messages in time however busy this process is, so that the Hold Timer has no say.
    await using scene = await openScene({}, { holdTime: 9, sendHoldTime: 10 })
    const socket = await scene.establish(hostileOpen({ holdTime: 9 }))
    socket.pause()
    const alive = setInterval(() => socket.write(encodeMessage({ type: 'keepalive' })), 500)
    t.teardown(() => clearInterval(alive))
    const causes: string[] = []
    peerOf(scene).on('state', (_to, _from, cause) => causes.push(cause))
    const before = memoryHeld()
    let growth: number | undefined
    const end = performance.now() + 120_000
    const all = Array.from({ length: 100 }, (_, i) => i)
    // Each round changes every route anew, with half a mebibyte of attributes in all.
    for (let round = 0; performance.now() < end && causes.length === 0; round++) {
      for (let i = 0; i < 1000; i++) {
        const communities = all.map(low => `${1 + i}:${(100 * round + low) % 65_536}`)
        scene.speaker.announce({ prefix: `10.${i >> 8}.${i & 255}.0/24`, nextHop: '192.0.2.9', communities })
      }
      await pause(10)
      if (round === ENOUGH) growth = memoryHeld() - before
    }
    growth ??= memoryHeld() - before
    t.ok(growth < 16 * MEBIBYTE, `${Math.round(growth / 1024)} KiB more after up to 20 MiB of UPDATEs`)
    t.match(causes[0], /SendHoldTimer_Expires/)
    await checkWitness(t, scene)
  },
)
