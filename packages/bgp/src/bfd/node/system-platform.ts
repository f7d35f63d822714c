import { hash, randomFillSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { getSystemErrorMap } from 'node:util'
import {
  DeadlineTimer,
  ETH_P_IP,
  ETH_P_IPV6,
  LinkMonitor,
  listLinks,
  PacketSocket,
  RawIpSocket,
  UdpSocket,
} from '@typemetal/sockets'
import { isLinkLocal } from '../../address.js'
import { compileEchoFilter, ECHO_PACKET_OFFSET } from './echo-filter.js'
import { compileControlFilter } from './filter.js'
import type {
  ControlSocket,
  ControlSocketOptions,
  EchoSocket,
  EchoSocketOptions,
  Platform,
  TransmitSocket,
  TransmitSocketOptions,
} from './platform.js'

/** DSCP CS6, network control (RFC 4594 section 3.1), as other implementations send. */
const NETWORK_CONTROL = 0xc0
const TTL = 255
/**
 * Octets the kernel may queue for a socket while this thread is kept from running. It doubles the number, and counts 768 for a
 * packet: some 2700.
 */
const RECEIVE_BUFFER = 1024 * 1024
/** A control packet has 255 octets at most. */
const DATA_SPACE = 256
/** Octets kept of a frame with an echo packet. */
const ECHO_FRAME_SPACE = 256

/** Batches of 64 that a receive buffer may hold. */
const FULL_BUFFER = 48
const ANY = { 4: '0.0.0.0', 6: '::' } as const

/** Numbers nobody can foretell (RFC 5880 section 9), made many at a time. */
function createRandom(): () => number {
  const pool = new Uint32Array(256)
  let next = pool.length
  return () => {
    if (next === pool.length) {
      randomFillSync(pool)
      next = 0
    }
    return pool[next++]! / 0x1_0000_0000
  }
}

/** The code of an errno; `undefined` for 0. */
function errorCode(errno: number): string | undefined {
  if (errno === 0) return undefined
  return getSystemErrorMap().get(-errno)?.[0] ?? `errno ${errno}`
}

/** Sockets of control packets; those of one port know of each other. */
class ControlSockets {
  readonly #open = new Map<string, Set<UdpSocket>>()

  open(options: ControlSocketOptions): ControlSocket {
    const { family, port, device } = options
    const key = `${family} ${port}`
    const others = this.#open.get(key) ?? new Set()
    this.#open.set(key, others)
    const socket = this.#share(others, () => {
      return new UdpSocket({
        address: ANY[family],
        port,
        ...(device !== undefined && { device }),
        reuseAddress: others.size > 0,
        dataSpace: DATA_SPACE,
        receiveBuffer: RECEIVE_BUFFER,
        onBatch: batch => options.onPackets(batch),
        onError: error => options.onError(error),
      })
    })
    others.add(socket)
    return {
      drain: () => socket.drain(FULL_BUFFER),
      setFilter: filter => socket.setFilter(filter && compileControlFilter(filter)),
      drops: () => socket.drops(),
      close() {
        others.delete(socket)
        socket.close()
      },
    }
  }

  /** Only our own sockets may share a port, and only while one of them is bound: another BFD daemon is to be refused. */
  #share(others: ReadonlySet<UdpSocket>, bind: () => UdpSocket): UdpSocket {
    for (const other of others) other.shareAddress(true)
    try {
      const socket = bind()
      if (others.size > 0) socket.shareAddress(false)
      return socket
    } finally {
      for (const other of others) other.shareAddress(false)
    }
  }
}

function openTransmit(options: TransmitSocketOptions): TransmitSocket {
  const { family, address, port, sourcePort, localAddress = ANY[family], device, scope } = options
  const zone = (text: string): string => (scope > 0 && isLinkLocal(text) ? `${text}%${scope}` : text)
  const socket = new UdpSocket({
    address: zone(localAddress),
    port: sourcePort,
    ...(device !== undefined && { device }),
    ttl: TTL,
    trafficClass: NETWORK_CONTROL,
  })
  const destination = socket.destination(zone(address), port)
  return { send: octets => errorCode(socket.sendTo(octets, destination)), close: () => socket.close() }
}

function openEcho(options: EchoSocketOptions): EchoSocket {
  const { family, link, sources } = options
  const raw = new RawIpSocket({ family, device: link.name })
  const socket = openFrames(options, raw)
  const nextHops = new Map<string, Uint8Array>()
  return {
    drain: () => socket.drain(FULL_BUFFER),
    setSources: wanted => socket.setFilter(compileEchoFilter(family, wanted)),
    send(packet, nextHop) {
      let name = nextHops.get(nextHop)
      if (name === undefined) nextHops.set(nextHop, (name = raw.nextHop(nextHop)))
      return errorCode(raw.sendTo(packet, name))
    },
    close() {
      raw.close()
      socket.close()
    },
  }

  function openFrames(options: EchoSocketOptions, raw: RawIpSocket): PacketSocket {
    try {
      return new PacketSocket({
        interfaceIndex: link.index,
        etherType: family === 4 ? ETH_P_IP : ETH_P_IPV6,
        filter: compileEchoFilter(family, sources),
        frameSpace: ECHO_FRAME_SPACE,
        receiveBuffer: RECEIVE_BUFFER,
        onFrames: frames => options.onPackets(frames.map(frame => frame.subarray(ECHO_PACKET_OFFSET))),
        onError: error => options.onError(error),
      })
    } catch (error) {
      raw.close()
      throw error
    }
  }
}

/** Whether this system forwards what comes in by an interface. */
function forwards(family: 4 | 6, link: string): boolean {
  try {
    return readFileSync(`/proc/sys/net/ipv${family}/conf/${link}/forwarding`, 'latin1').trim() === '1'
  } catch {
    return false
  }
}

/** The sockets, links and clock of this machine. */
export function createSystemPlatform(): Platform {
  const control = new ControlSockets()
  return {
    now: () => performance.now() * 1000,
    openAlarm: ring => new DeadlineTimer(ring),
    random: createRandom(),
    digest: (algorithm, octets) => hash(algorithm, octets, 'buffer'),
    links: listLinks,
    watchLinks: (onChange, onError) => new LinkMonitor({ onChange, onError }),
    openControl: options => control.open(options),
    openTransmit,
    openEcho,
    forwards,
  }
}
