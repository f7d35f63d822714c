/** Whether a peer is a direct neighbour, which one without `ebgpMultiHop` has to be. */
import { BlockList, isIPv6 } from 'node:net'
import { networkInterfaces } from 'node:os'
import type { NetworkInterfaceInfo } from 'node:os'
import { isInternal } from '../plan/sessions.js'
import type { SessionPlan } from '../plan/types.js'

/** What of `os.networkInterfaces()` says which networks are connected. */
export type Interfaces = NodeJS.Dict<Pick<NetworkInterfaceInfo, 'address' | 'family' | 'cidr'>[]>

/**
 * What an operator may have forgotten, when a peer cannot be reached.
 * @param read addresses of this machine
 * @returns one sentence, or `undefined`
 */
export function multihopHint(plan: SessionPlan, read: () => Interfaces = networkInterfaces): string | undefined {
  const { peerAddress } = plan
  if (peerAddress === undefined || plan.ebgpMultiHop || plan.vrf !== undefined || isInternal(plan)) return undefined
  try {
    if (isConnected(peerAddress, read())) return undefined
  } catch {
    return undefined // no descriptor left to ask the kernel with
  }
  return `${peerAddress} is on no subnet of this node, and without ebgpMultiHop what is sent to it has TTL 1`
}

/** Whether an address is on a subnet of an interface. */
export function isConnected(address: string, interfaces: Interfaces): boolean {
  const subnets = new BlockList()
  for (const { address: own, family, cidr } of Object.values(interfaces).flatMap(list => list ?? [])) {
    const length = Number(cidr?.split('/')[1] ?? Number.NaN)
    if (Number.isInteger(length)) subnets.addSubnet(own, length, family === 'IPv4' ? 'ipv4' : 'ipv6')
  }
  return subnets.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
}
