import t from 'tap'
import { encodeEchoPacket } from '@typemetal/bgp/bfd'
import { encodeUdpInIp } from '../dist/bfd/node/ip-packet.js'
import { VirtualNetwork, type VirtualHost } from './bfd-node-network.js'

const ECHO = { transmitInterval: 300, receiveInterval: 300, echoMode: true, echoInterval: 50 }

/** Two systems whose session is Up and uses echo packets. */
function up(prepare: (a: VirtualHost, b: VirtualHost) => void = () => {}, address = { a: '10.0.0.1', b: '10.0.0.2' }) {
  const network = new VirtualNetwork()
  const a = network.host('a', ['10.0.0.1/24', 'fd00::1/64', 'fe80::1/64'])
  const b = network.host('b', ['10.0.0.2/24', 'fd00::2/64', 'fe80::2/64'])
  prepare(a, b)
  const [near] = a.start({ address: address.b, ...ECHO })
  const [far] = b.start({ address: address.a, ...ECHO })
  network.advance(20_000)
  return { network, a, b, near: near!, far: far! }
}

const warnings = (host: VirtualHost): readonly string[] =>
  host.reports.flatMap(report => (report.type === 'log' && report.level === 'warn' ? [report.message] : []))

const octets = (text: string): Uint8Array => Uint8Array.from(text.split('.').map(Number))

for (const [name, address] of [
  ['IPv4', { a: '10.0.0.1', b: '10.0.0.2' }],
  ['IPv6', { a: 'fd00::1', b: 'fd00::2' }],
] as const) {
  t.test(`RFC 5881 section 4: echo packets over ${name} that the remote system forwards back`, async t => {
    const { network, near, far } = up(undefined, address)
    t.match(near.snapshot, {
      state: 'Up',
      echoActive: true,
      requiredMinEchoRxInterval: 50_000,
      transmitInterval: 1_000_000,
    })
    const { echoPacketsSent } = near.counters
    network.advance(10_000)
    const { echoPacketsReceived, echoPacketsLooped } = near.counters
    const sent = near.counters.echoPacketsSent - echoPacketsSent
    t.ok(sent >= 200 && sent <= 270, `${sent} in ten seconds`)
    t.ok(near.counters.echoPacketsSent - echoPacketsReceived <= 1)
    t.equal(echoPacketsLooped, 0, 'the kernel does it')
    t.same(near.history, ['Up'])
    t.same(far.history, ['Up'])
  })
}

t.test('RFC 5880 section 6.4: echo packets that do not come back take the session down', async t => {
  const { network, b, near } = up()
  const accept = b.acceptEcho.bind(b)
  b.acceptEcho = (packet, from) => {
    if (packet[15] !== 1) accept(packet, from) // ours are lost
  }
  network.advance(400)
  t.equal(near.history[1], 'Down')
  const [down] = near.host.reports.filter(report => report.type === 'state' && report.to === 'Down')
  t.match(down, { details: { diagnostic: 2 } }, 'Echo Function Failed')
})

t.test('RFC 5881 section 4: where the kernel does not forward we loop, no faster than we have told', async t => {
  const { network, a, b, near, far } = up((a, b) => (a.forwarding = b.forwarding = false))
  t.match(near.snapshot, { state: 'Up', echoActive: true })
  t.same(near.history, ['Up'])
  t.ok(far.counters.echoPacketsLooped >= near.counters.echoPacketsReceived)
  t.ok(near.counters.echoPacketsReceived > 100)
  const echo = { source: octets('10.0.0.2'), destination: octets('10.0.0.2'), sourcePort: 3785, destinationPort: 3785 }
  const { echoPacketsLooped } = near.counters
  for (let count = 0; count < 1000; count++) {
    a.acceptEcho(encodeUdpInIp({ ...echo, hops: 255, payload: Uint8Array.of(1) }), b)
    network.advance(1)
  }
  const looped = near.counters.echoPacketsLooped - echoPacketsLooped
  t.ok(looped <= 48, `${looped} in the first second`)
  t.ok((a.counters.discards['echo-rate'] ?? 0) > 940)
})

t.test('echo packets that are addressed to us, as older implementations send them, go back with TTL 254', async t => {
  const { a, b, network } = up()
  const answers: Uint8Array[] = []
  const accept = b.acceptEcho.bind(b)
  b.acceptEcho = (packet, from) => {
    if (packet.at(-1) === 0x77) answers.push(packet)
    accept(packet, from)
  }
  const addresses = { source: octets('10.0.0.2'), destination: octets('10.0.0.1') }
  const packet = { ...addresses, sourcePort: 49_999, destinationPort: 3785, hops: 255, payload: Uint8Array.of(0x77) }
  a.acceptEcho(encodeUdpInIp(packet), b)
  a.acceptEcho(encodeUdpInIp({ ...packet, hops: 254 }), b)
  network.advance(5)
  const back = { source: packet.destination, destination: packet.source, sourcePort: 3785, destinationPort: 49_999 }
  t.same(answers, [encodeUdpInIp({ ...packet, ...back, hops: 254 })])
  t.match(a.counters.discards, { ttl: 1 })
})

t.test('RFC 5880 section 9: echo packets that are none of ours are discarded', async t => {
  const { a, b, network, near } = up()
  const { myDiscriminator } = near.snapshot
  const own = {
    source: octets('10.0.0.1'),
    destination: octets('10.0.0.1'),
    sourcePort: 3785,
    destinationPort: 3785,
    hops: 254,
  }
  const received = near.counters.echoPacketsReceived
  const forged = [
    encodeEchoPacket({ myDiscriminator, sequenceNumber: 1, cookie: 1 }),
    encodeEchoPacket({ myDiscriminator: 1, sequenceNumber: 1, cookie: 1 }),
    new Uint8Array(3),
  ]
  for (const payload of forged) a.acceptEcho(encodeUdpInIp({ ...own, payload }), b)
  a.acceptEcho(new Uint8Array(10), b)
  t.equal(near.counters.echoPacketsReceived, received)
  t.match(near.counters.discards, { echo: 1 })
  t.match(a.counters.discards, { 'unknown-echo': 2 })
  network.advance(1000)
  t.same(near.history, ['Up'])
})

t.test('a session does without echo packets where there can be none, and says so once', async t => {
  const { a, near, far } = up(a => a.refusals.set('echo', 'EPERM'))
  t.match(near.snapshot, { state: 'Up', echoActive: false, requiredMinEchoRxInterval: 0, transmitInterval: 300_000 })
  t.match(far.snapshot, { state: 'Up', echoActive: false })
  t.same(warnings(a), ['a BFD session does without echo packets'])
  const local = up(undefined, { a: 'fe80::1%eth0', b: 'fe80::2%eth0' })
  t.match(local.near.snapshot, { state: 'Up', echoActive: false })
  t.same(warnings(local.a), ['a BFD session does without echo packets'])
})

t.test('RFC 5880 section 6.8.3: the Echo function begins and ends while the session is Up', async t => {
  const { network, a, near } = up()
  near.change({ ...ECHO, echoMode: false })
  network.advance(5000)
  t.match(near.snapshot, { echoActive: false, transmitInterval: 300_000 })
  t.ok(
    a.echo.every(({ open }) => !open),
    'its sockets are closed',
  )
  near.change(ECHO)
  network.advance(5000)
  t.match(near.snapshot, { echoActive: true })
  near.tell('remove')
  network.advance(2000)
  t.ok(a.echo.every(({ open }) => !open))
  t.same(near.history, ['Up', 'AdminDown'])
})

t.test(
  'RFC 5880 section 6.4: two sessions with one remote system on one link both have their echo packets',
  async t => {
    const network = new VirtualNetwork()
    const [first, second] = ['10.0.0.1', '10.0.0.3'] as const
    const a = network.host('a', [`${first}/24`, `${second}/24`])
    const b = network.host('b', ['10.0.0.2/24'])
    const near = a.start(...[first, second].map(localAddress => ({ address: '10.0.0.2', localAddress, ...ECHO })))
    b.start(...[first, second].map(address => ({ address, ...ECHO })))
    network.advance(30_000)
    for (const session of near) {
      t.same(session.history, ['Up'])
      const { echoPacketsReceived, echoPacketsSent, sendErrors } = session.counters
      t.ok(echoPacketsReceived > 300 && echoPacketsSent - echoPacketsReceived <= 1, `${echoPacketsReceived}`)
      t.equal(sendErrors, 0)
    }
    near[0]!.tell('remove')
    network.advance(5000)
    t.same(near[1]!.history, ['Up'])
  },
)

t.test('RFC 5881 section 4: echo packets that have waited while we stalled go back together', async t => {
  const { a, b, far, near } = up((a, b) => (a.forwarding = b.forwarding = false))
  t.equal(far.state, 'Up')
  const addresses = { source: octets('10.0.0.2'), destination: octets('10.0.0.2') }
  const packet = { ...addresses, sourcePort: 3785, destinationPort: 3785, hops: 255, payload: Uint8Array.of(1) }
  const { echoPacketsLooped } = near.counters
  for (let count = 0; count < 6; count++) a.acceptEcho(encodeUdpInIp(packet), b)
  t.equal(near.counters.echoPacketsLooped - echoPacketsLooped, 6)
})
