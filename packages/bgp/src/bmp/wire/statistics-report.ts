import { readUint64, type OctetReader } from '../../octet-reader.js'
import type { OctetWriter } from '../../octet-writer.js'
import type { Family } from '../../wire/family.js'
import { readUint16, readUint32 } from '../../wire/octets.js'
import type { BmpPeerHeader } from './peer-header.js'

/** Stat Types of RFC 7854 section 4.8 and RFC 8671 section 6.2; any other number is carried. */
export const BmpStatisticType = {
  PrefixesRejectedByInboundPolicy: 0,
  DuplicatePrefixAdvertisements: 1,
  DuplicateWithdraws: 2,
  ClusterListLoops: 3,
  AsPathLoops: 4,
  OriginatorIdLoops: 5,
  AsConfedLoops: 6,
  AdjRibInRoutes: 7,
  LocRibRoutes: 8,
  AdjRibInRoutesOfFamily: 9,
  LocRibRoutesOfFamily: 10,
  UpdatesTreatedAsWithdraw: 11,
  PrefixesTreatedAsWithdraw: 12,
  DuplicateUpdates: 13,
  AdjRibOutPrePolicyRoutes: 14,
  AdjRibOutPostPolicyRoutes: 15,
  AdjRibOutPrePolicyRoutesOfFamily: 16,
  AdjRibOutPostPolicyRoutesOfFamily: 17,
} as const

/** A 32-bit number of events that only grows, and wraps. */
export interface BmpCounter {
  readonly type: 'counter'
  readonly statistic: number
  readonly value: number
}

/** A 64-bit number of things that are there now. */
export interface BmpGauge {
  readonly type: 'gauge'
  readonly statistic: number
  readonly value: bigint
}

/** A gauge for one address family. */
export interface BmpFamilyGauge extends Family {
  readonly type: 'family-gauge'
  readonly statistic: number
  readonly value: bigint
}

/** A statistic of a type, or of a length, that the RFCs above do not define; carried. */
export interface BmpUnknownStatistic {
  readonly type: 'unknown'
  readonly statistic: number
  /** After decoding: a view into the input, so copy to keep. */
  readonly value: Uint8Array
}

/** One TLV of a Statistics Report. */
export type BmpStatistic = BmpCounter | BmpGauge | BmpFamilyGauge | BmpUnknownStatistic

/** Statistics Report message, RFC 7854 section 4.8. */
export interface BmpStatisticsReport {
  readonly type: 'statistics-report'
  readonly peer: BmpPeerHeader
  readonly statistics: readonly BmpStatistic[]
}

const KINDS = [
  ...(['counter', 'counter', 'counter', 'counter', 'counter', 'counter', 'counter'] as const),
  ...(['gauge', 'gauge', 'family-gauge', 'family-gauge', 'counter', 'counter', 'counter'] as const),
  ...(['gauge', 'gauge', 'family-gauge', 'family-gauge'] as const),
]
const LENGTHS = { counter: 4, gauge: 8, 'family-gauge': 11 } as const

function decodeStatistic(statistic: number, value: Uint8Array): BmpStatistic {
  const kind = KINDS[statistic]
  if (!kind || value.length !== LENGTHS[kind]) return { type: 'unknown', statistic, value }
  switch (kind) {
    case 'counter':
      return { type: kind, statistic, value: readUint32(value, 0) }
    case 'gauge':
      return { type: kind, statistic, value: readUint64(value, 0) }
    case 'family-gauge':
      return { type: kind, statistic, afi: readUint16(value, 0), safi: value[2]!, value: readUint64(value, 3) }
    default:
      return kind satisfies never
  }
}

/**
 * @param reader behind the Per-Peer Header
 * @throws {BmpError} cut off, or another count than there are TLVs
 */
export function decodeStatistics(reader: OctetReader): BmpStatistic[] {
  const count = reader.uint32('Stats Count')
  const statistics: BmpStatistic[] = []
  // A count is only a promise: the TLVs are read one by one as far as there are octets.
  for (let i = 0; i < count; i++) {
    const statistic = reader.uint16('Stat Type')
    statistics.push(decodeStatistic(statistic, reader.take(reader.uint16('Stat Len'), 'Stat Data')))
  }
  reader.end('the statistics')
  return statistics
}

/** @throws {RangeError} a value that does not fit, or a Stat Type of another kind */
export function encodeStatistics(statistics: readonly BmpStatistic[], writer: OctetWriter): void {
  writer.uint32(statistics.length, 'Stats Count')
  for (const item of statistics) {
    const { type, statistic, value } = item
    writer.uint16(statistic, 'Stat Type')
    if (type === 'unknown') {
      writer.uint16(value.length, 'Stat Len').bytes(value)
      continue
    }
    if (KINDS[statistic] !== type) throw new RangeError(`Stat Type ${statistic} is not a ${type}`)
    writer.uint16(LENGTHS[type], 'Stat Len')
    if (type === 'counter') writer.uint32(value, 'value')
    else {
      if (type === 'family-gauge') writer.uint16(item.afi, 'afi').uint8(item.safi, 'safi')
      writer.uint64(value, 'value')
    }
  }
}
