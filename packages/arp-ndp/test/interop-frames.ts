/** Frames of our own making to send at a responder, and what comes back. */
import { setImmediate as turn } from 'node:timers/promises'
import { arpRequest, neighborSolicitation } from '@typemetal/arp-ndp/responder'
import {
  decodeArp,
  decodeEthernet,
  decodeIpv6,
  decodeNeighborAdvertisement,
  encodeEthernet,
  ETHERNET_HEADER_LENGTH,
  EtherType,
  formatMac,
  Icmpv6Type,
  icmpv6Type,
  isGroupMac,
  isVlanTag,
  parseMac,
  type VlanTag,
} from '@typemetal/arp-ndp/wire'
import { ETH_P_ALL, listLinks, PacketSocket } from '@typemetal/sockets'
import { formatAddress, parseAddress } from '../dist/address.js'

/** Frames to send at once on an interface, and how long to listen. */
export interface Exchange {
  readonly interface: string
  /** Hexadecimal. */
  readonly frames: readonly string[]
  /** Ends it early, with so many answers. */
  readonly answers: number
  /** Milliseconds. */
  readonly timeout: number
}

/** An ARP reply or a Neighbor Advertisement that came in. */
export interface AnswerSeen {
  /** Whose MAC address it is about. */
  readonly address: string
  /** What it says the MAC address is. */
  readonly mac: string
  /** Source of the Ethernet frame. */
  readonly source: string
  readonly destination: string
}

/** The same frames again and again. */
export interface Flood {
  readonly interface: string
  /** Hexadecimal. */
  readonly frames: readonly string[]
  /** Frames to send in all. */
  readonly count: number
}

/** Frames a system call, so that other work gets its turn in between. */
const BATCH = 64

/** Octets that the kernel may queue: answers to a thousand questions come at once. */
const RECEIVE_BUFFER = 16 * 1024 * 1024

const octetsOfAll = (frames: readonly string[]): Uint8Array[] =>
  frames.map(text => Uint8Array.from(Buffer.from(text, 'hex')))

/** The 4 or 16 octets of an address. */
export const octetsOf = (address: string): Uint8Array => parseAddress(address).octets

/** A frame as the commands of the agent take it. */
export const hexOf = (frame: Uint8Array): string => Buffer.from(frame).toString('hex')

function indexOf(name: string): number {
  const link = listLinks().find(link => link.name === name)
  if (link === undefined) throw new Error(`no interface ${name}`)
  return link.index
}

/** Sends frames and collects the answers to this interface until there are enough or the time is over. */
export async function exchange({
  interface: name,
  frames,
  answers,
  timeout,
}: Exchange): Promise<readonly AnswerSeen[]> {
  const seen: AnswerSeen[] = []
  let enough = (): void => {}
  const done = new Promise<void>(resolve => (enough = resolve))
  using socket = new PacketSocket({
    interfaceIndex: indexOf(name),
    etherType: ETH_P_ALL,
    receiveBuffer: RECEIVE_BUFFER,
    onFrames(received) {
      for (const frame of received) {
        const answer = answerOf(frame)
        if (answer && seen.push(answer) >= answers) enough()
      }
    },
  })
  const timer = setTimeout(enough, timeout)
  await sendAll(socket, octetsOfAll(frames))
  await done
  clearTimeout(timer)
  return seen
}

/** Sends as fast as the interface takes it. @returns frames sent and the milliseconds that took */
export async function flood({ interface: name, frames, count }: Flood): Promise<{ frames: number; took: number }> {
  const samples = octetsOfAll(frames)
  const begin = performance.now()
  using socket = new PacketSocket({ interfaceIndex: indexOf(name), etherType: 0, onFrames: () => {} })
  for (let sent = 0; sent < count; sent += BATCH) {
    const batch = Array.from({ length: Math.min(BATCH, count - sent) }, (_, i) => samples[(sent + i) % samples.length]!)
    await sendAll(socket, batch)
  }
  return { frames: count, took: performance.now() - begin }
}

async function sendAll(socket: PacketSocket, frames: readonly Uint8Array[]): Promise<void> {
  for (let sent = 0; sent < frames.length; sent += socket.sendBatch(frames.slice(sent))) await turn()
}

function answerOf(octets: Uint8Array): AnswerSeen | undefined {
  const { destination, source, etherType, payload } = decodeEthernet(octets)
  // What is told to everybody answers no question.
  if (isGroupMac(destination)) return undefined
  const ends = { source: formatMac(source), destination: formatMac(destination) }
  if (etherType === EtherType.ARP) {
    const { operation, senderProtocolAddress, senderHardwareAddress } = decodeArp(payload)
    if (operation !== 2) return undefined
    return { address: formatAddress(senderProtocolAddress), mac: formatMac(senderHardwareAddress), ...ends }
  }
  if (etherType !== EtherType.IPv6) return undefined
  const packet = decodeIpv6(payload)
  if (packet.nextHeader !== 58 || icmpv6Type(packet.payload) !== Icmpv6Type.NeighborAdvertisement) return undefined
  const { targetAddress, options } = decodeNeighborAdvertisement(packet.payload)
  const option = options.find(({ kind }) => kind === 'target-link-layer-address')
  const mac = option?.kind === 'target-link-layer-address' ? formatMac(option.address) : ''
  return { address: formatAddress(targetAddress), mac, ...ends }
}

/** The link-local address that Linux makes of a MAC address (RFC 4291 appendix A). */
export function linkLocalOf(mac: string): string {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = parseMac(mac)
  return formatAddress(Uint8Array.of(0xfe, 0x80, 0, 0, 0, 0, 0, 0, a ^ 2, b, c, 0xff, 0xfe, d, e, f))
}

/** Who asks. */
export interface Asker {
  readonly mac: string
  /** IPv4; an IPv6 question comes from the link-local address of {@link mac}. */
  readonly address: string
}

/** A question who has an address, to everybody: an ARP request or a Neighbor Solicitation. */
export function questionFor(address: string, { mac, address: source }: Asker): Uint8Array {
  const target = octetsOf(address)
  if (target.length === 4) return arpRequest(parseMac(mac), octetsOf(source), target)
  return neighborSolicitation({ interface: 'eth0', mac: parseMac(mac), linkLocal: octetsOf(linkLocalOf(mac)) }, target)
}

/** The same frame for another Ethernet destination. */
export function sentTo(frame: Uint8Array, destination: string): Uint8Array {
  const copy = frame.slice()
  copy.set(parseMac(destination))
  return copy
}

/** The same frame in these VLANs, outermost first. */
export function tagged(frame: Uint8Array, ...tags: readonly Pick<VlanTag, 'tpid' | 'vlanId'>[]): Uint8Array {
  const { tags: before, ...plain } = decodeEthernet(frame)
  if (before.length > 0 || tags.some(({ tpid }) => !isVlanTag(tpid))) throw new RangeError('tags of tags')
  const payload = frame.subarray(ETHERNET_HEADER_LENGTH)
  return encodeEthernet({
    ...plain,
    payload,
    tags: tags.map(({ tpid, vlanId }) => ({ tpid, vlanId, priority: 0, dropEligible: false })),
  })
}
