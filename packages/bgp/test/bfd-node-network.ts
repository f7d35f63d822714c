import { createHash } from 'node:crypto'
import { formatAddress } from '../dist/address.js'
import { BfdSystem } from '../dist/bfd/node/system.js'
import { CellReader, createCells, type SessionCounters } from '../dist/bfd/node/cells.js'
import { checkEndpoint, type EndpointLink, type SessionEndpoint } from '../dist/bfd/node/endpoint.js'
import type { ControlFilter } from '../dist/bfd/node/filter.js'
import { decodeUdpInIp, encodeUdpInIp } from '../dist/bfd/node/ip-packet.js'
import type { Report } from '../dist/bfd/node/messages.js'
import type {
  Alarm,
  ControlSocket,
  ControlSocketOptions,
  EchoSocket,
  EchoSocketOptions,
  PacketBatch,
  Platform,
  TransmitSocket,
  TransmitSocketOptions,
} from '../dist/bfd/node/platform.js'
import { createTotals, readTotals, type BfdCounters } from '../dist/bfd/node/totals.js'
import { readYourDiscriminator, type SessionOptions, type SessionSnapshot } from '@typemetal/bgp/bfd'

const MILLISECOND = 1000
/** Time a packet takes from one host to the other, in microseconds. */
const LATENCY = 100

/** A datagram on its way. */
export interface Datagram {
  readonly source: string
  readonly destination: string
  readonly sourcePort: number
  readonly port: number
  readonly hopLimit: number
  readonly data: Uint8Array
}

const failure = (code: string): Error => Object.assign(new Error(`${code} from the virtual kernel`), { code })

const batchOf = (datagrams: readonly (Datagram & { interfaceIndex: number })[]): PacketBatch => ({
  length: datagrams.length,
  data: index => datagrams[index]!.data,
  hopLimit: index => datagrams[index]!.hopLimit,
  interfaceIndex: index => datagrams[index]!.interfaceIndex,
  source: index => datagrams[index]!.source,
  destination: index => datagrams[index]!.destination,
})

/** A control socket of a host: its queue is the kernel's. */
class VirtualControl implements ControlSocket {
  filter: ControlFilter | undefined
  open = true
  #queue: (Datagram & { interfaceIndex: number })[] = []
  #drops = 0

  constructor(readonly options: ControlSocketOptions) {}

  accept(datagram: Datagram, interfaceIndex: number): void {
    if (this.filter !== undefined && !passes(this.filter, datagram)) this.#drops++
    else this.#queue.push({ ...datagram, interfaceIndex })
  }

  drain(): void {
    const queue = this.#queue
    this.#queue = []
    if (queue.length > 0) this.options.onPackets(batchOf(queue))
  }

  setFilter(filter: ControlFilter | undefined): void {
    this.filter = filter
  }

  drops(): number {
    return this.#drops
  }

  close(): void {
    this.open = false
  }
}

function passes({ minimumTtl, discriminators, sources }: ControlFilter, { data, hopLimit, source }: Datagram): boolean {
  if (hopLimit < minimumTtl || data.length < 24) return false
  const discriminator = readYourDiscriminator(data)
  return discriminator === 0 ? sources.includes(source) : discriminators.includes(discriminator)
}

interface Event {
  readonly at: number
  readonly order: number
  readonly run: () => void
}

/** Time, and packets between hosts. Nothing happens until {@link advance}. */
export class VirtualNetwork {
  now = 1_000_000
  readonly hosts: VirtualHost[] = []
  /** Decides which packets are lost. */
  loses: (datagram: Datagram) => boolean = () => false
  /** What was sent, in order. */
  readonly sent: (Datagram & { readonly at: number })[] = []
  #events: Event[] = []
  #order = 0

  host(name: string, addresses: readonly string[]): VirtualHost {
    const host = new VirtualHost(this, name, addresses)
    this.hosts.push(host)
    return host
  }

  /** @returns a way to call it off */
  at(time: number, run: () => void): () => void {
    const event = { at: Math.max(this.now, time), order: this.#order++, run }
    this.#events.push(event)
    return () => {
      this.#events = this.#events.filter(other => other !== event)
    }
  }

  /** Lets time pass. @param milliseconds */
  advance(milliseconds: number): void {
    const end = this.now + milliseconds * MILLISECOND
    for (;;) {
      let next: Event | undefined
      for (const event of this.#events) {
        if (event.at > end) continue
        if (next === undefined || event.at < next.at || (event.at === next.at && event.order < next.order)) next = event
      }
      if (next === undefined) break
      this.#events.splice(this.#events.indexOf(next), 1)
      this.now = Math.max(this.now, next.at)
      next.run()
    }
    this.now = end
  }

  /** Brings a packet to the host that has its destination. @param hops routers in between */
  carry(datagram: Datagram, hops = 0): void {
    this.sent.push({ ...datagram, data: datagram.data.slice(), at: this.now })
    if (this.loses(datagram)) return
    const arrived = { ...datagram, data: datagram.data.slice(), hopLimit: datagram.hopLimit - hops }
    for (const host of this.hosts) {
      if (host.has(datagram.destination)) this.at(this.now + LATENCY, () => host.accept(arrived))
    }
  }
}

/** One system: links, sockets, a clock, and a {@link BfdSystem} on them. */
export class VirtualHost {
  links: EndpointLink[]
  forwarding = true
  /** Routers between this host and the others. */
  hops = 0
  /** Interface that packets come in by. */
  arrivalIndex = 2
  /** Error codes by what they refuse. */
  readonly refusals = new Map<'control' | 'ipv6' | 'transmit' | 'echo' | 'send', string>()
  readonly reports: Report[] = []
  readonly control: VirtualControl[] = []
  readonly echo: { readonly options: EchoSocketOptions; sources: readonly string[]; open: boolean }[] = []
  readonly transmit: TransmitSocketOptions[] = []
  readonly system: BfdSystem
  readonly #totals = createTotals()
  #stalledUntil = 0
  #changed = (): void => {}
  #seed = 1
  #nextId = 1
  openTransmits = 0
  alarmOpen = false
  closed = false

  constructor(
    readonly network: VirtualNetwork,
    readonly name: string,
    addresses: readonly string[],
  ) {
    this.#seed = network.hosts.length + 1
    const listed = addresses.map(text => {
      const [address = '', length] = text.split('/')
      return { address, prefixLength: Number(length), tentative: false }
    })
    this.links = [
      { index: 1, name: 'lo', up: true, addresses: [{ address: '127.0.0.1', prefixLength: 8, tentative: false }] },
      { index: 2, name: 'eth0', up: true, addresses: listed },
    ]
    this.system = new BfdSystem(this.#platform(), { totals: this.#totals }, report => this.reports.push(report))
  }

  /** Starts and takes up sessions. */
  start(...sessions: readonly (SessionEndpoint & SessionOptions)[]): readonly VirtualSession[] {
    this.system.start()
    return sessions.map(session => this.add(session))
  }

  add({ address, localAddress, interface: name, device, multihop, ...options }: SessionEndpoint & SessionOptions) {
    const endpoint = checkEndpoint({
      address,
      ...(localAddress !== undefined && { localAddress }),
      ...(name !== undefined && { interface: name }),
      ...(device !== undefined && { device }),
      ...(multihop !== undefined && { multihop }),
    })
    const id = this.#nextId++
    const cells = createCells()
    this.system.handle({ type: 'add', id, endpoint, options, disabled: false, cells })
    return new VirtualSession(this, id, new CellReader(cells))
  }

  get counters(): BfdCounters {
    return readTotals(this.#totals)
  }

  close(): void {
    this.system.close(() => (this.closed = true))
  }

  has(address: string): boolean {
    return this.links.some(({ addresses }) => addresses.some(known => known.address === address))
  }

  /** Keeps the thread from running, not the kernel. */
  stall(milliseconds: number): void {
    this.#stalledUntil = this.network.now + milliseconds * MILLISECOND
  }

  /** Links have changed: the kernel tells. */
  relink(links: EndpointLink[]): void {
    this.links = links
    this.network.at(this.network.now, () => this.#changed())
  }

  /** A packet has come to the kernel. The thread, when it may run again, sees its alarms before it. */
  accept(datagram: Datagram): void {
    const socket = this.control.find(({ open, options }) => {
      const family = datagram.destination.includes(':') ? 6 : 4
      return open && options.port === datagram.port && options.family === family
    })
    socket?.accept(datagram, this.arrivalIndex)
    const later = this.#stalledUntil > this.network.now
    this.network.at(later ? this.#stalledUntil + 1 : this.network.now, () => socket?.drain())
  }

  /** A whole IP packet has come to an interface. */
  acceptEcho(packet: Uint8Array, from: VirtualHost): void {
    const udp = decodeUdpInIp(packet)
    if (udp === undefined) return
    const isSelfAddressed = udp.source.every((octet, at) => octet === udp.destination[at])
    const destination = formatAddress(udp.destination)
    if (isSelfAddressed && this.forwarding && !this.has(destination)) {
      const back = encodeUdpInIp({ ...udp, hops: udp.hops - 1 })
      this.network.at(this.network.now + LATENCY, () => from.acceptEcho(back, this))
    }
    for (const { options, open, sources } of this.echo) {
      if (open && sources.includes(formatAddress(udp.source))) options.onPackets([packet])
    }
  }

  #platform(): Platform {
    const { network } = this
    return {
      now: () => network.now,
      openAlarm: ring => this.#openAlarm(ring),
      random: () => (this.#seed = (this.#seed * 48_271) % 0x7fff_ffff) / 0x7fff_ffff,
      digest: (algorithm, octets) => createHash(algorithm).update(octets).digest(),
      links: () => this.links,
      watchLinks: onChange => {
        this.#changed = onChange
        return { close: () => (this.#changed = () => {}) }
      },
      forwards: () => this.forwarding,
      openControl: options => this.#openControl(options),
      openTransmit: options => this.#openTransmit(options),
      openEcho: options => this.#openEcho(options),
    }
  }

  #refuse(what: 'control' | 'ipv6' | 'transmit' | 'echo'): void {
    const code = this.refusals.get(what)
    if (code !== undefined) throw failure(code)
  }

  #openAlarm(ring: () => void): Alarm {
    this.alarmOpen = true
    let cancel = (): void => {}
    const set = (at: number): void => {
      cancel()
      if (at === Infinity) return
      cancel = this.network.at(at, () => {
        if (this.#stalledUntil > this.network.now) set(this.#stalledUntil)
        else ring()
      })
    }
    return {
      set,
      close: () => {
        cancel()
        this.alarmOpen = false
      },
    }
  }

  #openControl(options: ControlSocketOptions): ControlSocket {
    this.#refuse('control')
    if (options.family === 6) this.#refuse('ipv6')
    const socket = new VirtualControl(options)
    this.control.push(socket)
    return socket
  }

  #openTransmit(options: TransmitSocketOptions): TransmitSocket {
    this.#refuse('transmit')
    if (options.localAddress !== undefined && !this.has(options.localAddress)) throw failure('EADDRNOTAVAIL')
    this.transmit.push(options)
    this.openTransmits++
    return {
      send: data => {
        const code = this.refusals.get('send')
        if (code !== undefined) return code
        const { address: destination, port, sourcePort } = options
        const source = options.localAddress ?? this.#ownAddress(destination)
        this.network.carry({ source, destination, sourcePort, port, hopLimit: 255, data }, this.hops)
        return undefined
      },
      close: () => this.openTransmits--,
    }
  }

  /** As a kernel chooses: of the same family, link-local for link-local. */
  #ownAddress(remote: string): string {
    const own = this.links[1]!.addresses.map(({ address }) => address)
    const kind = (text: string): string => (text.startsWith('fe80') ? 'link' : text.includes(':') ? 'ipv6' : 'ipv4')
    return own.find(text => kind(text) === kind(remote)) ?? ''
  }

  #openEcho(options: EchoSocketOptions): EchoSocket {
    this.#refuse('echo')
    const socket = { options, sources: options.sources, open: true }
    this.echo.push(socket)
    return {
      drain: () => {},
      setSources: sources => (socket.sources = sources),
      send: (packet, nextHop) => {
        const copy = packet.slice()
        const peer = this.network.hosts.find(host => host.has(nextHop))
        if (peer) this.network.at(this.network.now + LATENCY, () => peer.acceptEcho(copy, this))
        return undefined
      },
      close: () => (socket.open = false),
    }
  }
}

/** A session of a host, and what the main thread would know of it. */
export class VirtualSession {
  constructor(
    readonly host: VirtualHost,
    readonly id: number,
    readonly cells: CellReader,
  ) {}

  get snapshot(): SessionSnapshot {
    return this.cells.snapshot()
  }

  get counters(): SessionCounters {
    return this.cells.counters()
  }

  get state(): string {
    return this.snapshot.state
  }

  /** Where it has gone, as reported; Init, which one of the two passes through, is left out. */
  get history(): readonly string[] {
    const states = this.host.reports.flatMap(r => (r.type === 'state' && r.id === this.id ? [r.to] : []))
    return states.filter(state => state !== 'Init')
  }

  change(options: SessionOptions): void {
    this.host.system.handle({ type: 'change', id: this.id, options })
  }

  tell(type: 'disable' | 'enable' | 'remove'): void {
    this.host.system.handle({ type, id: this.id })
  }
}
