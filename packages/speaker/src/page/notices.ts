/** What is wrong with the process or the cluster as a whole. Pure. */
import { formatConfigError } from '@typemetal/cluster'
import type { Snapshot } from '@typemetal/cluster'
import type { NoticeFacts, Timestamp } from '@typemetal/cluster/page'
import type { PeerLimit } from '../announcer/limits.js'
import type { ConfigurationReport } from '../core/configuration.js'
import type { DrainState } from '../drain/types.js'

/** Details of one notice; how many more there are is said in the last one. */
const MOST_DETAILS = 50

/** Something that lasts. */
interface Lasting {
  readonly why: string
  readonly since: Timestamp
}

/** What notices are made of. */
export interface NoticeReadings {
  readonly ready: true | string
  readonly configuration: ConfigurationReport | undefined
  readonly configurationSince: Timestamp | undefined
  readonly limits: readonly PeerLimit[]
  readonly faults: Snapshot['faults']
  /** Why the cluster cannot be read, and since when. */
  readonly outage: Lasting | undefined
  /** `step`: why it is in this state. */
  readonly drain: { readonly state: DrainState; readonly step: Lasting | undefined }
}

/** The worst first. */
export function noticeRows(readings: NoticeReadings): readonly NoticeFacts[] {
  return [
    ...outageNotices(readings),
    ...configurationNotices(readings),
    ...readyNotices(readings),
    ...limitNotices(readings),
    ...faultNotices(readings),
    ...drainNotices(readings),
  ]
}

function outageNotices({ outage }: NoticeReadings): readonly NoticeFacts[] {
  if (!outage) return []
  const what = 'The cluster cannot be read: what was last known stays announced'
  return [{ verdict: 'bad', what, details: [outage.why], since: outage.since }]
}

function configurationNotices({ configuration, configurationSince }: NoticeReadings): readonly NoticeFacts[] {
  const since = configurationSince === undefined ? {} : { since: configurationSince }
  if (configuration?.state === 'invalid') {
    const what = 'The newest configuration cannot be used: the last good one stays in force'
    return [{ verdict: 'bad', what, details: bounded(configuration.errors.map(formatConfigError)), ...since }]
  }
  if (configuration?.state === 'waiting') {
    const what = 'The newest configuration waits until these Services have moved off addresses that it has no pool for'
    const details = configuration.stranded.map(({ service, addresses }) => `${service} (${addresses.join(', ')})`)
    return [{ verdict: 'bad', what, details: bounded(details), ...since }]
  }
  return []
}

const readyNotices = ({ ready, drain: { state } }: NoticeReadings): readonly NoticeFacts[] =>
  ready === true || state !== 'announcing' ? [] : [{ verdict: 'bad', what: `Not ready: ${ready}` }]

function limitNotices({ limits }: NoticeReadings): readonly NoticeFacts[] {
  if (limits.length === 0) return []
  const details = bounded(limits.map(({ peer, field, reason }) => `BGPPeer ${peer}: ${field}: ${reason}`))
  const verdict = limits.some(({ notOpened }) => notOpened) ? 'bad' : 'note'
  return [{ verdict, what: 'BGPPeers ask for what this node does not have', details }]
}

function faultNotices({ faults }: NoticeReadings): readonly NoticeFacts[] {
  const others = faults.filter(({ affectsConfig }) => !affectsConfig)
  if (others.length === 0) return []
  const what = 'Objects that cannot be read: the last good version of each stays in force'
  return [{ verdict: 'bad', what, details: bounded(others.map(formatConfigError)) }]
}

function drainNotices({ drain: { state, step } }: NoticeReadings): readonly NoticeFacts[] {
  if (state === 'announcing') return []
  const what =
    state === 'drained' ? 'This node is drained: it announces nothing' : `This node is being drained: ${state}`
  return [{ verdict: 'note', what, ...(step && { details: [step.why], since: step.since }) }]
}

function bounded(lines: readonly string[]): readonly string[] {
  const more = lines.length - MOST_DETAILS
  return more <= 0 ? lines : [...lines.slice(0, MOST_DETAILS), `and ${more} more`]
}
