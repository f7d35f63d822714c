// Answers for addresses that no interface has, and tells the neighbours of them; what it does is printed until Ctrl-C.
//
//   sudo node responder.mjs eth0 192.0.2.200 2001:db8::200
import { setInterval } from 'node:timers/promises'
import { DEFAULT_EXCLUDED_INTERFACES, Layer2 } from '@typemetal/arp-ndp'

const [interfaceName, ...addresses] = process.argv.slice(2)
if (addresses.length === 0 || interfaceName.startsWith('-')) {
  console.error('usage: node responder.mjs INTERFACE ADDRESS…')
  process.exit(interfaceName === '--help' || interfaceName === '-h' ? 0 : 2)
}
const controller = new AbortController()
process.once('SIGINT', () => controller.abort())
try {
  const layer2 = await Layer2.start({ excludeInterfaces: DEFAULT_EXCLUDED_INTERFACES, signal: controller.signal })
  layer2.on('responder', ({ action, protocol, interface: name }) => console.log(`${action} ${protocol} on ${name}`))
  layer2.on('conflict', ({ address, mac }) => console.log(`${address} is used by ${mac} as well`))
  layer2.on('conflict-over', ({ address, mac }) => console.log(`${address} is no longer used by ${mac}`))
  layer2.on('unmatched', ({ address }) =>
    console.error(`${address}: there is no interface ${interfaceName}, or it is left out`),
  )
  layer2.on('error', error => console.error(error.message))
  layer2.setAddresses(addresses.map(address => ({ address, interfaces: [interfaceName] })))
  for await (const _ of setInterval(5000, undefined, { signal: controller.signal })) {
    console.table(Object.fromEntries(await layer2.counters()))
  }
} catch (error) {
  if (controller.signal.aborted) process.exit()
  console.error(error.message)
  process.exitCode = 1
}
