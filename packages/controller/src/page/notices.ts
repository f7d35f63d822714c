/** What is wrong with the process or the cluster as a whole. Pure. */
import { type ConfigError, type ConfigurationState, formatConfigError, type ReadFault } from '@typemetal/cluster'
import type { NoticeFacts, Timestamp } from '@typemetal/cluster/page'
import { STATE_NAME } from '../reconcile/configuration-state.js'

/** Details of one notice; how many more there are is said in the last one. */
const MOST_DETAILS = 50

/** What notices are made of. */
export interface NoticeReadings {
  readonly ready: true | string
  /** What keeps the newest configuration from being in force, and since when. */
  readonly errors: readonly ConfigError[]
  readonly errorsSince: Timestamp | undefined
  readonly faults: readonly ReadFault[]
  /** Why the cluster cannot be read, and since when. */
  readonly outage: { readonly reason: string; readonly since: Timestamp } | undefined
  /** Who leads, when it is another one; empty: nobody is known to. `undefined`: this one decides. */
  readonly leader: string | undefined
  /** What speakers say of the newest configuration. */
  readonly states: Iterable<ConfigurationState>
}

/** The worst first. */
export function noticeRows(readings: NoticeReadings): readonly NoticeFacts[] {
  const { outage, errors, errorsSince, ready, faults, leader, states } = readings
  const notices: NoticeFacts[] = []
  if (outage) {
    const what = 'The cluster cannot be read: the last known state stays in force'
    notices.push({ verdict: 'bad', what, details: [outage.reason], since: outage.since })
  }
  if (errors.length > 0) {
    const what = 'The newest configuration cannot be used: the last good one stays in force'
    const details = bounded(errors.map(formatConfigError))
    notices.push({ verdict: 'bad', what, details, ...(errorsSince !== undefined && { since: errorsSince }) })
  }
  if (ready !== true && !outage) notices.push({ verdict: 'bad', what: `Not ready: ${ready}` })
  const others = faults.filter(({ affectsConfig }) => !affectsConfig)
  if (others.length > 0) {
    const what = 'Objects that cannot be read: the last good version of each stays in force'
    notices.push({ verdict: 'bad', what, details: bounded(others.map(formatConfigError)) })
  }
  const invalid = [...states].filter(isInvalid)
  if (invalid.length > 0) {
    const what = 'Speakers that cannot use the newest configuration'
    notices.push({ verdict: 'bad', what, details: bounded(invalid.map(stateText)) })
  }
  if (leader !== undefined) {
    const who = leader === '' ? 'No controller leads yet' : `Another controller leads: ${leader}`
    notices.push({ verdict: 'note', what: `${who}. What is shown here is what the statuses say` })
  }
  return notices
}

const isInvalid = ({ metadata, status }: ConfigurationState): boolean =>
  metadata.name !== STATE_NAME && status?.result === 'Invalid'

const stateText = ({ metadata, status }: ConfigurationState): string =>
  `${metadata.name}: ${(status?.errorSummary ?? '').split('\n')[0] ?? ''}`

function bounded(lines: readonly string[]): readonly string[] {
  const more = lines.length - MOST_DETAILS
  return more <= 0 ? lines : [...lines.slice(0, MOST_DETAILS), `and ${more} more`]
}
