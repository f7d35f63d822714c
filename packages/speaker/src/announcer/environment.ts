/** What this machine lets a BGP session do. */
import { readFileSync } from 'node:fs'
import { missingSockets } from '@typemetal/bgp'

/** Facts that decide which features of a BGPPeer can be had. */
export interface Environment {
  /** Why sockets with options are not to be had; `undefined` when they are. */
  readonly withoutSockets: string | undefined
  /** Effective capability CAP_NET_RAW, which raw sockets ask for. */
  readonly netRaw: boolean
}

/** Number of CAP_NET_RAW in linux/capability.h. */
const CAP_NET_RAW = 13n

/** Looks at the machine and the installed packages. */
export function readEnvironment(): Environment {
  return {
    withoutSockets: process.platform === 'linux' ? missingSockets() : 'its sockets are for Linux',
    netRaw: hasCapability(readStatus(), CAP_NET_RAW),
  }
}

/** @param status text of /proc/self/status */
export function hasCapability(status: string, capability: bigint): boolean {
  const mask = /^CapEff:\s*([\da-f]+)$/m.exec(status)?.[1]
  return mask !== undefined && (BigInt(`0x${mask}`) & (1n << capability)) !== 0n
}

function readStatus(): string {
  try {
    return readFileSync('/proc/self/status', 'utf8')
  } catch {
    return '' // no Linux: nothing of it can be had
  }
}
