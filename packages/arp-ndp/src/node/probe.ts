import { Icmpv6Socket, type Link } from '@typemetal/sockets'
import { checkOptions, methods, optional, signal as signalKind, text, type Kinds } from '@typemetal/options'
import { AddressProbe, type ProbeAction, type ProbeIdentity } from '../acd/address-probe.js'
import type { AttemptLimit } from '../acd/attempt-limit.js'
import { PROBE_KINDS, type ProbeTimes } from '../acd/probe-schedule.js'
import { formatAddress, hostAddress, parseHostAddress } from '../address.js'
import { formatMac } from '../wire/mac.js'
import { solicitedNodeMulticast } from '../wire/multicast.js'
import { askingLink, checkCarrier, ownMacTest, questionSocket } from './asking-link.js'
import { exchange, type SendAction } from './exchange.js'

/** Which address, where, and how long to listen. */
export interface ProbeOptions extends ProbeTimes {
  /** Name of the interface. */
  readonly interface: string
  /** IPv4 or IPv6. */
  readonly address: string
  /** Of this interface, for a program that tries one address after another: waits when there were too many conflicts. */
  readonly limit?: AttemptLimit
  /** When aborted, rejects with its reason: nothing is known then. */
  readonly signal?: AbortSignal
}

const KINDS: Kinds<ProbeOptions> = {
  ...PROBE_KINDS,
  interface: text,
  address: hostAddress,
  limit: optional(methods<AttemptLimit>('attempt', 'conflicted')),
  signal: optional(signalKind),
}

/** Whether anybody else uses the address. */
export type ProbeResult =
  | { readonly free: true }
  | {
      readonly free: false
      /** Who, `02:00:00:00:00:01`. */
      readonly mac: string
      /** `simultaneous-probe`: another host is asking for it at this moment, and neither may have it. */
      readonly kind: 'owner' | 'simultaneous-probe'
    }

/**
 * Asks whether anybody else on the link uses an address, without telling anybody that we might: ARP Probes (RFC 5227 §2.1.1; 4 to
 * 7 s), or Duplicate Address Detection (RFC 4862 §5.4; 1 to 2 s). Hosts with the address on this very machine do not hear it.
 * @throws {InterfaceError} the interface cannot ask, or had no carrier at the end, so that silence says nothing
 * @throws {TypeError | RangeError} an option that cannot be, or an unknown one, such as an address that is not one host's; the message
 * begins with its name
 * @throws {SocketError} `EPERM` without CAP_NET_RAW, `ENETDOWN`
 *
 * @example
 * ```ts
 * import { probe } from '@typemetal/arp-ndp'
 *
 * const result = await probe({ interface: 'eth0', address: '192.0.2.7' })
 * console.log(result.free ? 'nobody has it' : `${result.mac} has it`)
 * ```
 */
export async function probe(options: ProbeOptions): Promise<ProbeResult> {
  checkOptions(options, KINDS, { ip: 'address', device: 'interface', timeout: 'announceWait' })
  const { interface: name, signal, limit, address: _address, ...times } = options
  const { octets } = parseHostAddress(options.address)
  const { link, mac } = askingLink(name)
  checkCarrier(link)
  const identity: ProbeIdentity = { protocol: octets.length === 4 ? 'arp' : 'ndp', mac }
  const now = performance.now()
  const machine = new AddressProbe(identity, octets, {
    ...times,
    now,
    random: Math.random,
    isOwn: ownMacTest(),
    ...(limit && { notBefore: limit.attempt(now) }),
  })
  const membership = octets.length === 16 ? join(link, octets) : undefined
  try {
    const result = await exchange<Exclude<ProbeAction, SendAction>, ProbeResult>({
      socket: questionSocket(link, octets),
      machine,
      settle: resultOf,
      signal,
      abandon: () => {
        throw signal?.reason
      },
    })
    if (result.free) checkCarrier(askingLink(name).link)
    else limit?.conflicted()
    return result
  } finally {
    membership?.close()
  }
}

const resultOf = (action: Exclude<ProbeAction, SendAction>): ProbeResult =>
  action.type === 'free' ? { free: true } : { free: false, mac: formatMac(action.mac), kind: action.kind }

/** RFC 4862 §5.4.2: without its solicited-node group we would not hear of another node that probes for the address. */
function join({ index }: Link, address: Uint8Array): Icmpv6Socket {
  const socket = new Icmpv6Socket({ interfaceIndex: index, types: [], onPackets: () => {} })
  socket.joinGroup(formatAddress(solicitedNodeMulticast(address)))
  return socket
}
