import { hostname } from 'node:os'
import { type PageServer, servePage } from '@typemetal/cluster/page'
import type { Logger } from '@typemetal/cluster/process'
import type { Flags } from '../flags.js'
import { systemClock } from '../node/clock.js'
import { packageVersion } from '../version.js'
import { ControllerPage, type ControllerParts } from './controller-page.js'

/** What a process knows beside its flags. */
export interface PageParts extends Pick<ControllerParts, 'namespace' | 'ready' | 'store' | 'controller' | 'candidacy'> {
  readonly log: Logger
}

/**
 * Serves the status page until it is disposed of.
 *
 * @returns `undefined` when there is to be none
 * @throws the system's error when the port cannot be had
 */
export async function startPage(
  { statusPort: port, statusAddress: address, lbClass, webhookMode }: Flags,
  { log, ...parts }: PageParts,
): Promise<PageServer | undefined> {
  if (port === 0) return undefined
  const source = new ControllerPage({
    ...parts,
    lbClass,
    isWebhookOnly: webhookMode === 'onlywebhook',
    version: packageVersion(),
    host: hostname(),
    clock: systemClock,
  })
  return servePage({ source, address, port, log })
}
