import {
  ETH_P_ARP,
  ETH_P_IPV6,
  Icmpv6Socket,
  LinkMonitor,
  listLinks,
  PacketSocket,
  SocketError,
} from '@typemetal/sockets'
import { arpRequestsOrClaims, neighborSolicitationsOrAdvertisements } from '@typemetal/sockets/bpf'
import type { FrameSocket, FrameSocketOptions, Platform } from './platform.js'

/** Octets the kernel may queue for one interface: some thousand requests, while this thread collects garbage. */
const RECEIVE_BUFFER = 4 * 1024 * 1024
/** Octets kept of a frame; a request has no reason to be longer. */
const FRAME_SPACE = { arp: 256, ndp: 1518 } as const
const ETHER_TYPE = { arp: ETH_P_ARP, ndp: ETH_P_IPV6 } as const
const FILTER = { arp: arpRequestsOrClaims, ndp: neighborSolicitationsOrAdvertisements } as const

/** A filter that fits into what kernels before Linux 6.8 allow a socket (`net.core.optmem_max`); long tables are rough in it. */
const SMALL_FILTER = { instructions: 400 } as const

function setTargets(
  socket: PacketSocket,
  { protocol, targets }: Pick<FrameSocketOptions, 'protocol' | 'targets'>,
): void {
  try {
    socket.setFilter(FILTER[protocol](targets))
  } catch (error) {
    if (!(error instanceof SocketError) || error.code !== 'ENOMEM') throw error
    socket.setFilter(FILTER[protocol](targets, SMALL_FILTER))
  }
}

function openFrames(options: FrameSocketOptions): FrameSocket {
  const { protocol } = options
  const socket = new PacketSocket({
    interfaceIndex: options.interfaceIndex,
    etherType: ETHER_TYPE[protocol],
    filter: FILTER[protocol](options.targets),
    frameSpace: FRAME_SPACE[protocol],
    receiveBuffer: RECEIVE_BUFFER,
    onFrames: frames => options.onFrames(frames),
    onWritable: () => options.onWritable(),
    onError: error => options.onError(error),
  })
  return {
    sendBatch: frames => socket.sendBatch(frames),
    setTargets: targets => setTargets(socket, { protocol, targets }),
    statistics: () => socket.statistics(),
    close: () => socket.close(),
  }
}

/** Calls back on the loop; immediately after input and output for 0. */
function after(milliseconds: number, callback: () => void): () => void {
  if (milliseconds <= 0) {
    const immediate = setImmediate(callback)
    return () => clearImmediate(immediate)
  }
  const timer = setTimeout(callback, milliseconds)
  return () => clearTimeout(timer)
}

/** The sockets, links and clock of this machine. */
export const systemPlatform: Platform = {
  links: listLinks,
  watchLinks: (onChange, onError) => new LinkMonitor({ onChange, onError }),
  openFrames,
  // It blocks every ICMPv6 type: it is there for its memberships alone, the frames come by the packet socket.
  openGroups: interfaceIndex => new Icmpv6Socket({ interfaceIndex, types: [], onPackets: () => {} }),
  now: () => performance.now(),
  dateOf: instant => new Date(Date.now() - (performance.now() - instant)),
  random: () => Math.random(),
  after,
}
