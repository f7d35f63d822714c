#!/usr/bin/env node
// A route server of an exchange point, RFC 7947: members see each other's routes as they were announced, and none sees us in the path.
// Members steer with large communities (RFC 8092), where RS is our AS number: RS:0:AS keeps a route from the member AS, RS:0:0 from
// all but those that RS:1:AS names.
import { BlockList } from 'node:net'
import { BgpSpeaker } from '@typemetal/bgp'
import { commandLine, number } from './command-line.mjs'

const USAGE = `node route-server.mjs --asn 64500 --member 64501@192.0.2.1 --member 64502@192.0.2.2=198.51.100.0/24,2001:db8:2::/48

  --member AS@ADDRESS[=PREFIX,…]  a member, and the prefixes that it may announce routes into (any, up to /24 and /48)
  --asn N                         our AS number, RS below (64500)
  --id A                          our BGP Identifier (192.0.2.254)
  --address A                     address to listen on (all)
  --port N                        port to listen on; 0 lets the system choose (179)
  --limit N                       most prefixes of a member (10000)`

const { values, signal } = commandLine(USAGE, {
  options: {
    asn: { type: 'string', default: '64500' },
    id: { type: 'string', default: '192.0.2.254' },
    address: { type: 'string' },
    port: { type: 'string', default: '179' },
    limit: { type: 'string', default: '10000' },
    member: { type: 'string', multiple: true, default: [] },
  },
})
const asn = number('asn', values.asn)

function parseMember(text) {
  const [, memberAsn, address, list] = /^(\d+)@([^=]+)(?:=(.+))?$/.exec(text) ?? []
  if (!memberAsn) throw new RangeError(`--member must be AS@ADDRESS or AS@ADDRESS=PREFIX,PREFIX, not ${text}`)
  return { asn: Number(memberAsn), address, prefixes: list?.split(',') }
}

const splitPrefix = prefix => [
  prefix.split('/')[0],
  Number(prefix.split('/')[1]),
  prefix.includes(':') ? 'ipv6' : 'ipv4',
]

/** Whether a prefix lies in one of these, and is not a longer one than a neighbour would take. */
function isAllowed(prefix, prefixes) {
  const [address, length, family] = splitPrefix(prefix)
  if (length > (family === 'ipv6' ? 48 : 24)) return false
  if (!prefixes) return true
  return prefixes.some(outer => {
    const block = new BlockList()
    block.addSubnet(...splitPrefix(outer))
    return length >= splitPrefix(outer)[1] && block.check(address, family)
  })
}

/** What a member may tell: its own routes, in its own address space. */
const importPolicy = member => route => {
  const [first] = route.attributes.asPath ?? []
  return first?.asns[0] === member.asn && isAllowed(route.prefix, member.prefixes)
}

/** What a member is told: everything but what others keep from it; the communities that say so end here. */
const exportPolicy = member => route => {
  const { largeCommunities = [] } = route.attributes
  const said = (action, target) =>
    largeCommunities.some(
      ({ globalAdministrator, localData1, localData2 }) =>
        globalAdministrator === asn && localData1 === action && localData2 === target,
    )
  if (said(0, member.asn) || (said(0, 0) && !said(1, member.asn))) return false
  const others = largeCommunities.filter(({ globalAdministrator }) => globalAdministrator !== asn)
  return { largeCommunities: others.length > 0 ? others : undefined }
}

const print = line => console.log(JSON.stringify({ time: new Date().toISOString(), ...line }))
const speaker = new BgpSpeaker({
  asn,
  bgpIdentifier: values.id,
  listen: { port: number('port', values.port), ...(values.address && { address: values.address }) },
  signal,
})
speaker.on('state', (peer, to, from, cause) => print({ member: peer.name, to, from, cause }))
speaker.on('route', ({ prefix, paths }) => print({ prefix, best: paths[0]?.peer.name, paths: paths.length }))

for (const member of values.member.map(parseMember)) {
  speaker.addPeer({
    name: `AS${member.asn} ${member.address}`,
    address: member.address,
    asn: member.asn,
    passive: true,
    propagate: true,
    routeServerClient: true,
    role: 'rs',
    // A member that takes several paths is not left without one when another keeps the best from it (RFC 7947 section 2.3).
    addPath: { send: ['ipv4-unicast', 'ipv6-unicast'] },
    maximumPrefixes: number('limit', values.limit),
    importPolicy: importPolicy(member),
    exportPolicy: exportPolicy(member),
  })
}
await speaker.start()
print({ listening: speaker.port })
