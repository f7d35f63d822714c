#!/usr/bin/env node
// Replays an MRT file to a BGP peer: the routes of a TABLE_DUMP_V2 at once, UPDATE messages of BGP4MP in their own time.
//
//   node mrt-replay.mjs rib.gz --to 10.0.0.254 --peer-asn 64513 --asn 64512 --id 10.0.0.1
//   node mrt-replay.mjs updates.mrt --to 127.0.0.1 --port 1790 --peer-asn 64513 --speed 60
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { createGunzip } from 'node:zlib'
import { BgpSpeaker, formatCommunity, formatLargeCommunity } from '@typemetal/bgp'
import { decodeRibAttributes, readMrt } from '@typemetal/bgp/mrt'
import { decodeMessage, WireError } from '@typemetal/bgp/wire'
import { addressText, prefixText } from './update-fields.mjs'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    to: { type: 'string' },
    port: { type: 'string', default: '179' },
    'peer-asn': { type: 'string', default: 'external' },
    asn: { type: 'string', default: '64512' },
    id: { type: 'string', default: '10.0.0.1' },
    /** As many times faster than it was recorded; 0 for no waiting at all. */
    speed: { type: 'string', default: '1' },
    /** Announce our own address instead of the next hops in the file. */
    self: { type: 'boolean', default: false },
    /** End the session when the file ends. */
    once: { type: 'boolean', default: false },
  },
})
const [file] = positionals
if (!file || !values.to) {
  console.error(
    'usage: node mrt-replay.mjs FILE --to ADDRESS [--port N] [--peer-asn N] [--asn N] [--id A] [--speed N] [--self] [--once]',
  )
  process.exit(2)
}
const input = createReadStream(file)
const records = readMrt(file.endsWith('.gz') ? input.pipe(createGunzip()) : input)

const speaker = new BgpSpeaker({ asn: Number(values.asn), bgpIdentifier: values.id })
const peer = speaker.addPeer({
  address: values.to,
  port: Number(values.port),
  asn: Number(values['peer-asn']) || values['peer-asn'],
})
process.once('SIGINT', () => void speaker.close())
while (peer.state !== 'Established') await once(peer, 'state')

/** What was announced, in our own words; the peer that recorded it put its AS in front already. */
function route(prefix, nextHop, attributes) {
  const { asPath = [], origin = 2, multiExitDisc, communities = [], largeCommunities = [] } = attributes
  const usable = !values.self && nextHop?.length > 0
  return {
    prefix,
    ...(usable && { nextHop: addressText(nextHop.subarray(0, nextHop.length === 4 ? 4 : 16)) }),
    origin: ['igp', 'egp', 'incomplete'][origin],
    asPath: asPath.flatMap(({ asns }) => asns),
    ...(multiExitDisc !== undefined && { multiExitDisc }),
    communities: [
      ...communities.map(formatCommunity),
      ...largeCommunities.map(one => `large:${formatLargeCommunity(one)}`),
    ],
  }
}

let replayed = 0
function announce(prefix, nextHop, attributes) {
  try {
    speaker.announce(route(prefix, nextHop, attributes))
    replayed++
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    console.error(`${prefix}: ${error.message}`)
  }
}

function replay({ withdrawnRoutes, nlri, pathAttributes }) {
  const { nextHop, mpReachNlri, mpUnreachNlri } = pathAttributes
  for (const one of withdrawnRoutes) speaker.withdraw(prefixText(1, one))
  for (const one of mpUnreachNlri?.withdrawnRoutes ?? []) speaker.withdraw(prefixText(mpUnreachNlri.afi, one))
  for (const one of nlri) announce(prefixText(1, one), nextHop, pathAttributes)
  for (const one of mpReachNlri?.nlri ?? [])
    announce(prefixText(mpReachNlri.afi, one), mpReachNlri.nextHop, pathAttributes)
}

/** Waits until it is time for something recorded then. */
let start
async function due({ timestamp, microseconds = 0 }) {
  const recorded = timestamp * 1000 + microseconds / 1000
  start ??= { recorded, now: performance.now() }
  const speed = Number(values.speed)
  const wait = speed > 0 ? (recorded - start.recorded) / speed - (performance.now() - start.now) : 0
  if (wait > 0) await sleep(wait)
}

for await (const record of records) {
  if (peer.state !== 'Established') break
  if (record.type === 'rib' && record.safi === 1 && record.entries[0]) {
    const { attributes } = decodeRibAttributes(record.entries[0].attributes, record)
    announce(prefixText(record.afi, record.nlri), attributes.nextHop ?? attributes.mpReachNlri?.nextHop, attributes)
  } else if (record.type === 'bgp4mp-message' && !record.local) {
    const { fourOctetAs, addPath } = record
    const families = addPath ? ['ipv4-unicast', 'ipv6-unicast'] : []
    await due(record)
    try {
      const message = decodeMessage(record.message, {
        fourOctetAs,
        internal: true,
        extendedMessage: true,
        addPath: families,
      })
      if (message.type === 'update') replay(message)
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      console.error(error.message)
    }
  }
  // A whole table would otherwise be announced before the first octet is sent.
  if (replayed % 1000 === 999) await sleep(0)
}
while (peer.state === 'Established' && peer.counters.prefixesAnnounced < peer.counters.prefixesPending) await sleep(10)
console.log(JSON.stringify({ replayed, announced: peer.counters.prefixesAnnounced }))
if (values.once) await speaker.close()
