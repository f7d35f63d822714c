/** `embedded-main.js ASN IDENTIFIER PEER-PREFIX PEER-ASN`: a router that installs what it learns, with ECMP, until SIGTERM. */
import { BgpSpeaker } from '@typemetal/bgp'
import { KernelRoutes } from './kernel-routes.js'

const [asn = '', bgpIdentifier = '', peerPrefix = '', peerAsn = ''] = process.argv.slice(2)

const stopping = new AbortController()
process.once('SIGTERM', () => stopping.abort())

const kernel = new KernelRoutes(error => console.log(`kernel: ${error.message}`))
const speaker = new BgpSpeaker({ asn: Number(asn), bgpIdentifier, listen: { port: 179 }, signal: stopping.signal })
speaker.addDynamicPeers({ prefix: peerPrefix, asn: Number(peerAsn) })
speaker.on('route', ({ prefix, paths }) => {
  const nextHops = paths.map(path => path.nextHop)
  console.log(`route ${prefix} via ${nextHops.join(' ') || 'nobody'}`)
  kernel.set(prefix, nextHops)
})
speaker.on('state', (peer, to, from, cause) => console.log(`peer ${peer.address} ${from} -> ${to} (${cause})`))
await speaker.start()
console.log('listening')
