import { collectDefaultMetrics, Registry } from 'prom-client'

/** Milliseconds between looks at the delay of the event loop: the usual 10 would wake an idle process a hundred times a second. */
const EVENT_LOOP_PRECISION = 100

/** A registry with what every process tells of itself: `process_*`, `nodejs_*`. */
export function createRegistry(): Registry {
  const register = new Registry()
  collectDefaultMetrics({ register, eventLoopMonitoringPrecision: EVENT_LOOP_PRECISION })
  return register
}
