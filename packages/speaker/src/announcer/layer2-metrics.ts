/** Layer-2 counters under MetalLB's names, and what MetalLB does not have: conflicts. Read when somebody asks. */
import { Counter, Gauge } from 'prom-client'
import type { Registry } from 'prom-client'
import type { Conflict } from './conflict-machine.js'
import type { Resolution } from './conflict-rule.js'
import type { AddressCounters } from './layer2-responder.js'

/** What the metrics are read from; a {@link Layer2Announcer} is one. */
export interface Layer2Readings {
  /** Counters by address. */
  counters(): Promise<ReadonlyMap<string, AddressCounters>>
  /** Conflicts that last. */
  readonly conflicts: readonly Conflict[]
  /** Conflicts since the start, by how they were resolved. */
  readonly resolved: Readonly<Record<Resolution, number>>
}

const COUNTERS: readonly (readonly [name: string, help: string, field: keyof AddressCounters])[] = [
  ['metallb_layer2_requests_received', 'ARP and NDP requests for addresses of Services', 'requestsReceived'],
  ['metallb_layer2_responses_sent', 'ARP and NDP answers sent for addresses of Services', 'responsesSent'],
  [
    'metallb_layer2_gratuitous_sent',
    'Unsolicited ARP and NDP packets sent for addresses of Services',
    'gratuitousSent',
  ],
]

/** Registers counters of addresses, `typemetal_layer2_conflicts` and `typemetal_layer2_conflicts_total`. */
export function registerLayer2Metrics(registry: Registry, layer2: Layer2Readings): void {
  const read = shared(() => layer2.counters())
  for (const [name, help, field] of COUNTERS) registry.registerMetric(addressCounter(name, help, field, read))
  registry.registerMetric(
    new Gauge({
      name: 'typemetal_layer2_conflicts',
      help: 'Other hosts that answer for an address of this node now; resolution says who has it meanwhile',
      labelNames: ['ip', 'mac', 'owner', 'resolution'],
      registers: [],
      collect() {
        this.reset()
        for (const { address: ip, mac, node: owner = '', resolution } of layer2.conflicts) {
          this.set({ ip, mac, owner, resolution }, 1)
        }
      },
    }),
  )
  registry.registerMetric(
    new Counter({
      name: 'typemetal_layer2_conflicts_total',
      help: 'Conflicts about addresses of this node since the start',
      labelNames: ['resolution'],
      registers: [],
      collect() {
        this.reset()
        for (const [resolution, count] of Object.entries(layer2.resolved)) this.inc({ resolution }, count)
      },
    }),
  )
}

/** One scrape asks for all three at once: thousands of counters cross the threads once for them, not three times. */
function shared<T>(read: () => Promise<T>): () => Promise<T> {
  let asked: Promise<T> | undefined
  return () => (asked ??= read().finally(() => (asked = undefined)))
}

function addressCounter(
  name: string,
  help: string,
  field: keyof AddressCounters,
  read: Layer2Readings['counters'],
): Counter {
  return new Counter({
    name,
    help,
    labelNames: ['ip'],
    registers: [],
    async collect() {
      const counters = await read()
      this.reset()
      for (const [ip, values] of counters) if (values[field] > 0) this.inc({ ip }, values[field])
    },
  })
}
