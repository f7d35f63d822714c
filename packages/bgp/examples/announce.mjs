#!/usr/bin/env node
// Announces prefixes to one peer until Ctrl-C, then takes leave with Cease.
//
//   node announce.mjs --asn 64512 --id 10.0.0.1 --peer 10.0.0.254 --peer-asn 64513 192.0.2.0/24 2001:db8::/32
import { parseArgs } from 'node:util'
import { BgpSpeaker } from '@typemetal/bgp'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    asn: { type: 'string', default: '64512' },
    id: { type: 'string', default: '10.0.0.1' },
    peer: { type: 'string', default: '127.0.0.1' },
    'peer-asn': { type: 'string', default: '64513' },
    port: { type: 'string', default: '179' },
    community: { type: 'string', multiple: true, default: [] },
  },
})

const stop = new AbortController()
process.once('SIGINT', () => stop.abort())
process.once('SIGTERM', () => stop.abort())

const speaker = new BgpSpeaker({ asn: Number(values.asn), bgpIdentifier: values.id, signal: stop.signal })
speaker.on('state', (peer, to, from, cause) => console.log(`${peer.address}: ${from} -> ${to} (${cause})`))
speaker.addPeer({ address: values.peer, port: Number(values.port), asn: Number(values['peer-asn']) })
for (const prefix of positionals) speaker.announce({ prefix, communities: values.community })
