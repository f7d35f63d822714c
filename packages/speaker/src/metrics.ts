/** The speaker's metrics, under MetalLB's names. */
import { Counter, Gauge } from 'prom-client'
import type { MetricObjectWithValues, MetricValue, Registry } from 'prom-client'
import type { Outcome } from './core/decider.js'
import { announcedBy } from './core/transitions.js'
import type { Plan, ServiceDecision } from './plan/types.js'

/** Metrics that the speaker itself keeps; those of the announcers are read when somebody asks. */
export interface SpeakerMetrics {
  /** @internal Is told each plan by {@link recordOutcome}. */
  readonly announced: AnnouncedGauge
  readonly updates: Counter
  readonly updateErrors: Counter
  readonly configLoaded: Gauge
  readonly configStale: Gauge
}

/** Creates and registers {@link SpeakerMetrics}. */
export function createSpeakerMetrics(registry: Registry): SpeakerMetrics {
  const registers = [registry]
  return {
    announced: new AnnouncedGauge({
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

/** Brings the gauges in line with one step of the decider. */
export function recordOutcome(metrics: SpeakerMetrics, { plan, configuration }: Outcome): void {
  metrics.announced.plan = plan
  const inForce = configuration.state === 'inForce'
  if (inForce) metrics.configLoaded.set(1)
  metrics.configStale.set(inForce ? 0 : 1)
}

/** Labels of `metallb_speaker_announced`. */
export type AnnouncedLabel = 'service' | 'protocol' | 'node' | 'ip'

/**
 * `metallb_speaker_announced`: announced addresses are 1, the others have no series. Read from the plan when somebody asks: a series
 * kept for each address and protocol would be larger than what is known of the Service.
 */
export class AnnouncedGauge extends Gauge<AnnouncedLabel> {
  /** What is shown. */
  plan: Plan | undefined

  /** The series of the plan, as a registry asks for them. */
  override async get(): Promise<MetricObjectWithValues<MetricValue<AnnouncedLabel>>> {
    const { plan } = this
    const values = plan ? [...plan.services.values()].flatMap(decision => seriesOf(decision, plan.node)) : []
    return { ...(await super.get()), values }
  }
}

function seriesOf(decision: ServiceDecision, node: string): readonly MetricValue<AnnouncedLabel>[] {
  const { service } = decision
  // What somebody has written into a status twice is one series: Prometheus takes none twice.
  const addresses = [...new Set(decision.addresses)]
  return announcedBy(decision).flatMap(protocol =>
    addresses.map(ip => ({ value: 1, labels: { service, protocol, node, ip } })),
  )
}
