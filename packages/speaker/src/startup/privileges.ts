/** Which capabilities of Linux the process lacks, and what it cannot do for that. */
import { readFile } from 'node:fs/promises'
import type { Logger } from '../logger.js'

/** A capability, and what wants it. */
interface Capability {
  readonly name: string
  /** Number in linux/capability.h. */
  readonly bit: bigint
  /** What there is not without it. */
  readonly features: string
  /** Who goes without has less; who needs it and lacks it hears so again when it is needed. */
  readonly how: string
}

const CAPABILITIES: readonly Capability[] = [
  {
    name: 'CAP_NET_RAW',
    bit: 13n,
    features: 'layer 2 (ARP and NDP), unnumbered BGP peers, echo packets of BFD',
    how: 'in a Pod securityContext.capabilities.add: [NET_RAW] with user 0; elsewhere setcap cap_net_raw+ep on the node binary, or AmbientCapabilities= of systemd. BGP needs none',
  },
  {
    name: 'CAP_SYS_NICE',
    bit: 23n,
    features: 'precedence of the layer-2 and BFD workers over a busy machine',
    how: 'in a Pod securityContext.capabilities.add: [SYS_NICE] with user 0. All works without, later under load',
  },
]

/** The capabilities that wishes may need and a process lacks. @param status text of `/proc/self/status` */
function missingCapabilities(status: string): readonly Capability[] {
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`)
  return CAPABILITIES.filter(({ bit }) => (effective & (1n << bit)) === 0n)
}

/** Says once what is missing; nothing where nobody can tell. */
export async function tellPrivileges(log: Logger): Promise<void> {
  let status: string
  try {
    status = await readFile('/proc/self/status', 'utf8')
  } catch {
    return // not Linux: what needs it says so
  }
  for (const { name: capability, features, how } of missingCapabilities(status)) {
    log.info({ op: 'privileges', capability, features, how }, `not there without ${capability}: ${features}`)
  }
}
