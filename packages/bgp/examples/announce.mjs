#!/usr/bin/env node
// Announces prefixes to one peer until Ctrl-C, then takes leave with Cease.
import { BgpSpeaker } from '@typemetal/bgp'
import { commandLine, number, remoteAs } from './command-line.mjs'

const USAGE = `node announce.mjs --asn 64512 --id 10.0.0.1 --peer 10.0.0.254 --peer-asn 64513 192.0.2.0/24 2001:db8::/32

  --asn N           our AS number (64512)
  --id A            our BGP Identifier (10.0.0.1)
  --peer ADDRESS    the peer (127.0.0.1)
  --peer-asn N      its AS number, or internal, or external (external)
  --port N          its port (179)
  --next-hop A      next hop of the prefixes (self: our address on the session)
  --community TEXT  as often as you like: 64512:100, large:64512:1:2, rt:64512:100, no-export, …
  --med N           MULTI_EXIT_DISC
  --as-path N,N     ASes to put behind ours`

const { values, positionals, signal } = commandLine(USAGE, {
  allowPositionals: true,
  options: {
    asn: { type: 'string', default: '64512' },
    id: { type: 'string', default: '10.0.0.1' },
    peer: { type: 'string', default: '127.0.0.1' },
    'peer-asn': { type: 'string', default: 'external' },
    port: { type: 'string', default: '179' },
    'next-hop': { type: 'string', default: 'self' },
    community: { type: 'string', multiple: true, default: [] },
    med: { type: 'string' },
    'as-path': { type: 'string' },
  },
})

const speaker = new BgpSpeaker({ asn: number('asn', values.asn), bgpIdentifier: values.id, signal })
speaker.on('state', (peer, to, from, cause) => console.log(`${peer.name}: ${from} -> ${to} (${cause})`))
for (const prefix of positionals) {
  speaker.announce({
    prefix,
    nextHop: values['next-hop'],
    communities: values.community,
    ...(values.med && { multiExitDisc: number('med', values.med) }),
    ...(values['as-path'] && { asPath: values['as-path'].split(',').map(asn => number('as-path', asn)) }),
  })
}
speaker.addPeer({
  address: values.peer,
  port: number('port', values.port),
  asn: remoteAs('peer-asn', values['peer-asn']),
})
