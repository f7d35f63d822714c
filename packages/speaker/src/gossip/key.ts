/** The gossip key that MetalLB's speakers derive from the Secret. */

const KEY_LENGTH = 32
/** SHA-256 of nothing: a slip of the reference (`hash.Sum(secret)`) that every speaker of a ring must repeat. */
const PADDING = Buffer.from('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', 'hex')

/**
 * The first 32 octets of the secret followed by SHA-256 of the empty string.
 * @param secret exact octets of the file `secretkey`; a trailing newline is part of it
 * @returns an AES-256 key, or `undefined` for an empty secret: gossip is then not encrypted
 */
export function memberlistKey(secret: Uint8Array): Uint8Array | undefined {
  if (secret.length === 0) return undefined
  const key = new Uint8Array(KEY_LENGTH)
  const own = secret.subarray(0, KEY_LENGTH)
  key.set(own)
  key.set(PADDING.subarray(0, KEY_LENGTH - own.length), own.length)
  return key
}
