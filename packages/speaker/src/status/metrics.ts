/** Metrics of the writing of statuses, under the names that work queues have in every Kubernetes program. */
import { Counter, Gauge, Histogram } from 'prom-client'
import type { Registry } from 'prom-client'
import type { WorkQueueCounters } from './work-queue.js'

/** Takes what only the queue itself sees. */
export interface WriteMetrics {
  /** A status was brought up to date, or it failed. @param ms it took */
  readonly observe: (ms: number) => void
}

/** Value of the label `name`. */
const QUEUE = 'status'
const labelNames = ['name'] as const
const READINGS: readonly (readonly [
  name: string,
  help: string,
  field: keyof WorkQueueCounters,
  type: 'gauge' | 'counter',
])[] = [
  ['workqueue_depth', 'Statuses that wait to be written, rest after a failure or are being written', 'depth', 'gauge'],
  ['workqueue_active', 'Statuses that are being written', 'active', 'gauge'],
  ['workqueue_adds_total', 'Requests to look at a status', 'adds', 'counter'],
  ['workqueue_retries_total', 'Statuses that could not be written and are tried again', 'retries', 'counter'],
]

/** Registers `workqueue_*{name="status"}`. @param read asked at each scrape */
export function createWriteMetrics(registry: Registry, read: () => WorkQueueCounters): WriteMetrics {
  for (const [name, help, field, type] of READINGS) {
    const options = { name, help, labelNames, registers: [] }
    if (type === 'gauge') {
      registry.registerMetric(
        new Gauge({
          ...options,
          collect() {
            this.set({ name: QUEUE }, read()[field])
          },
        }),
      )
    } else {
      registry.registerMetric(
        new Counter({
          ...options,
          collect() {
            this.reset()
            this.inc({ name: QUEUE }, read()[field])
          },
        }),
      )
    }
  }
  const seconds = new Histogram({
    name: 'workqueue_work_duration_seconds',
    help: 'How long it took to bring a status up to date',
    labelNames,
    registers: [registry],
  })
  return { observe: ms => seconds.observe({ name: QUEUE }, ms / 1000) }
}
