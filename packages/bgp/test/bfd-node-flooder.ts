import { UdpSocket } from '@typemetal/sockets'
import { encodeControlPacket, type ControlPacket } from '@typemetal/bgp/bfd'

/** Its arguments. */
export type FloodArguments = readonly [destination: string, packetsPerSecond: string]

/** Sends bad BFD packets until it is ended: arguments are the destination, and packets a second. */
const [destination = '', rate = '5000'] = process.argv.slice(2)

const packet = (change: Partial<ControlPacket> = {}): Uint8Array =>
  encodeControlPacket({
    diagnostic: 0,
    state: 'Up',
    poll: false,
    final: false,
    controlPlaneIndependent: false,
    demand: false,
    detectMult: 3,
    myDiscriminator: 1,
    yourDiscriminator: 4711,
    desiredMinTxInterval: 50_000,
    requiredMinRxInterval: 50_000,
    requiredMinEchoRxInterval: 0,
    ...change,
  })

function octet(place: number, value: number): Uint8Array {
  const octets = packet()
  octets[place] = value
  return octets
}

const near = new UdpSocket({ address: '0.0.0.0', port: 0, ttl: 255 })
const far = new UdpSocket({ address: '0.0.0.0', port: 0, ttl: 64 })
const target = near.destination(destination, 3784)
const KINDS: readonly (readonly [UdpSocket, Uint8Array])[] = [
  [far, packet()],
  [far, packet({ state: 'AdminDown', yourDiscriminator: 0 })],
  [near, packet()],
  [near, octet(0, 0)],
  [near, octet(1, 0x01)],
  [near, new Uint8Array(10)],
  [near, new Uint8Array(24)],
]

const begin = performance.now()
let sent = 0

function burst(): void {
  const due = Math.min(((performance.now() - begin) / 1000) * Number(rate), sent + 1000)
  for (; sent < due; sent++) {
    const [socket, octets] = KINDS[sent % KINDS.length]!
    socket.sendTo(octets, target)
  }
  setTimeout(burst, 1)
}
burst()
