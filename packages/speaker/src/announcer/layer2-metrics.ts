/** Layer-2 counters under MetalLB's names; read from the responder when somebody asks. */
import { Counter } from 'prom-client'
import type { Registry } from 'prom-client'
import type { AddressCounters } from './layer2.js'

const COUNTERS: readonly (readonly [name: string, help: string, field: keyof AddressCounters])[] = [
  ['metallb_layer2_requests_received', 'ARP and NDP requests for addresses of Services', 'requestsReceived'],
  ['metallb_layer2_responses_sent', 'ARP and NDP answers sent for addresses of Services', 'responsesSent'],
  [
    'metallb_layer2_gratuitous_sent',
    'Unsolicited ARP and NDP packets sent for addresses of Services',
    'gratuitousSent',
  ],
]

/** Registers the counters. @param read asks the responder, once for each counter and scrape */
export function registerLayer2Metrics(
  registry: Registry,
  read: () => Promise<ReadonlyMap<string, AddressCounters>>,
): void {
  for (const [name, help, field] of COUNTERS) {
    registry.registerMetric(
      new Counter({
        name,
        help,
        labelNames: ['ip'],
        registers: [],
        async collect() {
          const counters = await read()
          this.reset()
          for (const [ip, values] of counters) if (values[field] > 0) this.inc({ ip }, values[field])
        },
      }),
    )
  }
}
