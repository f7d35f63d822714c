import { IPV6_LENGTH } from '../../ipv6.js'
import { checkAddress, checkInteger, putUint32, uint32At, type Octets } from '../../octets.js'
import { OptionType, writeOptionHeader } from './header.js'
import { malformed, type MalformedOption } from './malformed.js'

/** Prefix Information option, RFC 4861 §4.6.2. */
export interface PrefixInformationOption {
  readonly kind: 'prefix-information'
  /** Valid leading bits of the prefix, 0 to 128. */
  readonly prefixLength: number
  /** L: the prefix is on this link. */
  readonly onLink: boolean
  /** A: hosts may make addresses of it (RFC 4862). */
  readonly autonomous: boolean
  /** R: the prefix is a whole address of the router (RFC 6275 §7.2). */
  readonly routerAddress: boolean
  /** P: hosts should rather have a prefix of their own by DHCPv6 (RFC 9762 §4). */
  readonly dhcpv6PdPreferred: boolean
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
const ROUTER_ADDRESS = 0x20
const DHCPV6_PD_PREFERRED = 0x10

/** @param option the whole option; malformed when it is not 32 octets or its prefix length is above 128 */
export function decodePrefixInformation(option: Uint8Array): PrefixInformationOption | MalformedOption {
  if (option.length !== LENGTH) return malformed(option, 'Prefix Information is not 32 octets')
  const prefixLength = option[PREFIX_LENGTH]!
  if (prefixLength > 128) return malformed(option, 'prefix length above 128')
  const flags = option[FLAGS]!
  return {
    kind: 'prefix-information',
    prefixLength,
    onLink: (flags & ON_LINK) !== 0,
    autonomous: (flags & AUTONOMOUS) !== 0,
    routerAddress: (flags & ROUTER_ADDRESS) !== 0,
    dhcpv6PdPreferred: (flags & DHCPV6_PD_PREFERRED) !== 0,
    validLifetime: uint32At(option, VALID_LIFETIME),
    preferredLifetime: uint32At(option, PREFERRED_LIFETIME),
    prefix: option.subarray(PREFIX),
  }
}

/** Octets of the option: always 32. */
export const prefixInformationLength = (_option: PrefixInformationOption): Octets => LENGTH

const flagsOf = (option: PrefixInformationOption): number =>
  (option.onLink ? ON_LINK : 0) |
  (option.autonomous ? AUTONOMOUS : 0) |
  (option.routerAddress ? ROUTER_ADDRESS : 0) |
  (option.dhcpv6PdPreferred ? DHCPV6_PD_PREFERRED : 0)

/** @throws {RangeError} a prefix that has not 16 octets, or a number out of its range */
export function encodePrefixInformation(option: PrefixInformationOption, into: Uint8Array): void {
  checkAddress(option.prefix, IPV6_LENGTH, 'prefix')
  checkInteger(option.prefixLength, 128, 'prefixLength')
  checkInteger(option.validLifetime, 0xffff_ffff, 'validLifetime')
  checkInteger(option.preferredLifetime, 0xffff_ffff, 'preferredLifetime')
  writeOptionHeader(into, OptionType.PrefixInformation, LENGTH)
  into[PREFIX_LENGTH] = option.prefixLength
  into[FLAGS] = flagsOf(option)
  putUint32(into, VALID_LIFETIME, option.validLifetime)
  putUint32(into, PREFERRED_LIFETIME, option.preferredLifetime)
  into.set(option.prefix, PREFIX)
}
