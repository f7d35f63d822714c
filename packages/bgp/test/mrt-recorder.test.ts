import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import t from 'tap'
import {
  decodeRibAttributes,
  dumpTable,
  encodeMrtRecord,
  encodeRibAttributes,
  MrtRecorder,
  readMrt,
  type MrtRecord,
} from '@typemetal/bgp/mrt'
import { decodeMessage, type UpdateMessage } from '@typemetal/bgp/wire'
import { run } from './interop/namespace.js'
import { PlayedSpeaker, route, SESSION } from './observed-speaker.js'

const BGPDUMP = '/usr/bin/bgpdump'
const IPV4 = { afi: 1, safi: 1 }

/** What was written to a stream so far. */
async function recordsOf(output: PassThrough): Promise<MrtRecord[]> {
  const records: MrtRecord[] = []
  output.end()
  for await (const record of readMrt(output)) records.push(record)
  return records
}

const announcement = (third: number): UpdateMessage => ({
  type: 'update',
  withdrawnRoutes: [],
  pathAttributes: {
    origin: 0,
    asPath: [{ type: 2, asns: [4_200_000_001] }],
    nextHop: Uint8Array.of(10, 0, 0, 2),
    communities: [(64512 << 16) >>> 0],
  },
  nlri: [{ length: 24, prefix: Uint8Array.of(192, 0, third) }],
})

const IPV6_ANNOUNCEMENT: UpdateMessage = {
  type: 'update',
  withdrawnRoutes: [],
  pathAttributes: {
    origin: 0,
    asPath: [{ type: 2, asns: [4_200_000_001] }],
    mpReachNlri: {
      afi: 2,
      safi: 1,
      nextHop: Uint8Array.of(0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2),
      nlri: [{ length: 32, prefix: Uint8Array.of(0x20, 0x01, 0x0d, 0xb8) }],
    },
  },
  nlri: [],
}

/** A session from its start to its end, with one update each way. */
function play(speaker: PlayedSpeaker, address: string): void {
  const peer = speaker.peers.find(one => one.address === address) ?? speaker.addPeer(address)
  peer.change('OpenConfirm', 'BGPOpen')
  peer.up()
  peer.say('received', announcement(2))
  peer.say('received', IPV6_ANNOUNCEMENT)
  peer.say('sent', announcement(3))
  peer.say('received', { ...announcement(2), pathAttributes: {}, withdrawnRoutes: announcement(2).nlri, nlri: [] })
  peer.say('sent', { type: 'notification', errorCode: 6, errorSubcode: 2, data: new Uint8Array() })
  peer.down('ManualStop')
}

t.test('RFC 6396 section 4.4: a session as BGP4MP_ET', async t => {
  const speaker = new PlayedSpeaker()
  const output = new PassThrough()
  const recorder = new MrtRecorder({ speaker, output })
  const before = Date.now()
  play(speaker, '10.0.0.2')
  recorder[Symbol.dispose]()
  play(speaker, '10.0.0.2')
  const records = await recordsOf(output)
  const line = (record: MrtRecord): string => {
    if (record.type === 'bgp4mp-state-change') return `${record.oldState}>${record.newState}`
    assert.ok(record.type === 'bgp4mp-message')
    return `${record.local ? '<' : ''}${decodeMessage(record.message).type}`
  }
  t.same(records.map(line), [
    '1>5',
    '<open',
    'open',
    '5>6',
    'update',
    'update',
    '<update',
    'update',
    '<notification',
    '6>1',
  ])
  const [, , , up] = records
  assert.ok(up?.type === 'bgp4mp-state-change')
  t.match(up, { peerAsn: SESSION.peerAsn, localAsn: 64512, peerAddress: Uint8Array.of(10, 0, 0, 2) })
  t.same(up.localAddress, Uint8Array.of(10, 0, 0, 1))
  t.ok(Math.abs(up.timestamp * 1000 + (up.microseconds ?? 0) / 1000 - before) < 60_000, 'the time of the machine')
  t.equal(speaker.listenerCount('state'), 0)
})

t.test('RFC 6396 section 4.4.2, RFC 8050 section 3: the subtype says how messages are read', async t => {
  const speaker = new PlayedSpeaker()
  const output = new PassThrough()
  using recorder = new MrtRecorder({ speaker, output })
  const addPath = { send: [], receive: ['ipv4-unicast'] } as const
  const peer = speaker.addPeer('10.0.0.3', { ...SESSION, fourOctetAs: false, addPath })
  peer.up()
  peer.say('received', { type: 'keepalive' })
  peer.say('sent', { type: 'keepalive' })
  t.equal(recorder.lost, 0)
  const records = await recordsOf(output)
  const messages = records.filter(record => record.type === 'bgp4mp-message').slice(-2)
  t.match(messages, [
    { fourOctetAs: false, addPath: true, local: false, peerAsn: 23456 },
    { fourOctetAs: false, addPath: false, local: true, peerAsn: 23456 },
  ])
})

t.test('RFC 6396 section 4.4: an output that is too slow loses records, not memory', async t => {
  const speaker = new PlayedSpeaker()
  const output = new PassThrough({ highWaterMark: 1000 })
  using recorder = new MrtRecorder({ speaker, output, queueLimit: 2000 })
  const peer = speaker.addPeer('10.0.0.2')
  peer.up()
  for (let i = 0; i < 1000; i++) peer.say('received', announcement(i & 255))
  t.ok(recorder.lost > 900)
  t.ok(output.writableLength < 3000)
  const { lost } = recorder
  for (let i = 0; i < 100; i++) output.read()
  await new Promise(resolve => setImmediate(resolve))
  peer.say('received', { type: 'keepalive' })
  t.equal(recorder.lost, lost, 'goes on once there is room')
})

/** A speaker with two peers whose tables overlap. */
function populated(): PlayedSpeaker {
  const speaker = new PlayedSpeaker()
  const first = speaker.addPeer('10.0.0.2')
  const second = speaker.addPeer('2001:db8::2', { ...SESSION, addPath: { send: [], receive: ['ipv4-unicast'] } })
  speaker.addPeer('10.0.0.4')
  first.up()
  second.up()
  for (const prefix of ['192.0.2.0/24', '198.51.100.0/25', '2001:db8:1::/48', '0.0.0.0/0', '::/0']) {
    first.routes.set(prefix, route(prefix))
  }
  second.routes.set('192.0.2.0/24', { ...route('192.0.2.0/24'), pathId: 7 })
  return speaker
}

t.test('RFC 6396 section 4.3: the tables of all peers as TABLE_DUMP_V2', async t => {
  const records = [...dumpTable(populated(), { timestamp: 1_700_000_000, viewName: 'all' })]
  const [index, ...ribs] = records
  t.match(index, { type: 'peer-index-table', collectorBgpIdentifier: 0x0a00_0001, timestamp: 1_700_000_000 })
  assert.ok(index?.type === 'peer-index-table')
  t.equal(new TextDecoder().decode(index.viewName), 'all')
  t.same(
    index.peers.map(({ address }) => address.length),
    [4, 16],
    'those that are Established',
  )
  t.equal(ribs.length, 5)
  const [shared] = ribs
  assert.ok(shared?.type === 'rib')
  t.equal(shared.addPath, true, 'RFC 8050')
  t.same(
    shared.entries.map(({ peerIndex, pathId }) => [peerIndex, pathId]),
    [
      [0, 0],
      [1, 7],
    ],
  )
  for (const rib of ribs) {
    assert.ok(rib.type === 'rib')
    for (const entry of rib.entries) {
      const { attributes, faults } = decodeRibAttributes(entry.attributes, rib)
      assert.deepEqual(faults, [])
      assert.ok(attributes.nextHop ?? attributes.mpReachNlri?.nextHop)
    }
  }
})

/** What bgpdump prints of records, a line each. */
function bgpdump(records: Iterable<MrtRecord>): readonly string[] {
  const directory = mkdtempSync(join(tmpdir(), 'tmbgp-mrt-'))
  try {
    const file = join(directory, 'dump.mrt')
    writeFileSync(file, Buffer.concat([...records].map(encodeMrtRecord)))
    return run(BGPDUMP, '-m', '-v', file).trim().split('\n')
  } finally {
    rmSync(directory, { recursive: true })
  }
}

const skip = existsSync(BGPDUMP) ? false : 'needs bgpdump: apt-get install bgpdump'

t.test('RFC 6396: bgpdump reads our TABLE_DUMP_V2', { skip }, async t => {
  const lines = bgpdump(dumpTable(populated(), { timestamp: 1_700_000_000 }))
  // With Path Identifiers the line has one field more, behind the prefix.
  const fields = lines.map(line => line.split('|').filter((_, i) => i !== 6 || !line.includes('_AP|')))
  t.same(fields.map(([, , , peer, , prefix]) => `${peer} ${prefix}`).toSorted(), [
    '10.0.0.2 0.0.0.0/0',
    '10.0.0.2 192.0.2.0/24',
    '10.0.0.2 198.51.100.0/25',
    '10.0.0.2 2001:db8:1::/48',
    '10.0.0.2 ::/0',
    '2001:db8::2 192.0.2.0/24',
  ])
  t.ok(
    fields.every(
      ([, time, , , asn, , path]) => time === '1700000000' && asn === '4200000001' && path?.endsWith('4200000001'),
    ),
  )
  t.same(new Set(fields.map(field => field[8])), new Set(['10.0.0.2', '2001:db8::2']), 'next hops')
})

t.test('RFC 6396: bgpdump reads our BGP4MP_ET', { skip }, async t => {
  const speaker = new PlayedSpeaker()
  const output = new PassThrough()
  const recorder = new MrtRecorder({ speaker, output })
  play(speaker, '10.0.0.2')
  play(speaker, '2001:db8::2')
  recorder[Symbol.dispose]()
  const lines = bgpdump((await recordsOf(output)).filter(record => !('local' in record && record.local)))
  const kinds = lines.map(line =>
    line
      .replace(/^BGP4MP_ET\|[\d.]+\|/, '')
      .split('|')
      .slice(0, 4)
      .join('|'),
  )
  for (const peer of ['10.0.0.2', '2001:db8::2']) {
    for (const expected of [
      `STATE|${peer}|4200000001|5`,
      `A|${peer}|4200000001|192.0.2.0/24`,
      `A|${peer}|4200000001|2001:db8::/32`,
      `W|${peer}|4200000001|192.0.2.0/24`,
    ]) {
      t.ok(kinds.includes(expected), expected)
    }
  }
})

t.test('RFC 6396 section 4.2: bgpdump reads our TABLE_DUMP', { skip }, async t => {
  const attributes = encodeRibAttributes(
    { origin: 0, asPath: [{ type: 2, asns: [65001, 65002] }], nextHop: Uint8Array.of(10, 0, 0, 2) },
    { fourOctetAs: false },
  )
  t.match(decodeRibAttributes(attributes, IPV4, { fourOctetAs: false }).attributes.asPath, [{ asns: [65001, 65002] }])
  const [line] = bgpdump([
    {
      type: 'table-dump',
      timestamp: 1_700_000_000,
      viewNumber: 0,
      sequenceNumber: 1,
      prefix: Uint8Array.of(192, 0, 2, 0),
      prefixLength: 24,
      status: 1,
      originatedTime: 1_600_000_000,
      peerAddress: Uint8Array.of(10, 0, 0, 2),
      peerAsn: 65001,
      attributes,
    },
  ])
  t.match(line, 'TABLE_DUMP|1700000000|B|10.0.0.2|65001|192.0.2.0/24|65001 65002|IGP|10.0.0.2|')
})
