// Finds an address that nobody uses, without telling anybody that we might: RFC 5227 for IPv4 (4 to 7 s each), RFC 4862 for IPv6.
//
//   sudo node probe.mjs eth0 192.0.2.200 192.0.2.201 2001:db8::200
//
// Prints the first free one; exit code 1 when all of them are in use, 2 after an error.
import { probe } from '@typemetal/arp-ndp'
import { AttemptLimit } from '@typemetal/arp-ndp/acd'

const [interfaceName, ...addresses] = process.argv.slice(2)
if (addresses.length === 0 || interfaceName.startsWith('-')) {
  console.error('usage: node probe.mjs INTERFACE ADDRESS…')
  process.exit(interfaceName === '--help' || interfaceName === '-h' ? 0 : 2)
}
// After ten conflicts one attempt a minute: a network in which nothing is free needs no flood of probes.
const limit = new AttemptLimit()
process.exitCode = 1
try {
  for (const address of addresses) {
    const result = await probe({ interface: interfaceName, address, limit })
    if (result.free) {
      console.log(address)
      process.exitCode = 0
      break
    }
    console.error(`${address} is in use: ${result.kind} ${result.mac}`)
  }
} catch (error) {
  console.error(error.message)
  process.exitCode = 2
}
