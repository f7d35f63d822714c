import { type ConfigError, type ConfigurationState, summarizeConfigErrors } from '@typemetal/cluster'

/** Name of the controller's ConfigurationState. */
export const STATE_NAME = 'controller'

type Status = NonNullable<ConfigurationState['status']>
type Condition = NonNullable<Status['conditions']>[number]

/** The ConfigurationState `controller` as it is created, before it has a status. */
export function newConfigurationState(namespace: string): ConfigurationState {
  return {
    apiVersion: 'metallb.io/v1beta1',
    kind: 'ConfigurationState',
    metadata: { name: STATE_NAME, namespace, labels: { 'metallb.io/component-type': 'controller' } },
  }
}

/**
 * The status that says whether the newest configuration is in force, and else everything that is wrong with it.
 *
 * @param present the status as it is now; the same object is returned when it says so already
 * @param now RFC 3339
 */
export function configurationStatus(errors: readonly ConfigError[], present: Status | undefined, now: string): Status {
  const message = errors.length === 0 ? '' : `configuration error: ${summarizeConfigErrors(errors)}`
  const valid = errors.length === 0
  const wanted: Omit<Condition, 'lastTransitionTime'> = {
    type: 'poolReconcilerValid',
    status: valid ? 'True' : 'False',
    reason: valid ? 'Reconciled' : 'ConfigurationError',
    message,
  }
  const old = present?.conditions?.find(({ type }) => type === wanted.type)
  const result = valid ? 'Valid' : 'Invalid'
  const sameCondition = old?.status === wanted.status && old.reason === wanted.reason && old.message === message
  if (present && sameCondition && present.result === result && (present.errorSummary ?? '') === message) return present
  const lastTransitionTime = old && old.status === wanted.status ? old.lastTransitionTime : now
  return { result, errorSummary: message, conditions: [{ ...wanted, lastTransitionTime }] }
}
