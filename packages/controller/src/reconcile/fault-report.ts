import { type ConfigError, type ObjectReference, formatConfigError, type ReadFault } from '@typemetal/cluster'
import type { OutcomeBuilder } from './outcome.js'
import { clusterEvent, Reason } from './service-event.js'

/** Kind of a fault that is about a whole file. */
const FILE = 'File'

/** Says what keeps the newest configuration from being in force, or that nothing does any more. */
export function reportErrors(errors: readonly ConfigError[], out: OutcomeBuilder): void {
  if (errors.length === 0) out.note('info', 'the newest configuration is in force', { event: 'configuration valid' })
  for (const error of errors) {
    out.note('error', 'the last good configuration stays in force', {
      event: 'reload failed, no retry',
      error: formatConfigError(error),
      ...details(error),
    })
    announce(error, out)
  }
}

/**
 * Says which objects could not be read, each once; those that keep the configuration from being built are said there.
 *
 * @param said result of the last call
 * @returns what has been said by now
 */
export function reportFaults(
  faults: readonly ReadFault[],
  said: ReadonlySet<string>,
  out: OutcomeBuilder,
): ReadonlySet<string> {
  const others = faults.filter(({ affectsConfig }) => !affectsConfig)
  for (const fault of others.filter(each => !said.has(formatConfigError(each)))) {
    const fields = { event: 'unreadable object', error: formatConfigError(fault), ...details(fault) }
    out.note('error', 'the last good version of the object stays in force', fields)
    announce(fault, out)
  }
  return new Set(others.map(formatConfigError))
}

function announce(error: ConfigError, out: OutcomeBuilder): void {
  if (error.kind === FILE || error.name === '') return
  const message = error.field ? `${error.field}: ${error.reason}` : error.reason
  out.events.push(clusterEvent(referenceOf(error), { type: 'Warning', reason: Reason.configurationError, message }))
}

function referenceOf({ kind, name, namespace }: ConfigError): ObjectReference {
  return namespace === undefined ? { kind, name } : { kind, name, namespace }
}

const details = ({ kind, name, namespace, field, file, line }: ConfigError): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries({ kind, name, namespace, field, file, line }).filter(([, value]) => value !== undefined),
  )
