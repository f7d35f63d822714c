#!/usr/bin/env node
// Listens for BMP routers and prints one JSON line for each thing they say.
import { BmpStation, bmpRib } from '@typemetal/bgp/bmp'
import { decodeMessage, WireError } from '@typemetal/bgp/wire'
import { commandLine, number } from './command-line.mjs'
import { jsonLine, updateFields } from './text.mjs'

const USAGE = `node bmp-station.mjs --port 11019

  --host A          address to listen on (all)
  --port N          port to listen on; 0 lets the system choose (11019)`

const { values, signal } = commandLine(USAGE, {
  options: { host: { type: 'string' }, port: { type: 'string', default: '11019' } },
})
const station = new BmpStation({
  port: number('port', values.port),
  signal,
  ...(values.host && { host: values.host }),
})
const print = (router, event, fields) =>
  console.log(jsonLine({ router: router.sysName || router.address, event, ...fields }))
const peerFields = ({ address, asn, peerType, flags, timestamp }) => ({
  peer: address,
  asn,
  rib: bmpRib({ peerType, flags }),
  ...(timestamp && { time: new Date(timestamp / 1000).toISOString() }),
})

station.on('initiation', router => print(router, 'initiation', { sysDescr: router.sysDescr }))
station.on('peer-up', (router, { peer }) => print(router, 'peer-up', peerFields(peer)))
station.on('peer-down', (router, { peer, reason }) =>
  print(router, 'peer-down', { ...peerFields(peer), reason: reason.type }),
)
station.on('route-monitoring', (router, { peer, update }, context) => {
  try {
    print(router, 'route-monitoring', { ...peerFields(peer), ...updateFields(decodeMessage(update, context)) })
  } catch (error) {
    if (!(error instanceof WireError)) throw error
    print(router, 'route-monitoring', { ...peerFields(peer), error: error.message })
  }
})
station.on('statistics-report', (router, { peer, statistics }) =>
  print(router, 'statistics-report', { ...peerFields(peer), statistics }),
)
station.on('termination', router => print(router, 'termination', {}))
station.on('disconnected', (router, error) => print(router, 'disconnected', { error: error?.message }))
await station.start()
console.log(jsonLine({ listening: station.port }))
