import { IPV6_LENGTH, isMulticast } from '../../ipv6.js'
import { checkAddress, checkInteger, putUint32, uint32At, type Octets } from '../../octets.js'
import { OptionType, writeOptionHeader } from './header.js'
import { malformed, type MalformedOption } from './malformed.js'

/** Recursive DNS Server option (RDNSS), RFC 8106 §5.1. */
export interface RecursiveDnsServerOption {
  readonly kind: 'recursive-dns-server'
  /** Seconds; 0xffffffff is for ever, 0 says not to use the servers any longer. */
  readonly lifetime: number
  /** Unicast addresses of 16 octets, 1 to 127 of them; after decoding views into the input. */
  readonly servers: readonly Uint8Array[]
}

const LIFETIME = 4
const SERVERS = 8
const NO_SERVERS = 'RDNSS option without a server'

/** @param option the whole option; malformed without a whole number of servers, or with a multicast one (RFC 8106 §5.3.1) */
export function decodeRecursiveDnsServer(option: Uint8Array): RecursiveDnsServerOption | MalformedOption {
  if (option.length === SERVERS) return malformed(option, NO_SERVERS)
  if ((option.length - SERVERS) % IPV6_LENGTH !== 0) return malformed(option, 'RDNSS option with half a server')
  const servers: Uint8Array[] = []
  for (let at = SERVERS; at < option.length; at += IPV6_LENGTH) servers.push(option.subarray(at, at + IPV6_LENGTH))
  if (servers.some(isMulticast)) return malformed(option, 'RDNSS option with a multicast address')
  return { kind: 'recursive-dns-server', lifetime: uint32At(option, LIFETIME), servers }
}

/** Octets of the option, a multiple of 8. */
export const recursiveDnsServerLength = (option: RecursiveDnsServerOption): Octets =>
  SERVERS + option.servers.length * IPV6_LENGTH

/** @throws {RangeError} no server or more than 127, one that is multicast or has not 16 octets, or a lifetime out of its range */
export function encodeRecursiveDnsServer(option: RecursiveDnsServerOption, into: Uint8Array): void {
  const { servers, lifetime } = option
  if (servers.length === 0) throw new RangeError('servers is empty')
  for (const server of servers) {
    checkAddress(server, IPV6_LENGTH, 'servers')
    if (isMulticast(server)) throw new RangeError('servers has a multicast address')
  }
  checkInteger(lifetime, 0xffff_ffff, 'lifetime')
  writeOptionHeader(into, OptionType.RecursiveDnsServer, recursiveDnsServerLength(option))
  putUint32(into, LIFETIME, lifetime)
  servers.forEach((server, i) => into.set(server, SERVERS + i * IPV6_LENGTH))
}
