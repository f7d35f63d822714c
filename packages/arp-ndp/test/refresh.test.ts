/** Periodic refresh, and that of one neighbour: the schedule, the frames, and both through the answerer. */
import * as fc from 'fast-check'
import t from 'tap'
import { neighborRefresh, Pacer, RefreshSchedule } from '@typemetal/arp-ndp/responder'
import { decodeArp, decodeEthernet, decodeIpv6, decodeNeighborAdvertisement } from '@typemetal/arp-ndp/wire'
import { hex } from './octets.js'
import { many, V4, V6, wanted, World } from './answerer-world.js'
import { link } from './virtual-platform.js'

const INTERVAL = 600_000

/** A random sequence that repeats. */
function sequence(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

t.test('property: no address waits longer than the interval, none is refreshed after it was deleted', async t => {
  fc.assert(
    fc.property(
      fc.integer(),
      fc.integer({ min: 1, max: 300 }),
      fc.integer({ min: 0, max: 10_000_000 }),
      (seed, count, begin) => {
        const schedule = new RefreshSchedule({ interval: 10_000, random: sequence(seed) })
        const last = new Map<string, number>()
        for (let i = 0; i < count; i++) {
          schedule.add(`${i}`, begin)
          last.set(`${i}`, begin)
        }
        let gone = 0
        for (let now = begin; now < begin + 50_000; now = schedule.nextTimeout ?? Infinity) {
          for (const address of schedule.handleTimeout(now)) {
            if (!last.has(address) || now - last.get(address)! > 10_000) return false
            last.set(address, now)
          }
          if (now > begin + 20_000 && gone < count / 2) {
            schedule.delete(`${gone}`)
            last.delete(`${gone++}`)
          }
        }
        return schedule.size === last.size && [...last.values()].every(at => at > begin + 40_000)
      },
    ),
    { numRuns: 200 },
  )
  t.pass()
})

t.test('5,000 addresses that came at once are spread over the interval', async t => {
  const schedule = new RefreshSchedule({ interval: INTERVAL, random: sequence(1) })
  for (let i = 0; i < 5000; i++) schedule.add(`${i}`, 0)
  const perSecond = new Map<number, number>()
  let refreshed = 0
  for (let now = schedule.nextTimeout!; now < 10 * INTERVAL; now = schedule.nextTimeout!) {
    const { length } = schedule.handleTimeout(now)
    refreshed += length
    const second = Math.floor(now / 1000)
    perSecond.set(second, (perSecond.get(second) ?? 0) + length)
  }
  t.ok(Math.max(...perSecond.values()) < 40, `at most ${Math.max(...perSecond.values())} in a second`)
  t.ok(refreshed > 48_000 && refreshed < 56_000, `${refreshed} in ten intervals`)
})

t.test('a schedule that is late sends each address once', async t => {
  const schedule = new RefreshSchedule({ interval: 1000, random: () => 0.5 })
  schedule.add('a', 0)
  schedule.add('a', 100)
  t.same(schedule.handleTimeout(10_000), ['a'])
  t.same(schedule.handleTimeout(10_000), [])
  schedule.delete('a')
  schedule.delete('a')
  t.equal(schedule.nextTimeout, undefined)
})

t.test('the answerer refreshes in quiet times, and only with an interval', async t => {
  for (const [refreshInterval, least, most] of [
    [undefined, 5, 5],
    [60_000, 14, 16],
  ] as const) {
    const world = World.started({ refreshInterval })
    world.set(V6)
    world.platform.advance(600_000)
    const { length } = world.platform.socket('ndp').sent
    t.ok(length >= least && length <= most, `${length} frames in 10 minutes`)
    world.remove(V6.text)
    world.platform.advance(600_000)
    t.equal(world.platform.socket('ndp').sent.length, length, 'what is gone is not refreshed')
    world.answerer.close()
    t.equal(world.platform.pending, 0)
  }
})

t.test('a refresh of 5,000 addresses never makes a burst', async t => {
  const world = World.started({ refreshInterval: INTERVAL })
  const { platform } = world
  const random = sequence(5)
  platform.random = random
  world.set(...many(5000))
  platform.advance(10_000)
  const socket = platform.socket('arp')
  socket.sent.length = 0
  socket.sentAt.length = 0
  platform.advance(INTERVAL)
  t.ok(socket.sent.length >= 10_000 && socket.sent.length < 11_500, `${socket.sent.length} frames`)
  const perSecond = new Map<number, number>()
  for (const at of socket.sentAt) perSecond.set(Math.floor(at / 1000), (perSecond.get(Math.floor(at / 1000)) ?? 0) + 1)
  t.ok(Math.max(...perSecond.values()) < 80, `at most ${Math.max(...perSecond.values())} in a second`)
})

t.test('RFC 826: a neighbour is told by a reply to it alone', async t => {
  const world = World.started({}, platform => {
    platform.linkList = [link(), link({ index: 3, name: 'eth1', mac: '02:00:00:00:00:03' })]
  })
  const { platform, answerer } = world
  world.set(V4)
  platform.advance(10_000)
  const sockets = [platform.socket('arp', 2), platform.socket('arp', 3)] as const
  const neighbor = { mac: hex('020000000042'), ip: hex('c0000242') }
  answerer.obey({ type: 'refresh', address: V4.text, interface: 'eth1', neighbor })
  answerer.obey({ type: 'refresh', address: '192.0.2.9', interface: 'eth1', neighbor })
  answerer.obey({ type: 'refresh', address: V4.text, interface: 'eth9', neighbor })
  t.same(
    sockets.map(({ sent }) => sent.length),
    [10, 11],
  )
  const { destination, source, payload } = decodeEthernet(sockets[1].sent.at(-1)!)
  t.same([destination, source], [neighbor.mac, hex('020000000003')])
  t.match(decodeArp(payload), {
    operation: 2,
    senderHardwareAddress: hex('020000000003'),
    senderProtocolAddress: V4.octets,
    targetHardwareAddress: neighbor.mac,
    targetProtocolAddress: neighbor.ip,
  })
  t.equal(world.counters(V4.text)?.gratuitousSent, 21)
})

t.test('RFC 4861 section 7.2.6: by an advertisement with S=0 and O=1 to it alone', async t => {
  const identity = {
    protocol: 'ndp',
    interface: 'eth0',
    mac: hex('020000000001'),
    linkLocal: hex('fe800000000000000000000000000001'),
  } as const
  const neighbor = { mac: hex('020000000042'), ip: hex('fe800000000000000000000000000042') }
  const { destination, payload } = decodeEthernet(neighborRefresh(identity, V6.octets, neighbor))
  t.same(destination, neighbor.mac)
  const packet = decodeIpv6(payload)
  t.match(packet, { hopLimit: 255, source: identity.linkLocal, destination: neighbor.ip })
  t.match(decodeNeighborAdvertisement(packet.payload), {
    router: false,
    solicited: false,
    override: true,
    targetAddress: V6.octets,
    options: [{ kind: 'target-link-layer-address', address: identity.mac }],
  })
})

t.test('an address is refreshed only on the interfaces it is for', async t => {
  const world = World.started()
  world.set(wanted('192.0.2.1', ['eth1']))
  const neighbor = { mac: hex('020000000042'), ip: hex('c0000242') }
  world.answerer.obey({ type: 'refresh', address: '192.0.2.1', interface: 'eth0', neighbor })
  t.equal(world.platform.socket('arp').sent.length, 0)
})

t.test('property: a pacer never lets more through than its rate and its burst', async t => {
  fc.assert(
    fc.property(
      fc.double({ min: 1, max: 1e6, noNaN: true }),
      fc.array(fc.double({ min: 0, max: 50, noNaN: true }), { maxLength: 50 }),
      (rate, waits) => {
        const pacer = new Pacer(rate, 0)
        let now = 0
        let passed = 0
        for (const wait of waits) {
          now += wait
          const frames = pacer.allowance(now)
          pacer.spend(frames)
          passed += frames
          if (passed > (rate * (now + 5)) / 1000 + 2 + 1e-6) return false
        }
        return true
      },
    ),
  )
  const pacer = new Pacer(1000, 0)
  pacer.spend(pacer.allowance(0))
  t.equal(pacer.readyAt(2), 2)
  t.equal(pacer.allowance(2), 2)
  t.equal(pacer.readyAt(100), 5, 'more than the bucket holds is not waited for')
})
