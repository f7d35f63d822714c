import { createCipheriv, createDecipheriv } from 'node:crypto'
import type { Aead } from '../wire/index.js'

const TAG_LENGTH = 16

/** AES-128/192/256-GCM of node:crypto, by the length of the key. */
export const aesGcm: Aead = {
  seal(key, nonce, plaintext, aad) {
    const cipher = createCipheriv(algorithm(key), key, nonce)
    cipher.setAAD(aad)
    return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
  },
  open(key, nonce, sealed, aad) {
    const decipher = createDecipheriv(algorithm(key), key, nonce)
    decipher.setAAD(aad)
    decipher.setAuthTag(sealed.subarray(-TAG_LENGTH))
    const plaintext = decipher.update(sealed.subarray(0, -TAG_LENGTH))
    try {
      decipher.final()
    } catch {
      return undefined // the tag does not verify: another key, other associated data, or damage
    }
    return plaintext
  },
}

type Algorithm = 'aes-128-gcm' | 'aes-192-gcm' | 'aes-256-gcm'

/** @throws {RangeError} when the key has not 16, 24 or 32 octets */
function algorithm(key: Uint8Array): Algorithm {
  switch (key.length) {
    case 16:
      return 'aes-128-gcm'
    case 24:
      return 'aes-192-gcm'
    case 32:
      return 'aes-256-gcm'
    default:
      throw new RangeError(`key of ${key.length} octets: AES wants 16, 24 or 32`)
  }
}
