import {
  CONTROL_PACKET_LENGTH,
  DIGEST_OFFSET,
  digestAlgorithm,
  digestLength,
  encodeControlPacket,
  type ControlPacket,
  type DigestAlgorithm,
  type DigestSection,
} from '../wire/index.js'
import type { SessionDiscardReason } from './actions.js'
import type { CheckedAuthenticationOptions } from './options.js'

/** Hashes octets with the named algorithm. */
export type Digest = (algorithm: DigestAlgorithm, octets: Uint8Array) => Uint8Array

/** Where the digest is in a packet. */
const AT = CONTROL_PACKET_LENGTH + DIGEST_OFFSET
const LENGTH = 3
/** RFC 5880 section 6.7.3: how far the sequence number may be ahead, in units of Detect Mult. */
const WINDOW = 3

/** Compares in a time that does not tell where the difference is. */
function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let at = 0; at < a.length; at++) difference |= a[at]! ^ b[at]!
  return difference === 0
}

/** What a type with a digest signs with. */
interface Signing {
  readonly algorithm: DigestAlgorithm
  readonly digest: Digest
  /** With zeros up to the length of the digest. */
  readonly key: Uint8Array
}

function signing(options: CheckedAuthenticationOptions | undefined, digest: Digest | undefined): Signing | undefined {
  if (options === undefined || options.type === 'simple-password') return undefined
  if (digest === undefined) throw new TypeError(`digest must be given for ${options.type} authentication`)
  const algorithm = digestAlgorithm(options.type)
  const key = new Uint8Array(digestLength(algorithm))
  key.set(options.key)
  return { algorithm, digest, key }
}

/** Signs our packets and checks those of the remote system, RFC 5880 section 6.7. */
export class Authenticator {
  readonly #digest: Digest | undefined
  #options: CheckedAuthenticationOptions | undefined
  #signing: Signing | undefined
  #xmitAuthSeq: number
  #rcvAuthSeq = 0
  #authSeqKnown = false

  /** @throws {TypeError} the type needs a digest and there is none */
  constructor(options: CheckedAuthenticationOptions | undefined, digest: Digest | undefined, random: () => number) {
    this.#digest = digest
    this.#options = options
    this.#signing = signing(options, digest)
    this.#xmitAuthSeq = Math.floor(random() * 2 ** 32)
  }

  /** Every packet has a sequence number of its own. */
  get meticulous(): boolean {
    return this.#options?.type.startsWith('meticulous') ?? false
  }

  /**
   * Takes another key or type. The sequence numbers go on, since the remote system may only get another key.
   * @throws {TypeError} the type needs a digest and there is none
   */
  change(options: CheckedAuthenticationOptions | undefined): void {
    this.#signing = signing(options, this.#digest)
    this.#options = options
  }

  /** bfd.AuthSeqKnown is cleared: nothing was received for twice the Detection Time (RFC 5880 section 6.8.1). */
  forget(): void {
    this.#authSeqKnown = false
  }

  /** Encodes a packet that differs from the last one, or any packet when {@link meticulous}. */
  encode(packet: ControlPacket): Uint8Array {
    const options = this.#options
    if (options === undefined) return encodeControlPacket(packet)
    const { key, keyId, type } = options
    const signing = this.#signing
    if (type === 'simple-password' || signing === undefined) {
      return encodeControlPacket({ ...packet, authentication: { type: 'simple-password', keyId, password: key } })
    }
    this.#xmitAuthSeq = (this.#xmitAuthSeq + 1) >>> 0
    const authentication: DigestSection = { type, keyId, sequenceNumber: this.#xmitAuthSeq, digest: signing.key }
    const octets = encodeControlPacket({ ...packet, authentication })
    octets.set(signing.digest(signing.algorithm, octets), AT)
    return octets
  }

  /** @returns why the packet is to be discarded */
  check({ authentication: section, detectMult }: ControlPacket, octets: Uint8Array): SessionDiscardReason | undefined {
    const options = this.#options
    if (options === undefined) return section === undefined ? undefined : 'authentication-unexpected'
    if (section === undefined) return 'authentication-missing'
    if (section.type === 'unknown' || section.type !== options.type) return 'authentication-type'
    if (section.keyId !== options.keyId) return 'authentication-key-id'
    if (section.type === 'simple-password') {
      return equal(section.password, options.key) ? undefined : 'authentication-password'
    }
    if (!this.#isInWindow(section, detectMult)) return 'authentication-sequence'
    if (!this.#hasGoodDigest(section, octets)) return 'authentication-digest'
    // Only now: section 6.7.3 sets bfd.AuthSeqKnown before it looks at the digest, which would let anybody set the number.
    this.#authSeqKnown = true
    this.#rcvAuthSeq = section.sequenceNumber
    return undefined
  }

  /** RFC 5880 sections 6.7.3 and 6.7.4: circular, and the same number again only when not meticulous. */
  #isInWindow({ sequenceNumber }: DigestSection, detectMult: number): boolean {
    if (!this.#authSeqKnown) return true
    const ahead = (sequenceNumber - this.#rcvAuthSeq) >>> 0
    return ahead <= WINDOW * detectMult && (ahead > 0 || !this.meticulous)
  }

  #hasGoodDigest({ digest }: DigestSection, octets: Uint8Array): boolean {
    const signing = this.#signing
    if (signing === undefined) return false
    const signed = octets.slice(0, octets[LENGTH])
    signed.set(signing.key, AT)
    return equal(signing.digest(signing.algorithm, signed), digest)
  }
}
