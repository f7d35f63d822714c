/** BGP Identifier of a peer without `routerID`. */
import { createSocket } from 'node:dgram'
import { isIPv4, isIPv6 } from 'node:net'
import { networkInterfaces } from 'node:os'
import type { NetworkInterfaceInfo } from 'node:os'

/** CRC-32 (IEEE 802.3) of octets. */
export function crc32(octets: Uint8Array): number {
  let crc = 0xffff_ffff
  for (const octet of octets) {
    crc ^= octet
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb8_8320 : 0)
  }
  return ~crc >>> 0
}

/** The last resort: CRC-32 of the node's name, written little-endian, as a dotted quad. */
export function nodeRouterId(node: string): string {
  const crc = crc32(new TextEncoder().encode(node))
  return [crc, crc >>> 8, crc >>> 16, crc >>> 24].map(octet => octet & 0xff).join('.')
}

/**
 * Router id from the session's local address: itself when IPv4, else the first IPv4 address on its interface, else
 * {@link nodeRouterId}.
 * @param local `undefined` when the kernel has no route to the peer
 */
export function routerIdOf(
  local: string | undefined,
  node: string,
  interfaces: NodeJS.Dict<NetworkInterfaceInfo[]> = networkInterfaces(),
): string {
  if (local && isIPv4(local)) return local
  const owner = Object.values(interfaces).find(list => list?.some(({ address }) => address === local))
  return owner?.find(({ family }) => family === 'IPv4')?.address ?? nodeRouterId(node)
}

/** The address the kernel would connect from, found without sending anything; `undefined` without a route. */
export async function localAddressTowards(address: string, port: number): Promise<string | undefined> {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject)
      socket.connect(port, address, resolve)
    })
    return socket.address().address
  } catch {
    return undefined // no route yet: the caller falls back to the node's name
  } finally {
    socket.close()
  }
}
