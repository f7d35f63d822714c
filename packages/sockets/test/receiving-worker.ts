/** A worker thread that has one of each kind of socket open and never closes any; it counts the frames that come. */
import { parentPort, workerData } from 'node:worker_threads'
import { ETH_P_ARP, Icmpv6Socket, LinkMonitor, listLinks, PacketSocket, TcpSocket, UdpSocket } from '@typemetal/sockets'

const { interfaceIndex, spin, heard } = workerData as WorkerData
export interface WorkerData {
  readonly interfaceIndex: number
  /** Whether the callback never returns. */
  readonly spin: boolean
  /** Counts frames, and wakes who waits for it. */
  readonly heard: Int32Array
}

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a MessagePort has none, only a Window does
const post = (count: number): void => parentPort?.postMessage(count)
const ignore = (): void => undefined

function tell(frames: readonly Uint8Array[]): void {
  Atomics.add(heard, 0, frames.length)
  Atomics.notify(heard, 0)
  for (;;) if (!spin) return // so that the thread is certainly terminated inside the callback
}

const kept = [
  new PacketSocket({ interfaceIndex, etherType: ETH_P_ARP, onFrames: tell }),
  new Icmpv6Socket({ interfaceIndex, types: [135], onPackets: ignore }),
  new LinkMonitor({ onChange: () => listLinks() }),
  new UdpSocket({ address: '127.0.0.1', port: 0, onPackets: ignore }),
  new TcpSocket(4),
]
post(kept.length)
