/** What happens when the kernel takes no more: it is reported, can be waited for, and nothing is lost in silence. */
import { spawnSync } from 'node:child_process'
import t from 'tap'
import {
  ETH_P_ARP,
  Icmpv6Socket,
  listLinks,
  PacketSocket,
  RawIpSocket,
  UdpSocket,
  type PacketSocketOptions,
} from '@typemetal/sockets'
import { arpFrame } from './frame-samples.js'
import { addIpv6, enterNamespace, indexOf, ip, lateTurn, makePair, until } from './namespace.js'

const FRAMES = 1500
/** For what is to arrive; the rest has a queue that no busy machine sees empty. */
const FAST = '1mbit'
const ignore = (): void => undefined
const run = (command: string, words: readonly string[]): boolean => spawnSync(command, words).status === 0

/** Puts a queue in front of `va` that lets so much through; 290 frames fill the send buffer, and 30 a queue of 2 KB. */
function throttle(words: string, rate = '500kbit'): boolean {
  run('tc', ['qdisc', 'delete', 'dev', 'va', 'root'])
  const line = `qdisc add dev va root tbf rate ${rate} burst 2kb ${words}`
  return run('tc', line.split(' '))
}

/** A frame that says which one it is. */
function numbered(index: number): Uint8Array {
  const frame = new Uint8Array(60)
  frame.set(arpFrame(`10.0.${index >> 8}.${index & 255}`))
  return frame
}

async function testWritable(): Promise<void> {
  makePair('va', 'vb')
  const va = indexOf(listLinks(), 'va')
  const vb = indexOf(listLinks(), 'vb')
  const open = (options: Partial<PacketSocketOptions> = {}): PacketSocket =>
    new PacketSocket({ interfaceIndex: va, etherType: ETH_P_ARP, onFrames: ignore, ...options })
  /** Keeps the numbers of what comes from now on. */
  const listen = (): { heard: number[] } & Disposable => {
    const heard: number[] = []
    const onFrames = (batch: readonly Uint8Array[]): void => {
      for (const frame of batch) heard.push((frame[40]! << 8) | frame[41]!)
    }
    const socket = open({ interfaceIndex: vb, receiveBuffer: 8_000_000, onFrames })
    return { heard, [Symbol.dispose]: () => socket.close() }
  }
  const frames = Array.from({ length: FRAMES }, (_, index) => numbered(index))
  const inOrder = Array.from({ length: FRAMES }, (_, index) => index)
  const skip = throttle('latency 100s') ? false : 'needs tc (Debian package iproute2) and the queue tbf in the kernel'

  for (const { name, queue } of [
    { name: 'EAGAIN: the send buffer is full', queue: 'latency 100s' },
    { name: 'ENOBUFS: the transmit queue is full', queue: 'limit 3000' },
  ]) {
    await t.test(
      `${name}: sendBatch says how many, writable when to go on; all arrive, in order, once`,
      { skip },
      async t => {
        throttle(queue, FAST)
        using receiver = listen()
        const { heard } = receiver
        using socket = open()
        let waits = 0
        for (let rest = frames; (rest = rest.slice(socket.sendBatch(rest))).length > 0; waits++) await socket.writable()
        t.ok(waits > 0, `${waits} times`)
        t.ok(waits < FRAMES, 'without spinning')
        await until(() => heard.length >= FRAMES)
        t.same(heard, inOrder)
      },
    )

    await t.test(`${name}: onWritable calls once for any number of refusals`, { skip }, async t => {
      throttle(queue, FAST)
      using receiver = listen()
      const { heard } = receiver
      let calls = 0
      let rest = frames
      const go = (): void => {
        calls++
        for (let twice = 0; twice < 2; twice++) rest = rest.slice(socket.sendBatch(rest))
      }
      using socket = open({ onWritable: go })
      go()
      await until(() => heard.length >= FRAMES)
      t.same(heard, inOrder)
      t.ok(calls > 1 && calls < FRAMES, `${calls} calls`)
      await lateTurn(20) // the last refusal's call has come as well
      const before = calls
      socket.send(frames[0]!)
      await until(() => heard.length > FRAMES)
      t.equal(calls, before, 'and not when nothing was refused')
    })
  }

  await t.test('send throws what sendBatch counts', { skip }, async t => {
    const flood = (socket: PacketSocket): void => frames.forEach(frame => socket.send(frame))
    throttle('limit 3000')
    using first = open()
    t.throws(() => flood(first), { code: 'ENOBUFS', syscall: 'sendmsg', message: /transmit queue is full/ })
    throttle('latency 100s')
    using second = open()
    t.throws(() => flood(second), { code: 'EAGAIN', message: /send buffer is full/ })
  })

  await t.test('SO_SNDBUF: a larger send buffer takes more at once', { skip }, async t => {
    throttle('latency 100s')
    using small = open()
    const before = small.sendBatch(frames)
    throttle('latency 100s')
    using large = open({ sendBuffer: 8_000_000 })
    t.ok(large.sendBatch(frames) > 2 * before)
  })

  await t.test('waiting ends with the signal, with the socket, and with the interface', { skip }, async t => {
    throttle('latency 100s')
    using socket = open()
    for (let round = 0; round < 3; round++) socket.sendBatch(frames)
    const aborted = new AbortController()
    const waits = [socket.writable(aborted.signal), socket.writable(aborted.signal)]
    aborted.abort(new Error('enough'))
    for (const wait of waits) await t.rejects(wait, { message: 'enough' })
    await t.rejects(socket.writable(aborted.signal), { message: 'enough' }, 'aborted before')
    await socket.writable()
    for (let round = 0; round < 3; round++) socket.sendBatch(frames)
    const closed = [socket.writable(), socket.writable(AbortSignal.timeout(60_000))]
    socket.close()
    for (const wait of closed) await t.rejects(wait, { name: 'SocketError', code: 'EBADF' })
    await t.rejects(socket.writable(), { code: 'EBADF' })
  })

  await t.test('an interface that goes down while somebody waits: sending tells', { skip }, async t => {
    throttle('latency 100s')
    const errors: string[] = []
    using socket = open({ onError: ({ code }) => errors.push(code) })
    for (let round = 0; round < 3; round++) socket.sendBatch(frames)
    const wait = socket.writable()
    ip('link set dev va down')
    await wait
    t.throws(() => socket.sendBatch(frames), { code: 'ENETDOWN' })
    await until(() => errors.length > 0)
    t.same(errors, ['ENETDOWN'], 'which the reader hears as well')
    ip('link set dev va up')
    await until(() => listLinks().some(link => link.index === va && link.operstate === 'up'))
  })

  await t.test('a frame that cannot be sent: those before it are counted, the next call throws', async t => {
    run('tc', ['qdisc', 'delete', 'dev', 'va', 'root'])
    using receiver = listen()
    const { heard } = receiver
    using socket = open()
    const tooLong = new Uint8Array(3000)
    const batch = [...frames.slice(0, 100), tooLong, frames[100]!]
    t.equal(socket.sendBatch(batch), 100)
    t.throws(() => socket.sendBatch(batch.slice(100)), { code: 'EMSGSIZE', syscall: 'sendmmsg' })
    t.equal(socket.sendBatch(batch.slice(101)), 1)
    t.throws(() => socket.sendBatch([tooLong]), { code: 'EMSGSIZE' })
    await until(() => heard.length === 101)
    t.same(heard, inOrder.slice(0, 101))
  })

  await t.test('a socket that reads goes on reading while somebody waits to write', async t => {
    using socket = open()
    await Promise.all([socket.writable(), socket.writable(), socket.writable()])
    using other = open({ interfaceIndex: vb, onFrames: ignore })
    let frames = 0
    using reader = open({ onFrames: batch => (frames += batch.length) })
    other.send(numbered(1))
    await until(() => frames === 1)
    await reader.writable()
    other.send(numbered(2))
    await until(() => frames === 2)
    t.equal(frames, 2)
  })

  await t.test('UDP, ICMPv6 and raw IP: EAGAIN, and room again', { skip }, async t => {
    ip('address add 10.0.0.1/24 dev va')
    await addIpv6('fe80::a', 'va')
    ip('neighbor add 10.0.0.2 lladdr 02:00:00:00:00:0b dev va')
    ip('neighbor add fe80::b lladdr 02:00:00:00:00:0b dev va')
    throttle('latency 100s')
    const data = new Uint8Array(200)
    const EAGAIN = 11
    using udp = new UdpSocket({ address: '10.0.0.1', port: 0 })
    const target = udp.destination('10.0.0.2', 9)
    let errno = 0
    for (let i = 0; i < 5000 && errno === 0; i++) errno = udp.sendTo(data, target)
    t.equal(errno, EAGAIN)
    await udp.writable()
    t.equal(udp.sendTo(data, target), 0)
    udp.close()
    throttle('latency 100s')
    using icmp = new Icmpv6Socket({ interfaceIndex: va, types: [], onPackets: ignore })
    const flood = (): void => {
      for (let i = 0; i < 5000; i++) icmp.send(Uint8Array.of(128, ...data), 'fe80::b')
    }
    t.throws(flood, { code: /^EAGAIN$|^ENOBUFS$/ }, 'the kernel says ENOBUFS here as well')
    await icmp.writable()
    icmp.send(Uint8Array.of(128, ...data), 'fe80::b')
    throttle('latency 100s')
    using raw = new RawIpSocket({ family: 4 })
    const packet = new Uint8Array(220)
    packet.set([0x45, 0, 0, 220, 0, 0, 0, 0, 64, 253, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2])
    const next = raw.nextHop('10.0.0.2')
    errno = 0
    for (let i = 0; i < 5000 && errno === 0; i++) errno = raw.sendTo(packet, next)
    t.equal(errno, EAGAIN)
    await raw.writable()
    t.equal(raw.sendTo(packet, next), 0)
  })
}

if (await enterNamespace(import.meta.url)) await testWritable()
