import { networkInterfaces } from 'node:os'
import { addressFamily, canonicalAddress, parseAddress } from '../address.js'
import type { FamilyName } from '../wire/index.js'

/** Addresses of the machine by interface, as `os.networkInterfaces()` gives them. */
export type Interfaces = Readonly<Record<string, readonly { readonly address: string }[] | undefined>>

/** Neither a loopback address (127/8, ::1) nor a link-local IPv6 one: another machine could not use it. */
function isUsable(address: Uint8Array): boolean {
  if (address.length === 4) return address[0] !== 127
  if (address[0] === 0xfe && (address[1]! & 0xc0) === 0x80) return false
  return address[15] !== 1 || address.subarray(0, 15).some(octet => octet !== 0)
}

/**
 * Next hop self, RFC 4271 section 5.1.3: the session's local address for prefixes of its own family; for those of the other
 * family the first usable address of that family on the interface that has the local address.
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
  if (addressFamily(local) === family) return local
  for (const addresses of Object.values(interfaces)) {
    const texts = addresses?.map(({ address }) => address) ?? []
    if (!texts.some(text => canonicalAddress(text) === localAddress)) continue
    return texts.map(parseAddress).find(address => addressFamily(address) === family && isUsable(address))
  }
  return undefined
}
