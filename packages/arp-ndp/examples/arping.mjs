// Who has an address? By ARP for IPv4, by Neighbor Discovery for IPv6; more than one answer is a conflict.
//
//   sudo node arping.mjs eth0 192.0.2.1 [milliseconds]
import { resolve } from '@typemetal/arp-ndp'

const [interfaceName, address, timeout = '1000'] = process.argv.slice(2)
if (!address) {
  console.error('usage: node arping.mjs INTERFACE ADDRESS [MILLISECONDS]')
  process.exit(2)
}
try {
  const answers = await resolve({ interface: interfaceName, address, timeout: Number(timeout) })
  for (const { mac, roundTrip } of answers) console.log(`${address} is at ${mac} (${roundTrip.toFixed(2)} ms)`)
  if (answers.length === 0) console.log(`nobody on ${interfaceName} has ${address}`)
  if (answers.length > 1) console.log(`${answers.length} hosts claim ${address}`)
  process.exitCode = answers.length === 1 ? 0 : 1
} catch (error) {
  console.error(error.message)
  process.exitCode = 2
}
