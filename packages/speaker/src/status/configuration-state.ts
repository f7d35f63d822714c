/** The ConfigurationState of this speaker: whether the newest configuration is in force, and what of it we cannot do. */
import { summarizeConfigErrors } from '@typemetal/cluster'
import type { ConfigurationState } from '@typemetal/cluster'
import type { PeerLimit } from '../announcer/limits.js'
import type { ConfigurationReport } from '../core/configuration.js'
import { API_VERSION, StatusLabel, isLabelValue, isOwned, ownerReferences } from './objects.js'
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
/** Who applies the conditions, in `metadata.managedFields`; as in MetalLB. */
export const FIELD_MANAGER = 'configReconciler'

/** Characters that a list in a message may take: the API lets a condition's message have 32,768 with all that is around it. */
const MAX_LIST = 32_000

/** Both conditions; `peersValid` only when there is something to say. */
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

/** What a waiting configuration waits for; of many Services the first ones by name, and how many more. */
export function describeStranded({ stranded }: ConfigurationReport & { state: 'waiting' }): string {
  const services = stranded.map(({ service, addresses }) => `${service} (${addresses.join(', ')})`)
  const list = boundedList(services, ', ')
  return `the last configuration stays until these Services have moved off addresses that no pool contains any longer: ${list}`
}

function peersCondition(limits: readonly PeerLimit[]): Condition {
  const lines = limits.map(({ peer, field, reason }) => `BGPPeer ${peer}: ${field}: ${reason}`)
  const message = boundedList(lines, '\n')
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
 * Joins items, as many as go in; the others are counted at the end.
 * @param limit in characters
 */
export function boundedList(items: readonly string[], separator: string, limit = MAX_LIST): string {
  const whole = items.join(separator)
  if (whole.length <= limit) return whole
  const more = (count: number): string => `${separator}and ${count} more`
  const room = limit - more(items.length).length
  let [shown, length] = [0, -separator.length]
  for (const item of items) {
    length += separator.length + item.length
    if (length > room) break
    shown++
  }
  const head = items.slice(0, shown).join(separator)
  return shown === 0 ? `${items.length} in all` : head + more(items.length - shown)
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
  const all = [...kept, ...stamped]
  const failed = all.filter(({ status, reason }) => status === 'False' && reason === 'ConfigurationError')
  const summary = {
    result: failed.length > 0 ? 'Invalid' : 'Valid',
    errorSummary: failed.map(({ message }) => message).join('\n'),
  }
  const status = { ...summary, conditions: stamped }
  if (!existing) return [{ type: 'create', object: emptyState(owner), status }]
  if (existing.metadata.deletionTimestamp !== undefined) return []
  // The garbage collector takes it with the Pod that made it: better now than in a moment.
  if (!isOwned(existing, owner)) return [{ type: 'delete', object: existing }]
  const unchanged =
    existing.status?.result === summary.result &&
    (existing.status.errorSummary ?? '') === summary.errorSummary &&
    old.length === all.length &&
    all.every(condition => old.includes(condition))
  return unchanged ? [] : [{ type: 'apply', object: existing, status, merged: { ...summary, conditions: all } }]
}

/** Name of a node's ConfigurationState. */
export const configurationStateName = (node: string): string => `speaker-${node}`

/** The node's label is left out where its name is too long for one: then only `metadata.name` tells whose it is. */
const emptyState = (owner: StatusOwner): ConfigurationState => ({
  apiVersion: API_VERSION,
  kind: 'ConfigurationState',
  metadata: {
    name: configurationStateName(owner.node),
    namespace: owner.namespace,
    labels: {
      [StatusLabel.componentType]: 'speaker',
      ...(isLabelValue(owner.node) && { [StatusLabel.nodeName]: owner.node }),
    },
    ...ownerReferences(owner),
  },
})
