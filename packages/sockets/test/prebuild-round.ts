/** What a prebuilt addon has to do in a Node.js it is loaded into: run by prebuilds.test.ts in each of them. Prints one JSON object. */
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { Worker } from 'node:worker_threads'
import {
  connectTcp,
  DeadlineTimer,
  ETH_P_ALL,
  listenTcp,
  listLinks,
  listRoutes,
  PacketSocket,
  UdpSocket,
  watchRtnetlink,
} from '@typemetal/sockets'

/** What it prints. */
export interface RoundResult {
  readonly node: string
  readonly udp: string
  readonly tcp: string
  /** `'heard'`, or the code of the error. */
  readonly frames: string
  readonly timer: string
  readonly worker: string
  readonly watch: string
  readonly routes: boolean
  readonly addon: string | undefined
}

/** What comes by UDP over the loopback interface: octets, hop limit and interface of it. */
function udp(): Promise<string> {
  return new Promise(resolve => {
    const receiver = new UdpSocket({
      address: '127.0.0.1',
      port: 0,
      ttl: 7,
      onPackets([packet]) {
        receiver.close()
        resolve(`${String(packet?.data)} ${packet?.hopLimit} ${packet?.interfaceIndex}`)
      },
    })
    receiver.send(Uint8Array.of(1, 2, 3), '127.0.0.1', receiver.port)
  })
}

async function tcp(): Promise<string> {
  const server = await listenTcp({ address: '127.0.0.1', port: 0 })
  server.on('connection', socket => socket.end('pong'))
  const socket = await connectTcp({ address: '127.0.0.1', port: (server.address() as AddressInfo).port, ttl: 9 })
  const [data] = (await once(socket, 'data')) as [Uint8Array]
  socket.destroy()
  server.close()
  return Buffer.from(data).toString()
}

/** Frames of the loopback interface, where this process may have them. */
async function frames(): Promise<string> {
  const { index } = listLinks().find(({ name }) => name === 'lo')!
  const heard: number[] = []
  try {
    using socket = new PacketSocket({
      interfaceIndex: index,
      etherType: ETH_P_ALL,
      ignoreOutgoing: false,
      onFrames: batch => void heard.push(batch.length),
    })
    socket.sendBatch(Array.from({ length: 100 }, () => new Uint8Array(60)))
    await socket.writable()
    while (heard.length === 0) await new Promise(resolve => setTimeout(resolve, 1))
    return 'heard'
  } catch (error) {
    return (error as { code: string }).code
  }
}

const timer = (): Promise<string> =>
  new Promise(resolve => {
    const alarm = new DeadlineTimer(() => {
      alarm.close()
      resolve('rang')
    })
    alarm.set(alarm.now() + 500)
  })

/** A thread that ends with sockets open. */
async function worker(): Promise<string> {
  const code = `
    import { UdpSocket, watchRtnetlink } from '@typemetal/sockets'
    import { parentPort } from 'node:worker_threads'
    globalThis.kept = [new UdpSocket({ address: '127.0.0.1', port: 0, onPackets() {} }), watchRtnetlink({ kinds: ['link'] })]
    parentPort.postMessage('open')`
  const url = new URL(
    `data:text/javascript,${encodeURIComponent(code.replace("'@typemetal/sockets'", `'${import.meta.resolve('@typemetal/sockets')}'`))}`,
  )
  const thread = new Worker(url)
  const [message] = (await once(thread, 'message')) as [string]
  await thread.terminate()
  return message
}

async function watch(): Promise<string> {
  const changes = watchRtnetlink({ kinds: ['link', 'route'] })
  await changes.return()
  return (await changes.next()).done ? 'ended' : 'goes on'
}

/** The addon's file, as the loader of this process has it. */
const addon = (): string | undefined =>
  readFileSync('/proc/self/maps', 'latin1')
    .split('\n')
    .find(line => line.endsWith('.node'))
    ?.replace(/^.*prebuilds/, 'prebuilds')

// In a namespace of its own nothing is up; elsewhere it is, and this is refused.
spawnSync('ip', ['link', 'set', 'dev', 'lo', 'up'])
const result: RoundResult = {
  node: process.versions.node.split('.')[0] ?? '',
  udp: await udp(),
  tcp: await tcp(),
  frames: await frames(),
  timer: await timer(),
  worker: await worker(),
  watch: await watch(),
  routes: Array.isArray(listRoutes({ table: 255 })),
  addon: addon(),
}
console.log(JSON.stringify(result))
