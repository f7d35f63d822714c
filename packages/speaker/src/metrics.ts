/** The speaker's metrics, under MetalLB's names. */
import { Counter, Gauge } from 'prom-client'
import type { Registry } from 'prom-client'
import type { ObjectKey } from '@typemetal/cluster'
import type { Outcome } from './core/decider.js'
import { announcedBy } from './core/transitions.js'
import { sameList } from './plan/context.js'
import { PROTOCOLS } from './plan/types.js'
import type { Plan, ServiceDecision } from './plan/types.js'

/** Metrics that the speaker itself keeps; those of the announcers are read when somebody asks. */
export interface SpeakerMetrics {
  readonly announced: Gauge<'service' | 'protocol' | 'node' | 'ip'>
  readonly updates: Counter
  readonly updateErrors: Counter
  readonly configLoaded: Gauge
  readonly configStale: Gauge
}

/** Creates and registers {@link SpeakerMetrics}. */
export function createSpeakerMetrics(registry: Registry): SpeakerMetrics {
  const registers = [registry]
  return {
    announced: new Gauge({
      name: 'metallb_speaker_announced',
      help: 'Services that this node announces: 1 for each address and protocol',
      labelNames: ['service', 'protocol', 'node', 'ip'],
      registers,
    }),
    updates: new Counter({
      name: 'metallb_k8s_client_updates_total',
      help: 'Updates of Kubernetes objects that have been processed',
      registers,
    }),
    updateErrors: new Counter({
      name: 'metallb_k8s_client_update_errors_total',
      help: 'Updates of Kubernetes objects that failed',
      registers,
    }),
    configLoaded: new Gauge({
      name: 'metallb_k8s_client_config_loaded_bool',
      help: '1 once a configuration has been accepted',
      registers,
    }),
    configStale: new Gauge({
      name: 'metallb_k8s_client_config_stale_bool',
      help: '1 while the newest configuration cannot be used',
      registers,
    }),
  }
}

/** Brings the gauges in line with one step of the decider. @param before the plan of the step before */
export function recordOutcome(metrics: SpeakerMetrics, before: Plan | undefined, outcome: Outcome): void {
  updateAnnounced(metrics.announced, before, outcome.plan, outcome.delta.services)
  const inForce = outcome.configuration.state === 'inForce'
  if (inForce) metrics.configLoaded.set(1)
  metrics.configStale.set(inForce ? 0 : 1)
}

/**
 * Moves `metallb_speaker_announced` from one plan to the next: announced addresses are 1, the others have no series.
 * @param touched the Services that may differ
 */
function updateAnnounced(
  gauge: SpeakerMetrics['announced'],
  before: Plan | undefined,
  after: Plan,
  touched: Iterable<ObjectKey>,
): void {
  for (const key of touched) {
    const [old, now] = [before?.services.get(key), after.services.get(key)]
    if (sameSeries(old, now)) continue
    for (const labels of old ? seriesOf(old, after.node) : []) gauge.remove(labels)
    for (const labels of now ? seriesOf(now, after.node) : []) gauge.set(labels, 1)
  }
}

function sameSeries(a: ServiceDecision | undefined, b: ServiceDecision | undefined): boolean {
  if (!a || !b) return a === b
  return (
    sameList(a.addresses, b.addresses) && PROTOCOLS.every(protocol => a[protocol].announce === b[protocol].announce)
  )
}

function seriesOf(
  decision: ServiceDecision,
  node: string,
): readonly Record<'service' | 'protocol' | 'node' | 'ip', string>[] {
  const { service, addresses } = decision
  return announcedBy(decision).flatMap(protocol => addresses.map(ip => ({ service, protocol, node, ip })))
}
