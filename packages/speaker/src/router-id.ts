/** BGP Identifier of a peer without `routerID`. */
import { createSocket } from 'node:dgram'
import { readdirSync } from 'node:fs'
import { isIPv4, isIPv6 } from 'node:net'
import { networkInterfaces } from 'node:os'
import type { NetworkInterfaceInfo } from 'node:os'
import type { SessionPlan } from './plan/types.js'

/** What of `os.networkInterfaces()` a router id is taken from. */
export type Interfaces = NodeJS.Dict<Pick<NetworkInterfaceInfo, 'address' | 'family'>[]>

/** A BGP Identifier and whether it may be another one later. */
export interface RouterId {
  /** Dotted quad. */
  readonly bgpIdentifier: string
  /** The last resort was taken: no address was there to go by. */
  readonly isLastResort: boolean
}

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
export function routerIdOf(local: string | undefined, node: string, interfaces: Interfaces = readInterfaces()): string {
  return addressIdentifier(local, interfaces) ?? nodeRouterId(node)
}

/**
 * Router id of a session: its own; else that of its local address; of a session in a VRF or on an interface the first IPv4 address
 * there; else {@link nodeRouterId}.
 */
export async function routerIdFor(session: SessionPlan, node: string): Promise<RouterId> {
  const { routerID, sourceAddress, peerAddress, peerPort, vrf, interface: on } = session
  const known = routerID ?? (sourceAddress !== undefined && isIPv4(sourceAddress) ? sourceAddress : undefined)
  if (known !== undefined) return { bgpIdentifier: known, isLastResort: false }
  const found =
    vrf !== undefined || on !== undefined
      ? interfaceIdentifier(vrf === undefined ? [on ?? ''] : [vrf, ...portsOf(vrf)])
      : addressIdentifier(sourceAddress ?? (await localAddressTowards(peerAddress ?? '', peerPort)))
  return { bgpIdentifier: found ?? nodeRouterId(node), isLastResort: found === undefined }
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

function addressIdentifier(local: string | undefined, interfaces: Interfaces = readInterfaces()): string | undefined {
  if (local === undefined) return undefined
  if (isIPv4(local)) return local
  const owner = Object.values(interfaces).find(list => list?.some(({ address }) => address === local))
  return owner?.find(({ family }) => family === 'IPv4')?.address
}

function interfaceIdentifier(names: readonly string[], interfaces: Interfaces = readInterfaces()): string | undefined {
  return names.flatMap(name => interfaces[name] ?? []).find(({ family }) => family === 'IPv4')?.address
}

/** Interfaces that are in a VRF, sorted; none when there is no such VRF. */
function portsOf(vrf: string): readonly string[] {
  try {
    const entries = readdirSync(`/sys/class/net/${vrf}`)
    return entries
      .filter(name => name.startsWith(LOWER))
      .map(name => name.slice(LOWER.length))
      .toSorted()
  } catch {
    return []
  }
}

const LOWER = 'lower_'

function readInterfaces(): Interfaces {
  try {
    return networkInterfaces()
  } catch {
    return {} // no descriptor left to ask the kernel with
  }
}
