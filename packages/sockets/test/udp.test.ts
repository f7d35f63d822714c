import t from 'tap'
import { UdpSocket, type UdpBatch, type UdpPacket } from '@typemetal/sockets'
import { assemble, bpf } from '@typemetal/sockets/bpf'
import { addIpv6, enterNamespace, indexOf, ip, makePair, queuedAt, settle, until } from './namespace.js'
import { listLinks, ETH_P_IP, ETH_P_IPV6, PacketSocket } from '@typemetal/sockets'

/** What a batch says of a datagram, kept. */
interface Heard {
  readonly data: string
  readonly hopLimit: number
  readonly interfaceIndex: number
  readonly source: string
  readonly sourcePort: number
  readonly destination: string
}

function keep(batch: UdpBatch, into: Heard[]): void {
  for (let index = 0; index < batch.length; index++) {
    into.push({
      data: Buffer.from(batch.data(index)).toString(),
      hopLimit: batch.hopLimit(index),
      interfaceIndex: batch.interfaceIndex(index),
      source: batch.source(index),
      sourcePort: batch.sourcePort(index),
      destination: batch.destination(index),
    })
  }
}

const text = (data: string): Uint8Array => Buffer.from(data)

async function testUdp(): Promise<void> {
  makePair('va', 'vb')
  ip('address add 10.0.0.1/24 dev va')
  const lo = indexOf(listLinks(), 'lo')

  for (const { family, address, any } of [
    { family: 4, address: '127.0.0.1', any: '0.0.0.0' },
    { family: 6, address: '::1', any: '::' },
  ]) {
    await t.test(
      `IPv${family}: a batch tells of each datagram what an object would, and is drained on demand`,
      async t => {
        const heard: Heard[] = []
        const objects: UdpPacket[] = []
        let batches = 0
        const onBatch = (batch: UdpBatch): void => {
          batches++
          keep(batch, heard)
        }
        using receiver = new UdpSocket({ address: any, port: 0, onBatch })
        using other = new UdpSocket({ address: any, port: 0, onPackets: packets => void objects.push(...packets) })
        using sender = new UdpSocket({ address, port: 0, ttl: 77 })
        t.equal(receiver.drain(1), undefined, 'nothing is there yet')
        t.equal(batches, 0)
        const target = sender.destination(address, receiver.port)
        let each = 0
        for (let index = 0; index < 100; index++) {
          t.equal(sender.sendTo(text(`datagram ${index}`), target), 0)
          if (index > 0) continue
          settle(() => (each = queuedAt(receiver.port)) > 0)
        }
        settle(() => queuedAt(receiver.port) === 100 * each)
        receiver.drain(1)
        t.equal(heard.length, 64, 'one batch')
        receiver.drain(10)
        t.equal(heard.length, 100, 'at once, without a turn of the loop')
        t.equal(batches, 2)
        sender.sendTo(text('datagram 0'), sender.destination(address, other.port))
        await until(() => objects.length === 1)
        const [{ data, ...rest } = { data: new Uint8Array() }] = objects
        t.same(heard[0], { ...rest, data: 'datagram 0' })
        t.match(heard[99], {
          hopLimit: 77,
          interfaceIndex: lo,
          source: address,
          sourcePort: sender.port,
          destination: address,
        })
        t.equal(data.length, 10)
      },
    )

    await t.test(
      `IPv${family}: filters see the UDP header, and the IP header behind loadNetwork; drops are counted`,
      async t => {
        const heard: Heard[] = []
        using receiver = new UdpSocket({ address, port: 0, onBatch: batch => keep(batch, heard) })
        using near = new UdpSocket({ address, port: 0, ttl: 255 })
        using far = new UdpSocket({ address, port: 0, ttl: 254 })
        const target = near.destination(address, receiver.port)
        let sent = 0
        const send = (): void => {
          for (const octets of ['yes', 'no']) {
            near.sendTo(text(octets), target)
            far.sendTo(text(octets), target)
            sent += 2
          }
          settle(() => {
            receiver.drain(10)
            return heard.length + receiver.drops() === sent
          })
        }
        receiver.setFilter(
          assemble([
            bpf.load('half', 4),
            bpf.jump('equal', 8 + 'yes'.length, { ifFalse: 'drop' }),
            bpf.loadNetwork('byte', family === 4 ? 8 : 7),
            bpf.jump('equal', 255, { ifFalse: 'drop' }),
            bpf.accept(),
            bpf.label('drop'),
            bpf.drop(),
          ]),
        )
        send()
        t.same(
          heard.map(({ data, hopLimit }) => `${data} ${hopLimit}`),
          ['yes 255'],
        )
        t.equal(receiver.drops(), 3)
        receiver.setFilter(undefined)
        send()
        t.equal(heard.length, 5)
        t.throws(() => receiver.setFilter(undefined), { code: 'ENOENT' })
        receiver.setFilter(
          assemble([
            bpf.loadAncillary('random'),
            bpf.jump('set', 1, { ifFalse: 'drop' }),
            bpf.accept(),
            bpf.label('drop'),
            bpf.drop(),
          ]),
        )
        for (let round = 0; round < 50; round++) send()
        t.ok(heard.length > 55 && heard.length < 155, `${heard.length - 5} of 200 by chance`)
      },
    )
  }

  await t.test('a receive buffer that is full is counted', async t => {
    let heard = 0
    using receiver = new UdpSocket({
      address: '127.0.0.1',
      port: 0,
      receiveBuffer: 4096,
      onBatch: ({ length }) => (heard += length),
    })
    using sender = new UdpSocket({ address: '127.0.0.1', port: 0 })
    const target = sender.destination('127.0.0.1', receiver.port)
    for (let index = 0; index < 100; index++) sender.sendTo(new Uint8Array(24), target)
    settle(() => {
      receiver.drain(10)
      return heard + receiver.drops() === 100
    })
    t.ok(heard > 0 && heard < 100, `${heard} of 100`)
  })

  await t.test('a socket that only sends keeps nothing, and no process open', async t => {
    const heard: UdpPacket[] = []
    using silent = new UdpSocket({ address: '127.0.0.1', port: 0 })
    using sender = new UdpSocket({ address: '127.0.0.1', port: 0, onPackets: packets => void heard.push(...packets) })
    sender.send(text('hello'), '127.0.0.1', silent.port)
    silent.drain(10)
    settle(() => silent.drops() > 0)
    t.equal(silent.drops(), 1)
    silent.send(text('hello'), '127.0.0.1', sender.port)
    await until(() => heard.length === 1)
  })

  await t.test('sendTo: an error is a number', async t => {
    const socket = new UdpSocket({ address: '0.0.0.0', port: 0, ttl: 255 })
    t.equal(socket.sendTo(text('x'), socket.destination('192.0.2.1', 9)), 101, 'ENETUNREACH')
    t.equal(socket.sendTo(new Uint8Array(70_000), socket.destination('127.0.0.1', 9)), 90, 'EMSGSIZE')
    t.throws(() => socket.destination('::1', 9), TypeError)
    t.throws(() => socket.destination('127.0.0.1', 65_536), RangeError)
    const target = socket.destination('127.0.0.1', 9)
    socket.close()
    t.equal(socket.sendTo(text('x'), target), 9, 'EBADF')
    t.throws(() => socket.drops(), { code: 'EBADF' })
  })

  await t.test('trafficClass: DSCP in the header of what is sent', async t => {
    await addIpv6('fd00::1', 'va')
    ip('neighbour add 10.0.0.2 lladdr 02:00:00:00:00:0b dev va')
    ip('neighbour add fd00::2 lladdr 02:00:00:00:00:0b dev va')
    const frames: Uint8Array[] = []
    const interfaceIndex = indexOf(listLinks(), 'vb')
    const onFrames = (batch: readonly Uint8Array[]): void => void frames.push(...batch.map(frame => frame.slice()))
    const isUdp = (frame: Uint8Array): boolean => frame[frame[12] === 8 ? 23 : 20] === 17
    using ipv4 = new PacketSocket({ interfaceIndex, etherType: ETH_P_IP, onFrames })
    using ipv6 = new PacketSocket({ interfaceIndex, etherType: ETH_P_IPV6, onFrames })
    using first = new UdpSocket({ address: '10.0.0.1', port: 0, trafficClass: 0xc0 })
    using second = new UdpSocket({ address: 'fd00::1', port: 0, trafficClass: 0xc0 })
    first.send(text('x'), '10.0.0.2', 9)
    second.send(text('x'), 'fd00::2', 9)
    await until(() => frames.filter(isUdp).length === 2)
    const [a, b] = frames.filter(isUdp).toSorted((one, other) => one[12]! - other[12]!)
    t.equal(a?.[15], 0xc0)
    t.equal(((b![14]! & 0x0f) << 4) | (b![15]! >> 4), 0xc0)
    t.throws(() => new UdpSocket({ address: '10.0.0.1', port: 0, trafficClass: 256 }), RangeError)
    frames.length = 0
    first.send(text('y'), '10.0.0.2', 9)
    settle(() => {
      ipv4.drain(1)
      return frames.length > 0
    })
    t.equal(frames.length, 1, 'frames are drained on demand as well')
    ipv6.drain(1)
  })

  await t.test('shareAddress: a socket of a device beside one of all', async t => {
    const heard: string[] = []
    using all = new UdpSocket({ address: '0.0.0.0', port: 4000, onPackets: () => void heard.push('all') })
    const open = (reuseAddress: boolean): UdpSocket =>
      new UdpSocket({
        address: '0.0.0.0',
        port: 4000,
        device: 'lo',
        reuseAddress,
        onPackets: () => void heard.push('lo'),
      })
    t.throws(() => open(true), { code: 'EADDRINUSE' }, 'both have to')
    all.shareAddress(true)
    t.throws(() => open(false), { code: 'EADDRINUSE' })
    using device = open(true)
    all.shareAddress(false)
    t.throws(() => open(true), { code: 'EADDRINUSE' }, 'no third one')
    device.send(text('x'), '127.0.0.1', 4000)
    await until(() => heard.length === 1)
    t.same(heard, ['lo'])
  })
}

if (await enterNamespace(import.meta.url)) await testUdp()
