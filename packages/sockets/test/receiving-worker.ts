/** A worker thread that has one of each kind of socket open and never closes any; it tells when frames have come. */
import { parentPort, workerData } from 'node:worker_threads'
import { ETH_P_ARP, Icmpv6Socket, LinkMonitor, listLinks, PacketSocket, TcpSocket, UdpSocket } from '@typemetal/sockets'

const { interfaceIndex, spin } = workerData as { interfaceIndex: number; spin: boolean }
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a MessagePort has none, only a Window does
const post = (count: number): void => parentPort?.postMessage(count)
const ignore = (): void => undefined

function tell(frames: readonly Uint8Array[]): void {
  post(frames.length)
  for (;;) if (!spin) return // so that the thread is certainly terminated inside the callback
}

const kept = [
  new PacketSocket({ interfaceIndex, etherType: ETH_P_ARP, onFrames: tell }),
  new Icmpv6Socket({ interfaceIndex, types: [135], onPackets: ignore }),
  new LinkMonitor({ onChange: () => listLinks() }),
  new UdpSocket({ address: '127.0.0.1', port: 0, onPackets: ignore }),
  new TcpSocket(4),
]
post(-kept.length)
