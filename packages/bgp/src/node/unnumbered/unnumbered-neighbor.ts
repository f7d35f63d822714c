import type { Icmpv6Packet, Icmpv6Socket, Link } from '@typemetal/sockets'
import type { Clock } from '../clock.js'
import type { LinkWatch } from '../link-watch.js'
import type { Logger } from '../logger.js'
import { loadSockets } from '../sockets.js'
import { ALL_NODES, ALL_ROUTERS, Discovery, type DiscoveryAction, type Neighbor } from './discovery.js'
import { NdpOptionType, type NdpOption } from './ndp-option.js'
import { encodeRouterAdvertisement, ROUTER_ADVERTISEMENT } from './router-advertisement.js'
import { encodeRouterSolicitation, ROUTER_SOLICITATION } from './router-solicitation.js'

export interface UnnumberedNeighborOptions {
  /** Name of the interface; it need not be there yet. */
  readonly interface: string
  /** Follows the interface; one for all neighbours is enough. */
  readonly links: LinkWatch
  readonly clock: Clock
  readonly log: Logger
  /** 0 up to 1, for jitter. @default Math.random */
  readonly random?: () => number
  /**
   * Another neighbour, or none any more. A session that stands need not end with it: TCP and the hold timer know better.
   *
   * @param address with its zone (`fe80::1%eth0`), to dial
   */
  onChange(address: string | undefined): void
}

/** An interface as far as it matters here. */
interface Usable {
  readonly index: number
  readonly mac: string
  readonly linkLocal: string
  readonly ownAddresses: readonly string[]
}

/** While the interface can be used. */
interface Running {
  readonly on: Usable
  readonly socket: Icmpv6Socket
  readonly discovery: Discovery
}

/** The interface where it is up and has a link-local address that is ours (RFC 4862 section 5.4), else why not. */
function usable(name: string, link: Link | undefined): Usable | string {
  if (!link) return `no interface ${name}`
  if (!link.up || !['up', 'unknown'].includes(link.operstate)) return `interface ${name} is down`
  const own = link.addresses.filter(({ family, dadFailed }) => family === 6 && !dadFailed)
  const linkLocal = own.find(({ scope, tentative }) => scope === 'link' && !tentative)?.address
  if (linkLocal === undefined) return `interface ${name} has no link-local address`
  return { index: link.index, mac: link.mac, linkLocal, ownAddresses: own.map(({ address }) => address) }
}

const isSame = (a: Usable, b: Usable): boolean =>
  a.index === b.index &&
  a.mac === b.mac &&
  a.linkLocal === b.linkLocal &&
  a.ownAddresses.join() === b.ownAddresses.join()

/** Our own hardware address, where the link has such. */
function sourceOption(mac: string): readonly NdpOption[] {
  if (!/^([0-9a-f]{2}:)+[0-9a-f]{2}$/.test(mac)) return []
  const value = Uint8Array.from(mac.split(':'), octet => Number.parseInt(octet, 16))
  return [{ type: NdpOptionType.SourceLinkLayerAddress, value }]
}

/** The interface in a link-local address as sockets show it: `eth0` of `fe80::1%eth0`. */
export const zoneOf = (address: string): string | undefined => address.split('%', 2)[1]

/**
 * The peer at the other end of an interface, found by router advertisements, and found by it in the same way: it advertises as FRR
 * does for `neighbor eth0 interface`, with Router Lifetime 0, so that nobody takes us for a default router. Follows the interface as
 * it goes down, vanishes and comes back. Needs `@typemetal/sockets` and CAP_NET_RAW.
 */
export class UnnumberedNeighbor implements AsyncDisposable {
  readonly #options: UnnumberedNeighborOptions
  readonly #started: Promise<void>
  #neighbor: Neighbor
  #sockets: Awaited<ReturnType<typeof loadSockets>> | undefined
  #unsubscribe = (): void => {}
  #running: Running | undefined
  #disarm = (): void => {}
  #closed = false

  /** Begins at once. What goes wrong later is in {@link reason} and in the log. */
  constructor(options: UnnumberedNeighborOptions) {
    this.#options = options
    this.#neighbor = { reason: `interface ${options.interface} is being looked at` }
    this.#started = this.#start()
  }

  /** Settles when the interface has been looked at for the first time. */
  get looked(): Promise<void> {
    return this.#started
  }

  /** The neighbour's address with its zone (`fe80::1%eth0`); `undefined` while there is none, or more than one. */
  get address(): string | undefined {
    const { address } = this.#neighbor
    return address === undefined ? undefined : `${address}%${this.#options.interface}`
  }

  /** Why there is no {@link address}, as one sentence. */
  get reason(): string | undefined {
    return this.#neighbor.reason
  }

  /** Stops listening and advertising. No call comes afterwards. Safe to call twice. */
  async close(): Promise<void> {
    this.#closed = true
    this.#stop()
    await this.#started
    this.#unsubscribe()
  }

  /** Same as {@link close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #start(): Promise<void> {
    const { interface: name, links } = this.#options
    try {
      this.#sockets = await loadSockets()
      this.#unsubscribe = await links.subscribe(name, link => this.#linkChanged(link))
    } catch (error) {
      this.#fail(error as Error)
    }
  }

  #linkChanged(link: Link | undefined): void {
    if (this.#closed) return
    const now = usable(this.#options.interface, link)
    if (typeof now !== 'string' && this.#running && isSame(now, this.#running.on)) return
    this.#stop()
    if (typeof now === 'string') this.#become({ reason: now })
    else this.#run(now)
  }

  #run(on: Usable): void {
    const { interface: name, clock, random = Math.random } = this.#options
    const discovery = new Discovery({ interface: name, ownAddresses: on.ownAddresses, random })
    const socket = this.#open(on)
    if (!socket) return
    this.#running = { on, socket, discovery }
    this.#become(discovery.neighbor)
    this.#perform(discovery.start(clock.now()))
  }

  #open({ index, linkLocal }: Usable): Icmpv6Socket | undefined {
    if (!this.#sockets) return undefined
    try {
      const socket = new this.#sockets.Icmpv6Socket({
        interfaceIndex: index,
        types: [ROUTER_SOLICITATION, ROUTER_ADVERTISEMENT],
        source: linkLocal,
        onPackets: packets => this.#received(packets),
        onError: error => this.#options.log.debug({ error: error.message }, 'router advertisements'),
      })
      for (const group of [ALL_NODES, ALL_ROUTERS]) socket.joinGroup(group)
      return socket
    } catch (error) {
      this.#fail(error as Error)
      return undefined
    }
  }

  #received(packets: readonly Icmpv6Packet[]): void {
    for (const packet of packets) {
      const { discovery } = this.#running ?? {}
      if (discovery) this.#perform(discovery.handle(packet, this.#options.clock.now()))
    }
  }

  #perform(actions: readonly DiscoveryAction[]): void {
    for (const action of actions) {
      switch (action.type) {
        case 'advertise':
          this.#advertise(action.to)
          break
        case 'solicit':
          this.#send(on => encodeRouterSolicitation({ options: sourceOption(on.mac) }), ALL_ROUTERS)
          break
        case 'discarded':
          this.#options.log.debug({ source: action.source, why: action.why }, 'neighbor discovery message discarded')
          break
        default:
          action satisfies never // a new action fails to compile here
      }
    }
    if (!this.#running) return
    this.#become(this.#running.discovery.neighbor)
    this.#arm()
  }

  /** All fields that would configure a host say nothing. */
  #advertise(to: string): void {
    const nothing = { currentHopLimit: 0, flags: 0, routerLifetime: 0, reachableTime: 0, retransTimer: 0 }
    this.#send(on => encodeRouterAdvertisement({ ...nothing, options: sourceOption(on.mac) }), to)
  }

  /** What cannot be sent now is sent the next time: the interface may be about to go. */
  #send(encode: (on: Usable) => Uint8Array, to: string): void {
    if (!this.#running) return
    try {
      this.#running.socket.send(encode(this.#running.on), to)
    } catch (error) {
      this.#options.log.debug({ error: (error as Error).message, to }, 'cannot send a router advertisement')
    }
  }

  #arm(): void {
    const { clock } = this.#options
    const { discovery } = this.#running ?? {}
    this.#disarm()
    if (!discovery) return
    const wait = Math.ceil(discovery.nextTimeout - clock.now())
    this.#disarm = clock.after(Math.max(0, wait), () => this.#perform(discovery.handleTimeout(clock.now())))
  }

  #become(neighbor: Neighbor): void {
    const before = this.#neighbor
    this.#neighbor = neighbor
    if (before.address === neighbor.address && before.reason === neighbor.reason) return
    const { log, interface: name } = this.#options
    if (neighbor.address === undefined) log.info({ interface: name, reason: neighbor.reason }, 'no unnumbered neighbor')
    else log.info({ interface: name, address: neighbor.address }, 'unnumbered neighbor')
    if (before.address !== neighbor.address) this.#options.onChange(this.address)
  }

  #fail(error: Error): void {
    this.#options.log.error({ interface: this.#options.interface, error: error.message }, 'cannot find the neighbor')
    this.#become({ reason: error.message })
  }

  #stop(): void {
    this.#disarm()
    this.#running?.socket.close()
    this.#running = undefined
  }
}
