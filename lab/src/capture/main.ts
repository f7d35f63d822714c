/** `main.js INTERFACE FILE [PROTOCOL]`: writes the frames of an interface to a pcap file until SIGTERM. */
import { createWriteStream } from 'node:fs'
import { ETH_P_ALL, PacketSocket, listLinks } from '@typemetal/sockets'
import { encodeFileHeader, encodeRecord } from './pcap.js'
import { protocolOf } from './protocol.js'

const [interfaceName = '', file = '', protocol] = process.argv.slice(2)
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
  socket.close()
  output.end()
})
console.log('capturing')
