/**
 * The Linux sockets Node.js lacks: Ethernet frames, raw ICMPv6, rtnetlink, TCP socket options.
 *
 * ```ts
 * import { ETH_P_ARP, listLinks, PacketSocket } from '@typemetal/sockets'
 * import { arpRequests } from '@typemetal/sockets/bpf'
 *
 * const link = listLinks().find(link => link.up && link.broadcast)
 * if (!link) throw new Error('no Ethernet interface is up')
 * using socket = new PacketSocket({
 *   interfaceIndex: link.index,
 *   etherType: ETH_P_ARP,
 *   filter: arpRequests(),
 *   onFrames: frames => console.log(`${frames.length} ARP requests on ${link.name}`),
 * })
 * ```
 *
 * @packageDocumentation
 */
export { SocketError } from './errors.js'
export { InterfaceFlag, type LinkMessage } from './wire/link-message.js'
export { type AddressFilter, type AddressMessage } from './wire/address-message.js'
export { type NeighborFilter, type NeighborMessage, type NeighborState } from './wire/neighbor-message.js'
export { type RouteFilter, type RouteMessage } from './wire/route-message.js'
export { type NextHop } from './wire/next-hop.js'
export { type RtnetlinkChange, type RtnetlinkKind, type RtnetlinkValues } from './wire/rtnetlink-message.js'
export {
  ETH_P_ALL,
  ETH_P_ARP,
  ETH_P_IP,
  ETH_P_IPV6,
  PacketSocket,
  type PacketSocketOptions,
  type PacketStatistics,
} from './node/packet-socket.js'
export {
  Icmpv6Socket,
  type Icmpv6Packet,
  type Icmpv6SendOptions,
  type Icmpv6SocketOptions,
} from './node/icmpv6-socket.js'
export { listLinks, type Link, type LinkAddress } from './node/links.js'
export { LinkMonitor, type LinkMonitorOptions } from './node/link-monitor.js'
export { listAddresses, listNeighbors, listRoutes, readRtnetlink, type RtnetlinkFilters } from './node/rtnetlink.js'
export { RtnetlinkMonitor, type RtnetlinkMonitorOptions } from './node/rtnetlink-monitor.js'
export {
  RtnetlinkWatch,
  watchRtnetlink,
  type RtnetlinkEvent,
  type RtnetlinkResync,
  type WatchRtnetlinkOptions,
} from './node/rtnetlink-watch.js'
export { UdpSocket, type UdpDestination, type UdpPacket, type UdpSocketOptions } from './node/udp-socket.js'
export { type UdpBatch } from './node/udp-batch.js'
export { RawIpSocket, type RawIpSocketOptions } from './node/raw-ip-socket.js'
export { DeadlineTimer } from './node/deadline-timer.js'
export { makeThreadRealTime } from './node/real-time.js'
export { TcpSocket, type Md5Key } from './node/tcp-socket.js'
export { type ConnectWait } from './node/connect-wait.js'
export { connectTcp, listenTcp, type ConnectTcpOptions, type ListenTcpOptions } from './node/tcp.js'
export {
  removeServerMd5Key,
  setServerMd5Key,
  setServerTcpOptions,
  setTcpOptions,
  synTtl,
  type ServerTcpOptions,
  type TcpOptions,
} from './node/tcp-options.js'
export { readMd5Counters } from './node/md5-counters.js'
export { type Md5Counters } from './wire/netstat.js'
export { type InternetAddress } from './wire/socket-address.js'
export { type BpfInstruction } from './bpf/index.js'
