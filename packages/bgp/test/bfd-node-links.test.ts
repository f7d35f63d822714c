import t from 'tap'
import { VirtualNetwork, type VirtualHost } from './bfd-node-network.js'
import { control } from './bfd-node-samples.js'

const FAST = { transmitInterval: 50, receiveInterval: 50 }

function pair(): { network: VirtualNetwork; a: VirtualHost; b: VirtualHost } {
  const network = new VirtualNetwork()
  const a = network.host('a', ['10.0.0.1/24'])
  const b = network.host('b', ['10.0.0.2/24'])
  return { network, a, b }
}

const warnings = (host: VirtualHost): readonly string[] =>
  host.reports.flatMap(report => (report.type === 'log' && report.level === 'warn' ? [report.message] : []))

t.test('an interface that is not there yet, goes away, and comes back with another index', async t => {
  const { network, a, b } = pair()
  const { links } = a
  a.links = links.slice(0, 1)
  const [session] = a.start({ address: '10.0.0.2', interface: 'eth0', ...FAST })
  b.start({ address: '10.0.0.1', ...FAST })
  network.advance(3000)
  t.equal(a.openTransmits, 0)
  t.equal(session?.state, 'Down')
  a.relink(links)
  network.advance(5000)
  t.equal(session?.state, 'Up')
  a.relink(links.slice(0, 1))
  network.advance(1000)
  t.equal(session?.state, 'Down')
  t.equal(a.openTransmits, 0)
  a.arrivalIndex = 7
  a.relink(links.map(link => (link.name === 'eth0' ? { ...link, index: 7 } : link)))
  network.advance(5000)
  t.equal(session?.state, 'Up')
  t.equal(a.openTransmits, 1)
  const ports = new Set(a.transmit.map(({ sourcePort }) => sourcePort))
  t.equal(ports.size, 1, 'the source port is the same')
})

t.test('an address of ours that is not there yet is tried again each second, and told once', async t => {
  const { network, a, b } = pair()
  const [session] = a.start({ address: '10.0.0.2', localAddress: '10.0.0.7', ...FAST })
  b.start({ address: '10.0.0.7', ...FAST })
  network.advance(3500)
  t.equal(session?.state, 'Down')
  t.same(warnings(a), ['a BFD session cannot send; it is tried again'])
  const [lo, eth0] = a.links
  a.links = [
    lo!,
    { ...eth0!, addresses: [...eth0!.addresses, { address: '10.0.0.7', prefixLength: 24, tentative: false }] },
  ]
  network.advance(5000)
  t.equal(session?.state, 'Up')
})

t.test('packets that cannot be sent are counted; each reason is told once until they go out again', async t => {
  const { network, a, b } = pair()
  const [session] = a.start({ address: '10.0.0.2', ...FAST })
  b.start({ address: '10.0.0.1', ...FAST })
  network.advance(5000)
  for (const code of ['ENETUNREACH', 'EPERM', undefined, 'EPERM']) {
    if (code === undefined) a.refusals.delete('send')
    else a.refusals.set('send', code)
    network.advance(5000)
  }
  t.ok(session!.counters.sendErrors > 6)
  t.equal(warnings(a).length, 3)
})

t.test('a system without IPv6 does without; one without the port does not start', async t => {
  const { network, a, b } = pair()
  a.refusals.set('ipv6', 'EAFNOSUPPORT')
  const [session] = a.start({ address: '10.0.0.2', ...FAST }, { address: 'fd00::2' })
  t.same(warnings(a), ['a BFD session cannot receive'])
  b.start({ address: '10.0.0.1', ...FAST })
  network.advance(5000)
  t.equal(session?.state, 'Up')
  const c = network.host('c', ['10.0.0.3/24'])
  c.refusals.set('control', 'EADDRINUSE')
  t.throws(() => c.system.start(), { code: 'EADDRINUSE' })
  c.close()
  t.equal(c.closed, true)
})

t.test('a socket of a device: refused at first, there with the device, closed with its last session', async t => {
  const { network, a, b } = pair()
  a.start()
  a.refusals.set('control', 'ENODEV')
  const session = a.add({ address: '10.0.0.2', device: 'red', ...FAST })
  b.start({ address: '10.0.0.1', ...FAST })
  t.match(warnings(a), ['a BFD session cannot receive'])
  a.refusals.delete('control')
  const links = [...a.links, { index: 9, name: 'red', up: true, addresses: [] }]
  a.relink(links)
  network.advance(10)
  const sockets = a.control.filter(({ options }) => options.device === 'red')
  t.equal(sockets.length, 1)
  a.relink(links.map(link => (link.name === 'red' ? { ...link, index: 10 } : link)))
  network.advance(10)
  const again = a.control.filter(({ options }) => options.device === 'red')
  t.same(
    again.map(({ open }) => open),
    [false, true],
  )
  session.tell('remove')
  network.advance(2000)
  t.ok(a.control.every(({ open, options }) => open === (options.device === undefined)))
})

t.test('a flood brings the filter, a filter that sessions pass; quiet takes it off', async t => {
  const { network, a, b } = pair()
  const [session] = a.start({ address: '10.0.0.2', ...FAST })
  b.start({ address: '10.0.0.1', ...FAST })
  network.advance(5000)
  const bad = { source: '10.0.0.66', destination: '10.0.0.1', sourcePort: 1, port: 3784, hopLimit: 255 }
  const spoofed = {
    ...bad,
    source: '10.0.0.2',
    data: control(1, { state: 'Down', yourDiscriminator: 0 }).fill(0, 4, 8),
  }
  const flood = (count: number): void => {
    for (let index = 0; index < count; index++) {
      network.carry({ ...bad, data: control(1, { yourDiscriminator: 5 }) })
      network.carry(spoofed)
    }
    network.advance(20)
  }
  for (let round = 0; round < 50; round++) flood(20)
  t.match(a.counters, { floods: 1, filteredSockets: 1, discards: { 'unknown-discriminator': 520 } })
  const socket = a.control[0]!
  t.match(socket.filter, { minimumTtl: 255, sources: [], sparing: false }, 'an Up system knows our discriminator')
  const other = a.add({ address: '10.0.0.3', ...FAST })
  t.match(socket.filter, { sources: ['10.0.0.3'] })
  t.equal(socket.filter?.discriminators.length, 2)
  other.tell('remove')
  t.equal(socket.filter?.discriminators.length, 1)
  network.loses = ({ source }) => source === '10.0.0.2'
  network.advance(1000)
  t.equal(session?.state, 'Down')
  t.match(socket.filter, { sources: ['10.0.0.2'] }, 'a system that may have forgotten us is heard')
  network.loses = () => false
  network.advance(10_000)
  t.equal(session?.state, 'Up')
  t.equal(socket.filter, undefined)
  t.match(a.counters, { floods: 1, filteredSockets: 0 })
  t.ok(a.counters.kernelDrops >= 960, `${a.counters.kernelDrops}`)
})

/** The links of a host, with a device of that index. */
const withRed = (host: VirtualHost, index: number): VirtualHost['links'] => [
  ...host.links.filter(({ name }) => name !== 'red'),
  { index, name: 'red', up: true, addresses: [] },
]

t.test('RFC 5883: a device that is made anew is sent from anew', async t => {
  const { network, a } = pair()
  a.links = withRed(a, 9)
  a.start({ address: '198.51.100.1', multihop: true, device: 'red', ...FAST })
  network.advance(100)
  t.equal(a.transmit.length, 1)
  a.relink(withRed(a, 9))
  network.advance(100)
  t.equal(a.transmit.length, 1, 'the same')
  a.relink(a.links.filter(({ name }) => name !== 'red'))
  network.advance(100)
  a.relink(withRed(a, 10))
  network.advance(100)
  t.equal(a.transmit.length, 2)
  t.equal(a.openTransmits, 1)
})

t.test('a socket of a device that cannot be opened anew is tried again, and does no harm meanwhile', async t => {
  const { network, a, b } = pair()
  a.links = withRed(a, 9)
  a.start({ address: '198.51.100.1', multihop: true, device: 'red', ...FAST })
  const [session] = [a.add({ address: '10.0.0.2', ...FAST })]
  b.start({ address: '10.0.0.1', ...FAST })
  a.refusals.set('control', 'ENODEV')
  a.relink(withRed(a, 10))
  network.advance(5000)
  t.equal(session?.state, 'Up')
  t.same(warnings(a), ['a BFD socket cannot be opened; it is tried again'], 'told once')
  const red = (): boolean[] => a.control.filter(({ options }) => options.device === 'red').map(({ open }) => open)
  t.same(red(), [false])
  a.refusals.delete('control')
  network.advance(1100)
  t.same(red(), [false, true])
})

t.test('a filtered socket that is closed with its last session is counted no more', async t => {
  const { network, a } = pair()
  a.links = withRed(a, 9)
  const [session] = a.start({ address: '198.51.100.1', multihop: true, device: 'red', ...FAST })
  const socket = a.control.find(({ options }) => options.device === 'red')
  const bad = { source: '10.0.0.66', destination: '10.0.0.1', sourcePort: 1, port: 4784, hopLimit: 255 }
  for (let count = 0; count < 1001; count++) socket?.accept({ ...bad, data: new Uint8Array(1) }, 2)
  socket?.drain()
  t.match(a.counters, { filteredSockets: 1 })
  session?.tell('remove')
  network.advance(2000)
  t.match(a.counters, { filteredSockets: 0, floods: 1 })
})
