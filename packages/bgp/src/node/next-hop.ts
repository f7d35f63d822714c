import { networkInterfaces } from 'node:os'
import { addressFamily, canonicalAddress, parseAddress } from '../address.js'
import type { FamilyName } from '../wire/index.js'
import type { Clock } from './clock.js'

/** An address of an interface. */
export interface InterfaceAddress {
  readonly address: string
  /** With the length of its prefix, `10.0.0.1/24`; absent where that is not known. */
  readonly cidr?: string | null
}

/** Addresses of the machine by interface, as `os.networkInterfaces()` gives them. */
export type Interfaces = Readonly<Record<string, readonly InterfaceAddress[] | undefined>>

/** What of a session decides our next hops on it. */
export interface NextHopSession {
  /** Our address of the session, in canonical text without zone. */
  readonly localAddress: string
  /** Interface of an unnumbered peer; where a link-local address alone does not tell. */
  readonly interface?: string
  readonly families: readonly FamilyName[]
  /** Families whose prefixes may have a next hop of the other family (RFC 8950). */
  readonly extendedNextHop: readonly FamilyName[]
}

const NO_ADDRESSES: readonly InterfaceAddress[] = []
const MAXIMUM_AGE = 100 // milliseconds

/**
 * `os.networkInterfaces()`, read again at most every 100 ms: it takes milliseconds on a machine with many interfaces, and many
 * sessions may come up at once. Where they cannot be read those of before count, or none.
 */
export function cachedInterfaces(clock: Clock, read: () => Interfaces = networkInterfaces): () => Interfaces {
  let cached: { readonly interfaces: Interfaces; readonly at: number } | undefined
  return () => {
    const now = clock.now()
    if (!cached || now - cached.at >= MAXIMUM_AGE) {
      cached = { interfaces: tryToRead(read) ?? cached?.interfaces ?? {}, at: now }
    }
    return cached.interfaces
  }
}

/** `undefined` when no descriptor is left to ask the kernel with: what was known holds on, and nobody is to die of it. */
function tryToRead(read: () => Interfaces): Interfaces | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}

const isLinkLocal = (address: Uint8Array): boolean =>
  address.length === 16 && address[0] === 0xfe && (address[1]! & 0xc0) === 0x80

/** Neither a loopback address (127/8, ::1) nor a link-local IPv6 one: another machine could not use it. */
function isUsable(address: Uint8Array): boolean {
  if (address.length === 4) return address[0] !== 127
  return !isLinkLocal(address) && (address[15] !== 1 || address.subarray(0, 15).some(octet => octet !== 0))
}

/** The interface that has this address. */
function interfaceOf(address: string, interfaces: Interfaces): readonly InterfaceAddress[] {
  const all = Object.values(interfaces)
  const same = all.find(entries => entries?.some(entry => entry.address === address))
  // There may be thousands of interfaces, and the text is canonical already as a rule; that of IPv4 always is.
  if (same || !address.includes(':')) return same ?? NO_ADDRESSES
  return all.find(entries => entries?.some(entry => canonicalAddress(entry.address) === address)) ?? NO_ADDRESSES
}

const firstUsable = (family: FamilyName, addresses: readonly Uint8Array[]): Uint8Array | undefined =>
  addresses.find(address => addressFamily(address) === family && isUsable(address))

/**
 * The global address; on a session between link-local addresses with that behind it (RFC 2545 section 3), or that alone where there is no
 * global one, as between unnumbered peers, which the RFC leaves open. On all other sessions the global one goes alone, though the RFC
 * wants both on a shared link: a router that knows no interfaces, as FRR's bgpd without zebra, cannot use the other one, and drops the route.
 */
function ipv6NextHop(local: Uint8Array, addresses: readonly Uint8Array[]): Uint8Array | undefined {
  if (local.length === 16 && !isLinkLocal(local)) return local
  const global = firstUsable('ipv6-unicast', addresses)
  if (local.length === 4) return global
  if (!global) return local
  const both = new Uint8Array(32)
  both.set(global)
  both.set(local, 16)
  return both
}

/**
 * Next hop self for each family of a session, RFC 4271 section 5.1.3. Prefixes of the session's own family have its local address;
 * those of the other the first usable address of the family on the same interface. IPv4 prefixes over an IPv6 session have
 * its IPv6 next hop (RFC 8950 section 3) where the peer takes that and there is no IPv4 address, or the session is link-local.
 *
 * @param interfaces read at most once, and not at all where the local address is enough
 * @returns 4 octets, 16, or 32 of a global and a link-local address; families that we have no address for are left out
 */
export function selfNextHops(
  session: NextHopSession,
  interfaces: () => Interfaces = networkInterfaces,
): ReadonlyMap<FamilyName, Uint8Array> {
  const { localAddress, families, extendedNextHop } = session
  const local = parseAddress(localAddress)
  const hops = new Map<FamilyName, Uint8Array>()
  if (local.length === 4 && families.every(family => family === 'ipv4-unicast')) {
    for (const family of families) hops.set(family, local)
    return hops
  }
  const all = interfaces()
  const entries = (session.interface && all[session.interface]) || interfaceOf(localAddress, all)
  const addresses = entries.map(({ address }) => parseAddress(address))
  const ipv6 = ipv6NextHop(local, addresses)
  const ipv4 = local.length === 4 ? local : firstUsable('ipv4-unicast', addresses)
  const isExtended = extendedNextHop.includes('ipv4-unicast') && local.length === 16
  const forIpv4 = isExtended && (!ipv4 || isLinkLocal(local)) ? ipv6 : ipv4
  for (const family of families) {
    const hop = family === 'ipv4-unicast' ? forIpv4 : ipv6
    if (hop) hops.set(family, hop)
  }
  return hops
}
