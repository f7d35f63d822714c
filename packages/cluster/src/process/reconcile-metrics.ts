import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

/** Counts and times the passes of one piece of work that is done again and again, one pass at a time. */
export interface ReconcileMetrics {
  /** Does a pass. @throws what it throws, counted as an error */
  run<T>(pass: () => Promise<T>): Promise<T>
  /** When the pass under way began, in milliseconds on the clock. */
  readonly runningSince: number | undefined
}

const PREFIX = 'controller_runtime_'
/** Seconds; those of controller-runtime from 1 ms on, coarser. */
const BUCKETS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

/**
 * Registers `controller_runtime_reconcile_*` and the two about workers, as programs have them that are built with controller-runtime.
 *
 * @param controller value of the label
 * @param now milliseconds on a monotonic clock
 */
export function createReconcileMetrics(
  registry: Registry,
  controller: string,
  now: () => number = () => performance.now(),
): ReconcileMetrics {
  const registers = [registry]
  const labelNames = ['controller'] as const
  const labels = { controller }
  const total = new Counter({
    name: `${PREFIX}reconcile_total`,
    help: 'Passes by how they ended',
    labelNames: ['controller', 'result'],
    registers,
  })
  const errors = new Counter({
    name: `${PREFIX}reconcile_errors_total`,
    help: 'Passes that failed',
    labelNames,
    registers,
  })
  const seconds = new Histogram({
    name: `${PREFIX}reconcile_time_seconds`,
    help: 'How long passes took',
    labelNames,
    buckets: BUCKETS,
    registers,
  })
  const active = new Gauge({ name: `${PREFIX}active_workers`, help: 'Passes under way', labelNames, registers })
  const most = new Gauge({
    name: `${PREFIX}max_concurrent_reconciles`,
    help: 'Passes that may be under way at once',
    labelNames,
    registers,
  })
  for (const result of ['success', 'error']) total.inc({ controller, result }, 0)
  errors.inc(labels, 0)
  active.set(labels, 0)
  most.set(labels, 1)
  let since: number | undefined
  return {
    get runningSince() {
      return since
    },
    run: async pass => {
      const start = now()
      since = start
      active.set(labels, 1)
      try {
        const value = await pass()
        total.inc({ controller, result: 'success' })
        return value
      } catch (error) {
        total.inc({ controller, result: 'error' })
        errors.inc(labels)
        throw error
      } finally {
        since = undefined
        active.set(labels, 0)
        seconds.observe(labels, (now() - start) / 1000)
      }
    },
  }
}
