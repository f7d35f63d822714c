// A chat without a server. In two terminals:
//
//     node packages/memberlist/examples/chat.mjs alice 7001
//     node packages/memberlist/examples/chat.mjs bob 7002 127.0.0.1:7001
//
// An optional last argument is a password: the ring is then encrypted.
import { createHash } from 'node:crypto'
import { createInterface } from 'node:readline'
import { Memberlist } from '@typemetal/memberlist'

const [name = `guest-${process.pid}`, port = '0', seed, password] = process.argv.slice(2)
if (!/^\d+$/.test(port) || Number(port) > 65_535) {
  console.error('usage: node chat.mjs [NAME] [PORT] [ADDRESS:PORT of somebody who is there] [PASSWORD]')
  process.exit(2)
}
const secretKeys = password ? [createHash('sha256').update(password).digest()] : []
const node = new Memberlist({ name, bindAddress: '127.0.0.1', bindPort: Number(port), secretKeys })
node.on('join', member => console.log(`* ${member.name} is here`))
node.on('leave', member => console.log(`* ${member.name} ${member.state === 'left' ? 'left' : 'is gone'}`))

// Gossip may bring a message more than once: each has a number, and what was seen is not printed again.
const seen = new Set()
node.on('message', payload => {
  const { from, number, text } = JSON.parse(Buffer.from(payload).toString())
  if (seen.size > 10_000) seen.clear()
  if (from === name || seen.has(`${from} ${number}`)) return
  seen.add(`${from} ${number}`)
  console.log(`${from}: ${text}`)
  node.broadcast(payload)
})

await node.start()
console.log(`listening on 127.0.0.1:${node.port}; type a line, end with Ctrl-D`)
if (seed) await node.join([seed])

let number = Date.now()
for await (const text of createInterface({ input: process.stdin })) {
  node.broadcast(Buffer.from(JSON.stringify({ from: name, number: number++, text })))
}
await node.leave()
await node.close()
