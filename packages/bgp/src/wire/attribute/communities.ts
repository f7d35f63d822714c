import { readUint32List, writeUint32List } from '../octets.js'
import { checkMultiple, OPTIONAL_TRANSITIVE, type AttributeCodec } from './codec.js'

/** Communities that mean the same everywhere; any other number is the business of the AS in its upper half. */
export const WellKnownCommunity = {
  /** RFC 8326 section 5. */
  GracefulShutdown: 0xffff_0000,
  /** RFC 7611 section 2. */
  AcceptOwn: 0xffff_0001,
  /** RFC 9494 section 3.3.1. */
  LlgrStale: 0xffff_0006,
  /** RFC 9494 section 3.3.2. */
  NoLlgr: 0xffff_0007,
  /** RFC 7999 section 5. */
  Blackhole: 0xffff_029a,
  /** RFC 1997, these three. */
  NoExport: 0xffff_ff01,
  NoAdvertise: 0xffff_ff02,
  NoExportSubconfed: 0xffff_ff03,
  /** RFC 3765 section 2. */
  NoPeer: 0xffff_ff04,
} as const

/** COMMUNITIES, RFC 1997: each a 32-bit number, its upper half an AS number. */
export const communities: AttributeCodec<readonly number[]> = {
  code: 8,
  name: 'COMMUNITIES',
  flags: OPTIONAL_TRANSITIVE,
  disposition: 'treat-as-withdraw',
  decode(value) {
    checkMultiple(value, 4)
    return readUint32List(value)
  },
  length: list => 4 * list.length,
  encode(list, into) {
    writeUint32List(into, list)
  },
}
