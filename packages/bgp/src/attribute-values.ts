/** Whether values that our caller made fit their fields: what does not would go out as another number. */
import type {
  Aggregator,
  AsPath,
  ExtendedCommunity,
  Ipv6ExtendedCommunity,
  KnownAttributes,
  LargeCommunity,
} from './wire/index.js'

type Check<K extends keyof KnownAttributes> = (name: K, value: NonNullable<KnownAttributes[K]>) => void

function checkWhole(name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return
  throw new RangeError(`${name} must be a whole number from ${least} to ${most}, not ${value}`)
}

const UINT8 = 0xff
const UINT32 = 0xffff_ffff
/** RFC 7311 section 3: the largest metric is none. */
const AIGP_LIMIT = 0xffff_ffff_ffff_ffffn
const SEGMENT_TYPES = 4
/** Of one segment, RFC 4271 section 4.3. */
const MOST_ASNS = 255

const uint32 = (name: string, value: number): void => checkWhole(name, value, 0, UINT32)
/** RFC 7607 section 2: 0 is no AS number. */
const asn = (name: string, value: number): void => checkWhole(name, value, 1, UINT32)
const uint32s = (name: string, values: readonly number[]): void => values.forEach(value => uint32(name, value))

function path(name: string, segments: AsPath): void {
  for (const { type, asns } of segments) {
    checkWhole(`${name}.type`, type, 1, SEGMENT_TYPES)
    checkWhole(`${name}.asns.length`, asns.length, 1, MOST_ASNS)
    for (const each of asns) asn(`${name}.asns`, each)
  }
}

function aggregator(name: string, value: Aggregator): void {
  asn(`${name}.asn`, value.asn)
  uint32(`${name}.bgpIdentifier`, value.bgpIdentifier)
}

function extended(name: string, list: readonly (ExtendedCommunity | Ipv6ExtendedCommunity)[]): void {
  for (const { type, subtype } of list) {
    checkWhole(`${name}.type`, type, 0, UINT8)
    checkWhole(`${name}.subtype`, subtype, 0, UINT8)
  }
}

function large(name: string, list: readonly LargeCommunity[]): void {
  for (const { globalAdministrator, localData1, localData2 } of list) {
    uint32(`${name}.globalAdministrator`, globalAdministrator)
    uint32(`${name}.localData1`, localData1)
    uint32(`${name}.localData2`, localData2)
  }
}

const CHECKS: { readonly [K in keyof KnownAttributes]?: Check<K> } = {
  origin: (name, value) => checkWhole(name, value, 0, 2),
  asPath: path,
  multiExitDisc: uint32,
  localPref: uint32,
  aggregator,
  communities: uint32s,
  originatorId: uint32,
  clusterList: uint32s,
  as4Path: path,
  as4Aggregator: aggregator,
  extendedCommunities: extended,
  ipv6ExtendedCommunities: extended,
  aigp: (name, value) => {
    if (value < 0n || value >= AIGP_LIMIT) throw new RangeError(`${name} must be from 0 to 2^64 - 2, not ${value}`)
  },
  onlyToCustomer: asn,
  largeCommunities: large,
}

/**
 * Refuses numbers that their fields cannot hold.
 *
 * @throws {RangeError} the message begins with the attribute's name
 */
export function checkAttributeValues(attributes: {
  readonly [K in keyof KnownAttributes]: KnownAttributes[K] | undefined
}): void {
  for (const [name, value] of Object.entries(attributes)) {
    const check = CHECKS[name as keyof KnownAttributes] as ((name: string, value: unknown) => void) | undefined
    if (value !== undefined) check?.(name, value)
  }
}
