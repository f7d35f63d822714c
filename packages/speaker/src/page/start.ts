/** The status page of the process, as its flags want it. */
import { hostname } from 'node:os'
import { servePage } from '@typemetal/cluster/page'
import type { PageServer } from '@typemetal/cluster/page'
import type { Flags } from '../flags.js'
import type { Logger } from '../logger.js'
import type { Speaker } from '../speaker.js'
import { packageVersion } from '../version.js'

/** Flags of the page. */
export type PageFlags = Pick<Flags, 'statusPort' | 'statusAddress' | 'podName'>

/**
 * Serves the page until it is disposed of; it goes on during the drain at the end, which is what somebody who looks then wants to see.
 *
 * @param ready as `/readyz` says it
 * @returns `undefined` when there is to be none
 * @throws the system's error when the port cannot be had
 */
export async function startPage(
  speaker: Speaker,
  { statusPort: port, statusAddress: address, podName }: PageFlags,
  ready: () => true | string,
  log: Logger,
): Promise<PageServer | undefined> {
  if (port === 0) return undefined
  const host = podName === '' ? hostname() : podName
  const source = speaker.openPage({ version: packageVersion(), host, ready })
  return servePage({ source, address, port, log })
}
