import { listOf } from '@typemetal/options'
import { sameOctets } from '../wire/index.js'
import { secretKey } from './options.js'

/** More keys than this are refused: each costs an attempt per datagram that none of them opens. */
const MAX_KEYS = 16

/**
 * The keys of a ring. The primary one encrypts; all decrypt. To change keys on a running ring: add the new one
 * everywhere, use it everywhere, remove the old one everywhere.
 *
 * @example
 * ```ts
 * import { Memberlist } from '@typemetal/memberlist'
 *
 * const [old, fresh] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]
 * await using node = new Memberlist({ name: 'a', bindAddress: '127.0.0.1', bindPort: 0, secretKeys: [old] })
 * node.keyring.add(fresh) // on every node, then
 * node.keyring.use(fresh) // on every node, then
 * node.keyring.remove(old)
 * console.log(node.keyring.keys.length) // 1
 * ```
 */
export class Keyring {
  #keys: readonly Uint8Array[] = []

  /** @param keys 16, 24 or 32 octets each; the first is primary @throws {TypeError | RangeError} what is none, or of another length */
  constructor(keys: readonly Uint8Array[] = []) {
    listOf(secretKey)('keys', keys)
    for (const key of keys) this.add(key)
  }

  /** The primary key first. */
  get keys(): readonly Uint8Array[] {
    return this.#keys
  }

  /** The key that encrypts; `undefined` while there is none. */
  get primary(): Uint8Array | undefined {
    return this.#keys[0]
  }

  /** Adds a key that decrypts. @throws {TypeError | RangeError} when it has not 16, 24 or 32 octets, or there are 16 already */
  add(key: Uint8Array): void {
    secretKey('key', key)
    if (this.#indexOf(key) >= 0) return
    if (this.#keys.length === MAX_KEYS) throw new RangeError(`key must be one of ${MAX_KEYS} at most`)
    this.#keys = [...this.#keys, Uint8Array.from(key)]
  }

  /** Makes a key the primary one. @throws {RangeError} when it has not been added */
  use(key: Uint8Array): void {
    const index = this.#indexOf(key)
    if (index < 0) throw new RangeError('key is not in the keyring')
    this.#keys = [this.#keys[index]!, ...this.#keys.filter((_, i) => i !== index)]
  }

  /** Forgets a key; nothing happens when it is not there. @throws {RangeError} when it is the primary one */
  remove(key: Uint8Array): void {
    const index = this.#indexOf(key)
    if (index === 0) throw new RangeError('the primary key cannot be removed')
    this.#keys = this.#keys.filter((_, i) => i !== index)
  }

  #indexOf(key: Uint8Array): number {
    return this.#keys.findIndex(other => sameOctets(other, key))
  }
}
