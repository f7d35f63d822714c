#!/usr/bin/env node
// Prints an MRT file as JSON lines.
import { createReadStream } from 'node:fs'
import { addAbortSignal } from 'node:stream'
import { createBrotliDecompress, createGunzip } from 'node:zlib'
import { decodeRibAttributes, MRT_STATES, readMrt } from '@typemetal/bgp/mrt'
import { decodeMessage, WireError } from '@typemetal/bgp/wire'
import { commandLine } from './command-line.mjs'
import { attributeFields, jsonLine, prefixText, updateFields } from './text.mjs'

const USAGE = `node mrt-print.mjs rib.20260101.0000.gz
bzip2 -dc updates.20260101.0000.bz2 | node mrt-print.mjs

Unpacks .gz and .br itself; for others see what your system has.`

const { positionals, signal } = commandLine(USAGE, { allowPositionals: true, options: {} })
const [file] = positionals
const input = file ? createReadStream(file, { signal }) : addAbortSignal(signal, process.stdin)
const unpacked = file?.endsWith('.gz')
  ? input.pipe(createGunzip())
  : file?.endsWith('.br')
    ? input.pipe(createBrotliDecompress())
    : input

let peers = []
const message = ({ message: octets, fourOctetAs, addPath }) => {
  // The file does not say for which families; both is right wherever somebody turned it on.
  const families = addPath ? ['ipv4-unicast', 'ipv6-unicast'] : []
  try {
    const decoded = decodeMessage(octets, { fourOctetAs, internal: true, extendedMessage: true, addPath: families })
    const { type, ...others } = decoded
    return { message: type, ...(type === 'update' ? updateFields(decoded) : others) }
  } catch (error) {
    if (!(error instanceof WireError)) throw error
    return { error: error.message }
  }
}

function fields(record) {
  switch (record.type) {
    case 'peer-index-table':
      peers = record.peers
      return { peers: peers.map(({ address, asn }) => ({ address, asn })) }
    case 'rib':
      return {
        prefix: prefixText(record.afi, record.nlri),
        paths: record.entries.map(({ peerIndex, originatedTime, pathId, attributes }) => ({
          peer: peers[peerIndex]?.address,
          since: new Date(originatedTime * 1000).toISOString(),
          ...(pathId !== undefined && { pathId }),
          ...attributeFields(decodeRibAttributes(attributes, record).attributes),
        })),
      }
    case 'bgp4mp-message':
      return { peer: record.peerAddress, asn: record.peerAsn, sent: record.local, ...message(record) }
    case 'bgp4mp-state-change':
      return {
        peer: record.peerAddress,
        asn: record.peerAsn,
        from: MRT_STATES[record.oldState],
        to: MRT_STATES[record.newState],
      }
    case 'table-dump': {
      const { prefixLength, peerAddress: peer, peerAsn: asn, attributes } = record
      const afi = record.prefix.length === 4 ? 1 : 2
      const nlri = { length: prefixLength, prefix: record.prefix }
      const decoded = decodeRibAttributes(attributes, { afi, safi: 1 }, { fourOctetAs: false }).attributes
      return { prefix: prefixText(afi, nlri), peer, asn, ...attributeFields(decoded) }
    }
    default:
      return record
  }
}

for await (const record of readMrt(unpacked, { malformed: error => console.error(error.message) })) {
  const time = new Date(record.timestamp * 1000 + (record.microseconds ?? 0) / 1000).toISOString()
  console.log(jsonLine({ time, type: record.type, ...fields(record) }))
}
