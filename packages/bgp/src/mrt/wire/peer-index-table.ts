import type { OctetReader } from '../../octet-reader.js'
import type { OctetWriter } from '../../octet-writer.js'
import type { MrtTime } from './header.js'

/** A peer that RIB entries refer to by its place in the table. */
export interface MrtPeer {
  readonly bgpIdentifier: number
  /** 4 or 16 octets. After decoding: a view. */
  readonly address: Uint8Array
  readonly asn: number
  /** The AS number is written in 4 octets; it must be when it is above 65535. */
  readonly fourOctetAs: boolean
}

/** PEER_INDEX_TABLE, RFC 6396 section 4.3.1: the first record of a TABLE_DUMP_V2. */
export interface MrtPeerIndexTable extends MrtTime {
  readonly type: 'peer-index-table'
  readonly collectorBgpIdentifier: number
  /** View Name in UTF-8 octets; empty when there is none. After decoding: a view. */
  readonly viewName: Uint8Array
  readonly peers: readonly MrtPeer[]
}

const IPV6 = 1 // bits of Peer Type
const FOUR_OCTET_AS = 2

/** @throws {MrtError} cut off, or octets behind the last peer */
export function decodePeerIndexTable(time: MrtTime, reader: OctetReader): MrtPeerIndexTable {
  const collectorBgpIdentifier = reader.uint32('collector BGP ID')
  const viewName = reader.take(reader.uint16('view name length'), 'view name')
  const count = reader.uint16('peer count')
  const peers: MrtPeer[] = []
  for (let i = 0; i < count; i++) {
    const type = reader.uint8('peer type')
    const fourOctetAs = (type & FOUR_OCTET_AS) !== 0
    const bgpIdentifier = reader.uint32('peer BGP ID')
    const address = reader.take(type & IPV6 ? 16 : 4, 'peer address')
    const asn = fourOctetAs ? reader.uint32('peer AS') : reader.uint16('peer AS')
    peers.push({ bgpIdentifier, address, asn, fourOctetAs })
  }
  reader.end('the last peer')
  return { type: 'peer-index-table', ...time, collectorBgpIdentifier, viewName, peers }
}

/** @throws {RangeError} a field that does not fit */
export function encodePeerIndexTable(record: MrtPeerIndexTable, writer: OctetWriter): void {
  const { collectorBgpIdentifier, viewName, peers } = record
  writer.uint32(collectorBgpIdentifier, 'collectorBgpIdentifier')
  writer.uint16(viewName.length, 'viewName').bytes(viewName)
  writer.uint16(peers.length, 'peers')
  for (const { bgpIdentifier, address, asn, fourOctetAs } of peers) {
    if (address.length !== 4 && address.length !== 16) throw new RangeError(`address of ${address.length} octets`)
    writer.uint8((address.length === 16 ? IPV6 : 0) | (fourOctetAs ? FOUR_OCTET_AS : 0), 'peer type')
    writer.uint32(bgpIdentifier, 'bgpIdentifier').bytes(address)
    if (fourOctetAs) writer.uint32(asn, 'asn')
    else writer.uint16(asn, 'asn')
  }
}
