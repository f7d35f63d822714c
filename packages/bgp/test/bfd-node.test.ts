import t from 'tap'
import { encodeControlPacket, type ControlPacket } from '@typemetal/bgp/bfd'
import { VirtualNetwork, type Datagram, type VirtualHost } from './bfd-node-network.js'

const FAST = { transmitInterval: 50, receiveInterval: 50, detectMultiplier: 3 }

/** Two systems on one wire. */
function pair(): { network: VirtualNetwork; a: VirtualHost; b: VirtualHost } {
  const network = new VirtualNetwork()
  const a = network.host('a', ['10.0.0.1/24', 'fd00::1/64', 'fe80::1/64'])
  const b = network.host('b', ['10.0.0.2/24', 'fd00::2/64', 'fe80::2/64'])
  return { network, a, b }
}

/** Two systems whose session is Up. */
function up(options: object = FAST) {
  const { network, a, b } = pair()
  const [near] = a.start({ address: '10.0.0.2', ...options })
  const [far] = b.start({ address: '10.0.0.1', ...options })
  network.advance(10_000)
  return { network, a, b, near: near!, far: far! }
}

/** A packet of b to a's single-hop port, well formed but for what is given. */
function datagram(change: Partial<Datagram> = {}, packet: Partial<ControlPacket> = {}): Datagram {
  const data = encodeControlPacket({
    diagnostic: 0,
    state: 'Down',
    poll: false,
    final: false,
    controlPlaneIndependent: false,
    demand: false,
    detectMult: 3,
    myDiscriminator: 77,
    yourDiscriminator: 0,
    desiredMinTxInterval: 1_000_000,
    requiredMinRxInterval: 50_000,
    requiredMinEchoRxInterval: 0,
    ...packet,
  })
  const addresses = { source: '10.0.0.2', destination: '10.0.0.1', sourcePort: 50_000, port: 3784 }
  return { ...addresses, hopLimit: 255, data, ...change }
}

for (const [name, address, remote] of [
  ['IPv4', '10.0.0.1', '10.0.0.2'],
  ['IPv6', 'fd00::1', 'fd00::2'],
  ['link-local IPv6', 'fe80::1%eth0', 'fe80::2%eth0'],
] as const) {
  t.test(`RFC 5881 section 3: a single-hop session over ${name} comes Up`, async t => {
    const { network, a, b } = pair()
    const [near] = a.start({ address: remote, ...FAST })
    const [far] = b.start({ address, ...FAST })
    network.advance(3000)
    t.equal(near?.state, 'Up')
    t.equal(far?.state, 'Up')
    t.match(near?.snapshot, { remoteState: 'Up', transmitInterval: 50_000, detectionTime: 150_000 })
    const { packetsReceived, upTransitions, downTransitions, discards } = near!.counters
    t.ok(packetsReceived > 40, `${packetsReceived} packets`)
    t.same({ upTransitions, downTransitions, discards }, { upTransitions: 1, downTransitions: 0, discards: {} })
  })
}

t.test('RFC 5881 section 4: TTL 255, a source port of its own for each session, the same all the time', async t => {
  const { network, a, b } = pair()
  a.start({ address: '10.0.0.2', ...FAST }, { address: 'fd00::2', ...FAST })
  b.start({ address: '10.0.0.1', ...FAST }, { address: 'fd00::1', ...FAST })
  network.advance(5000)
  const ports = new Map<string, Set<number>>()
  for (const { source, sourcePort, port, hopLimit } of network.sent) {
    t.equal(hopLimit, 255)
    t.equal(port, 3784)
    t.ok(sourcePort >= 49_152 && sourcePort <= 65_535, `${sourcePort}`)
    ports.set(source, (ports.get(source) ?? new Set()).add(sourcePort))
  }
  t.equal(ports.size, 4)
  t.ok([...ports.values()].every(set => set.size === 1))
  t.not([...ports.get('10.0.0.1')!][0], [...ports.get('fd00::1')!][0])
})

t.test(
  'RFC 5880 section 6.8.4: silence takes the session down after the Detection Time, no sooner, no later',
  async t => {
    const { network, near } = up()
    network.loses = () => true
    const last = network.sent.findLast(({ source }) => source === '10.0.0.2')!
    const { now } = network
    network.advance((last.at + 100 + 150_000 - now) / 1000 - 0.01)
    t.equal(near.state, 'Up')
    network.advance(0.02)
    t.equal(near.state, 'Down')
    t.equal(near.snapshot.diagnostic, 1)
    t.same(near.history, ['Up', 'Down'])
  },
)

t.test('RFC 5880 section 6.8.4: a thread that stalls accuses no living peer', async t => {
  for (const stall of [60, 151, 200, 1000]) {
    const { network, a, near } = up()
    near.change({ ...FAST, transmitInterval: 1500 }) // else our silence would be noticed
    network.advance(5000)
    a.stall(stall)
    network.advance(3000)
    t.same(near.history, ['Up'], `${stall} ms`)
    t.ok(near.counters.transmitLateness.most < stall * 1000 + 2000)
  }
})

t.test('RFC 5880 section 6.8.4: a thread that stalls still notices a dead peer', async t => {
  const { network, a, near } = up()
  network.loses = () => true
  a.stall(400)
  network.advance(402)
  t.same(near.history, ['Up', 'Down'])
})

t.test('RFC 5880 section 6.8.2: transmissions keep to absolute deadlines', async t => {
  const { network, near, far } = up({ transmitInterval: 1000, receiveInterval: 20, detectMultiplier: 5 })
  near.change({ transmitInterval: 20, receiveInterval: 1000, detectMultiplier: 5 })
  network.advance(20_000)
  const { packetsSent } = near.counters
  network.advance(60_000)
  const sent = near.counters.packetsSent - packetsSent
  t.ok(sent > 60_000 / 20 && sent < 60_000 / 15, `${sent} packets in a minute`)
  t.ok(near.counters.transmitLateness.most < 1)
  t.equal(far.counters.downTransitions, 0)
  const { least, most, mean } = far.counters.arrivalInterval
  t.ok(least >= 15_000 - 1 && most <= 20_000 + 1 && mean > 16_000 && mean < 19_000, `${least} ${mean} ${most}`)
})

t.test('RFC 5881 section 5: another TTL than 255 is discarded', async t => {
  const { network, a, near } = up()
  const { yourDiscriminator, myDiscriminator } = near.snapshot
  const attack = { state: 'AdminDown', myDiscriminator: yourDiscriminator, yourDiscriminator: myDiscriminator } as const
  for (const hopLimit of [254, 64, 1]) network.carry(datagram({ hopLimit }, attack))
  network.advance(1000)
  t.equal(near.state, 'Up')
  t.same(a.counters.discards, { ttl: 3 })
})

t.test("RFC 5881 section 3: packets that come in by another interface are not the session's", async t => {
  const { network, a, near } = up()
  const { yourDiscriminator, myDiscriminator } = near.snapshot
  a.arrivalIndex = 3
  network.loses = ({ source, sourcePort }) => source === '10.0.0.2' && sourcePort !== 50_000
  network.carry(datagram({}, { state: 'Up', myDiscriminator: yourDiscriminator, yourDiscriminator: myDiscriminator }))
  network.carry(datagram({}, { myDiscriminator: yourDiscriminator }))
  network.advance(10)
  t.same(near.counters.discards, { interface: 1 }, 'with our discriminator')
  t.same(a.counters.discards, { interface: 1 }, 'by its address')
  network.advance(200)
  t.equal(near.state, 'Down')
})

t.test('RFC 5880 section 6.8.6: packets for no session are counted by reason', async t => {
  const { network, a, near } = up()
  const bad = (change: Partial<Datagram>, packet: Partial<ControlPacket> = {}): void =>
    network.carry(datagram(change, packet))
  bad({ source: '10.0.0.9' })
  bad({}, { yourDiscriminator: 12_345, state: 'Up' })
  bad({ data: new Uint8Array(23) })
  bad({ data: new Uint8Array(24) })
  const zero = datagram().data
  zero.fill(0, 4, 8)
  bad({ data: zero })
  network.advance(10)
  t.same(a.counters.discards, {
    'unknown-source': 1,
    'unknown-discriminator': 1,
    'my-discriminator': 1,
    truncated: 1,
    version: 1,
  })
  t.same(near.history, ['Up'])
})

t.test("RFC 5880 section 6.7: packets without the authentication are the session's to count", async t => {
  const authentication = { type: 'meticulous-keyed-sha1', keyId: 1, key: 'secret' } as const
  const { network, a, near } = up({ ...FAST, authentication })
  t.equal(near.state, 'Up')
  const { yourDiscriminator, myDiscriminator } = near.snapshot
  network.carry(datagram({}, { myDiscriminator: yourDiscriminator, yourDiscriminator: myDiscriminator }))
  network.advance(1000)
  t.equal(near.state, 'Up')
  t.same(near.counters.discards, { 'authentication-missing': 1 })
  t.same(a.counters.discards, {})
})

t.test('RFC 5883 section 5: a multihop session takes packets of the minimum TTL, on port 4784', async t => {
  const { network, a, b } = pair()
  a.hops = b.hops = 3
  const [strict] = a.start({ address: '10.0.0.2', multihop: true, minimumTtl: 253, ...FAST })
  b.start({ address: '10.0.0.1', multihop: true, minimumTtl: 252, ...FAST })
  network.advance(5000)
  t.equal(strict?.state, 'Down')
  t.ok((strict?.counters.discards.ttl ?? 0) > 0)
  t.ok(network.sent.every(({ port }) => port === 4784))
  strict!.change({ minimumTtl: 252, ...FAST })
  network.advance(5000)
  t.equal(strict?.state, 'Up')
})

t.test('RFC 5883 section 4: multihop sessions of one remote system are told apart by our address', async t => {
  const network = new VirtualNetwork()
  const a = network.host('a', ['10.0.0.1/24', '10.0.1.1/24'])
  const b = network.host('b', ['10.0.0.2/24'])
  const common = { multihop: true, ...FAST }
  const [first, second] = a.start(
    { address: '10.0.0.2', localAddress: '10.0.0.1', ...common },
    { address: '10.0.0.2', localAddress: '10.0.1.1', ...common },
  )
  b.start({ address: '10.0.0.1', ...common }, { address: '10.0.1.1', ...common })
  network.advance(5000)
  t.equal(first?.state, 'Up')
  t.equal(second?.state, 'Up')
  t.not(first?.snapshot.yourDiscriminator, second?.snapshot.yourDiscriminator)
})

t.test('RFC 5883: a single-hop session takes nothing from the multihop port, whose TTL is not checked', async t => {
  const { network, near } = up()
  const { yourDiscriminator, myDiscriminator } = near.snapshot
  const attack = { state: 'AdminDown', myDiscriminator: yourDiscriminator, yourDiscriminator: myDiscriminator } as const
  network.carry(datagram({ port: 4784, hopLimit: 100 }, attack))
  network.advance(1000)
  t.equal(near.state, 'Up')
  t.same(near.counters.discards, { interface: 1 })
})

t.test('RFC 5880 section 6.8.16: a session that ends says AdminDown for a Detection Time', async t => {
  const { network, a, near, far } = up()
  const before = network.sent.length
  network.loses = ({ source }) => source === '10.0.0.1' && network.sent.length === before + 1
  near.tell('remove')
  network.advance(60)
  t.equal(far.state, 'Down', 'although the first packet was lost')
  t.match(far.snapshot, { remoteState: 'AdminDown', diagnostic: 3 })
  network.advance(1000)
  const said = network.sent.slice(before).filter(({ source }) => source === '10.0.0.1')
  t.ok(said.length >= 2 && said.length <= 4, `${said.length} packets`)
  t.ok(said.at(-1)!.at - said[0]!.at <= 150_000)
  t.equal(a.openTransmits, 0)
})

t.test('RFC 5880 section 6.8.16: a session made anew is not spoken against by the one before it', async t => {
  const { network, a, near, far } = up({ transmitInterval: 300, receiveInterval: 300 })
  near.tell('remove')
  const again = a.add({ address: '10.0.0.2', ...FAST })
  network.advance(5000)
  t.equal(again.state, 'Up')
  t.same(far.history, ['Up', 'Down', 'Up'])
})

t.test('closing says AdminDown everywhere, then leaves nothing open', async t => {
  const { network, a, far } = up()
  a.close()
  t.equal(a.closed, false)
  network.advance(200)
  t.equal(a.closed, true)
  t.equal(far.snapshot.remoteState, 'AdminDown')
  t.equal(a.openTransmits, 0)
  t.equal(a.alarmOpen, false)
  t.ok(a.control.every(({ open }) => !open))
})

t.test('disable and enable', async t => {
  const { network, near, far } = up()
  near.tell('disable')
  network.advance(200)
  t.equal(near.state, 'AdminDown')
  t.match(far.snapshot, { state: 'Down', remoteState: 'AdminDown' })
  near.tell('enable')
  network.advance(5000)
  t.equal(near.state, 'Up')
  t.equal(far.state, 'Up')
})
