/** What a socket is told about an interface that goes, and what it asks of one: groups, modes, hop limits. */
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import {
  ETH_P_ALL,
  ETH_P_ARP,
  Icmpv6Socket,
  LinkMonitor,
  listAddresses,
  listLinks,
  listNeighbors,
  PacketSocket,
  RtnetlinkMonitor,
  UdpSocket,
  watchRtnetlink,
  type Icmpv6Packet,
} from '@typemetal/sockets'
import { arpFrame } from './frame-samples.js'
import { addIpv6, enterNamespace, indexOf, ip, makePair, until } from './namespace.js'

const ignore = (): void => undefined
const show = (line: string): string => spawnSync('ip', line.split(' '), { encoding: 'utf8' }).stdout
const openDescriptors = (): number => readdirSync('/proc/self/fd').length

async function testPacketOptions(): Promise<void> {
  const va = indexOf(listLinks(), 'va')
  const vb = indexOf(listLinks(), 'vb')
  const open = (options: object = {}): PacketSocket =>
    new PacketSocket({ interfaceIndex: vb, etherType: ETH_P_ARP, onFrames: ignore, ...options })

  await t.test('packet(7): membership of a group, as often left as joined, and not beyond the socket', async t => {
    const group = Uint8Array.of(0x33, 0x33, 0xff, 0, 0, 0x77)
    const isJoined = (): boolean => show('maddress show dev vb').includes('33:33:ff:00:00:77')
    const socket = open()
    socket.joinGroup(group)
    socket.joinGroup(group)
    t.equal(isJoined(), true)
    socket.leaveGroup(group)
    t.equal(isJoined(), true)
    socket.leaveGroup(group)
    t.equal(isJoined(), false)
    socket.leaveGroup(group)
    socket.joinGroup(group)
    socket.close()
    t.equal(isJoined(), false, 'closing leaves')
    using other = open()
    t.throws(() => other.joinGroup(new Uint8Array(9)), { name: 'RangeError', message: /^group must have / })
    t.throws(() => other.joinGroup(new Uint8Array(8)), { code: 'EINVAL', syscall: 'setsockopt' })
  })

  await t.test('packet(7): promiscuous and all-multicast mode last as long as the socket', async t => {
    const modes = (): string =>
      /promiscuity (\d+) .*allmulti (\d+)/.exec(show('-d link show dev vb'))?.slice(1).join() ?? ''
    t.equal(modes(), '0,0')
    const first = open({ promiscuous: true, allMulticast: true })
    const second = open({ promiscuous: true })
    t.equal(modes(), '2,1')
    first.close()
    t.equal(modes(), '1,0')
    second.close()
    t.equal(modes(), '0,0')
  })

  await t.test('frames that are cut are counted', async t => {
    let frames = 0
    using receiver = open({ frameSpace: 42, onFrames: (batch: unknown[]) => (frames += batch.length) })
    using sender = open({ interfaceIndex: va })
    sender.sendBatch([arpFrame('10.0.0.1'), new Uint8Array([...arpFrame('10.0.0.1'), 0]), arpFrame('10.0.0.1')])
    await until(() => frames === 3)
    t.same(receiver.statistics(), { packets: 3, drops: 0, truncated: 1 })
  })

  await t.test('options that are none are refused by name', async t => {
    for (const [name, value] of [
      ['interfaceIndex', 0],
      ['interfaceIndex', -1],
      ['interfaceIndex', 1.5],
      ['etherType', 0x10000],
      ['frameSpace', 0],
      ['frameSpace', 1e9],
    ] as const)
      t.throws(() => open({ [name]: value }), {
        name: 'RangeError',
        message: new RegExp(`^${name}(\\[0\\])? must be `),
      })
    const icmp = (options: object): Icmpv6Socket =>
      new Icmpv6Socket({ interfaceIndex: vb, types: [], onPackets: ignore, ...options })
    for (const [name, value] of [
      ['interfaceIndex', 0],
      ['hopLimit', 256],
      ['types', [256]],
      ['types', [-1]],
    ] as const)
      t.throws(() => icmp({ [name]: value }), {
        name: 'RangeError',
        message: new RegExp(`^${name}(\\[0\\])? must be `),
      })
    const udp = { address: '127.0.0.1', port: 0, dataSpace: 0, onPackets: ignore }
    t.throws(() => new UdpSocket(udp), { name: 'RangeError', message: /^dataSpace must be / })
  })
}

async function testIcmpv6(): Promise<void> {
  const va = indexOf(listLinks(), 'va')
  const vb = indexOf(listLinks(), 'vb')
  await addIpv6('fe80::a', 'va')
  await addIpv6('fd00::a', 'va')
  await addIpv6('fe80::b', 'vb')

  await t.test('RFC 3542 section 6: hop limit and source address of one message', async t => {
    const packets: Icmpv6Packet[] = []
    const onPackets = (batch: readonly Icmpv6Packet[]): void => {
      for (const packet of batch) packets.push({ ...packet, data: packet.data.slice() })
    }
    using receiver = new Icmpv6Socket({ interfaceIndex: vb, types: [200], onPackets })
    using sender = new Icmpv6Socket({ interfaceIndex: va, types: [], onPackets: ignore })
    const message = Uint8Array.of(200, 0, 0, 0)
    sender.send(message, 'ff02::1')
    sender.send(message, 'ff02::1', { hopLimit: 7 })
    sender.send(message, 'ff02::1', { source: 'fd00::a' })
    sender.send(message, 'fe80::b', { source: 'fe80::a', hopLimit: 0 })
    await until(() => packets.length === 4)
    t.same(
      packets.map(({ source, hopLimit, destination }) => `${source} ${hopLimit} ${destination}`),
      ['fe80::a 255 ff02::1', 'fe80::a 7 ff02::1', 'fd00::a 255 ff02::1', 'fe80::a 0 fe80::b'],
    )
    t.equal(receiver.drops(), 0)
    t.throws(() => sender.send(message, 'ff02::1', { source: 'fd00::9' }), { code: 'EINVAL' })
    t.throws(() => sender.send(message, 'ff02::1', { source: '10.0.0.1' }), TypeError)
    t.throws(() => sender.send(message, 'ff02::1', { hopLimit: 256 }), {
      name: 'RangeError',
      message: /^hopLimit must be /,
    })
  })

  await t.test('messages that are cut or dropped are counted', async t => {
    let packets = 0
    const options = { interfaceIndex: vb, types: [200], receiveBuffer: 4096 }
    using receiver = new Icmpv6Socket({ ...options, onPackets: batch => (packets += batch.length) })
    using sender = new Icmpv6Socket({ interfaceIndex: va, types: [], onPackets: ignore })
    sender.send(Uint8Array.of(200, ...new Uint8Array(2999)), 'ff02::1')
    await until(() => packets === 1)
    t.equal(receiver.truncated, 1)
    t.equal(sender.truncated, 0)
    for (let i = 0; i < 100; i++) sender.send(Uint8Array.of(200, 0, 0, 0), 'ff02::1')
    await until(() => packets + receiver.drops() === 101)
    t.ok(receiver.drops() > 0)
  })

  await t.test('a socket for memberships alone holds no process open', async t => {
    const script = `
      import { Icmpv6Socket } from '@typemetal/sockets'
      const socket = new Icmpv6Socket({ interfaceIndex: ${vb}, types: [], onPackets() {} })
      socket.joinGroup('ff02::1:ff00:1')`
    const words = ['--input-type=module', '-e', script]
    t.equal(
      spawnSync(process.execPath, words, { timeout: 300_000, cwd: fileURLToPath(new URL('.', import.meta.url)) })
        .status,
      0,
    )
  })
}

async function testVanishing(): Promise<void> {
  await t.test(
    'interfaces that go and come while frames fly: every socket lives, and nothing is left open',
    async t => {
      ip('link delete va')
      const before = openDescriptors()
      let events = 0
      using monitor = new LinkMonitor({ onChange: () => void listLinks() })
      using changes = new RtnetlinkMonitor({
        kinds: ['link', 'address', 'neighbor', 'route'],
        onChanges: ({ length }) => (events += length),
        onLost: ignore,
      })
      for (let round = 0; round < 15; round++) await flight(round)
      t.ok(events > 15 * 4, `${events} changes`)
      monitor.close()
      changes.close()
      await until(() => openDescriptors() <= before)
      t.ok(openDescriptors() <= before)
    },
  )

  await t.test('rtnetlink: what was asked of an interface that is gone', async t => {
    makePair('va', 'vb')
    const vb = indexOf(listLinks(), 'vb')
    await using watch = watchRtnetlink({ kinds: ['link'] })
    ip('link delete va')
    const names: string[] = []
    for await (const event of watch) {
      if (event.kind === 'link' && event.change === 'deleted') names.push(event.value.name)
      if (names.length === 2) break
    }
    t.same(names.toSorted(), ['va', 'vb'])
    t.throws(() => listAddresses({ interfaceIndex: vb }), { code: 'ENODEV', message: /no such interface/ })
    t.same(listNeighbors({ interfaceIndex: vb }), [])
  })
}

/** Opens sockets on a pair, and takes the pair away while all of them are at work. */
async function flight(round: number): Promise<void> {
  makePair('va', 'vb')
  const va = indexOf(listLinks(), 'va')
  const vb = indexOf(listLinks(), 'vb')
  ip('address add fe80::b/64 dev vb nodad')
  const errors: string[] = []
  const onError = ({ code }: { code: string }): void => void errors.push(code)
  let frames = 0
  using receiver = new PacketSocket({
    interfaceIndex: vb,
    etherType: ETH_P_ALL,
    promiscuous: true,
    onFrames: batch => (frames += batch.length),
    onError,
  })
  receiver.joinGroup(Uint8Array.of(1, 0, 0x5e, 0, 0, 1))
  using sender = new PacketSocket({ interfaceIndex: va, etherType: ETH_P_ARP, onFrames: ignore, onError })
  using icmp = new Icmpv6Socket({ interfaceIndex: vb, types: [135, 136], onPackets: ignore, onError })
  icmp.joinGroup('ff02::1:ff00:1')
  using udp = new UdpSocket({ address: '0.0.0.0', port: 0, device: 'vb', onPackets: ignore, onError })
  const flood = setInterval(
    () => tryTo(() => sender.sendBatch(Array.from({ length: 64 }, () => arpFrame('10.0.0.1')))),
    0,
  )
  await until(() => frames > 0)
  ip(`link delete ${round % 2 === 0 ? 'va' : 'vb'}`)
  await until(() => errors.filter(code => code === 'ENETDOWN').length >= 2)
  clearInterval(flood)
  // Each of them may fail, and none may do worse.
  for (const call of [
    () => receiver.send(arpFrame('10.0.0.1')),
    () => receiver.joinGroup(Uint8Array.of(1, 0, 0x5e, 0, 0, 2)),
    () => receiver.leaveGroup(Uint8Array.of(1, 0, 0x5e, 0, 0, 1)),
    () => receiver.statistics(),
    () => icmp.send(Uint8Array.of(135), 'ff02::1'),
    () => icmp.leaveGroup('ff02::1:ff00:1'),
    () => udp.send(Uint8Array.of(1), '10.0.0.1', 9),
    () => udp.drain(1),
  ])
    tryTo(call)
  await Promise.all([receiver.writable(), icmp.writable(), udp.writable()])
}

/** Fails with a SocketError or not at all. */
function tryTo(call: () => unknown): void {
  try {
    call()
  } catch (error) {
    if ((error as Error).name !== 'SocketError') throw error
  }
}

async function testAll(): Promise<void> {
  makePair('va', 'vb')
  await testPacketOptions()
  await testIcmpv6()
  await testVanishing()
}

if (await enterNamespace(import.meta.url)) await testAll()
