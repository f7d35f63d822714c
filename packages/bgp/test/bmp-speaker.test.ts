/** BMP and MRT of the real speaker: what its peers say and are told is what a station hears and a file holds. */
import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import t from 'tap'
import { BgpSpeaker } from '@typemetal/bgp'
import { BmpClient, bmpRib, BmpStation, type BmpPeerUp } from '@typemetal/bgp/bmp'
import { dumpTable, MrtRecorder, readMrt, type MrtRecord } from '@typemetal/bgp/mrt'
import { decodeMessage, endOfRibFamily, type UpdateMessage } from '@typemetal/bgp/wire'
import { until } from './interop/namespace.js'
import { toHex } from './octets.js'

const ROUTES = [
  { prefix: '192.0.2.0/24', communities: ['64512:1'] },
  { prefix: '198.51.100.0/24', communities: ['64512:1'] },
  { prefix: '2001:db8:1::/48', nextHop: '2001:db8::9' },
]
const KEYS = ['c00002/24', 'c63364/24', '20010db80001/48']

/** Prefixes by RIB, as a station that keeps tables has them. */
class Tables {
  readonly ribs = new Map<string, Set<string>>()

  of(rib: string): Set<string> {
    const known = this.ribs.get(rib) ?? new Set()
    this.ribs.set(rib, known)
    return known
  }

  take(rib: string, { nlri, withdrawnRoutes, pathAttributes }: UpdateMessage): void {
    const { mpReachNlri, mpUnreachNlri } = pathAttributes
    const table = this.of(rib)
    for (const { prefix, length } of [...withdrawnRoutes, ...(mpUnreachNlri?.withdrawnRoutes ?? [])]) {
      table.delete(`${toHex(prefix)}/${length}`)
    }
    for (const { prefix, length } of [...nlri, ...(mpReachNlri?.nlri ?? [])]) {
      table.add(`${toHex(prefix)}/${length}`)
    }
  }
}

t.test(
  'RFC 8671 section 4: the Adj-RIB-Out of a session that stands is shown as it was sent',
  { timeout: 60_000 },
  async t => {
    await using told = new BgpSpeaker({
      asn: 64513,
      bgpIdentifier: '10.0.0.2',
      listen: { address: '127.0.0.1', port: 0 },
    })
    await told.start()
    told.addDynamicPeers({ prefix: '127.0.0.0/8', asn: 64512 })
    await using monitored = new BgpSpeaker({ asn: 64512, bgpIdentifier: '10.0.0.1' })
    for (const route of ROUTES) monitored.announce(route)
    const peer = monitored.addPeer({ address: '127.0.0.1', port: told.port ?? 0, asn: 64513 })
    await until('told', () => told.peers[0]?.counters.prefixesReceived === 3)

    await using station = new BmpStation({ host: '127.0.0.1', port: 0 })
    const tables = new Tables()
    const paths: unknown[] = []
    const ups: BmpPeerUp[] = []
    let ends = 0
    station.on('peer-up', (_, message) => ups.push(message))
    station.on('route-monitoring', (_, message, context) => {
      const update = decodeMessage(message.update, context) as UpdateMessage
      tables.take(bmpRib(message.peer), update)
      if (endOfRibFamily(update)) ends++
      else paths.push(update.pathAttributes.asPath)
    })
    await station.start()
    const monitor = ['adj-rib-out-post-policy'] as const
    const identity = { sysName: 'r1', sysDescr: 'Typemetal' }
    const to = { host: '127.0.0.1', port: station.port ?? 0 }
    await using client = new BmpClient({ speaker: monitored, ...to, ...identity, monitor })
    await until('its table and End-of-RIB', () => tables.of(monitor[0]).size === 3 && ends === 2)
    t.ok(client.connected)
    t.same([...tables.of(monitor[0])].toSorted(), KEYS.toSorted())
    for (const path of paths) t.match(path, [{ asns: [64512] }], 'our AS in front')
    t.match(ups, [{ localPort: peer.localPort, remotePort: told.port }], 'RFC 7854 section 4.10')
  },
)

t.test('RFC 7854, RFC 9069: a station sees what the peers of a speaker say', { timeout: 60_000 }, async t => {
  await using monitored = new BgpSpeaker({
    asn: 64512,
    bgpIdentifier: '10.0.0.1',
    listen: { address: '127.0.0.1', port: 0 },
  })
  await monitored.start()
  monitored.addDynamicPeers({ prefix: '127.0.0.0/8', asn: 'external' })
  const output = new PassThrough()
  const recorder = new MrtRecorder({ speaker: monitored, output })
  await using station = new BmpStation({ host: '127.0.0.1', port: 0 })
  const tables = new Tables()
  const ups: BmpPeerUp[] = []
  const downs: string[] = []
  station.on('peer-up', (_, message) => ups.push(message))
  station.on('peer-down', (_, { peer, reason }) => {
    downs.push(reason.type)
    tables.of(bmpRib(peer)).clear()
  })
  station.on('route-monitoring', (_, { peer, update }, context) => {
    const message = decodeMessage(update, context) as UpdateMessage
    assert.equal(message.faults, undefined)
    tables.take(bmpRib(peer), message)
  })
  await station.start()

  await using other = new BgpSpeaker({ asn: 4_200_000_001, bgpIdentifier: '10.0.0.2' })
  for (const route of ROUTES) other.announce(route)
  const peer = other.addPeer({ address: '127.0.0.1', port: monitored.port ?? 0, asn: 64512 })
  await until('the first table', () => monitored.peers[0]?.counters.prefixesReceived === 3)

  // A session that stands already is shown with its table.
  const identity = { sysName: 'r1', sysDescr: 'Typemetal' }
  const monitor = ['adj-rib-in-pre-policy', 'loc-rib'] as const
  await using client = new BmpClient({
    speaker: monitored,
    host: '127.0.0.1',
    port: station.port ?? 0,
    ...identity,
    monitor,
  })
  const has = (rib: string, keys: readonly string[]): boolean =>
    [...tables.of(rib)].toSorted().join() === keys.toSorted().join()
  for (const rib of monitor) await until(rib, () => has(rib, KEYS))
  t.ok(client.connected)
  const up = ups.find(({ peer: { peerType } }) => peerType === 0)
  assert.ok(up)
  t.match(decodeMessage(up.receivedOpen), { type: 'open', bgpIdentifier: 0x0a00_0002 })
  t.equal(up.peer.asn, 4_200_000_001)

  other.withdraw('192.0.2.0/24')
  other.announce({ prefix: '203.0.113.0/24' })
  const later = ['c63364/24', '20010db80001/48', 'cb0071/24']
  for (const rib of monitor) await until(rib, () => has(rib, later))
  const [index, ...ribs] = dumpTable(monitored)
  assert.ok(index?.type === 'peer-index-table')
  t.match(index.peers, [{ asn: 4_200_000_001, bgpIdentifier: 0x0a00_0002 }])
  t.same(
    ribs.map(record => (record.type === 'rib' ? `${toHex(record.nlri.prefix)}/${record.nlri.length}` : '')).toSorted(),
    later.toSorted(),
    'TABLE_DUMP_V2 holds the same',
  )

  await peer.close()
  await until('Peer Down', () => downs.includes('remote-notification'))
  await until('Loc-RIB empty', () => has('loc-rib', []))
  await client.close()
  recorder[Symbol.dispose]()
  output.end()
  const records: MrtRecord[] = []
  for await (const record of readMrt(output)) records.push(record)
  const recorded = new Tables()
  const kinds = new Set<string>()
  for (const record of records) {
    if (record.type !== 'bgp4mp-message') continue
    const message = decodeMessage(record.message)
    kinds.add(`${record.local ? 'sent' : 'received'} ${message.type}`)
    if (message.type === 'update' && !record.local) recorded.take('in', message)
  }
  t.same([...recorded.of('in')].toSorted(), later.toSorted(), 'the file holds what was said')
  for (const kind of ['sent open', 'received open', 'received notification']) t.ok(kinds.has(kind), kind)
  const states = records.flatMap(record => (record.type === 'bgp4mp-state-change' ? [record.newState] : []))
  t.ok(states.includes(6), 'Established')
})
