import { LITTLE_ENDIAN, viewOf } from './endian.js'

/** Longest key of the TCP MD5 Signature Option that Linux takes, in octets. */
export const MAX_MD5_KEY = 80

const ADDRESS_SPACE = 128 // struct sockaddr_storage
const FLAGS = 128
const PREFIX_LENGTH = 129
const KEY_LENGTH = 130
const KEY = 136
const FLAG_PREFIX = 1

/**
 * `struct tcp_md5sig`: the key for one peer, or for all within a prefix (RFC 2385, tcp(7)).
 *
 * @param name the peer's socket address; its port means nothing
 * @param prefixLength in bits; undefined for the one address
 * @param key empty takes the peer's key away
 * @throws {RangeError} when the key is longer than 80 octets
 */
export function encodeMd5Signature(name: Uint8Array, prefixLength: number | undefined, key: Uint8Array): Uint8Array {
  if (key.length > MAX_MD5_KEY) throw new RangeError(`an MD5 key has at most ${MAX_MD5_KEY} octets, not ${key.length}`)
  const result = new Uint8Array(ADDRESS_SPACE + 8 + MAX_MD5_KEY)
  const view = viewOf(result)
  result.set(name)
  if (prefixLength !== undefined) {
    view.setUint8(FLAGS, FLAG_PREFIX)
    view.setUint8(PREFIX_LENGTH, prefixLength)
  }
  view.setUint16(KEY_LENGTH, key.length, LITTLE_ENDIAN)
  result.set(key, KEY)
  return result
}
