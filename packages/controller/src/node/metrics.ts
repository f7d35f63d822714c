import { Counter, Gauge, type Registry } from 'prom-client'
import type { PoolCounters } from '../allocator/pool-state.js'

/** The controller's metrics, with MetalLB's names: dashboards and alerts stand on them. */
export interface ControllerMetrics {
  /** Sets the series of a pool; removes them when it is gone (`undefined`). */
  setPool(pool: string, counters: PoolCounters | undefined): void
  /** Addresses that Services were given which they did not have before. */
  countGiven(pool: string, addresses: number): void
  /** Objects that were looked at because they changed, and how many of them could not be served. */
  countUpdates(updates: number, errors: number): void
  /** Whether a configuration was ever accepted, and whether the newest one is not the one in force. */
  setConfig(loaded: boolean, stale: boolean): void
  /**
   * Forgets all but the counts: what a controller that does not work any more last knew is not true for long. Of the configuration
   * nothing is said either: a 0 would be an alarm about somebody who only waits.
   */
  reset(): void
}

const ALLOCATOR = 'metallb_allocator_'
const CLIENT = 'metallb_k8s_client_'

/** Registers the controller's metrics. Counts are 0 from the start; nothing is said of pools and of the configuration by who does not work. */
export function createControllerMetrics(registry: Registry): ControllerMetrics {
  const registers = [registry]
  const gauge = (name: string, help: string, labelNames: readonly 'pool'[] = []) =>
    new Gauge({ name, help, registers, labelNames })
  const perPool = (name: string, help: string) => gauge(ALLOCATOR + name, help, ['pool'])
  const capacity = perPool('addresses_total', 'Number of usable IP addresses per pool')
  const capacityIPv4 = perPool('ipv4_addresses_total', 'Number of usable IPv4 addresses per pool')
  const capacityIPv6 = perPool('ipv6_addresses_total', 'Number of usable IPv6 addresses per pool')
  const inUse = perPool('addresses_in_use_total', 'Number of IP addresses in use per pool')
  const inUseIPv4 = perPool('ipv4_addresses_in_use_total', 'Number of IPv4 addresses in use per pool')
  const inUseIPv6 = perPool('ipv6_addresses_in_use_total', 'Number of IPv6 addresses in use per pool')
  // MetalLB registers this one and never sets it; a dashboard that asks for it must get the same answer.
  perPool('services_allocated_total', 'Number of services allocated per pool')
  const given = new Counter({
    name: `${ALLOCATOR}addresses_allocated_total`,
    help: 'Number of IP addresses given to services since the start, per pool',
    labelNames: ['pool'],
    registers,
  })
  const updates = new Counter({ name: `${CLIENT}updates_total`, help: 'Number of object updates processed', registers })
  const errors = new Counter({
    name: `${CLIENT}update_errors_total`,
    help: 'Number of failed object updates',
    registers,
  })
  const loaded = gauge(`${CLIENT}config_loaded_bool`, '1 if a configuration was successfully loaded at least once')
  const stale = gauge(`${CLIENT}config_stale_bool`, '1 if the newest configuration could not be used')
  const pools = [capacity, capacityIPv4, capacityIPv6, inUse, inUseIPv4, inUseIPv6]
  const reset = (): void => {
    for (const each of pools) each.reset()
    loaded.remove()
    stale.remove()
  }
  reset()
  return {
    setPool: (pool, counters) => {
      if (!counters) {
        for (const each of [...pools, given]) each.remove({ pool })
        return
      }
      const { capacity: all } = counters
      const values = [all, counters.capacityIPv4, counters.capacityIPv6]
      const used = [counters.assignedIPv4 + counters.assignedIPv6, counters.assignedIPv4, counters.assignedIPv6]
      for (const [index, value] of [...values, ...used].entries()) pools[index]?.set({ pool }, Number(value))
    },
    countGiven: (pool, addresses) => given.inc({ pool }, addresses),
    countUpdates: (count, failed) => {
      updates.inc(count)
      errors.inc(failed)
    },
    setConfig: (isLoaded, isStale) => {
      loaded.set(Number(isLoaded))
      stale.set(Number(isStale))
    },
    reset,
  }
}
