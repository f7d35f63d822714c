import { readUint32, writeUint32, type Octets } from '../../wire/octets.js'

/** Octets of the section, its type and length included, that carry a digest: RFC 5880 sections 4.3 and 4.4. */
const DIGEST_SECTION_LENGTH = { md5: 24, sha1: 28 } as const
/** Octets before the digest. */
const DIGEST = 8
const PASSWORD = 3
const LONGEST_PASSWORD = 16

/** The types with a digest, in the order of their numbers from 2 on, RFC 5880 section 4.1 (Auth Type). */
const DIGEST_TYPES = ['keyed-md5', 'meticulous-keyed-md5', 'keyed-sha1', 'meticulous-keyed-sha1'] as const

/** An authentication whose section has a sequence number and a digest. @useDeclaredType */
export type DigestAuthenticationType = (typeof DIGEST_TYPES)[number]
/** The five types of RFC 5880 section 4.1. */
export type AuthenticationType = 'simple-password' | DigestAuthenticationType
/** Hash of a {@link DigestAuthenticationType}. @useDeclaredType */
export type DigestAlgorithm = keyof typeof DIGEST_SECTION_LENGTH

/** Every authentication type, in the order of their numbers from 1 on. */
export const AUTHENTICATION_TYPES: readonly AuthenticationType[] = ['simple-password', ...DIGEST_TYPES]

/** Simple Password, RFC 5880 section 4.2. */
export interface SimplePasswordSection {
  readonly type: 'simple-password'
  /** Auth Key ID, one octet. */
  readonly keyId: number
  /** 1 to 16 octets; a view into the input after decoding. */
  readonly password: Uint8Array
}

/** Keyed or Meticulous Keyed MD5 or SHA1, RFC 5880 sections 4.3 and 4.4. */
export interface DigestSection {
  readonly type: DigestAuthenticationType
  /** Auth Key ID, one octet. */
  readonly keyId: number
  /** 32 bits, circular. */
  readonly sequenceNumber: number
  /** 16 octets of MD5, 20 of SHA1; a view into the input after decoding. While it is computed, the key stands here. */
  readonly digest: Uint8Array
}

/** A section of a type that RFC 5880 does not define. */
export interface UnknownAuthenticationSection {
  readonly type: 'unknown'
  /** Auth Type: 0, or 6 to 255. */
  readonly code: number
  /** What follows Auth Type and Auth Len, up to 253 octets; a view into the input after decoding. */
  readonly data: Uint8Array
}

/** Authentication Section of a control packet. */
export type AuthenticationSection = SimplePasswordSection | DigestSection | UnknownAuthenticationSection

/** The hash of an authentication type. */
export const digestAlgorithm = (type: DigestAuthenticationType): DigestAlgorithm =>
  type.endsWith('md5') ? 'md5' : 'sha1'

/** Octets of the digest, which are also the longest key: 16 of MD5, 20 of SHA1. */
export const digestLength = (algorithm: DigestAlgorithm): Octets => DIGEST_SECTION_LENGTH[algorithm] - DIGEST

/** Octet of the section where the digest begins. */
export const DIGEST_OFFSET: Octets = DIGEST

/** Whether a section at `at` has a length that its type allows; the caller has checked that it is inside of the packet. */
export function hasFittingLength(octets: Uint8Array, at: number): boolean {
  const length = octets[at + 1]!
  switch (octets[at]!) {
    case 1:
      return length > PASSWORD && length <= PASSWORD + LONGEST_PASSWORD
    case 2:
    case 3:
      return length === DIGEST_SECTION_LENGTH.md5
    case 4:
    case 5:
      return length === DIGEST_SECTION_LENGTH.sha1
    default:
      return true
  }
}

/** Reads a section that {@link hasFittingLength} has accepted. */
export function readAuthentication(octets: Uint8Array, at: number): AuthenticationSection {
  const code = octets[at]!
  const end = at + octets[at + 1]!
  const keyId = octets[at + 2]!
  if (code === 1) return { type: 'simple-password', keyId, password: octets.subarray(at + PASSWORD, end) }
  const type = DIGEST_TYPES[code - 2]
  if (type === undefined) return { type: 'unknown', code, data: octets.subarray(at + 2, end) }
  return { type, keyId, sequenceNumber: readUint32(octets, at + 4), digest: octets.subarray(at + DIGEST, end) }
}

/** Octets that {@link writeAuthentication} writes. */
export function authenticationLength(section: AuthenticationSection): Octets {
  switch (section.type) {
    case 'simple-password':
      return PASSWORD + section.password.length
    case 'unknown':
      return 2 + section.data.length
    default:
      return DIGEST_SECTION_LENGTH[digestAlgorithm(section.type)]
  }
}

function checkKeyId(keyId: number): void {
  if (!Number.isInteger(keyId) || keyId < 0 || keyId > 255) throw new RangeError(`keyId must be an octet, not ${keyId}`)
}

/**
 * Writes a section; the caller has made room for {@link authenticationLength} octets.
 * @throws {RangeError} a value does not fit its field
 */
export function writeAuthentication(section: AuthenticationSection, into: Uint8Array, at: number): void {
  const length = authenticationLength(section)
  into[at + 1] = length
  if (section.type === 'unknown') {
    const { code, data } = section
    if (!Number.isInteger(code) || code < 0 || code > 255 || (code > 0 && code <= AUTHENTICATION_TYPES.length)) {
      throw new RangeError(`code must be an octet that is no known Auth Type, not ${code}`)
    }
    if (data.length > 253) throw new RangeError(`data must have up to 253 octets, not ${data.length}`)
    into[at] = code
    into.set(data, at + 2)
    return
  }
  checkKeyId(section.keyId)
  into[at] = AUTHENTICATION_TYPES.indexOf(section.type) + 1
  into[at + 2] = section.keyId
  if (section.type === 'simple-password') {
    const { password } = section
    if (password.length < 1 || password.length > LONGEST_PASSWORD) {
      throw new RangeError(`password must have 1 to ${LONGEST_PASSWORD} octets, not ${password.length}`)
    }
    into.set(password, at + PASSWORD)
    return
  }
  const { digest, sequenceNumber } = section
  if (digest.length !== length - DIGEST) {
    throw new RangeError(`digest must have ${length - DIGEST} octets, not ${digest.length}`)
  }
  if (!Number.isInteger(sequenceNumber) || sequenceNumber < 0 || sequenceNumber > 0xffff_ffff) {
    throw new RangeError(`sequenceNumber must be a whole number below 2^32, not ${sequenceNumber}`)
  }
  into[at + 3] = 0
  writeUint32(into, at + 4, sequenceNumber)
  into.set(digest, at + DIGEST)
}
