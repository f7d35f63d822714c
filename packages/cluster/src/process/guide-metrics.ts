import { Gauge, type Registry } from 'prom-client'

/**
 * Names that dashboards ask for which were written from a widely read guide to MetalLB, and that MetalLB never had: by the name that has
 * the value. What a process does not export under its own name it does not export under these.
 */
export const GUIDE_ALIASES: Readonly<Record<string, string>> = {
  metallb_ip_addresses_total: 'metallb_allocator_addresses_total',
  metallb_ip_addresses_in_use_total: 'metallb_allocator_addresses_in_use_total',
  metallb_allocator_addresses_in_use: 'metallb_allocator_addresses_in_use_total',
}

/** Registers {@link GUIDE_ALIASES} for what the registry has by now; they have the same series with the same labels. */
export function registerGuideAliases(registry: Registry): void {
  for (const [alias, name] of Object.entries(GUIDE_ALIASES)) {
    const source = registry.getSingleMetric(name)
    if (!(source instanceof Gauge)) continue
    const gauge = new Gauge<string>({
      name: alias,
      help: `The same as ${name}`,
      labelNames: ['pool'],
      registers: [],
      async collect() {
        const { values } = await source.get()
        this.reset()
        for (const { labels, value } of values) this.set(labels, value)
      },
    })
    registry.registerMetric(gauge)
  }
}
