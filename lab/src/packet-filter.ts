/** Packets that a host does not get: partitions and loss, by nftables in its namespace. */
import { existsSync } from 'node:fs'
import type { Host } from './host.js'

/** What a host does not get, or say. Nobody notices: neither an error nor a reset comes back. */
export interface PacketFilter {
  /** IPv4 addresses from which nothing arrives. @default none */
  readonly from?: readonly string[]
  /** Share of all other packets that is lost on arrival, drawn for each by itself: 20 is one in five. @default 0 */
  readonly percent?: number
  /** Nothing comes in or goes out, as after a power cut. @default false */
  readonly silent?: boolean
}

const PROGRAMS = ['/usr/sbin/nft', '/sbin/nft', '/usr/bin/nft']

/** Whether {@link filterPackets} finds its program, of the Debian package nftables. */
export const nftablesInstalled = (): boolean => PROGRAMS.some(path => existsSync(path))

/**
 * From now on a host loses what `filter` says, in place of what an earlier call said; `{}` heals it.
 * @throws {LabError} ERR_LAB_COMMAND without nftables
 */
export async function filterPackets(
  host: Host,
  { from = [], percent = 0, silent = false }: PacketFilter,
): Promise<void> {
  const rules = [
    ...(silent ? ['drop'] : []),
    ...(from.length > 0 ? [`ip saddr { ${from.join(', ')} } drop`] : []),
    ...(percent > 0 ? [`numgen random mod 100 < ${percent} drop`] : []),
  ]
  const output = silent ? '  chain output {\n    type filter hook output priority 0\n    drop\n  }\n' : ''
  // One transaction: named before it is deleted, so that the first time is like every other.
  const input = `table ip lab
delete table ip lab
table ip lab {
  chain input {
    type filter hook input priority 0
${rules.map(rule => `    ${rule}`).join('\n')}
  }
${output}}
`
  await host.exec(['nft', '-f', '-'], { input })
}
