#!/usr/bin/env node
// A route collector: prints one JSON line for each change of a state or of the best paths of a prefix. Announces nothing.
import { BgpSpeaker } from '@typemetal/bgp'
import { commandLine, number, remoteAs } from './command-line.mjs'
import { attributeFields } from './text.mjs'

const USAGE = `node collector.mjs --asn 64513 --id 10.0.0.254 --from 10.0.0.0/24 --port 1790

  --asn N           our AS number (64513)
  --id A            our BGP Identifier (10.0.0.254)
  --from PREFIX     peers may connect from here; as often as you like (127.0.0.0/8 and ::1/128)
  --to ADDRESS      a peer to connect to, on port 179; as often as you like
  --peer-asn N      AS number of the peers, or internal, or external (external)
  --address A       address to listen on (all)
  --port N          port to listen on; 0 lets the system choose (1790)`

const { values, signal } = commandLine(USAGE, {
  options: {
    asn: { type: 'string', default: '64513' },
    id: { type: 'string', default: '10.0.0.254' },
    from: { type: 'string', multiple: true, default: ['127.0.0.0/8', '::1/128'] },
    to: { type: 'string', multiple: true, default: [] },
    'peer-asn': { type: 'string', default: 'external' },
    address: { type: 'string' },
    port: { type: 'string', default: '1790' },
  },
})
const print = line => console.log(JSON.stringify({ time: new Date().toISOString(), ...line }))

const speaker = new BgpSpeaker({
  asn: number('asn', values.asn),
  bgpIdentifier: values.id,
  listen: { port: number('port', values.port), ...(values.address && { address: values.address }) },
  signal,
})
speaker.on('state', (peer, to, from, cause) => print({ peer: peer.name, to, from, cause }))
speaker.on('route', ({ prefix, paths }) =>
  print({
    prefix,
    paths: paths.map(({ peer, nextHop, attributes }) => ({ peer: peer.name, nextHop, ...attributeFields(attributes) })),
  }),
)

const common = { asn: remoteAs('peer-asn', values['peer-asn']), exportPolicy: 'reject' }
await speaker.start()
for (const prefix of values.from) speaker.addDynamicPeers({ prefix, ...common })
for (const address of values.to) speaker.addPeer({ address, ...common })
print({ listening: speaker.port })
