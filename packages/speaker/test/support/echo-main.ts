/** `echo-main.js NAME ADDRESS...`: answers UDP datagrams and TCP connections to port 9000 of these addresses with the name. */
import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'

const PORT = 9000
const [name = '', ...addresses] = process.argv.slice(2)

for (const address of addresses) {
  const udp = createSocket(address.includes(':') ? 'udp6' : 'udp4')
  udp.on('message', (octets, { port, address: from }) => udp.send(`${octets.toString()} ${name}`, port, from))
  await new Promise<void>(resolve => udp.bind(PORT, address, resolve))
  const tcp = createServer(socket => {
    socket.on('error', () => {})
    socket.once('data', octets => socket.end(`${octets.toString()} ${name}`))
  })
  await new Promise<void>(resolve => tcp.listen({ host: address, port: PORT, backlog: 1024 }, resolve))
}
console.log('serving')
