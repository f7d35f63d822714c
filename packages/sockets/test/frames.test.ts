import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import {
  ETH_P_ALL,
  ETH_P_ARP,
  ETH_P_IPV6,
  Icmpv6Socket,
  listLinks,
  PacketSocket,
  type Icmpv6Packet,
  type SocketError,
} from '@typemetal/sockets'
import { arpRequests, neighborSolicitations } from '@typemetal/sockets/bpf'
import { parseAddress } from '@typemetal/sockets/wire'
import { arpFrame, solicitationFrame } from './frame-samples.js'
import { addIpv6, enterNamespace, indexOf, ip, makePair, settle, until } from './namespace.js'

const SOLICITATION = 135
const FD00_1 = [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]
const solicitation = (): Uint8Array => solicitationFrame(FD00_1).slice(54)

/** A socket that keeps copies of what it receives. */
function listen(interfaceIndex: number, options: Partial<ConstructorParameters<typeof PacketSocket>[0]> = {}) {
  const frames: Uint8Array[] = []
  const batches: number[] = []
  const errors: SocketError[] = []
  const socket = new PacketSocket({
    interfaceIndex,
    etherType: ETH_P_ARP,
    onFrames(batch) {
      batches.push(batch.length)
      for (const frame of batch) frames.push(frame.slice())
    },
    onError: error => errors.push(error),
    ...options,
  })
  return { socket, frames, batches, errors, [Symbol.dispose]: () => socket.close() }
}

async function testFrames(): Promise<void> {
  makePair('va', 'vb')
  const va = indexOf(listLinks(), 'va')
  const vb = indexOf(listLinks(), 'vb')

  await t.test('packet(7): a frame arrives as it was sent', async t => {
    using receiver = listen(vb)
    using sender = listen(va)
    sender.socket.send(arpFrame('10.0.0.1'))
    await until(() => receiver.frames.length === 1)
    t.same(receiver.frames, [arpFrame('10.0.0.1')])
    t.same(sender.frames, [], 'its own frames are left out')
  })

  await t.test('PACKET_IGNORE_OUTGOING can be turned off', async t => {
    using observer = listen(va, { ignoreOutgoing: false, etherType: ETH_P_ALL })
    using sender = listen(va)
    sender.socket.send(arpFrame('10.0.0.1'))
    await until(() => observer.frames.length === 1)
    t.same(observer.frames, [arpFrame('10.0.0.1')], 'what another socket sends')
  })

  await t.test('recvmmsg, sendmmsg: 1000 frames of several lengths in batches, in order', async t => {
    using receiver = listen(vb, { receiveBuffer: 4_000_000 })
    using sender = listen(va)
    const frames = Array.from({ length: 1000 }, (_, i) => {
      const frame = new Uint8Array(60 + (i % 7))
      frame.set(arpFrame(`10.0.${i >> 8}.${i & 255}`))
      return frame
    })
    t.equal(sender.socket.sendBatch(frames), 1000)
    await until(() => receiver.frames.length === 1000)
    t.same(receiver.frames, frames)
    t.equal(Math.max(...receiver.batches), 64)
    t.same(receiver.socket.statistics(), { packets: 1000, drops: 0, truncated: 0 })
    t.same(receiver.socket.statistics(), { packets: 1000, drops: 0, truncated: 0 }, 'totals, though the kernel forgets')
    t.equal(sender.socket.sendBatch([]), 0)
  })

  await t.test('SO_ATTACH_FILTER: the kernel drops what the program does not want', async t => {
    using receiver = listen(vb, { filter: arpRequests(['10.0.0.1']) })
    using everything = listen(vb, { etherType: ETH_P_ALL })
    using sender = listen(va)
    sender.socket.sendBatch([arpFrame('10.0.0.2'), arpFrame('10.0.0.1', 2), arpFrame('10.0.0.1')])
    await until(() => everything.frames.length === 3)
    await until(() => receiver.frames.length === 1)
    t.same(receiver.frames, [arpFrame('10.0.0.1')])
    t.equal(receiver.socket.statistics().packets, 1, 'the others were never queued')
    receiver.socket.setFilter(arpRequests(['10.0.0.2']))
    sender.socket.sendBatch([arpFrame('10.0.0.1'), arpFrame('10.0.0.2')])
    await until(() => receiver.frames.length === 2)
    t.same(receiver.frames[1], arpFrame('10.0.0.2'), 'another filter on the open socket')
  })

  await t.test('neighbour solicitations, filtered from other IPv6', async t => {
    using receiver = listen(vb, { etherType: ETH_P_IPV6, filter: neighborSolicitations(['fd00::1']) })
    using sender = listen(va, { etherType: ETH_P_IPV6 })
    const wanted = solicitationFrame(FD00_1)
    sender.socket.sendBatch([
      solicitationFrame(FD00_1.with(15, 2)),
      solicitationFrame(FD00_1, { hopLimit: 64 }),
      wanted,
    ])
    await until(() => receiver.frames.length === 1)
    t.same(receiver.frames, [wanted])
  })

  await t.test('promiscuous mode; frames for other hosts are not for a responder', async t => {
    const foreign = arpFrame('10.0.0.1')
    foreign.set([2, 0, 0, 0, 0, 0x77])
    using receiver = listen(vb, { promiscuous: true })
    using filtered = listen(vb, { filter: arpRequests() })
    using sender = listen(va)
    sender.socket.sendBatch([foreign, arpFrame('10.0.0.1')])
    await until(() => receiver.frames.length === 2 && filtered.frames.length === 1)
    t.same(filtered.frames, [arpFrame('10.0.0.1')])
  })

  await t.test('PACKET_STATISTICS counts what a full receive buffer dropped', async t => {
    using receiver = listen(vb, { receiveBuffer: 4096 })
    using sender = listen(va)
    t.equal(sender.socket.sendBatch(Array.from({ length: 500 }, () => arpFrame('10.0.0.1'))), 500)
    settle(() => receiver.socket.statistics().packets >= 500)
    const { packets, drops } = receiver.socket.statistics()
    t.equal(packets, 500)
    t.ok(drops > 0 && drops < 500, `${drops} dropped`)
    await until(() => receiver.frames.length === 500 - drops)
  })

  await t.test('frames longer than frameSpace are cut', async t => {
    using receiver = listen(vb, { frameSpace: 40 })
    using sender = listen(va)
    sender.socket.send(arpFrame('10.0.0.1'))
    await until(() => receiver.frames.length === 1)
    t.same(receiver.frames, [arpFrame('10.0.0.1').subarray(0, 40)])
  })

  await t.test('closing in a callback, twice, and using it afterwards', async t => {
    let calls = 0
    const socket = new PacketSocket({
      interfaceIndex: vb,
      etherType: ETH_P_ARP,
      onFrames() {
        calls++
        socket.close()
      },
    })
    using sender = listen(va)
    sender.socket.sendBatch(Array.from({ length: 300 }, () => arpFrame('10.0.0.1')))
    await until(() => calls === 1)
    using witness = listen(vb)
    sender.socket.send(arpFrame('10.0.0.1'))
    await until(() => witness.frames.length === 1)
    t.equal(calls, 1)
    socket.close()
    t.throws(() => socket.send(arpFrame('10.0.0.1')), { code: 'EBADF', syscall: 'sendmsg' })
    t.throws(() => socket.statistics(), { code: 'EBADF' })
  })

  await t.test('an exception in a callback is an uncaught one, as in any event', async t => {
    const script = `
      import { ETH_P_ARP, listLinks, PacketSocket } from '@typemetal/sockets'
      process.on('uncaughtException', error => { console.log(error.message); socket.close() })
      const open = (name, onFrames) => {
        const interfaceIndex = listLinks().find(link => link.name === name).index
        return new PacketSocket({ interfaceIndex, etherType: ETH_P_ARP, onFrames })
      }
      const socket = open('vb', () => { throw new Error('mine') })
      const sender = open('va', () => {})
      sender.send(new Uint8Array([255,255,255,255,255,255, 2,0,0,0,0,1, 8,6, 0,1]))
      sender.close()`
    const cwd = fileURLToPath(new URL('.', import.meta.url))
    const { stdout, status } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
      timeout: 300_000,
      cwd,
    })
    t.match(stdout, /^mine\n/)
    t.equal(status, 0)
  })

  await t.test('RFC 3542: ICMPv6 with hop limit, destination and interface', async t => {
    await addIpv6('fe80::a', 'va')
    await addIpv6('fe80::b', 'vb')
    const packets: Icmpv6Packet[] = []
    const copy = (batch: readonly Icmpv6Packet[]): void => {
      for (const packet of batch) packets.push({ ...packet, data: packet.data.slice() })
    }
    using receiver = new Icmpv6Socket({ interfaceIndex: vb, types: [SOLICITATION], onPackets: copy })
    using sender = new Icmpv6Socket({ interfaceIndex: va, types: [], source: 'fe80::a', onPackets: copy })
    using near = new Icmpv6Socket({ interfaceIndex: va, types: [], hopLimit: 64, onPackets: copy })
    sender.send(solicitation(), 'ff02::1:ff00:1')
    receiver.joinGroup('ff02::1:ff00:1')
    sender.send(Uint8Array.of(128, 0, 0, 0, 0, 0, 0, 0), 'ff02::1')
    sender.send(solicitation(), 'ff02::1:ff00:1')
    near.send(solicitation(), 'ff02::1')
    await until(() => packets.length === 2)
    const [first, second] = packets
    t.match(first, { source: 'fe80::a', destination: 'ff02::1:ff00:1', hopLimit: 255, interfaceIndex: vb })
    t.equal(first?.data.length, 24)
    t.not(first?.data[2], 0, 'the kernel wrote the checksum')
    t.match(second, { hopLimit: 64, destination: 'ff02::1' })
    t.throws(() => receiver.joinGroup('ff02::1:ff00:1'), { code: 'EADDRINUSE', message: /joined already/ })
    receiver.leaveGroup(parseAddress('ff02::1:ff00:1').octets)
    t.throws(() => receiver.leaveGroup(new Uint8Array(4)), { name: 'TypeError', message: /^group must have / })
    t.throws(() => receiver.leaveGroup('ff02::1:ff00:1'), { code: 'EADDRNOTAVAIL', message: /not been joined/ })
    t.throws(() => sender.send(solicitation(), '10.0.0.1'), TypeError)
    t.throws(() => new Icmpv6Socket({ interfaceIndex: va, types: [], source: 'fd00::9', onPackets: copy }), {
      code: 'EADDRNOTAVAIL',
      syscall: 'bind',
    })
  })

  await t.test('an interface that goes down tells, and is heard again when it comes up', async t => {
    using receiver = listen(vb)
    using sender = listen(va)
    ip('link set dev vb down')
    await until(() => receiver.errors.length === 1)
    t.match(receiver.errors[0], { name: 'SocketError', code: 'ENETDOWN', syscall: 'recvmsg', errno: 100 })
    ip('link set dev vb up')
    await until(() => listLinks().some(link => link.index === va && link.operstate === 'up'))
    sender.socket.send(arpFrame('10.0.0.1'))
    await until(() => receiver.frames.length === 1)
    t.equal(receiver.errors.length, 1)
  })

  await t.test('an interface that vanishes: onError, no crash, clear errors', async t => {
    using receiver = listen(vb)
    using icmp = new Icmpv6Socket({ interfaceIndex: vb, types: [SOLICITATION], onPackets: () => undefined })
    ip('link delete va')
    await until(() => receiver.errors.length === 1)
    t.match(receiver.errors[0], { code: 'ENETDOWN' })
    t.throws(() => receiver.socket.send(arpFrame('10.0.0.1')), { code: 'ENXIO', message: /no such interface/ })
    t.throws(() => icmp.send(solicitation(), 'ff02::1'), { name: 'SocketError' })
    t.throws(() => icmp.joinGroup('ff02::1:ff00:2'), { code: 'ENODEV' })
    t.throws(() => listen(vb), { code: 'ENODEV', syscall: 'bind' })
    t.equal(receiver.errors.length, 1, 'told once')
  })
}

if (await enterNamespace(import.meta.url)) await testFrames()
