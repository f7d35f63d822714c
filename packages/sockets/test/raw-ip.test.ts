import t from 'tap'
import { ETH_P_IP, ETH_P_IPV6, listLinks, PacketSocket, RawIpSocket } from '@typemetal/sockets'
import { parseAddress } from '@typemetal/sockets/wire'
import { addIpv6, enterNamespace, indexOf, ip, makePair, until } from './namespace.js'

const MAC = [0x02, 0, 0, 0, 0, 0x0b]

/** An IP packet with nothing in it, from an address to the same address. */
function selfAddressed(text: string): Uint8Array {
  const { family, octets } = parseAddress(text)
  const packet = new Uint8Array(family === 4 ? 20 : 40)
  if (family === 4) packet.set([0x45, 0xc0, 0, 20, 0, 0, 0, 0, 255, 253])
  else packet.set([0x6c, 0, 0, 0, 0, 0, 59, 255])
  packet.set(octets, family === 4 ? 12 : 8)
  packet.set(octets, family === 4 ? 16 : 24)
  return packet
}

async function testRawIp(): Promise<void> {
  makePair('va', 'vb')
  ip('address add 10.0.0.1/24 dev va')
  await addIpv6('fd00::1', 'va')
  ip('neighbour add 10.0.0.2 lladdr 02:00:00:00:00:0b dev va')
  ip('neighbour add fd00::2 lladdr 02:00:00:00:00:0b dev va')
  const interfaceIndex = indexOf(listLinks(), 'vb')

  for (const { family, etherType, own, next } of [
    { family: 4, etherType: ETH_P_IP, own: '10.0.0.1', next: '10.0.0.2' },
    { family: 6, etherType: ETH_P_IPV6, own: 'fd00::1', next: 'fd00::2' },
  ] as const) {
    await t.test(`IPv${family}: a packet that is addressed to this host goes to the next hop`, async t => {
      const frames: Uint8Array[] = []
      const onFrames = (batch: readonly Uint8Array[]): void => void frames.push(...batch.map(frame => frame.slice()))
      using receiver = new PacketSocket({ interfaceIndex, etherType, onFrames })
      using socket = new RawIpSocket({ family, device: 'va' })
      const packet = selfAddressed(own)
      t.equal(socket.sendTo(packet, socket.nextHop(next)), 0)
      await until(() => frames.some(frame => frame.length === 14 + packet.length))
      const frame = frames.find(({ length }) => length === 14 + packet.length)!
      t.same([...frame.subarray(0, 6)], MAC)
      const at = family === 4 ? 12 : 0
      t.same(frame.subarray(14 + at), packet.subarray(at))
      t.equal(receiver.statistics().drops, 0)
    })

    await t.test(`IPv${family}: errors`, async t => {
      const socket = new RawIpSocket({ family })
      t.throws(() => socket.nextHop(family === 4 ? '::1' : 'x'), TypeError)
      t.throws(() => socket.nextHop('fe80::1%nowhere'), family === 4 ? TypeError : { code: 'ENODEV' })
      const unreachable = family === 4 ? '192.0.2.1' : '2001:db8::1'
      t.equal(socket.sendTo(selfAddressed(own), socket.nextHop(unreachable)), 101, 'ENETUNREACH')
      const name = socket.nextHop(next)
      socket.close()
      socket.close()
      t.equal(socket.sendTo(selfAddressed(own), name), 9, 'EBADF')
      t.throws(() => new RawIpSocket({ family, device: 'nowhere' }), { code: 'ENODEV' })
    })
  }
}

if (await enterNamespace(import.meta.url)) await testRawIp()
