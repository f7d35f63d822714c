/** What gossip knows of the ring, as metrics. MetalLB has none; a ring smaller than the cluster is the first sign of two owners. */
import { Counter, Gauge } from 'prom-client'
import type { Registry } from 'prom-client'
import type { Ring } from './ring.js'

/** What the metrics are read from. */
export type RingReadings = Pick<Ring, 'members' | 'suspects' | 'joins' | 'refused'>

/**
 * Registers `typemetal_memberlist_members`, `…_suspects`, `…_joins_total` (by result) and `…_refused_total` (by reason): read when
 * somebody asks.
 */
export function registerRingMetrics(registry: Registry, ring: RingReadings): void {
  const gauge = (name: string, help: string, read: () => number): Gauge =>
    new Gauge({
      name,
      help,
      registers: [],
      collect() {
        this.set(read())
      },
    })
  const counter = (name: string, help: string, label: string, read: () => Readonly<Record<string, number>>): Counter =>
    new Counter({
      name,
      help,
      labelNames: [label],
      registers: [],
      collect() {
        this.reset()
        for (const [value, count] of Object.entries(read())) this.inc({ [label]: value }, count)
      },
    })
  const prefix = 'typemetal_memberlist'
  for (const metric of [
    gauge(`${prefix}_members`, 'Speakers that this one takes to be alive, itself included', () => ring.members.length),
    gauge(`${prefix}_suspects`, 'Members that did not answer lately; they still count', () => ring.suspects),
    counter(`${prefix}_joins_total`, 'Attempts to join a host', 'result', () => ({ ...ring.joins })),
    counter(`${prefix}_refused_total`, 'Datagrams and streams that were no gossip of this ring', 'reason', () => ({
      ...ring.refused,
    })),
  ])
    registry.registerMetric(metric)
}
