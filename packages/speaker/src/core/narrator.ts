/** Puts what changed into log lines, under the event names that people search for. */
import { formatConfigError } from '@typemetal/cluster'
import type { Logger } from '../logger.js'
import { EXCLUDE_LABEL } from '../plan/nodes.js'
import type { WithdrawReason } from '../plan/types.js'
import { describeStranded } from '../status/configuration-state.js'
import type { ConfigurationReport } from './configuration.js'
import type { Outcome } from './decider.js'
import type { Transition } from './transitions.js'

/** Reasons that somebody should look at; the others are everyday life. */
const WORTH_A_WARNING: ReadonlySet<WithdrawReason> = new Set<WithdrawReason>([
  'invalidIP',
  'ipNotAllowed',
  'conflictingAdvertisements',
  'nodeNetworkUnavailable',
  'nodeLabeledExcludeBalancers',
  'sharedIPWithServiceSelector',
])

/** Services that a log line names; the ConfigurationState has the others. */
const NAMED = 10

/** Remembers what it has said, and says it once. */
export class Narrator {
  readonly #log: Logger
  #reported = 'inForce'
  #excluded = false

  constructor(log: Logger) {
    this.#log = log
  }

  /**
   * Logs everything that is new in a step of the decider.
   * @returns whether it was news that the newest configuration is not in force
   */
  tell({ plan, transitions, configuration, adopted }: Outcome): boolean {
    if (adopted) this.#log.info({ event: 'config reloaded' }, 'configuration in force')
    const failed = this.#tellConfiguration(configuration)
    this.#tellExclusion(plan.memory.context.excluded)
    for (const transition of transitions) this.#tellTransition(transition)
    return failed
  }

  #tellConfiguration(report: ConfigurationReport): boolean {
    const text = newsOf(report)
    if (text === this.#reported) return false
    this.#reported = text
    if (report.state === 'invalid') {
      for (const { kind, namespace, name, field, reason, file, line } of report.errors) {
        this.#log.error(
          { op: 'config', kind, namespace, name, field, error: reason, file, line },
          'configuration error',
        )
      }
      this.#log.error(
        { event: 'reload failed, no retry' },
        'configuration not usable, the last good one stays in force',
      )
    } else if (report.state === 'waiting') {
      const { stranded } = report
      const error = describeStranded({ ...report, stranded: stranded.slice(0, NAMED) })
      const more = stranded.length - NAMED
      this.#log.error(
        {
          event: 'reload failed, retry',
          services: stranded.length,
          error: more > 0 ? `${error} and ${more} more` : error,
        },
        'configuration not in force yet',
      )
    }
    return report.state !== 'inForce'
  }

  #tellExclusion(excluded: boolean): void {
    if (excluded && !this.#excluded) {
      this.#log.warn({ event: 'nodeExcluded', label: EXCLUDE_LABEL }, 'this node announces nothing because of a label')
    }
    this.#excluded = excluded
  }

  #tellTransition(transition: Transition): void {
    const { service } = transition
    switch (transition.type) {
      case 'announced': {
        const { protocol, pool, addresses: ips } = transition
        this.#log.info({ event: 'serviceAnnounced', service, protocol, pool, ips }, 'service has IP, announcing')
        break
      }
      case 'withdrawn': {
        const { reason, pool, addresses: ips } = transition
        const ip = ips[0]
        this.#log.info(
          { event: 'serviceWithdrawn', service, reason, pool, ip, ips },
          'withdrawing service announcement',
        )
        break
      }
      case 'announceFailed': {
        const { addresses: ips, missing } = transition
        const fields = { event: 'announceFailed', service, ips, interfaces: missing }
        this.#log.warn(fields, 'elected, but none of the interfaces to answer on exists')
        break
      }
      case 'skipped':
        this.#tellSkipped(transition)
        break
    }
  }

  #tellSkipped({ service, protocol, reason, detail }: Transition & { type: 'skipped' }): void {
    const level = WORTH_A_WARNING.has(reason) ? 'warn' : 'debug'
    const event = `skipping should announce ${protocol === 'bgp' ? 'bgp' : 'l2'}`
    this.#log[level]({ event, service, protocol, reason, ...(detail && { error: detail }) }, 'not announced')
  }
}

/** What is no news while it stays the same: Services that move off one by one change nothing about the wait. */
function newsOf(report: ConfigurationReport): string {
  return report.state === 'invalid' ? report.errors.map(formatConfigError).join('\n') : report.state
}
