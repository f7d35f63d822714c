import t from 'tap'
import { arpRequest, type AddressCounters } from '@typemetal/arp-ndp/responder'
import { Answerer } from '../dist/node/answerer.js'
import type { Report } from '../dist/node/messages.js'
import { parseAddress } from '../dist/address.js'
import { hex } from './octets.js'
import { link, VirtualPlatform, type VirtualSocket } from './virtual-platform.js'

type Wanted = Parameters<Answerer['change']>[0][number]

/** An answerer in a virtual world, and all it reported. */
function world(prepare: (platform: VirtualPlatform) => void = () => {}) {
  const platform = new VirtualPlatform()
  prepare(platform)
  const reports: Report[] = []
  const answerer = new Answerer(platform, { excludeInterfaces: ['^lo$'], scanInterval: 10_000 }, report =>
    reports.push(report),
  )
  return { platform, reports, answerer }
}
function started(prepare?: (platform: VirtualPlatform) => void) {
  const all = world(prepare)
  all.answerer.start()
  return all
}
const wanted = (address: string, interfaces: Wanted['interfaces'] = 'all'): Wanted => ({
  ...parseAddress(address),
  interfaces,
})
const V4 = wanted('192.0.2.1')
const V6 = wanted('2001:db8::1')
/** Source MAC addresses of what a socket sent. */
const senders = (socket: VirtualSocket): string[] => [
  ...new Set(socket.sent.map(frame => Buffer.from(frame.subarray(6, 12)).toString('hex'))),
]
const counters = (answerer: Answerer, address: string): AddressCounters | undefined =>
  (answerer.answer('counters') as ReadonlyMap<string, AddressCounters>).get(address)
const changes = (reports: readonly Report[]): string[] =>
  reports.flatMap(report =>
    report.type === 'responder' ? [`${report.change.action} ${report.change.protocol} ${report.change.interface}`] : [],
  )
const logs = (reports: readonly Report[]): string[] =>
  reports.flatMap(report => (report.type === 'log' ? [report.message] : []))
const request = (address: Uint8Array): Uint8Array => arpRequest(hex('020000000099'), hex('c000024d'), address)

t.test('start: responders, known interfaces, ready', async t => {
  const { reports, platform } = started()
  t.same(changes(reports), ['create arp eth0', 'create ndp eth0'])
  t.same(reports[0], { type: 'interfaces', names: ['eth0'] })
  t.same(reports.at(-1), { type: 'ready' })
  t.same(platform.socket('arp').targets, [], 'nothing is let through while nothing is owned')
})

t.test('a burst, its counters, and a withdrawal', async t => {
  const { platform, answerer } = started()
  answerer.change([V4, V6], [])
  platform.advance(0)
  t.equal(platform.socket('arp').sent.length, 2, 'at once')
  t.same(platform.socket('arp').targets, ['192.0.2.1'])
  t.same(platform.socket('ndp').targets, ['2001:db8::1'])
  t.same(platform.joined, ['ff02::1:ff00:1'])
  platform.advance(10_000)
  t.equal(platform.socket('arp').sent.length, 10)
  t.equal(platform.socket('ndp').sent.length, 5)
  t.equal(counters(answerer, '192.0.2.1')?.gratuitousSent, 10)
  t.equal(counters(answerer, '2001:db8::1')?.gratuitousSent, 5)
  answerer.announce('192.0.2.1')
  answerer.announce('192.0.2.9')
  platform.advance(0)
  t.equal(platform.socket('arp').sent.length, 12, 'again, on demand')
  answerer.change([], ['192.0.2.1', '2001:db8::1'])
  platform.advance(10_000)
  t.equal(platform.socket('arp').sent.length, 12, 'withdrawn in silence')
  t.same(platform.joined, [])
  t.same(platform.socket('arp').targets, [])
})

t.test('an answer goes out in the same turn and is counted when sent', async t => {
  const { platform, answerer } = started()
  answerer.change([V4], [])
  platform.advance(10_000)
  const socket = platform.socket('arp')
  socket.sent.length = 0
  socket.options.onFrames([request(V4.octets), request(hex('c0000209')), request(V4.octets)])
  t.equal(socket.sent.length, 2)
  t.match(counters(answerer, '192.0.2.1'), { requestsReceived: 2, responsesSent: 2 })
  socket.room = 0
  socket.options.onFrames([request(V4.octets)])
  t.match(counters(answerer, '192.0.2.1'), { requestsReceived: 3, responsesSent: 2 }, 'the transmit queue is full')
  socket.room = 1
  platform.advance(1)
  t.match(counters(answerer, '192.0.2.1'), { requestsReceived: 3, responsesSent: 3 }, 'sent a millisecond later')
  t.match(answerer.answer('statistics'), [{ protocol: 'arp', drops: new Map([['not-owned', 1]]) }, { protocol: 'ndp' }])
})

t.test('the kernel’s filter never keeps a request for a new address from us', async t => {
  const { platform, answerer } = started()
  answerer.change([V4], [])
  t.equal(platform.socket('arp').targets, undefined, 'wide at once')
  t.same(platform.socket('ndp').targets, [], 'where nothing has come, nothing changes')
  platform.advance(0)
  t.same(platform.socket('arp').targets, ['192.0.2.1'], 'narrow soon after')
})

t.test('interfaces of an address', async t => {
  const { platform, answerer } = started(platform => (platform.linkList = [link(), link({ index: 3, name: 'eth1' })]))
  answerer.change([wanted('192.0.2.1', ['eth1']), wanted('2001:db8::1', ['eth1'])], [])
  platform.advance(0)
  t.equal(platform.socket('arp', 2).sent.length, 0)
  t.equal(platform.socket('arp', 3).sent.length, 2)
  t.same(platform.joined, ['ff02::1:ff00:1'], 'joined on one interface only')
  answerer.change([wanted('2001:db8::1', ['eth0'])], [])
  platform.advance(0)
  t.same(platform.joined, ['ff02::1:ff00:1'], 'moved to the other')
  t.same([platform.socket('ndp', 2).targets, platform.socket('ndp', 3).targets], [['2001:db8::1'], []])
})

t.test('a MAC change: responders are replaced and everything is announced from the new one', async t => {
  const { platform, answerer, reports } = started()
  answerer.change([V4, V6], [])
  platform.advance(20_000)
  const old = platform.socket('arp')
  platform.linkList = [link({ mac: '02:00:00:00:00:02' })]
  platform.changed()
  platform.advance(20)
  t.notOk(old.open)
  t.same(changes(reports).slice(2), ['delete arp eth0', 'delete ndp eth0', 'create arp eth0', 'create ndp eth0'])
  t.same(senders(platform.socket('arp')), ['020000000002'])
  t.equal(platform.socket('arp').sent.length, 2, 'at once')
  t.equal(platform.socket('ndp').sent.length, 1)
  t.same(platform.joined, ['ff02::1:ff00:1'], 'joined again')
  platform.advance(10_000)
  t.equal(platform.socket('arp').sent.length, 10, 'and a whole burst')
  t.same(platform.socket('arp').targets, ['192.0.2.1'])
})

t.test('NDP that comes later joins the groups of all addresses there are; they are counted right', async t => {
  const { platform, answerer } = started(platform => (platform.linkList = [link({ addresses: [] })]))
  answerer.change([V6, wanted('2001:db8:1::1'), wanted('2001:db8::2')], [])
  platform.advance(0)
  t.same(platform.joined, [])
  platform.linkList = [link()]
  platform.changed()
  platform.advance(20)
  t.same(platform.joined, ['ff02::1:ff00:1', 'ff02::1:ff00:2'])
  t.equal(platform.socket('ndp').sent.length, 3, 'and announces them')
  answerer.change([], ['2001:db8::1'])
  t.same(platform.joined, ['ff02::1:ff00:1', 'ff02::1:ff00:2'], 'shared with 2001:db8:1::1')
  answerer.change([], ['2001:db8:1::1', '2001:db8::2'])
  t.same(platform.joined, [])
  answerer.change([V6], [])
  t.same(platform.joined, ['ff02::1:ff00:1'], 'a re-announcement joins')
})

t.test('an interface that vanishes and returns; the poll finds what no event told', async t => {
  const { platform, answerer, reports } = started()
  answerer.change([V4], [])
  platform.advance(0)
  platform.linkList = []
  platform.advance(10_000)
  t.same(changes(reports).slice(2), ['delete arp eth0', 'delete ndp eth0'])
  platform.linkList = [link({ index: 9 }), link({ index: 1, name: 'lo' })]
  platform.advance(10_000)
  t.equal(platform.socket('arp', 9).sent.length, 2)
  t.same(
    reports.flatMap(report => (report.type === 'interfaces' ? [report.names] : [])),
    [['eth0'], [], ['eth0']],
  )
})

t.test('a carrier that returns, and a link that was down between two looks, are announced on', async t => {
  const { platform, answerer } = started()
  answerer.change([V4], [])
  platform.advance(20_000)
  const socket = platform.socket('arp')
  const look = (flags: number): void => {
    platform.linkList = [link({ flags })]
    platform.changed()
    platform.advance(20)
  }
  socket.sent.length = 0
  look(0x1003)
  t.equal(socket.sent.length, 0, 'carrier lost: nothing to say')
  look(0x1043)
  t.equal(socket.sent.length, 2)
  platform.advance(20_000)
  t.ok(socket.open, 'the same responder')
  socket.sent.length = 0
  socket.options.onError(Object.assign(new Error('network is down'), { code: 'ENETDOWN' }))
  look(0x1043)
  t.equal(socket.sent.length, 2)
})

t.test('link events are gathered: a storm costs one look', async t => {
  const { platform } = started()
  for (let i = 0; i < 50; i++) platform.changed()
  platform.advance(20)
  t.equal(platform.looks, 2)
  platform.advance(9999)
  t.equal(platform.looks, 2)
  platform.advance(1)
  t.equal(platform.looks, 3, 'the poll counts from the last look')
})

t.test('a storm that does not end cannot keep the look away', async t => {
  const { platform } = started()
  for (let i = 0; i < 100; i++) {
    platform.changed()
    platform.advance(10)
  }
  t.ok(platform.looks > 20, `${platform.looks} looks in a second`)
})

t.test('a responder that cannot be created is told once, tried again, and leaves the other alone', async t => {
  const { platform, reports } = started(platform => platform.refusals.set('ndp', 'EADDRNOTAVAIL'))
  t.same(changes(reports), ['create arp eth0'])
  platform.advance(50_000)
  t.equal(logs(reports).length, 1)
  platform.refusals.set('ndp', 'ENOMEM')
  platform.advance(20_000)
  t.equal(logs(reports).length, 2, 'another reason is another line')
  platform.refusals.clear()
  platform.advance(10_000)
  t.same(changes(reports), ['create arp eth0', 'create ndp eth0'])
})

t.test('without the privilege, starting fails with EPERM', async t => {
  const { answerer } = world(platform => platform.refusals.set('ndp', 'EPERM').set('arp', 'EPERM'))
  t.throws(() => answerer.start(), { code: 'EPERM' })
})

t.test('links that cannot be listed: at the start an error, later a warning', async t => {
  const broken = world(platform => (platform.broken = true))
  t.throws(() => broken.answerer.start(), { code: 'EBUSY' })
  const { platform, reports } = started()
  platform.broken = true
  platform.advance(10_000)
  t.same(logs(reports), ['looking at the interfaces has failed'])
  t.ok(platform.socket('arp').open, 'what stands stays')
  platform.broken = false
  platform.advance(10_000)
  t.equal(platform.looks, 3)
})

t.test('more groups than a socket holds', async t => {
  const { platform, answerer } = started(platform => (platform.groupsPerSocket = 100))
  const many = Array.from({ length: 250 }, (_, i) => wanted(`2001:db8::${(i + 1).toString(16)}`))
  answerer.change(many, [])
  platform.advance(0)
  t.equal(platform.joined.length, 250)
  t.equal(platform.groups.size, 3)
  t.equal(platform.socket('ndp').targets, undefined, 'too many for the kernel’s filter')
  answerer.change(
    [],
    many.slice(1).map(({ text }) => text),
  )
  platform.advance(0)
  t.same(platform.joined, ['ff02::1:ff00:1'])
  t.same(platform.socket('ndp').targets, ['2001:db8::1'])
})

t.test('5,000 addresses at once: every frame goes out, requests in between are answered', async t => {
  const { platform, answerer } = started()
  const many = Array.from({ length: 5000 }, (_, i) => wanted(`10.0.${i >> 8}.${i & 255}`))
  const socket = platform.socket('arp')
  socket.room = 1000
  answerer.change(many, [])
  t.ok(socket.sent.length < 200, 'the first turn of the loop is short')
  for (let i = 0; i < 10 && socket.sent.length < 10_000; i++) {
    platform.advance(1)
    socket.room = 1000
  }
  t.equal(socket.sent.length, 10_000)
  const targets = new Set(socket.sent.map(frame => Buffer.from(frame.subarray(38, 42)).toString('hex')))
  t.equal(targets.size, 5000)
  t.match(answerer.answer('statistics'), [{ sendDrops: 0 }, {}])
})

t.test('an address withdrawn while its round waits is not announced', async t => {
  const { platform, answerer } = started()
  const many = Array.from({ length: 200 }, (_, i) => wanted(`10.0.0.${i}`))
  answerer.change(many, [])
  answerer.change([], ['10.0.0.199'])
  platform.advance(100)
  t.equal(platform.socket('arp').sent.length, 398)
})

t.test('a sending that fails is told once and costs the frames, nothing else', async t => {
  const { platform, answerer, reports } = started()
  platform.socket('arp').sendFailure = 'ENXIO'
  answerer.change([V4], [])
  platform.advance(10_000)
  t.equal(logs(reports).length, 1)
  t.equal(counters(answerer, '192.0.2.1')?.gratuitousSent, 0)
  t.match(answerer.answer('statistics'), [{ sendDrops: 10 }, {}])
})

t.test('close: no socket, no group, no timer is left', async t => {
  const { platform, answerer } = started()
  answerer.change([V4, V6], [])
  platform.socket('arp').room = 0
  answerer.announce('192.0.2.1')
  answerer.close()
  t.ok(platform.sockets.every(({ open }) => !open))
  t.equal(platform.groups.size, 0)
  t.equal(platform.pending, 0)
  answerer.close()
})
