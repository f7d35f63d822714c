/** `main.js INTERFACE FILE OPTIONS`: writes the frames of an interface to a pcap file until SIGTERM. */
import { createWriteStream } from 'node:fs'
import { ETH_P_ALL, PacketSocket, listLinks } from '@typemetal/sockets'
import { assemble, bpf, type BpfInstruction } from '@typemetal/sockets/bpf'
import type { CaptureOptions } from './capture.js'
import { encodeFileHeader, encodeRecord } from './pcap.js'
import { protocolOf } from './protocol.js'

const SOURCE = 6 // octet of an Ethernet frame
/** Octets that the kernel may queue: a thousand addresses announced at once are two thousand frames. */
const RECEIVE_BUFFER = 16 * 1024 * 1024
/** Batches read at the end, of what came before it. */
const LAST_BATCHES = 4096

const [interfaceName = '', file = '', text = '{}'] = process.argv.slice(2)
const { protocol, source } = JSON.parse(text) as CaptureOptions
const link = listLinks().find(link => link.name === interfaceName)
if (!link) {
  console.error(`no interface ${interfaceName} here`)
  process.exit(1)
}

const output = createWriteStream(file)
output.write(encodeFileHeader())
// the wall clock once, then the monotonic one, so that time stamps never run backwards
const epoch = BigInt(Date.now()) * 1_000_000n - process.hrtime.bigint()

const socket = new PacketSocket({
  interfaceIndex: link.index,
  etherType: ETH_P_ALL,
  ignoreOutgoing: false,
  receiveBuffer: RECEIVE_BUFFER,
  ...(source !== undefined && { filter: onlyFrom(source) }),
  onFrames(frames) {
    const time = epoch + process.hrtime.bigint()
    for (const frame of frames) {
      if (protocol === undefined || protocolOf(frame) === protocol) output.write(encodeRecord(frame, time))
    }
  },
  onError(error) {
    console.error(error.message)
    process.exitCode = 1
  },
})

process.once('SIGTERM', () => {
  socket.drain(LAST_BATCHES)
  console.log(`lost ${socket.statistics().drops}`)
  socket.close()
  output.end()
})
console.log('capturing')

function onlyFrom(prefix: string): readonly BpfInstruction[] {
  const octets = prefix.split(':').map(pair => Number.parseInt(pair, 16))
  return assemble([
    ...octets.flatMap((octet, at) => [bpf.load('byte', SOURCE + at), bpf.jump('equal', octet, { ifFalse: 'drop' })]),
    bpf.accept(),
    bpf.label('drop'),
    bpf.drop(),
  ])
}
