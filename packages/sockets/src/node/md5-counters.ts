import { readFileSync } from 'node:fs'
import { decodeMd5Counters, type Md5Counters } from '../wire/netstat.js'

const NETSTAT = '/proc/self/net/netstat'

/**
 * Segments dropped because of their TCP MD5 signature, in all connections of this network namespace. Wrong keys are silence to
 * both sides; these counters are where the kernel says so.
 *
 * @returns `undefined` where there are no such counters: off Linux, or in a kernel without TCP MD5
 */
export function readMd5Counters(): Md5Counters | undefined {
  try {
    return decodeMd5Counters(readFileSync(NETSTAT, 'latin1'))
  } catch {
    return undefined
  }
}
