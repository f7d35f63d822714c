import { randomFillSync } from 'node:crypto'
import {
  encodeCompress,
  encodeFrameHead,
  encodeLabelHeader,
  encodeText,
  ENCRYPTION_OVERHEAD,
  type EncryptionVersion,
  labelOverhead,
  openPayload,
  sealedLength,
  sealPayload,
  StreamReader,
  stripLabel,
  WireError,
} from '../wire/index.js'
import { aesGcm } from './aes-gcm.js'
import type { Keyring } from './keyring.js'

/** How {@link Security} treats what goes out and comes in. */
export interface SecurityOptions {
  readonly keyring: Keyring
  readonly label: string
  readonly skipInboundLabelCheck: boolean
  readonly verifyIncoming: boolean
  readonly verifyOutgoing: boolean
  readonly protocolVersion: number
  readonly compressStreams: boolean
}

const NONCE_LENGTH = 12

/** The outer layers: label and encryption, on datagrams and streams. */
export class Security {
  readonly #options: SecurityOptions
  readonly #label: Uint8Array
  readonly #labelHeader: Uint8Array
  readonly #version: EncryptionVersion

  /** @throws {RangeError} label above 255 octets */
  constructor(options: SecurityOptions) {
    this.#options = options
    this.#label = encodeText(options.label)
    this.#labelHeader = encodeLabelHeader(this.#label)
    this.#version = options.protocolVersion >= 2 ? 1 : 0
  }

  /** Octets that {@link sealPacket} adds at most. */
  get packetOverhead(): number {
    return labelOverhead(this.#label) + (this.#sealKey ? ENCRYPTION_OVERHEAD[this.#version] : 0)
  }

  /** A datagram as it goes out. */
  sealPacket(octets: Uint8Array): Uint8Array {
    const key = this.#sealKey
    return concat(this.#labelHeader, key ? this.#seal(octets, key, this.#label) : octets)
  }

  /** What is in a datagram. @throws {WireError} when it is not for this ring */
  openPacket(datagram: Uint8Array): Uint8Array {
    const { keyring, verifyIncoming, skipInboundLabelCheck } = this.#options
    const octets = stripLabel(datagram, this.#label, skipInboundLabelCheck)
    if (keyring.keys.length === 0) return octets
    try {
      return openPayload(octets, this.#label, aesGcm, keyring.keys)
    } catch (error) {
      // In the middle of a migration, what does not decrypt may be plaintext.
      if (!verifyIncoming && error instanceof WireError) return octets
      throw error
    }
  }

  /** A stream's message as it goes out. @param dialing whether we opened the stream, whose label stands only there */
  sealStream(message: Uint8Array, dialing: boolean): Uint8Array {
    const packed = this.#options.compressStreams ? encodeCompress(message) : message
    const header = dialing ? this.#labelHeader : new Uint8Array()
    const key = this.#sealKey
    if (!key) return concat(header, packed)
    const head = encodeFrameHead(sealedLength(packed.length, this.#version))
    return concat(header, head, this.#seal(packed, key, concat(head, this.#label)))
  }

  /** Reads one direction of a stream. @param dialed whether we opened the stream: then no label stands in front */
  streamReader(dialed: boolean): StreamReader {
    const { keyring, verifyIncoming, skipInboundLabelCheck } = this.#options
    const open = (payload: Uint8Array, head: Uint8Array): Uint8Array =>
      openPayload(payload, concat(head, this.#label), aesGcm, keyring.keys)
    return new StreamReader({
      label: dialed ? undefined : this.#label,
      skipLabelCheck: skipInboundLabelCheck,
      open: keyring.keys.length > 0 ? open : undefined,
      requireEncryption: verifyIncoming,
    })
  }

  get #sealKey(): Uint8Array | undefined {
    return this.#options.verifyOutgoing ? this.#options.keyring.primary : undefined
  }

  #seal(plaintext: Uint8Array, key: Uint8Array, aad: Uint8Array): Uint8Array {
    const nonce = randomFillSync(new Uint8Array(NONCE_LENGTH))
    return sealPayload(plaintext, { aead: aesGcm, key, nonce, version: this.#version, aad })
  }
}

function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const full = parts.filter(part => part.length > 0)
  return full.length === 1 ? full[0]! : Buffer.concat(full)
}
