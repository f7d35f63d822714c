/** Brings the gossip up from the flags and files that MetalLB uses. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { StartupError } from '@typemetal/cluster/process'
import { Memberlist } from '@typemetal/memberlist'
import { parseGossipSettings } from '../gossip/config-file.js'
import type { GossipSettings } from '../gossip/config-file.js'
import { memberlistKey } from '../gossip/key.js'
import { Ring } from '../gossip/ring.js'
import type { Flags } from '../flags.js'
import type { Logger } from '../logger.js'

/** The flags that concern gossip. */
export type GossipFlags = Pick<
  Flags,
  'nodeName' | 'mlBindaddr' | 'mlBindport' | 'mlSecretKeyPath' | 'mlWanConfig' | 'mlConfigFile'
>

/**
 * Binds the gossip sockets, so that the own node is alive at once.
 * @param peers hosts that may be members
 * @returns `undefined` when no bind address is given: gossip is off
 * @throws {StartupError} an unusable secret or tuning file
 */
export async function startGossip(
  flags: GossipFlags,
  peers: () => readonly string[],
  log: Logger,
): Promise<Ring | undefined> {
  if (flags.mlBindaddr === '') {
    log.info({ op: 'memberlist' }, 'gossip is off: every node counts as alive, so a speaker must run on each')
    return undefined
  }
  const key = await readKey(flags.mlSecretKeyPath, log)
  const gossip = new Memberlist({
    ...(await readSettings(flags.mlConfigFile, log)),
    name: flags.nodeName,
    bindAddress: flags.mlBindaddr,
    bindPort: flags.mlBindport,
    preset: flags.mlWanConfig ? 'wan' : 'lan',
    log: log.child({ component: 'Memberlist' }),
    ...(key && { secretKeys: [key] }),
  })
  await gossip.start()
  return new Ring({ gossip, peers, log })
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

/** A tuning file starts from the LAN settings and gives all of them, whatever `--ml-wan-config` says. */
async function readSettings(file: string, log: Logger): Promise<Partial<GossipSettings>> {
  try {
    const { settings, missing } = parseGossipSettings(await readFile(file, 'utf8'))
    log.info({ op: 'memberlist', file }, 'gossip settings read')
    if (missing.length > 0) log.warn({ op: 'memberlist', file, missing }, 'settings not given count as 0 or false')
    return settings
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw new StartupError(`${file} cannot be used: ${(cause as Error).message}`, { cause })
  }
}
