import { WireError } from '../../../errors.js'
import { IPV6_LENGTH } from '../../ipv6.js'
import { checkAddress, putUint32, uint32At, type Octets } from '../../octets.js'
import { OptionType, writeOptionHeader } from './header.js'

/** Prefix Information option, RFC 4861 §4.6.2. */
export interface PrefixInformationOption {
  readonly kind: 'prefix-information'
  /** Valid leading bits of the prefix, 0 to 128. */
  readonly prefixLength: number
  /** L: the prefix is on this link. */
  readonly onLink: boolean
  /** A: hosts may make addresses of it (RFC 4862). */
  readonly autonomous: boolean
  /** Seconds; 0xffffffff is for ever. */
  readonly validLifetime: number
  /** Seconds; 0xffffffff is for ever. */
  readonly preferredLifetime: number
  /** 16 octets; after decoding a view into the input. */
  readonly prefix: Uint8Array
}

const LENGTH: Octets = 32
const PREFIX_LENGTH = 2
const FLAGS = 3
const VALID_LIFETIME = 4
const PREFERRED_LIFETIME = 8
const PREFIX = 16
const ON_LINK = 0x80
const AUTONOMOUS = 0x40

/**
 * @param option the whole option
 * @throws {WireError} `bad-length` when it is not 32 octets; `bad-field` for a prefix length above 128
 */
export function decodePrefixInformation(option: Uint8Array): PrefixInformationOption {
  if (option.length !== LENGTH) throw new WireError('Prefix Information is not 32 octets', 1, 'bad-length')
  const prefixLength = option[PREFIX_LENGTH]!
  if (prefixLength > 128) throw new WireError('prefix length above 128', PREFIX_LENGTH, 'bad-field')
  const flags = option[FLAGS]!
  return {
    kind: 'prefix-information',
    prefixLength,
    onLink: (flags & ON_LINK) !== 0,
    autonomous: (flags & AUTONOMOUS) !== 0,
    validLifetime: uint32At(option, VALID_LIFETIME),
    preferredLifetime: uint32At(option, PREFERRED_LIFETIME),
    prefix: option.subarray(PREFIX),
  }
}

/** Octets of the option: always 32. */
export const prefixInformationLength = (_option: PrefixInformationOption): Octets => LENGTH

/** @throws {RangeError} a prefix that has not 16 octets, or a prefix length out of 0 to 128 */
export function encodePrefixInformation(option: PrefixInformationOption, into: Uint8Array): void {
  checkAddress(option.prefix, IPV6_LENGTH, 'prefix')
  if (!(option.prefixLength >= 0 && option.prefixLength <= 128)) {
    throw new RangeError(`prefix length ${option.prefixLength} is not 0 to 128`)
  }
  writeOptionHeader(into, OptionType.PrefixInformation, LENGTH)
  into[PREFIX_LENGTH] = option.prefixLength
  into[FLAGS] = (option.onLink ? ON_LINK : 0) | (option.autonomous ? AUTONOMOUS : 0)
  putUint32(into, VALID_LIFETIME, option.validLifetime)
  putUint32(into, PREFERRED_LIFETIME, option.preferredLifetime)
  into.set(option.prefix, PREFIX)
}
