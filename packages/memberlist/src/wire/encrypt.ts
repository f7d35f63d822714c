import { WireError } from './error.js'
import { MessageType } from './message-type.js'

/**
 * AES-GCM, given from outside: this floor imports nothing of Node.js, and WebCrypto's, which needs no import, only
 * answers through promises, which would put a turn of the event loop between a datagram and its meaning.
 */
export interface Aead {
  /** @returns ciphertext followed by the 16-octet tag */
  seal(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array, aad: Uint8Array): Uint8Array
  /** @param sealed ciphertext and tag @returns the plaintext, or `undefined` when the tag does not verify */
  open(key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array, aad: Uint8Array): Uint8Array | undefined
}

/** 0 pads the plaintext to whole blocks (protocol version 1), 1 does not. */
export type EncryptionVersion = 0 | 1

const NONCE_LENGTH = 12
const TAG_LENGTH = 16
const BLOCK = 16
const HEAD = 1 + NONCE_LENGTH
/** Most octets that a payload is longer than its plaintext. */
export const ENCRYPTION_OVERHEAD: Readonly<Record<EncryptionVersion, number>> = {
  0: HEAD + BLOCK + TAG_LENGTH,
  1: HEAD + TAG_LENGTH,
}
/** Type octet and length in front of an encrypted frame on a stream. */
export const FRAME_HEAD = 5
/** Largest encrypted frame on a stream, octets of payload. */
export const MAX_FRAME = 20 * 1024 * 1024

/** What {@link sealPayload} needs besides the plaintext. */
export interface SealOptions {
  /** AES-GCM: `aesGcm` of `@typemetal/memberlist` is that of `node:crypto`. */
  readonly aead: Aead
  /** 16, 24 or 32 octets. */
  readonly key: Uint8Array
  /** 0 pads to whole blocks, for rings of protocol version 1; 1 does not. */
  readonly version: EncryptionVersion
  /** 12 octets, never used twice with one key. */
  readonly nonce: Uint8Array
  /** Authenticated beside the plaintext: the label, and on streams the frame's head in front of it. */
  readonly aad: Uint8Array
}

/** `version | nonce | ciphertext | tag`. */
export function sealPayload(plaintext: Uint8Array, o: SealOptions): Uint8Array {
  const sealed = o.aead.seal(o.key, o.nonce, o.version === 0 ? pad(plaintext) : plaintext, o.aad)
  const payload = new Uint8Array(HEAD + sealed.length)
  payload[0] = o.version
  payload.set(o.nonce, 1)
  payload.set(sealed, HEAD)
  return payload
}

/**
 * Plaintext of a payload, by the first key that opens it.
 *
 * @throws {WireError} `unsupported` version, `truncated`, `decrypt` when no key fits, `malformed` padding
 */
export function openPayload(payload: Uint8Array, aad: Uint8Array, aead: Aead, keys: Iterable<Uint8Array>): Uint8Array {
  const version = payload[0]
  if (version !== 0 && version !== 1) throw new WireError('unsupported', `encryption version ${version}`)
  if (payload.length < ENCRYPTION_OVERHEAD[version])
    throw new WireError('truncated', 'encrypted payload ends early', payload.length)
  const nonce = payload.subarray(1, HEAD)
  const sealed = payload.subarray(HEAD)
  for (const key of keys) {
    const plaintext = aead.open(key, nonce, sealed, aad)
    if (plaintext) return version === 0 ? unpad(plaintext) : plaintext
  }
  throw new WireError('decrypt', 'no installed key opens the payload')
}

/** Octets that {@link sealPayload} gives for a plaintext of so many. */
export const sealedLength = (length: number, version: EncryptionVersion): number =>
  HEAD + TAG_LENGTH + (version === 0 ? length + BLOCK - (length % BLOCK) : length)

/** Type octet and length of an encrypted frame; also the first part of its AAD. */
export function encodeFrameHead(payloadLength: number): Uint8Array {
  const head = new Uint8Array(FRAME_HEAD)
  head[0] = MessageType.Encrypt
  new DataView(head.buffer).setUint32(1, payloadLength)
  return head
}

function pad(plaintext: Uint8Array): Uint8Array {
  const count = BLOCK - (plaintext.length % BLOCK)
  const padded = new Uint8Array(plaintext.length + count).fill(count, plaintext.length)
  padded.set(plaintext)
  return padded
}

/** The reference cuts what the last octet says and crashes when that is more than there is. */
function unpad(padded: Uint8Array): Uint8Array {
  const count = padded.at(-1) ?? 0
  const sound =
    count >= 1 && count <= BLOCK && count <= padded.length && padded.subarray(-count).every(octet => octet === count)
  if (!sound) throw new WireError('malformed', 'bad padding', padded.length)
  return padded.subarray(0, padded.length - count)
}
