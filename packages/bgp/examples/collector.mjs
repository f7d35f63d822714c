#!/usr/bin/env node
// Listens for BGP peers and prints one JSON line for each change of a state or of the best paths of a prefix.
//
//   node collector.mjs --asn 64513 --id 10.0.0.254 --from 10.0.0.0/24 --port 1790
import { parseArgs } from 'node:util'
import { BgpSpeaker, formatCommunity, formatLargeCommunity } from '@typemetal/bgp'

const { values } = parseArgs({
  options: {
    asn: { type: 'string', default: '64513' },
    id: { type: 'string', default: '10.0.0.254' },
    from: { type: 'string', multiple: true, default: ['127.0.0.0/8', '::1/128'] },
    'peer-asn': { type: 'string', default: 'external' },
    address: { type: 'string' },
    port: { type: 'string', default: '1790' },
  },
})

const print = line => console.log(JSON.stringify({ time: new Date().toISOString(), ...line }))
const stop = new AbortController()
process.once('SIGINT', () => stop.abort())
process.once('SIGTERM', () => stop.abort())

const speaker = new BgpSpeaker({
  asn: Number(values.asn),
  bgpIdentifier: values.id,
  listen: { port: Number(values.port), ...(values.address && { address: values.address }) },
  signal: stop.signal,
})
const asn = Number(values['peer-asn']) || values['peer-asn']
for (const prefix of values.from) speaker.addDynamicPeers({ prefix, asn })

speaker.on('state', (peer, to, from, cause) => print({ peer: peer.address, to, from, cause }))
speaker.on('route', ({ prefix, paths }) =>
  print({
    prefix,
    paths: paths.map(({ peer, nextHop, attributes }) => ({
      peer: peer.address,
      nextHop,
      asPath: attributes.asPath.flatMap(({ asns }) => asns),
      communities: attributes.communities?.map(formatCommunity),
      largeCommunities: attributes.largeCommunities?.map(formatLargeCommunity),
    })),
  }),
)
await speaker.start()
print({ listening: speaker.port })
