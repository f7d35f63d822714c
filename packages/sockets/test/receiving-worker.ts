/** A worker thread that has one of each kind of socket open and never closes any; it counts the frames that come. */
import type { AddressInfo } from 'node:net'
import { parentPort, workerData } from 'node:worker_threads'
import {
  connectTcp,
  DeadlineTimer,
  ETH_P_ARP,
  Icmpv6Socket,
  LinkMonitor,
  listenTcp,
  listLinks,
  PacketSocket,
  RawIpSocket,
  readRtnetlink,
  RtnetlinkMonitor,
  TcpSocket,
  UdpSocket,
  watchRtnetlink,
} from '@typemetal/sockets'

/** The callbacks a thread can be terminated in. */
export type Callback = 'frames' | 'icmpv6' | 'udp' | 'rtnetlink' | 'links' | 'timer'

export interface WorkerData {
  readonly interfaceIndex: number
  /** The callback that never returns; none when left out. */
  readonly spinIn?: Callback
  /** Counts calls of that callback, frames when there is none, and wakes who waits for it. */
  readonly heard: Int32Array
}

const { interfaceIndex, spinIn, heard } = workerData as WorkerData
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a MessagePort has none, only a Window does
const post = (count: number): void => parentPort?.postMessage(count)
const ignore = (): void => undefined

function tell(callback: Callback): void {
  if (callback !== (spinIn ?? 'frames')) return
  Atomics.add(heard, 0, 1)
  Atomics.notify(heard, 0)
  for (;;) if (spinIn === undefined) return // so that the thread is certainly terminated inside the callback
}

const udp = new UdpSocket({ address: '127.0.0.1', port: 0, onPackets: () => tell('udp') })
const timer = new DeadlineTimer(() => {
  timer.set(timer.now() + 100)
  tell('timer')
})
const server = await listenTcp({ address: '127.0.0.1', port: 0 })
const kept: unknown[] = [
  udp,
  timer,
  server,
  new PacketSocket({ interfaceIndex, etherType: ETH_P_ARP, onFrames: frames => frames.forEach(() => tell('frames')) }),
  new Icmpv6Socket({ interfaceIndex, types: [135], onPackets: () => tell('icmpv6') }),
  new LinkMonitor({ onChange: () => tell('links') }),
  new RtnetlinkMonitor({ kinds: ['address', 'route'], onChanges: () => tell('rtnetlink'), onLost: ignore }),
  new TcpSocket(4),
  new RawIpSocket({ family: 4 }),
  watchRtnetlink({ kinds: ['neighbor'] }).next(), // somebody waits
  readRtnetlink('address').next(), // a dump that is not read to its end
  connectTcp({ address: '127.0.0.1', port: (server.address() as AddressInfo).port }),
  listLinks(),
]
// Nobody is there: it goes on until the thread ends.
connectTcp({ address: '10.77.0.2', port: 179, timeout: 60_000 }).catch(ignore)
post(kept.length)
timer.set(timer.now() + 100)
udp.send(new Uint8Array(1), '127.0.0.1', udp.port)
