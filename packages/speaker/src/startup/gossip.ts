/** Brings the gossip up from the flags and files that MetalLB uses. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { StartupError } from '@typemetal/cluster/process'
import { Memberlist } from '@typemetal/memberlist'
import { systemClock } from '../clock.js'
import { parseGossipSettings } from '../gossip/config-file.js'
import type { GossipSettings } from '../gossip/config-file.js'
import { memberlistKey } from '../gossip/key.js'
import type { GossipPreset } from '../gossip/presets.js'
import { quietLog } from '../gossip/quiet-log.js'
import { Ring } from '../gossip/ring.js'
import type { RingOptions } from '../gossip/ring.js'
import type { Flags } from '../flags.js'
import type { Logger } from '../logger.js'

/** The flags that concern gossip. */
export type GossipFlags = Pick<
  Flags,
  'nodeName' | 'mlBindaddr' | 'mlBindport' | 'mlSecretKeyPath' | 'mlWanConfig' | 'mlPreset' | 'mlConfigFile'
>

/**
 * Makes the ring of all speakers; {@link Ring.start} opens its port.
 * @param peers hosts that may be members
 * @param reaches as {@link RingOptions.reaches}
 * @returns `undefined` when no bind address is given: gossip is off
 * @throws {StartupError} an unusable secret or tuning file, or flags that contradict each other
 */
export async function startGossip(
  flags: GossipFlags,
  peers: () => readonly string[],
  log: Logger,
  reaches?: RingOptions['reaches'],
): Promise<Ring | undefined> {
  if (flags.mlBindaddr === '') {
    log.info({ op: 'memberlist' }, 'gossip is off: every node counts as alive, so a speaker must run on each')
    return undefined
  }
  const key = await readKey(flags.mlSecretKeyPath, log)
  const gossip = createGossip(flags, await readSettings(flags, log), key, log)
  return new Ring({ node: flags.nodeName, gossip, open: () => gossip.start(), peers, log, ...(reaches && { reaches }) })
}

function createGossip(
  flags: GossipFlags,
  settings: Partial<GossipSettings>,
  key: Uint8Array | undefined,
  log: Logger,
): Memberlist {
  try {
    return new Memberlist({
      ...settings,
      name: flags.nodeName,
      bindAddress: flags.mlBindaddr,
      bindPort: flags.mlBindport,
      preset: presetOf(flags),
      log: quietLog(log.child({ component: 'Memberlist' }), systemClock),
      ...(key && { secretKeys: [key] }),
    })
  } catch (cause) {
    const { message } = cause as Error
    throw new StartupError(`gossip cannot be set up as flags and ${flags.mlConfigFile} say: ${message}`, { cause })
  }
}

/** @throws {StartupError} the two flags contradict each other */
function presetOf({ mlPreset, mlWanConfig }: GossipFlags): GossipPreset {
  if (mlWanConfig && mlPreset !== undefined && mlPreset !== 'wan')
    throw new StartupError(`--ml-wan-config and --ml-preset ${mlPreset} contradict each other: give one of them`)
  return mlPreset ?? (mlWanConfig ? 'wan' : 'lan')
}

async function readKey(folder: string, log: Logger): Promise<Uint8Array | undefined> {
  const key = folder === '' ? undefined : memberlistKey(await readSecret(join(folder, 'secretkey')))
  if (!key) log.warn({ op: 'memberlist' }, 'gossip is not encrypted: no secret key')
  return key
}

async function readSecret(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file)
  } catch (cause) {
    throw new StartupError(`the gossip secret ${file} cannot be read: ${(cause as Error).message}`, { cause })
  }
}

/** A tuning file gives MetalLB's settings, whatever the preset says; the preset has those that MetalLB does not know. */
async function readSettings(
  { mlConfigFile: file, mlPreset, mlWanConfig }: GossipFlags,
  log: Logger,
): Promise<Partial<GossipSettings>> {
  try {
    const { settings, missing } = parseGossipSettings(await readFile(file, 'utf8'))
    log.info({ op: 'memberlist', file }, 'gossip settings read')
    if (mlPreset !== undefined || mlWanConfig)
      log.warn({ op: 'memberlist', file }, 'what the file says is in force, not --ml-preset or --ml-wan-config')
    if (missing.length > 0) log.warn({ op: 'memberlist', file, missing }, 'settings not given count as 0 or false')
    return settings
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw new StartupError(`${file} cannot be used: ${(cause as Error).message}`, { cause })
  }
}
