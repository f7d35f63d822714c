/**
 * MRT (RFC 6396, RFC 8050): records of BGP sessions and tables, read and written.
 *
 * ```ts
 * import { createReadStream } from 'node:fs'
 * import { createGunzip } from 'node:zlib'
 * import { readMrt } from '@typemetal/bgp/mrt'
 *
 * for await (const record of readMrt(createReadStream('rib.gz').pipe(createGunzip()))) console.log(record)
 * ```
 *
 * @packageDocumentation
 */
export { dumpTable, type DumpTableOptions } from './node/dump-table.js'
export { MrtRecorder, type MrtRecorderOptions } from './node/recorder.js'
export { MRT_STATES, type MrtBgpMessage, type MrtSession, type MrtStateChange } from './wire/bgp4mp.js'
export { MrtError } from './wire/error.js'
export { MrtType, type MrtTime } from './wire/header.js'
export type { MrtPeer, MrtPeerIndexTable } from './wire/peer-index-table.js'
export { MRT_MAX_LENGTH, readMrt, type ReadMrtOptions } from './wire/reader.js'
export { decodeMrtRecord, encodeMrtRecord, type MrtRecord, type MrtUnknown } from './wire/record.js'
export {
  decodeRibAttributes,
  encodeRibAttributes,
  type EncodeRibAttributesForm,
  type RibAttributesForm,
} from './wire/rib-attributes.js'
export type { MrtRibGeneric } from './wire/rib-generic.js'
export type { MrtRib, MrtRibEntry } from './wire/rib.js'
export type { MrtTableDump } from './wire/table-dump.js'
