/** The ConfigurationState of this speaker: whether the newest configuration is in force, and what of it we cannot do. */
import { summarizeConfigErrors } from '@typemetal/cluster'
import type { ConfigurationState } from '@typemetal/cluster'
import type { PeerLimit } from '../announcer/limits.js'
import type { ConfigurationReport } from '../core/configuration.js'
import { API_VERSION, StatusLabel } from './objects.js'
import type { StatusOwner, StatusWrite } from './objects.js'

/** A condition before it is stamped with a time. */
export interface Condition {
  readonly type: string
  readonly status: 'True' | 'False'
  readonly reason: 'Reconciled' | 'ConfigurationError' | 'FeatureNotAvailable'
  readonly message: string
}

/** MetalLB's condition of the speaker's configuration. */
export const CONFIG_CONDITION = 'configReconcilerValid'
/** Ours: whether every peer has all that its BGPPeer asks for. */
export const PEERS_CONDITION = 'peersValid'

/** Both conditions; {@link PEERS_CONDITION} only when there is something to say. */
export function conditionsOf(report: ConfigurationReport, limits: readonly PeerLimit[]): readonly Condition[] {
  return limits.length === 0 ? [configCondition(report)] : [configCondition(report), peersCondition(limits)]
}

function configCondition(report: ConfigurationReport): Condition {
  const type = CONFIG_CONDITION
  if (report.state === 'inForce') return { type, status: 'True', reason: 'Reconciled', message: '' }
  const text =
    report.state === 'invalid'
      ? summarizeConfigErrors(report.errors)
      : `general handler sync state error: ${describeStranded(report)}`
  return { type, status: 'False', reason: 'ConfigurationError', message: `configuration error: ${text}` }
}

/** What a waiting configuration waits for. */
export function describeStranded({ stranded }: ConfigurationReport & { state: 'waiting' }): string {
  const list = stranded.map(({ service, addresses }) => `${service} (${addresses.join(', ')})`).join(', ')
  return `the last configuration stays until these Services have moved off addresses that no pool contains any longer: ${list}`
}

function peersCondition(limits: readonly PeerLimit[]): Condition {
  const message = limits.map(({ peer, field, reason }) => `BGPPeer ${peer}: ${field}: ${reason}`).join('\n')
  return limits.some(limit => limit.notOpened)
    ? {
        type: PEERS_CONDITION,
        status: 'False',
        reason: 'ConfigurationError',
        message: `configuration error: ${message}`,
      }
    : { type: PEERS_CONDITION, status: 'True', reason: 'FeatureNotAvailable', message }
}

/**
 * What to write so that the object says so; nothing when it does already.
 * @param existing the object as the store knows it
 * @param now RFC 3339, the new lastTransitionTime of the conditions that changed
 */
export function configurationStateWrites(
  conditions: readonly Condition[],
  owner: StatusOwner,
  existing: ConfigurationState | undefined,
  now: string,
): readonly StatusWrite[] {
  const old = existing?.status?.conditions ?? []
  const kept = old.filter(({ type }) => type !== CONFIG_CONDITION && type !== PEERS_CONDITION)
  const stamped = conditions.map(condition => {
    const same = old.find(
      o =>
        o.type === condition.type &&
        o.status === condition.status &&
        o.reason === condition.reason &&
        o.message === condition.message,
    )
    return same ?? { ...condition, lastTransitionTime: now }
  })
  const failed = conditions.filter(({ status, reason }) => status === 'False' && reason === 'ConfigurationError')
  const status = {
    result: failed.length > 0 ? 'Invalid' : 'Valid',
    errorSummary: failed.map(({ message }) => message).join('\n'),
    conditions: [...kept, ...stamped],
  }
  if (!existing) return [{ type: 'create', object: emptyState(owner), status }]
  const unchanged =
    existing.status?.result === status.result &&
    (existing.status.errorSummary ?? '') === status.errorSummary &&
    old.length === status.conditions.length &&
    status.conditions.every(condition => old.includes(condition))
  return unchanged ? [] : [{ type: 'update', object: existing, status }]
}

/** Name of a node's ConfigurationState. */
export const configurationStateName = (node: string): string => `speaker-${node}`

const emptyState = ({ node, namespace }: StatusOwner): ConfigurationState => ({
  apiVersion: API_VERSION,
  kind: 'ConfigurationState',
  metadata: {
    name: configurationStateName(node),
    namespace,
    labels: { [StatusLabel.componentType]: 'speaker', [StatusLabel.nodeName]: node },
  },
})
