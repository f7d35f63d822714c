import { ETH_P_ARP, ETH_P_IPV6, listLinks, PacketSocket, type Link } from '@typemetal/sockets'
import { assemble, bpf } from '@typemetal/sockets/bpf'
import { parseAddress, parseHostAddress } from '../address.js'
import { Layer2Error } from '../errors.js'
import { answeredBy } from '../responder/answer.js'
import { arpRequest } from '../responder/arp.js'
import { neighborSolicitation } from '../responder/ndp.js'
import { isLinkLocal } from '../wire/ipv6.js'
import { formatMac, parseMac } from '../wire/mac.js'

/** What to ask, where and for how long. */
export interface ResolveOptions {
  /** Name of the interface to ask on. */
  readonly interface: string
  /** IPv4 or IPv6. */
  readonly address: string
  /** Milliseconds to collect answers. @default 1000 */
  readonly timeout?: number
  /** Milliseconds between two questions. @default 1000 (RFC 4861 §10, RETRANS_TIMER) */
  readonly interval?: number
  /** When aborted, the answers so far are the result. */
  readonly signal?: AbortSignal
}

/** Somebody who has the address. */
export interface Answer {
  /** `02:00:00:00:00:01` */
  readonly mac: string
  /** Milliseconds from the question before it to the first answer. */
  readonly roundTrip: number
}

/** The interface cannot ask: there is none of that name, it is down, or has no MAC or link-local address. */
export class InterfaceError extends Layer2Error {
  override readonly code = 'ERR_L2_INTERFACE'
  override readonly name = 'InterfaceError'
}

const TIMEOUT = 1000
const ICMPV6_TYPE = 54
const NEIGHBOR_ADVERTISEMENT = 136
/** On a busy interface only advertisements, not all of IPv6, wake us. */
const ADVERTISEMENTS = assemble([
  bpf.load('byte', ICMPV6_TYPE),
  bpf.jump('equal', NEIGHBOR_ADVERTISEMENT, { ifFalse: 'drop' }),
  bpf.accept(),
  bpf.label('drop'),
  bpf.drop(),
])

/** How to ask on one interface. */
interface Question {
  readonly index: number
  readonly mac: Uint8Array
  readonly address: Uint8Array
  readonly frame: Uint8Array
}

/**
 * Asks everybody on the link who has an address, by ARP or Neighbor Solicitation, and collects all who answer: normally
 * one, two when they are in conflict. Hosts with the address on this very machine do not hear the question.
 * @throws {InterfaceError} the interface cannot ask
 * @throws {TypeError} not an address
 * @throws {SocketError} `EPERM` without CAP_NET_RAW, `ENETDOWN`
 */
export async function resolve(options: ResolveOptions): Promise<readonly Answer[]> {
  const { timeout = TIMEOUT, interval = TIMEOUT, signal } = options
  const question = prepare(options)
  const answers = new Map<string, Answer>()
  let asked = 0
  using socket = new PacketSocket({
    interfaceIndex: question.index,
    etherType: question.address.length === 4 ? ETH_P_ARP : ETH_P_IPV6,
    ...(question.address.length === 16 && { filter: ADVERTISEMENTS }),
    onFrames(frames) {
      for (const frame of frames) {
        const owner = answeredBy(frame, question.mac, question.address)
        const mac = owner && formatMac(owner)
        if (mac && !answers.has(mac)) answers.set(mac, { mac, roundTrip: performance.now() - asked })
      }
    },
  })
  const ask = (): void => {
    asked = performance.now()
    socket.send(question.frame)
  }
  ask()
  const repeat = setInterval(ask, interval)
  await elapsed(timeout, signal)
  clearInterval(repeat)
  return [...answers.values()]
}

/** Settles after so many milliseconds or when the signal is aborted. */
function elapsed(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise(resolve => {
    if (signal?.aborted) return resolve()
    const timer = setTimeout(done, milliseconds)
    function done(): void {
      clearTimeout(timer)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    signal?.addEventListener('abort', done)
    return undefined
  })
}

function prepare({ interface: name, address }: ResolveOptions): Question {
  const { octets } = parseHostAddress(address)
  const link = listLinks().find(link => link.name === name)
  if (link === undefined) throw new InterfaceError(`there is no interface ${name}`)
  if (!link.up) throw new InterfaceError(`${name} is down`)
  if (link.mac.length !== 17) throw new InterfaceError(`${name} has no MAC address`)
  const mac = parseMac(link.mac)
  const frame = octets.length === 4 ? arpQuestion(link, mac, octets) : ndpQuestion(link, mac, octets)
  return { index: link.index, mac, address: octets, frame }
}

/** From an address of the same network where there is one; else a probe from 0.0.0.0 (RFC 5227 §2.1.1). */
function arpQuestion(link: Link, mac: Uint8Array, address: Uint8Array): Uint8Array {
  const source = link.addresses
    .filter(({ family }) => family === 4)
    .map(({ address: text, prefixLength }) => ({ octets: parseAddress(text).octets, prefixLength }))
    .find(({ octets, prefixLength }) => samePrefix(octets, address, prefixLength))
  return arpRequest(mac, source?.octets ?? new Uint8Array(4), address)
}

function ndpQuestion(link: Link, mac: Uint8Array, address: Uint8Array): Uint8Array {
  const linkLocal = link.addresses
    .filter(({ family, tentative, dadFailed }) => family === 6 && !tentative && !dadFailed)
    .map(({ address: text }) => parseAddress(text).octets)
    .find(isLinkLocal)
  if (linkLocal === undefined) throw new InterfaceError(`${link.name} has no link-local address`)
  return neighborSolicitation({ interface: link.name, mac, linkLocal }, address)
}

function samePrefix(a: Uint8Array, b: Uint8Array, bits: number): boolean {
  return a.every((octet, i) => ((octet ^ b[i]!) & prefixMask(bits - 8 * i)) === 0)
}

/** Mask of one octet of which the first `bits` belong to the prefix. */
const prefixMask = (bits: number): number => (bits <= 0 ? 0 : (0xff00 >> Math.min(bits, 8)) & 0xff)
