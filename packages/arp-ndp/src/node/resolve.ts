import type { Link } from '@typemetal/sockets'
import { checkOptions, optional, signal, text, wrongType, wrongValue, type Kind, type Kinds } from '@typemetal/options'
import { hostAddress, ipAddress, parseAddress, parseHostAddress } from '../address.js'
import { PATIENCE_KINDS, Resolver, type Resolution, type ResolverAction } from '../resolver/resolver.js'
import { formatMac, parseMac } from '../wire/mac.js'
import { askingLink, linkLocalAddress, questionSocket, sameNetworkAddress } from './asking-link.js'
import { exchange, type SendAction } from './exchange.js'

export { InterfaceError } from './asking-link.js'

const macAddress: Kind<string> = (name, value) => {
  const wanted = "a MAC address such as '02:00:00:00:00:01'"
  if (typeof value !== 'string') throw wrongType(name, wanted, value)
  try {
    parseMac(value)
  } catch {
    throw wrongValue(name, wanted, value)
  }
  return value
}

/** What to ask, where and for how long. */
export interface ResolveOptions {
  /** Name of the interface to ask on. */
  readonly interface: string
  /** IPv4 or IPv6. */
  readonly address: string
  /** Milliseconds to collect answers, no more and no less. @default until `interval` after the last question */
  readonly timeout?: number
  /** Milliseconds from one question to the next. @default 1000 (RFC 4861 §10, RETRANS_TIMER) */
  readonly interval?: number
  /** Questions while nobody answers. @default 3 (RFC 4861 §10, MAX_MULTICAST_SOLICIT) */
  readonly attempts?: number
  /** `all` answers, or the end with the `first`. @default 'all' */
  readonly collect?: 'all' | 'first'
  /**
   * Address to ask from; `0.0.0.0` tells nobody one of ours. `::` is none: answers to it go to everybody.
   * @default for IPv4 one of the interface in the same network, or else 0.0.0.0; for IPv6 the link-local address
   */
  readonly source?: string
  /** MAC address of the one neighbour to ask whether it still has the address (RFC 4861 §7.3.3). @default everybody is asked */
  readonly to?: string
  /** When aborted, the answers so far are the result. */
  readonly signal?: AbortSignal
}

const KINDS: Kinds<ResolveOptions> = {
  ...PATIENCE_KINDS,
  interface: text,
  address: hostAddress,
  source: optional(ipAddress),
  to: optional(macAddress),
  signal: optional(signal),
}

/** Somebody who has the address. */
export interface Answer {
  /** `02:00:00:00:00:01` */
  readonly mac: string
  /** Milliseconds from the question before it to the first answer. */
  readonly roundTrip: number
}

/**
 * Asks everybody on the link who has an address, by ARP or Neighbor Solicitation, and collects all who answer: normally
 * one, two when they are in conflict. Hosts with the address on this very machine do not hear the question.
 * @throws {InterfaceError} the interface cannot ask
 * @throws {TypeError | RangeError} an option that cannot be, or an unknown one, such as an address that is not one host's or a source of
 * the other family; the message begins with its name
 * @throws {SocketError} `EPERM` without CAP_NET_RAW, `ENETDOWN`
 *
 * @example
 * ```ts
 * import { resolve } from '@typemetal/arp-ndp'
 *
 * const answers = await resolve({ interface: 'eth0', address: '192.0.2.1', timeout: 500 })
 * if (answers.length > 1) console.log('a conflict between', answers.map(({ mac }) => mac).join(' and '))
 * ```
 */
export async function resolve(options: ResolveOptions): Promise<readonly Answer[]> {
  checkOptions(options, KINDS, { ip: 'address', device: 'interface', mac: 'to' })
  const { octets } = parseHostAddress(options.address)
  const { link, mac } = askingLink(options.interface)
  const source = options.source === undefined ? sourceOn(link, octets) : parseAddress(options.source).octets
  const to = options.to === undefined ? {} : { to: parseMac(options.to) }
  const { attempts, interval, timeout, collect } = options
  const resolver = new Resolver(
    { mac, source, address: octets, ...to },
    {
      now: performance.now(),
      ...(attempts !== undefined && { attempts }),
      ...(interval !== undefined && { interval }),
      ...(timeout !== undefined && { timeout }),
      ...(collect !== undefined && { collect }),
    },
  )
  const answers = await exchange<Exclude<ResolverAction, SendAction>, readonly Resolution[]>({
    socket: questionSocket(link, octets),
    machine: resolver,
    settle: action => (action.type === 'end' ? action.answers : undefined),
    signal: options.signal,
    abandon: () => resolver.answers,
  })
  return answers.map(({ mac, roundTrip }) => ({ mac: formatMac(mac), roundTrip }))
}

/** For IPv4 an address of the same network where there is one; else a probe from 0.0.0.0 (RFC 5227 §2.1.1). */
function sourceOn(link: Link, address: Uint8Array): Uint8Array {
  if (address.length === 16) return linkLocalAddress(link)
  return sameNetworkAddress(link, address) ?? new Uint8Array(address.length)
}
