import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import t from 'tap'
import { CellReader, CellWriter, createCells } from '../dist/bfd/node/cells.js'
import { checkEndpoint, echoAddressOf, interfaceOf, type EndpointLink } from '../dist/bfd/node/endpoint.js'
import { FLOOD_LIMIT, FloodGuard, QUIET_TIME } from '../dist/bfd/node/flood-guard.js'
import { HeldSession } from '../dist/bfd/node/held-session.js'
import { checkHolderOptions, hastyIntervals, mergeOptions } from '../dist/bfd/node/holders.js'
import { decodeUdpInIp, encodeUdpInIp } from '../dist/bfd/node/ip-packet.js'
import type { Request } from '../dist/bfd/node/messages.js'
import { Schedule, type Scheduled } from '../dist/bfd/node/schedule.js'
import { SourcePorts } from '../dist/bfd/node/source-ports.js'
import { readSpread, SPREAD_CELLS, SpreadWriter } from '../dist/bfd/node/spread.js'
import { SESSION_DEFAULTS, type State } from '@typemetal/bgp/bfd'

const SECOND = 1_000_000

class Entry implements Scheduled {
  deadline = Infinity
  readonly detectionDeadline = Infinity
  place = -1
  expire(): void {}
}

t.test('property: the schedule has the earliest of all deadlines first', async () => {
  const step = fc.record({ entry: fc.nat({ max: 19 }), deadline: fc.oneof(fc.nat({ max: 50 }), fc.constant(Infinity)) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), steps => {
      const schedule = new Schedule()
      const entries = Array.from({ length: 20 }, () => new Entry())
      for (const { entry, deadline } of steps) {
        entries[entry]!.deadline = deadline
        if (deadline === 13) schedule.delete(entries[entry]!)
        else schedule.update(entries[entry]!)
        const standing = entries.filter(({ place }) => place >= 0)
        assert.equal(schedule.deadline, Math.min(...standing.map(each => each.deadline)))
        assert.equal(schedule.first?.deadline ?? Infinity, schedule.deadline)
      }
    }),
  )
})

t.test('the schedule grows, and empties in order', async t => {
  const schedule = new Schedule()
  for (let index = 0; index < 500; index++) {
    const entry = new Entry()
    entry.deadline = (index * 7919) % 1000
    schedule.update(entry)
  }
  let last = -1
  for (let { first } = schedule; first !== undefined; first = schedule.first) {
    t.ok(first.deadline >= last)
    last = first.deadline
    schedule.delete(first)
    schedule.delete(first)
  }
  t.equal(schedule.deadline, Infinity)
})

t.test('the flood guard: on above the limit, sparing when that is not enough, off after quiet seconds', async t => {
  const guard = new FloodGuard()
  t.equal(guard.note(FLOOD_LIMIT, 0), undefined)
  t.equal(guard.note(FLOOD_LIMIT, SECOND), undefined, 'in another second')
  t.equal(guard.note(1, SECOND + 1), 'attach')
  guard.attached(100)
  t.ok(guard.filtered)
  t.equal(guard.note(3000, SECOND + 2), undefined, 'what was in the queue')
  t.equal(guard.note(FLOOD_LIMIT + 1, 3 * SECOND), 'tighten')
  t.ok(guard.sparing)
  t.equal(guard.note(5000, 3 * SECOND + 1), undefined)
  t.equal(guard.look(0xffff_ffff, 4 * SECOND), undefined)
  t.equal(guard.look(5000, 6 * SECOND), undefined, 'a count that wrapped')
  t.equal(guard.look(5100, 6 * SECOND + QUIET_TIME - 1), undefined)
  t.equal(guard.look(5100, 6 * SECOND + QUIET_TIME), 'detach')
  t.notOk(guard.filtered || guard.sparing)
})

t.test('RFC 5881 section 4: source ports are taken once, and again only when none is left', async t => {
  const ports = new SourcePorts(() => 0.999_999)
  const taken = new Set<number>()
  for (let index = 0; index < 16_384; index++) taken.add(ports.open(undefined, port => port).port)
  t.equal(taken.size, 16_384)
  t.equal(Math.min(...taken), 49_152)
  t.equal(Math.max(...taken), 65_535)
  t.ok(ports.open(undefined, port => port).port >= 49_152, 'RFC 5881 lets them be used again')
  ports.release(50_000)
  t.equal(ports.open(undefined, port => port).port, 50_000)
  const tried: number[] = []
  const refuse = (code: string) => (port: number) => {
    tried.push(port)
    throw Object.assign(new Error(code), { code })
  }
  t.throws(() => new SourcePorts(() => 0).open(60_000, refuse('EADDRINUSE')), { code: 'EADDRINUSE' })
  t.equal(tried[0], 60_000, 'the one it had before')
  t.equal(tried.length, 64)
  let next = 0
  const busy = new SourcePorts(() => (next++ % 16_384) / 16_384)
  busy.open(60_000, port => port)
  const other = busy.open(60_000, port => (port === 60_000 ? refuse('EADDRINUSE')(port) : port)).port
  t.not(other, 60_000)
  t.ok(Array.from({ length: 16_383 }, () => busy.open(undefined, port => port).port).includes(60_000), 'free again')
  t.throws(() => new SourcePorts(() => 0).open(undefined, refuse('EPERM')), { code: 'EPERM' })
  t.equal(tried.length, 66)
})

const link = (index: number, name: string, ...addresses: readonly string[]): EndpointLink => ({
  index,
  name,
  up: true,
  addresses: addresses.map(text => {
    const [address = '', length] = text.split('/')
    return { address, prefixLength: Number(length), tentative: false }
  }),
})
const LINKS = [
  link(1, 'lo', '127.0.0.1/8', '::1/128'),
  link(2, 'eth0', '10.0.0.1/24', 'fd00::1/64', 'fe80::1/64'),
  link(3, 'eth1', '10.0.1.1/22', 'fe80::2/64'),
  link(4, 'eth2', '10.9.0.1/24'),
  link(5, 'eth3', '10.9.0.2/24'),
]

t.test('RFC 5881 section 3: the interface of a session is the one in whose network the remote system is', async t => {
  const at = (address: string, more = {}): number => interfaceOf(checkEndpoint({ address, ...more }), LINKS)
  t.equal(at('10.0.0.9'), 2)
  t.equal(at('10.0.2.9'), 3, 'of a wider network')
  t.equal(at('10.9.0.9'), 0, 'two have it')
  t.equal(at('192.0.2.1'), 0, 'none has it')
  t.equal(at('fd00::9'), 2)
  t.equal(at('fe80::9', { interface: 'eth1' }), 3)
  t.equal(at('10.0.0.9', { interface: 'eth9' }), -1, 'not there')
  t.equal(at('10.0.0.9', { multihop: true }), 0)
})

t.test('RFC 5881 section 4: our address of echo packets is one of that network, never link-local', async t => {
  const own = (address: string, more = {}): string | undefined =>
    echoAddressOf(checkEndpoint({ address, ...more }), LINKS)
  t.equal(own('10.0.0.9'), '10.0.0.1')
  t.equal(own('10.0.0.9', { localAddress: '10.0.0.5' }), '10.0.0.5')
  t.equal(own('fd00::9'), 'fd00::1')
  t.equal(own('fe80::9%eth0'), undefined)
  t.equal(own('192.0.2.1'), undefined)
})

t.test('endpoints: the same session has the same key, however it is written', async t => {
  const key = (options: Parameters<typeof checkEndpoint>[0]): string => checkEndpoint(options).key
  t.equal(key({ address: 'FE80:0::1%eth0' }), key({ address: 'fe80::1', interface: 'eth0', multihop: false }))
  t.doesNotThrow(() => key({ address: 'fe8::1' }), 'not link-local: it is 0fe8::1')
  t.equal(key({ address: '::ffff:10.0.0.1' }), key({ address: '10.0.0.1' }))
  t.not(key({ address: '10.0.0.1' }), key({ address: '10.0.0.1', multihop: true }))
  t.not(key({ address: '10.0.0.1' }), key({ address: '10.0.0.1', device: 'eth0' }))
  t.not(key({ address: '10.0.0.1', device: 'eth0' }), key({ address: '10.0.0.1', interface: 'eth0' }))
  for (const [options, message] of [
    [{ address: 'x' }, /^address must be an IP address/],
    [{ address: '0.0.0.0' }, /^address must be the address of a host/],
    [{ address: '10.0.0.1', localAddress: 'ff02::1' }, /^localAddress must be the address of a host/],
    [{ address: '10.0.0.1', interface: 'much-too-long-a-name' }, /^interface must be the name/],
    [{ address: '10.0.0.1', device: '' }, /^device must be the name/],
  ] as const) {
    t.throws(() => checkEndpoint(options), { name: 'RangeError', message })
  }
})

t.test('what holders have together: the least of all, and no argument about authentication', async t => {
  const authentication = { type: 'keyed-md5', keyId: 1, key: 'one' } as const
  const merged = mergeOptions([
    checkHolderOptions({ receiveInterval: 100, passiveMode: true, echoInterval: 20, authentication, minimumTtl: 200 }),
    checkHolderOptions({ transmitInterval: 50, detectMultiplier: 9, echoMode: true, echoInterval: 70, authentication }),
  ])
  t.match(merged, {
    receiveInterval: 100,
    transmitInterval: 50,
    detectMultiplier: 3,
    echoMode: true,
    echoInterval: 70,
    passiveMode: false,
    minimumTtl: 200,
  })
  t.equal(mergeOptions([checkHolderOptions({ echoInterval: 20 })]).echoInterval, 20)
  for (const other of [
    undefined,
    { ...authentication, key: 'two' },
    { ...authentication, keyId: 2 },
    { ...authentication, key: 'on' },
  ]) {
    const options = [checkHolderOptions({ authentication }), checkHolderOptions({ authentication: other })] as const
    t.throws(() => mergeOptions(options), /^authentication must be the same/)
  }
  t.same(hastyIntervals(SESSION_DEFAULTS), [])
  t.same(hastyIntervals(checkHolderOptions({ transmitInterval: 49, echoInterval: 10 })), ['transmitInterval'])
  t.same(hastyIntervals(checkHolderOptions({ echoMode: true, echoInterval: 10 })), ['echoInterval'])
  for (const name of ['receiveInterval', 'transmitInterval', 'echoInterval']) {
    t.throws(() => checkHolderOptions({ [name]: 9 }), {
      name: 'RangeError',
      message: new RegExp(`^${name} must be 10 ms`),
    })
  }
})

t.test('property: a packet with an IP header is decoded to what it was made of; its checksum holds', async () => {
  const port = fc.nat({ max: 65_535 })
  const address = fc.constantFrom(4, 16).chain(n => fc.tuple(octets(n), octets(n)))
  fc.assert(
    fc.property(
      address,
      port,
      port,
      fc.nat({ max: 255 }),
      fc.uint8Array({ maxLength: 50 }),
      (both, from, to, hops, payload) => {
        const [source, destination] = both
        const packet = { source, destination, sourcePort: from, destinationPort: to, hops, payload }
        const encoded = encodeUdpInIp(packet)
        assert.deepEqual(decodeUdpInIp(encoded), packet)
        const header = encoded.length - 8 - payload.length
        let sum = 17 + 8 + payload.length
        const words = [...source, ...destination, ...encoded.subarray(header), ...(payload.length % 2 === 1 ? [0] : [])]
        for (let at = 0; at < words.length; at += 2) sum += (words[at]! << 8) | words[at + 1]!
        while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
        assert.equal(sum, 0xffff)
      },
    ),
  )
})

const octets = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length })

t.test('property: any octets are a packet or none, without an exception', async () => {
  const start = fc.constantFrom(0x45, 0x60, 0x46, 0)
  fc.assert(
    fc.property(start, fc.uint8Array({ maxLength: 80 }), (first, rest) => {
      const decoded = decodeUdpInIp(Uint8Array.of(first, ...rest))
      assert.ok(decoded === undefined || decoded.payload.length <= rest.length)
    }),
    { numRuns: 5000 },
  )
})

t.test('property: a spread has the count, mean, deviation and ends of its values', async () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 2 }), values => {
      const cells = new Float64Array(SPREAD_CELLS)
      const writer = new SpreadWriter(cells)
      writer.add(5)
      writer.clear()
      for (const value of values) writer.add(value)
      const { count, mean, deviation, least, most } = readSpread(cells)
      const average = values.reduce((sum, value) => sum + value, 0) / values.length
      const variance = values.reduce((sum, value) => sum + (value - average) ** 2, 0) / (values.length - 1)
      assert.equal(count, values.length)
      assert.ok(Math.abs(mean - average) < 1e-6 && Math.abs(deviation - Math.sqrt(variance)) < 1e-6)
      assert.deepEqual([least, most], [Math.min(...values), Math.max(...values)])
    }),
  )
  assert.deepEqual(readSpread(new Float64Array(SPREAD_CELLS)), { count: 0, mean: 0, deviation: 0, least: 0, most: 0 })
})

t.test('cells: what the worker writes is what the main thread reads; Down before anything is written', async t => {
  const memory = createCells()
  const reader = new CellReader(memory)
  const before = reader.snapshot()
  t.match(before, { state: 'Down', remoteState: 'Down', myDiscriminator: 0, polling: false })
  const writer = new CellWriter(memory)
  const written = {
    ...before,
    state: 'Up',
    polling: true,
    myDiscriminator: 0xffff_ffff,
    detectionTime: 150_000.5,
  } as const
  writer.publish(written)
  writer.count('echoPacketsSent')
  writer.discard('ttl')
  writer.discard('authentication-digest')
  t.same(reader.snapshot(), written)
  t.match(reader.counters(), { packetsSent: 0, echoPacketsSent: 1, discards: { ttl: 1, 'authentication-digest': 1 } })
})

t.test(
  'holders of a session: the worker is told what they want together, each hears of changes until it leaves',
  async t => {
    const told: Request[] = []
    let idle = 0
    const session = new HeldSession(
      7,
      checkEndpoint({ address: '10.0.0.1' }),
      request => told.push(request),
      () => idle++,
    )
    const first = session.join(checkHolderOptions({}))
    t.match(told.splice(0), [{ type: 'add', id: 7, disabled: false, options: { transmitInterval: 300 } }])
    const second = session.join(checkHolderOptions({ transmitInterval: 600 }))
    t.same(told.splice(0), [], 'nothing new')
    const heard: string[] = []
    first.on('state', (to, from, { cause }) => heard.push(`first ${from} ${to} ${cause}`))
    second.on('state', (to, from, { cause }) => heard.push(`second ${from} ${to} ${cause}`))
    second.on('remoteState', (to, from) => heard.push(`second remote ${from} ${to}`))
    session.report('Up', 'Down', { diagnostic: 0, remoteState: 'Up', remoteDiagnostic: 0, cause: 'so' })
    t.same(heard.splice(0), ['first Down Up so', 'second Down Up so'])
    t.match(second, { state: 'Up', remoteState: 'Up', address: '10.0.0.1' })
    session.reportRemote('AdminDown', 'Up')
    t.same(heard.splice(0), ['second remote Up AdminDown'])
    t.equal(first.remoteState, 'AdminDown')
    first.disable()
    t.same(told.splice(0), [], 'one of two')
    second.disable()
    t.match(told.splice(0), [{ type: 'disable', id: 7 }])
    first.close()
    t.match(told.splice(0), [{ type: 'change', options: { transmitInterval: 600 } }])
    first.change({ transmitInterval: 20 })
    first.enable()
    t.same(told.splice(0), [], 'it has left')
    t.throws(() => second.change({ transmitInterval: 5 }), /^transmitInterval/)
    second.enable()
    t.match(told.splice(0), [{ type: 'enable', id: 7 }])
    session.abandon('the BFD worker has died')
    session.abandon('once')
    t.same(heard.splice(0), ['second Up AdminDown the BFD worker has died'])
    second.close()
    t.match(told.splice(0), [{ type: 'remove', id: 7 }])
    t.equal(idle, 1)
    session.report('Up', 'Down', { diagnostic: 0, remoteState: 'Up', remoteDiagnostic: 0, cause: 'late' })
    t.same(heard, [])
  },
)

/** A session with two holders, whom the worker has told that it is Up. */
function heldByTwo() {
  const session = new HeldSession(
    1,
    checkEndpoint({ address: '10.0.0.1' }),
    () => {},
    () => {},
  )
  const holders = [session.join(checkHolderOptions({})), session.join(checkHolderOptions({}))] as const
  const tell = (to: State, from: State): void =>
    session.report(to, from, { diagnostic: 0, remoteState: 'Up', remoteDiagnostic: 0, cause: 'so' })
  tell('Up', 'Down')
  return { session, holders, tell }
}

t.test('a change of state comes to every holder, whatever the listeners of another one do', async t => {
  const { session, holders, tell } = heldByTwo()
  const heard: string[] = []
  holders[0].on('state', () => {
    throw new Error('a fault of the listener')
  })
  holders[1].on('state', to => heard.push(to))
  t.throws(() => tell('Down', 'Up'), { message: 'a fault of the listener' })
  t.same(heard, ['Down'])
  holders[0].removeAllListeners()
  holders[0].on('state', () => {
    const late = session.join(checkHolderOptions({}))
    late.on('state', to => heard.push(`late ${to}`))
  })
  tell('Init', 'Down')
  t.same(heard, ['Down', 'Init'], 'who joins later knows already')
})

t.test('what is known of a session whose worker has died does not say that it is Up', async t => {
  const { session, holders } = heldByTwo()
  session.abandon('the BFD worker has died')
  t.match(holders[0].snapshot(), { state: 'AdminDown', polling: false, transmitInterval: 0, address: '10.0.0.1' })
  t.equal(holders[0].state, 'AdminDown')
})
