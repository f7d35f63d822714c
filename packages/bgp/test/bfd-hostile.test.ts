import { fileURLToPath } from 'node:url'
import t from 'tap'
import { Bfd } from '@typemetal/bgp/bfd'
import { UdpSocket, type UdpPacket } from '@typemetal/sockets'
import { compileControlFilter } from '../dist/bfd/node/filter.js'
import type { FloodArguments } from './bfd-node-flooder.js'
import { exchanged, follow, Peer, reaches } from './bfd-node-peer.js'
import { control, datagramOctets } from './bfd-node-samples.js'
import { createHost, isInside, missingPrivilege, stop, until } from './interop/namespace.js'

const FLOODER = fileURLToPath(new URL('bfd-node-flooder.js', import.meta.url))
const RATE = 10_000
const flood = (destination: string): FloodArguments => [destination, String(RATE)]
/** Milliseconds; a Detection Time of 3 s, which no pause of a busy machine comes near. */
const FAST = { transmitInterval: 50, receiveInterval: 50, detectMultiplier: 60 }

/** Sends packets to a socket with a filter; what comes through, by a mark in My Discriminator. */
async function through(family: 4 | 6, minimumTtl: number, samples: readonly (readonly [number, Uint8Array])[]) {
  const address = family === 4 ? '127.0.0.1' : '::1'
  const heard: number[] = []
  using socket = new UdpSocket({
    address,
    port: 0,
    onPackets: (packets: readonly UdpPacket[]) => {
      for (const { data } of packets) heard.push(data[7]!)
    },
  })
  const stranger = family === 4 ? '10.0.0.9' : 'fd00::9'
  const filter = { family, minimumTtl, discriminators: [11, 22], sources: [stranger, address], sparing: false }
  socket.setFilter(compileControlFilter(filter))
  for (const [ttl, octets] of samples) {
    using sender = new UdpSocket({ address, port: 0, ttl })
    sender.sendTo(octets, sender.destination(address, socket.port))
  }
  const judged = (count: number): Promise<unknown> =>
    until(`${count} packets to be taken or dropped`, () => heard.length + socket.drops() >= count)
  await judged(samples.length)
  socket.setFilter(compileControlFilter({ ...filter, sources: [stranger] }))
  using sender = new UdpSocket({ address, port: 0, ttl: 255 })
  sender.sendTo(control(99, { state: 'Down', yourDiscriminator: 0 }), sender.destination(address, socket.port))
  await judged(samples.length + 1)
  return { heard, drops: socket.drops() }
}

function define(): void {
  for (const family of [4, 6] as const) {
    t.test(`the kernel's filter over IPv${family}: what is for a session comes through, the rest does not`, async t => {
      const { heard, drops } = await through(family, 254, [
        [255, control(1, { yourDiscriminator: 11 })],
        [254, control(2, { yourDiscriminator: 22 })],
        [253, control(3, { yourDiscriminator: 22 })],
        [255, control(4, { yourDiscriminator: 33 })],
        [255, control(5, { state: 'Down', yourDiscriminator: 0 })],
        [255, datagramOctets(control(6, { yourDiscriminator: 11 }), 0, 0x40)],
        [255, datagramOctets(control(7, { yourDiscriminator: 11 }), 1, 0xc1)],
        [255, datagramOctets(control(8, { state: 'Down', yourDiscriminator: 0 }), 1, 0x80)],
        [255, control(9, { yourDiscriminator: 11 }).subarray(0, 23)],
        [255, datagramOctets(control(0, { yourDiscriminator: 11 }), 7, 0)],
      ])
      t.same(heard, [1, 2, 5])
      t.equal(drops, 8, 'what was refused is counted')
    })
  }

  t.test('a sparing filter lets some of those through who need not know our discriminator, and all who do', async t => {
    let zero = 0
    let known = 0
    using socket = new UdpSocket({
      address: '127.0.0.1',
      port: 0,
      receiveBuffer: 1 << 20,
      onPackets: packets => {
        for (const { data } of packets) {
          if (data[11] === 0) zero++
          else known++
        }
      },
    })
    const sources = ['127.0.0.1']
    socket.setFilter(compileControlFilter({ family: 4, minimumTtl: 255, discriminators: [11], sources, sparing: true }))
    using sender = new UdpSocket({ address: '127.0.0.1', port: 0, ttl: 255 })
    const target = sender.destination('127.0.0.1', socket.port)
    for (let count = 0; count < 2000; count++) {
      sender.sendTo(control(1, { state: 'Down', yourDiscriminator: 0 }), target)
      if (count % 20 === 0) sender.sendTo(control(1, { yourDiscriminator: 11 }), target)
    }
    await until('all to be taken or dropped', () => zero + known + socket.drops() >= 2100)
    t.equal(known, 100)
    t.ok(zero > 2 && zero < 150, `${zero} of 2000, 31 expected`)
  })

  t.test('a filter has room for many sessions; for more than that its fixed checks are left', async t => {
    const filter = (count: number, sources: readonly string[] = []) =>
      compileControlFilter({
        family: 6,
        minimumTtl: 255,
        discriminators: Array.from({ length: count }, (_, i) => i + 1),
        sources,
        sparing: true,
      })
    t.ok(filter(1500, ['fd00::1']).length > 3000)
    t.ok(filter(5000).length < 30)
    t.ok(filter(0).length < 30)
  })

  t.test(`a flood of ${RATE} bad packets a second does not take a session down`, async t => {
    await using host = await createHost(['10.6.0.1/24', '10.6.0.11/24'], ['10.6.0.2/24', '10.6.0.12/24'])
    await using peer = await Peer.start(host, [
      { address: '10.6.0.1', ...FAST },
      { address: '10.6.0.11', localAddress: '10.6.0.12', ...FAST },
    ])
    const lines: string[] = []
    const say = (_fields: object, line: string): void => void lines.push(line)
    const log = { debug() {}, info: say, warn: say, error: say, child: () => log }
    await using bfd = await Bfd.start({ log })
    const session = bfd.session({ address: '10.6.0.2', ...FAST })
    await reaches(session, 'Up')
    const states = follow(session)
    const flooder = host.spawn(process.execPath, [FLOODER, ...flood('10.6.0.1')])
    await until('the flood to be filtered', () => bfd.counters().kernelDrops > 2 * RATE)
    t.match(bfd.counters(), { floods: 1, filteredSockets: 1 })
    // More packets of the session than may be missing: without them it would be down.
    await exchanged(session, 2 * FAST.detectMultiplier)
    const { discards, kernelDrops } = bfd.counters()
    // The peer's second session speaks already.
    const reasons = Object.keys(discards).filter(reason => reason !== 'unknown-source')
    t.same(reasons.toSorted(), ['multipoint', 'truncated', 'ttl', 'unknown-discriminator', 'version'])
    const heard = Object.values(discards).reduce((sum, count) => sum + count, 0)
    t.ok(heard < kernelDrops / 4, `${heard} reached the process, the kernel has kept ${kernelDrops} away`)
    // A session that comes in the middle of it is let through as well.
    const other = bfd.session({ address: '10.6.0.12', localAddress: '10.6.0.11', ...FAST })
    await reaches(other, 'Up')
    t.equal(bfd.counters().filteredSockets, 1)
    await stop(flooder)
    await until('the filter to go off', () => bfd.counters().filteredSockets === 0)
    t.same(states, [], 'it stayed Up')
    t.equal(session.snapshot().downTransitions, 0)
    t.same(await peer.told('10.6.0.1', 1), ['Up 0 Up'])
    t.same(lines, [
      'bad BFD packets come too fast; the kernel filters them',
      'bad BFD packets have ceased; the filter is off',
    ])
  })

  t.test('RFC 5880 section 6.7: a session that comes Up during a flood, with authentication', async t => {
    await using host = await createHost(['10.6.1.1/24'], ['10.6.1.2/24'])
    const authentication = { type: 'meticulous-keyed-sha1', keyId: 7, key: 'secret' } as const
    const options = { ...FAST, authentication }
    await using bfd = await Bfd.start()
    const flooder = host.spawn(process.execPath, [FLOODER, ...flood('10.6.1.1')])
    await until('the filter', () => bfd.counters().filteredSockets === 1)
    await using peer = await Peer.start(host, [{ address: '10.6.1.1', ...options }])
    const session = bfd.session({ address: '10.6.1.2', ...options })
    await reaches(session, 'Up')
    await exchanged(session, 2 * FAST.detectMultiplier)
    await stop(flooder)
    t.equal(session.state, 'Up')
    t.same(session.snapshot().discards, {})
    t.equal((await peer.sessions())[0]?.downTransitions, 0)
  })
}

t.setTimeout(900_000)
const missing = missingPrivilege()
if (missing) t.test('BFD against floods', { skip: missing }, async () => {})
else if (isInside()) define()
