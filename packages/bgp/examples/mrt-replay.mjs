#!/usr/bin/env node
// Replays an MRT file to a BGP peer: the routes of a TABLE_DUMP_V2 at once, UPDATE messages of BGP4MP in their own time.
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { createGunzip } from 'node:zlib'
import { BgpSpeaker } from '@typemetal/bgp'
import { decodeRibAttributes, readMrt } from '@typemetal/bgp/mrt'
import { decodeMessage, mergeAs4Path, WireError } from '@typemetal/bgp/wire'
import { commandLine, number, remoteAs } from './command-line.mjs'
import { addressText, originText, prefixText } from './text.mjs'

const USAGE = `node mrt-replay.mjs rib.gz --to 10.0.0.254 --peer-asn 64513 --asn 64512 --id 10.0.0.1
node mrt-replay.mjs updates.mrt --to 127.0.0.1 --port 1790 --peer-asn 64513 --speed 60

  --to ADDRESS      the peer
  --port N          its port (179)
  --peer-asn N      its AS number, or internal, or external (external)
  --asn N           our AS number, in front of the recorded paths (64512)
  --id A            our BGP Identifier (10.0.0.1)
  --speed N         as many times faster than it was recorded; 0 for no waiting at all (1)
  --self            announce our own address instead of the next hops in the file
  --once            end the session when the file ends`

const { values, positionals, signal } = commandLine(USAGE, {
  allowPositionals: true,
  options: {
    to: { type: 'string' },
    port: { type: 'string', default: '179' },
    'peer-asn': { type: 'string', default: 'external' },
    asn: { type: 'string', default: '64512' },
    id: { type: 'string', default: '10.0.0.1' },
    speed: { type: 'string', default: '1' },
    self: { type: 'boolean', default: false },
    once: { type: 'boolean', default: false },
  },
})
const [file] = positionals
if (!file || !values.to) throw new RangeError('a file and --to are needed; --help says more')
const speed = Number(values.speed)
const input = createReadStream(file)
const records = readMrt(file.endsWith('.gz') ? input.pipe(createGunzip()) : input)

const speaker = new BgpSpeaker({ asn: number('asn', values.asn), bgpIdentifier: values.id })
const peer = speaker.addPeer({
  address: values.to,
  port: number('port', values.port),
  asn: remoteAs('peer-asn', values['peer-asn']),
})
let stopped = false
signal.addEventListener('abort', () => {
  stopped = true
  void speaker.close()
})
while (peer.state !== 'Established') await once(peer, 'state', { signal })

/** A recorded route as one of ours; the peer that recorded it put its AS in front already. */
function route(
  prefix,
  nextHop,
  { nextHop: _hop, mpReachNlri: _reach, mpUnreachNlri: _unreach, as4Path, ...attributes },
) {
  const usable = !values.self && nextHop?.length > 0
  return {
    prefix,
    ...(usable && { nextHop: addressText(nextHop.subarray(0, nextHop.length === 4 ? 4 : 16)) }),
    origin: originText(attributes.origin ?? 2),
    attributes: { ...attributes, asPath: mergeAs4Path(attributes.asPath ?? [], as4Path) },
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

function replayMessage({ message, fourOctetAs, addPath }) {
  const families = addPath ? ['ipv4-unicast', 'ipv6-unicast'] : []
  try {
    const decoded = decodeMessage(message, { fourOctetAs, internal: true, extendedMessage: true, addPath: families })
    if (decoded.type === 'update') replay(decoded)
  } catch (error) {
    if (!(error instanceof WireError)) throw error
    console.error(error.message)
  }
}

/** Waits until it is time for something recorded then. */
let start
async function due({ timestamp, microseconds = 0 }) {
  const recorded = timestamp * 1000 + microseconds / 1000
  start ??= { recorded, now: performance.now() }
  const wait = speed > 0 ? (recorded - start.recorded) / speed - (performance.now() - start.now) : 0
  if (wait > 0) await sleep(wait, undefined, { signal }).catch(() => {})
}

for await (const record of records) {
  if (record.type === 'rib' && record.safi === 1 && record.entries[0]) {
    const { attributes } = decodeRibAttributes(record.entries[0].attributes, record)
    announce(prefixText(record.afi, record.nlri), attributes.nextHop ?? attributes.mpReachNlri?.nextHop, attributes)
  } else if (record.type === 'bgp4mp-message' && !record.local) {
    await due(record)
    replayMessage(record)
  }
  if (stopped || peer.state !== 'Established') break
  // A whole table would otherwise be announced before the first octet is sent.
  if (replayed % 1000 === 999) await sleep(0)
}
while (peer.state === 'Established' && peer.counters.prefixesAnnounced < peer.counters.prefixesPending) await sleep(10)
console.log(JSON.stringify({ replayed, announced: peer.counters.prefixesAnnounced }))
if (values.once) await speaker.close()
