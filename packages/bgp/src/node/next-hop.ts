import { networkInterfaces } from 'node:os'
import { addressFamily, canonicalAddress, parseAddress } from '../address.js'
import type { FamilyName } from '../wire/index.js'

/** Addresses of the machine by interface, as `os.networkInterfaces()` gives them. */
export type Interfaces = Readonly<Record<string, readonly { readonly address: string }[] | undefined>>

const isLinkLocal = (address: Uint8Array): boolean =>
  address.length === 16 && address[0] === 0xfe && (address[1]! & 0xc0) === 0x80

/** Neither a loopback address (127/8, ::1) nor a link-local IPv6 one: another machine could not use it. */
function isUsable(address: Uint8Array): boolean {
  if (address.length === 4) return address[0] !== 127
  return !isLinkLocal(address) && (address[15] !== 1 || address.subarray(0, 15).some(octet => octet !== 0))
}

/** All addresses of the interface that has this one. */
function interfaceAddresses(address: string, interfaces: Interfaces): readonly Uint8Array[] {
  for (const addresses of Object.values(interfaces)) {
    const texts = addresses?.map(entry => entry.address) ?? []
    if (texts.some(text => canonicalAddress(text) === address)) return texts.map(parseAddress)
  }
  return []
}

/**
 * Next hop self, RFC 4271 section 5.1.3: the session's local address for prefixes of its own family. For those of the other
 * family, and where the local address is link-local, the first usable address of the family on the same interface.
 *
 * @param localAddress of the session, in canonical text
 * @returns `undefined` when the interface has no such address
 */
export function nextHopSelf(
  family: FamilyName,
  localAddress: string,
  interfaces: Interfaces = networkInterfaces(),
): Uint8Array | undefined {
  const local = parseAddress(localAddress)
  const isSame = addressFamily(local) === family
  if (isSame && !isLinkLocal(local)) return local
  const other = interfaceAddresses(localAddress, interfaces).find(
    address => addressFamily(address) === family && isUsable(address),
  )
  return other ?? (isSame ? local : undefined)
}
