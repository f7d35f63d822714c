/** Other people's BMP: FRR and GoBGP tell our station, and tshark dissects what our client says. */
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import {
  BmpClient,
  bmpRib,
  BmpStation,
  decodeBmpMessage,
  encodeBmpMessage,
  type BmpMessage,
  type BmpPeerHeader,
  type BmpRouter,
  type BmpStatistic,
} from '@typemetal/bgp/bmp'
import { decodeMessage, type Message, type UpdateMessage } from '@typemetal/bgp/wire'
import { EXAMPLES } from './bmp-messages.js'
import { isInside, missingPrivilege, run, stop, until } from './interop/namespace.js'
import { PlayedSpeaker, route } from './observed-speaker.js'

const BGPD = '/usr/lib/frr/bgpd'
const GOBGPD = '/usr/bin/gobgpd'
const OURS = '10.2.0.1'
const FRR = '10.2.0.2'
const GOBGP = '10.2.0.3'
/** Octets of the common header, RFC 7854 section 4.1. */
const HEADER = 6
const PREFIXES = ['192.0.2.0/24', '2001:db8:1::/48'] as const

const frrConfig = (port: number): string => `
router bgp 65001
 bgp router-id ${FRR}
 no bgp ebgp-requires-policy
 no bgp network import-check
 neighbor ${GOBGP} remote-as 4200000003
 neighbor ${GOBGP} timers connect 1
 neighbor ${GOBGP} update-source ${FRR}
 address-family ipv4 unicast
  neighbor ${GOBGP} soft-reconfiguration inbound
  network ${PREFIXES[0]}
 exit-address-family
 address-family ipv6 unicast
  neighbor ${GOBGP} activate
  neighbor ${GOBGP} route-map hop out
  network ${PREFIXES[1]}
 exit-address-family
 bmp targets typemetal
  bmp stats interval 500
  bmp monitor ipv4 unicast pre-policy
  bmp monitor ipv6 unicast pre-policy
  bmp monitor ipv4 unicast post-policy
  bmp connect ${OURS} port ${port} min-retry 100 max-retry 500
route-map hop permit 10
 set ipv6 next-hop global fd00:2::2
`

const gobgpConfig = (port: number): string => `
[global.config]
  as = 4200000003
  router-id = "${GOBGP}"
  local-address-list = ["${GOBGP}"]
[[bmp-servers]]
  [bmp-servers.config]
    address = "${OURS}"
    port = ${port}
    route-monitoring-policy = "all"
    statistics-timeout = 15
[[neighbors]]
  [neighbors.config]
    neighbor-address = "${FRR}"
    peer-as = 65001
  [neighbors.timers.config]
    connect-retry = 1
  [neighbors.transport.config]
    local-address = "${GOBGP}"
    passive-mode = true
  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "ipv4-unicast"
  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "ipv6-unicast"
`

/** What one router has told. */
interface Told {
  readonly events: Set<string>
  readonly opens: Message[]
  readonly statistics: BmpStatistic[]
  readonly announced: Set<string>
}

const updatePrefixes = ({ nlri, pathAttributes }: UpdateMessage): readonly string[] =>
  [...nlri, ...(pathAttributes.mpReachNlri?.nlri ?? [])].map(
    ({ length, prefix }) => `${Buffer.from(prefix).toString('hex')}/${length}`,
  )

/** Keeps what the routers of a station tell, by their names: all connect from the address that is theirs as well as ours. */
function listenTo(station: BmpStation): Map<string, Told> {
  const routers = new Map<string, Told>()
  const told = (router: BmpRouter): Told => {
    const known = routers.get(router.sysName)
    if (known) return known
    const fresh: Told = { events: new Set(), opens: [], statistics: [], announced: new Set() }
    routers.set(router.sysName, fresh)
    return fresh
  }
  const note = (router: BmpRouter, event: string, peer?: BmpPeerHeader): void =>
    void told(router).events.add(peer ? `${event} ${bmpRib(peer)}` : event)
  station.on('initiation', router => note(router, 'initiation'))
  station.on('termination', router => note(router, 'termination'))
  station.on('peer-up', (router, { peer, sentOpen, receivedOpen }) => {
    note(router, 'peer-up', peer)
    told(router).opens.push(decodeMessage(sentOpen), decodeMessage(receivedOpen))
  })
  station.on('peer-down', (router, { peer, reason }) => {
    note(router, 'peer-down', peer)
    note(router, reason.type)
  })
  station.on('route-monitoring', (router, { peer, update }, context) => {
    const message = decodeMessage(update, context) as UpdateMessage
    note(router, message.faults ? 'faults' : 'route-monitoring', peer)
    for (const prefix of updatePrefixes(message)) told(router).announced.add(`${bmpRib(peer)} ${prefix}`)
  })
  station.on('statistics-report', (router, { statistics }) => {
    note(router, 'statistics-report')
    told(router).statistics.push(...statistics)
  })
  station.on('disconnected', (router, error) => note(router, error ? `malformed: ${error.message}` : 'disconnected'))
  return routers
}

const missing = (): string | undefined => {
  if (!existsSync(BGPD) || !existsSync(GOBGPD)) return 'needs FRR and GoBGP: apt-get install frr gobgpd'
  return missingPrivilege()
}

async function monitorRouters(t: Test): Promise<void> {
  for (const address of [OURS, FRR, GOBGP]) run('ip', 'address', 'add', `${address}/32`, 'dev', 'lo')
  run('ip', 'address', 'add', 'fd00:2::2/128', 'dev', 'lo', 'nodad')
  const directory = mkdtempSync(join(tmpdir(), 'tmbgp-bmp-'))
  const children: ChildProcess[] = []
  try {
    await using station = new BmpStation({ host: OURS, port: 0 })
    const routers = listenTo(station)
    await station.start()
    const path = (name: string): string => join(directory, name)
    writeFileSync(path('bgpd.conf'), frrConfig(station.port ?? 0))
    writeFileSync(path('gobgpd.toml'), gobgpConfig(station.port ?? 0))
    const files = ['-f', path('bgpd.conf'), '-i', path('pid'), '--vty_socket', directory, '-z', path('zserv')]
    const start = (command: string, ...args: readonly string[]): ChildProcess => {
      const child = spawn(command, args, { stdio: 'ignore' })
      children.push(child)
      return child
    }
    start(GOBGPD, '-f', path('gobgpd.toml'), '--api-hosts', '127.0.0.1:50097')
    const bgpd = start(BGPD, '-S', '-Z', '-n', '-P', '0', '-M', 'bmp', '-l', FRR, ...files)

    const gobgp = await until('GoBGP tells', () => routers.get('GoBGP'))
    assert.ok(gobgp)
    const expected = ['c00002/24', '20010db80001/48']
    for (const rib of ['adj-rib-in-pre-policy', 'adj-rib-in-post-policy', 'loc-rib']) {
      await until(`GoBGP: ${rib}`, () => expected.every(prefix => gobgp.announced.has(`${rib} ${prefix}`)))
      t.pass(`GoBGP: ${rib}`)
    }
    run('gobgp', '-p', '50097', 'global', 'rib', 'add', '203.0.113.0/24', 'community', '65003:1')
    const frr = await until('FRR tells', () => [...routers].find(([name]) => name !== 'GoBGP')?.[1])
    assert.ok(frr)
    await until('pre-policy', () => frr.announced.has('adj-rib-in-pre-policy cb0071/24'))
    await until('post-policy', () => frr.announced.has('adj-rib-in-post-policy cb0071/24'))
    await until('FRR statistics', () => frr.statistics.length > 0)
    t.same(
      frr.statistics.filter(({ type, statistic }) => type === 'unknown' && statistic < 18),
      [],
      'each is read as what it is',
    )
    t.ok(
      frr.opens.some(
        open =>
          open.type === 'open' &&
          open.capabilities.some(one => one.type === 'four-octet-as' && one.asn === 4_200_000_003),
      ),
    )

    await stop(bgpd)
    await until('GoBGP: Peer Down', () => gobgp.events.has('peer-down adj-rib-in-pre-policy'))
    await Promise.all(children.map(child => stop(child)))
    await until('both gone', () => [...routers.values()].every(({ events }) => events.has('disconnected')))
    for (const { events } of routers.values()) {
      // Behind policy both show routes of their own with next hop 0.0.0.0.
      t.ok(events.has('initiation'))
      t.same(
        [...events].filter(event => /^(malformed|faults adj-rib-in-pre)/.test(event)),
        [],
      )
    }
  } finally {
    await Promise.all(children.map(child => stop(child)))
    rmSync(directory, { recursive: true, force: true })
  }
}

/** What tshark says of BMP octets on a TCP connection, a line each: message type, and whether it found fault. */
function dissect(chunks: readonly Uint8Array[]): readonly string[] {
  const directory = mkdtempSync(join(tmpdir(), 'tmbgp-bmp-'))
  try {
    const dump = chunks.map(chunk => {
      const octets = [...chunk].map(octet => octet.toString(16).padStart(2, '0'))
      const lines = Array.from({ length: Math.ceil(octets.length / 16) }, (_, i) =>
        [(16 * i).toString(16).padStart(6, '0'), ...octets.slice(16 * i, 16 * i + 16)].join(' '),
      )
      return `${lines.join('\n')}\n`
    })
    writeFileSync(join(directory, 'dump.txt'), dump.join('\n'))
    const capture = join(directory, 'bmp.pcap')
    run('text2pcap', '-q', '-T', '40000,11019', join(directory, 'dump.txt'), capture)
    const wanted = ['-T', 'fields', '-e', 'bmp.type', '-e', '_ws.malformed', '-e', '_ws.expert.message']
    const text = run('tshark', '-r', capture, '-d', 'tcp.port==11019,bmp', ...wanted)
    return text.trimEnd().split('\n')
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** What a client says of a speaker with two peers, in pieces as they came. */
async function clientOctets(): Promise<Uint8Array> {
  const received: Buffer[] = []
  const server = createServer(socket => socket.on('data', chunk => received.push(chunk)))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const speaker = new PlayedSpeaker()
  const peer = speaker.addPeer('10.0.0.2')
  const other = speaker.addPeer('2001:db8::2')
  const identity = { sysName: 'r1', sysDescr: 'Typemetal' }
  const monitor = ['adj-rib-in-pre-policy', 'adj-rib-out-post-policy', 'loc-rib'] as const
  const client = new BmpClient({ speaker, host: '127.0.0.1', port, ...identity, monitor, statisticsInterval: 0.05 })
  await once(client, 'connected')
  for (const prefix of PREFIXES) {
    peer.routes.set(prefix, route(prefix))
    other.told.set(prefix, route(prefix))
    speaker.setBest({ prefix, paths: [route(prefix)] })
  }
  peer.up()
  other.up()
  const has = (type: BmpMessage['type'], count: number): boolean =>
    messagesOf(Buffer.concat(received)).filter(octets => decodeBmpMessage(octets).type === type).length >= count
  await until('what it says of sessions that stand', () => {
    return has('initiation', 1) && has('peer-up', 3) && has('route-monitoring', 3) && has('statistics-report', 1)
  })
  peer.say('received', { type: 'notification', errorCode: 6, errorSubcode: 2, data: new Uint8Array() })
  peer.down('NotifMsg 6/2')
  other.down('HoldTimer_Expires')
  await until('that both have ended', () => has('peer-down', 2))
  await client.close()
  await new Promise(resolve => server.close(resolve))
  return Buffer.concat(received)
}

/** Those that are whole. */
function messagesOf(stream: Uint8Array): Uint8Array[] {
  const messages: Uint8Array[] = []
  for (let at = 0; at < stream.length;) {
    if (stream.length < at + HEADER) break
    const length = new DataView(stream.buffer, stream.byteOffset + at).getUint32(1)
    if (stream.length < at + length) break
    messages.push(stream.subarray(at, at + length))
    at += length
  }
  return messages
}

/** tshark 4.0 takes the Information TLVs of a Peer Up (RFC 7854 section 4.10) for another OPEN, and knows no other statistics. */
const isBeyondTshark = (octets: Uint8Array): boolean => {
  const message = decodeBmpMessage(octets)
  if (message.type === 'peer-up') return message.information.length > 0
  return message.type === 'statistics-report' && message.statistics.some(({ type }) => type === 'unknown')
}

const reason = missing()
if (reason) t.test(`RFC 7854: ${reason}`, { skip: reason }, async () => {})
else if (isInside()) {
  t.test('RFC 7854, RFC 9069: FRR and GoBGP tell our station', { timeout: 900_000 }, monitorRouters)
  const skip =
    existsSync('/usr/bin/text2pcap') && existsSync('/usr/bin/tshark') ? false : 'needs tshark: apt-get install tshark'
  t.test('RFC 7854 section 4: tshark dissects what our client says', { skip }, async t => {
    const messages = messagesOf(await clientOctets())
    t.same(new Set(messages.map(message => message[5])), new Set([0, 1, 2, 3, 4, 5]), 'all that a client says')
    checkDissected(t, messages)
  })
  t.test('RFC 7854 section 4: tshark dissects every message that we can write', { skip }, async t => {
    checkDissected(t, EXAMPLES.map(encodeBmpMessage))
  })
}

function checkDissected(t: Test, messages: readonly Uint8Array[]): void {
  const fitting = messages.filter(message => !isBeyondTshark(message))
  const lines = dissect(fitting).map(line => line.split('\t'))
  t.same(
    lines.map(([type]) => Number(type)),
    fitting.map(message => message[5]),
  )
  t.same(
    lines.filter(([, malformed]) => malformed),
    [],
  )
  t.ok(messages.length - fitting.length < 3)
}
