/** Where a drain is and how long its steps took. */
import { Counter, Gauge } from 'prom-client'
import type { Registry } from 'prom-client'
import { DRAIN_STATES } from './types.js'
import type { DrainCause, DrainState, Milliseconds } from './types.js'

/** What {@link createDrainMetrics} keeps. */
export interface DrainMetrics {
  /** A state begins. */
  enter(state: DrainState): void
  /** A state ends that has lasted so long. */
  leave(state: DrainState, spent: Milliseconds): void
  /** A drain begins. */
  began(why: DrainCause | 'signal'): void
  /** Nothing is announced any more. */
  done(total: Milliseconds): void
  /** Addresses answered for after the ring was left. */
  held(count: number): void
}

/**
 * Creates and registers `typemetal_drain_state` (1 for the state it is in), `typemetal_drain_state_seconds` (how long the last pass through
 * each state took), `typemetal_drain_seconds` (the last drain), `typemetal_drains_total` and `typemetal_drain_addresses_held`.
 */
export function createDrainMetrics(registry: Registry): DrainMetrics {
  const registers = [registry]
  const state = new Gauge({
    name: 'typemetal_drain_state',
    help: '1 for the state the drain of this speaker is in',
    labelNames: ['state'],
    registers,
  })
  const spent = new Gauge({
    name: 'typemetal_drain_state_seconds',
    help: 'How long the last drain was in each state',
    labelNames: ['state'],
    registers,
  })
  const total = new Gauge({ name: 'typemetal_drain_seconds', help: 'How long the last drain took', registers })
  const drains = new Counter({
    name: 'typemetal_drains_total',
    help: 'Drains that have begun',
    labelNames: ['cause'],
    registers,
  })
  const held = new Gauge({
    name: 'typemetal_drain_addresses_held',
    help: 'Layer-2 addresses answered for until a successor does',
    registers,
  })
  return {
    enter: to => {
      for (const name of DRAIN_STATES) state.set({ state: name }, Number(name === to))
    },
    leave: (from, ms) => {
      if (from !== 'announcing' && from !== 'drained') spent.set({ state: from }, ms / 1000)
    },
    began: cause => drains.inc({ cause }),
    done: ms => total.set(ms / 1000),
    held: count => held.set(count),
  }
}
