// Prints what changes about interfaces, addresses, neighbours and routes: node examples/watch-network.mjs [link address neighbor route]
import { listLinks, watchRtnetlink } from '@typemetal/sockets'

const KINDS = ['link', 'address', 'neighbor', 'route']
const kinds = process.argv.length > 2 ? process.argv.slice(2) : KINDS
if (!kinds.every(kind => KINDS.includes(kind))) {
  console.error(`usage: node examples/watch-network.mjs [${KINDS.join(' ')}]`)
  process.exit(2)
}
const end = new AbortController()
process.once('SIGINT', () => end.abort())

/** One line about each kind. */
const lines = {
  link: ({ name, kind, mac, operstate }) => `${name} ${kind} ${mac} ${operstate}`,
  address: ({ address, prefixLength, interfaceIndex }) => `${address}/${prefixLength} on interface ${interfaceIndex}`,
  neighbor: ({ address, mac, state }) => `${address} at ${mac || 'an unknown address'}, ${state}`,
  route: ({ destination, prefixLength, nextHops }) =>
    `${destination}/${prefixLength} via ${nextHops.map(({ gateway, interfaceIndex }) => gateway || `interface ${interfaceIndex}`).join(', ') || 'nothing'}`,
}

// It listens from here on, so nothing is missed between the list and the first change.
const changes = watchRtnetlink({ kinds, signal: end.signal })
for (const link of listLinks()) console.log(`there is ${link.name}, ${link.operstate}`)
try {
  for await (const event of changes) {
    if (event.kind === 'resync') console.log('changes were lost: what is there has to be listed again')
    else console.log(`${event.change} ${event.kind}: ${lines[event.kind](event.value)}`)
  }
} catch (error) {
  if (!end.signal.aborted) throw error
}
