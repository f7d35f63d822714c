// Prints who asks for whom by ARP: sudo node examples/watch-arp.mjs [interface]
import { ETH_P_ARP, LinkMonitor, listLinks, PacketSocket } from '@typemetal/sockets'
import { arpRequests } from '@typemetal/sockets/bpf'

const [wanted] = process.argv.slice(2)
const link = listLinks().find(link => (wanted ? link.name === wanted : link.up && link.broadcast && !link.noarp))
if (!link) {
  console.error(
    `no interface ${wanted ?? 'that is up and speaks ARP'}; there are: ${listLinks()
      .map(link => link.name)
      .join(', ')}`,
  )
  process.exit(1)
}

const address = octets => octets.join('.')
const socket = new PacketSocket({
  interfaceIndex: link.index,
  etherType: ETH_P_ARP,
  filter: arpRequests(), // the kernel drops everything else
  onFrames(frames) {
    for (const frame of frames)
      console.log(`${address(frame.subarray(28, 32))} asks who has ${address(frame.subarray(38, 42))}`)
  },
  onError: error => console.error(error.message),
})
const monitor = new LinkMonitor({
  onChange() {
    if (listLinks().some(({ index }) => index === link.index)) return
    console.log(`${link.name} is gone`)
    socket.close()
    monitor.close()
  },
})
console.log(`listening on ${link.name} (${link.mac})`)
