import { decodeDomainName, encodeDomainName, type DomainName } from '../../domain-name.js'
import { checkInteger, putUint32, uint32At, type Octets } from '../../octets.js'
import { OPTION_UNIT, OptionType, optionUnits, writeOptionHeader } from './header.js'
import { malformed, type MalformedOption } from './malformed.js'

/** DNS Search List option (DNSSL), RFC 8106 §5.2. */
export interface DnsSearchListOption {
  readonly kind: 'dns-search-list'
  /** Seconds; 0xffffffff is for ever, 0 says not to use the domains any longer. */
  readonly lifetime: number
  /** One or more, in their order. */
  readonly domains: readonly DomainName[]
}

const LIFETIME = 4
const DOMAINS = 8

/** @param option the whole option; malformed without a domain, or with one that RFC 1035 §3.1 does not allow */
export function decodeDnsSearchList(option: Uint8Array): DnsSearchListOption | MalformedOption {
  const domains: DomainName[] = []
  let at = DOMAINS
  // Where a name would begin, a zero is the padding that goes on to the end.
  while (at < option.length && option[at] !== 0) {
    const domain = decodeDomainName(option, at)
    if (typeof domain === 'string') return malformed(option, domain)
    domains.push(domain.name)
    at = domain.end
  }
  if (domains.length === 0) return malformed(option, 'DNSSL option without a domain')
  for (; at < option.length; at++)
    if (option[at] !== 0) return malformed(option, 'DNSSL option padded with other than zeros')
  return { kind: 'dns-search-list', lifetime: uint32At(option, LIFETIME), domains }
}

/**
 * Octets of the option, a multiple of 8.
 * @throws {RangeError} text that is no domain name
 */
export const dnsSearchListLength = (option: DnsSearchListOption): Octets =>
  optionUnits(option.domains.reduce((sum, domain) => sum + encodeDomainName(domain).length, DOMAINS)) * OPTION_UNIT

/** @throws {RangeError} no domain, one that is no domain name, more than an option holds, or a lifetime out of its range */
export function encodeDnsSearchList(option: DnsSearchListOption, into: Uint8Array): void {
  if (option.domains.length === 0) throw new RangeError('domains is empty')
  checkInteger(option.lifetime, 0xffff_ffff, 'lifetime')
  writeOptionHeader(into, OptionType.DnsSearchList, dnsSearchListLength(option))
  putUint32(into, LIFETIME, option.lifetime)
  let at = DOMAINS
  for (const domain of option.domains) {
    const octets = encodeDomainName(domain)
    into.set(octets, at)
    at += octets.length
  }
}
