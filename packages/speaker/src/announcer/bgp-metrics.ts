/** BGP metrics under MetalLB's names, those of its FRR exporter included; read from the sessions when somebody asks. */
import { Counter, Gauge } from 'prom-client'
import type { Registry } from 'prom-client'
import type { PeerReading } from './bgp.js'
import type { PeerCounters } from './engine.js'

const COUNTERS: readonly (readonly [name: string, help: string, field: keyof PeerCounters])[] = [
  ['metallb_bgp_opens_sent', 'OPEN messages sent', 'opensSent'],
  ['metallb_bgp_opens_received', 'OPEN messages received', 'opensReceived'],
  ['metallb_bgp_notifications_sent', 'NOTIFICATION messages sent', 'notificationsSent'],
  ['metallb_bgp_updates_total', 'UPDATE messages sent', 'updatesSent'],
  ['metallb_bgp_updates_total_received', 'UPDATE messages received', 'updatesReceived'],
  ['metallb_bgp_keepalives_sent', 'KEEPALIVE messages sent', 'keepalivesSent'],
  ['metallb_bgp_keepalives_received', 'KEEPALIVE messages received', 'keepalivesReceived'],
  ['metallb_bgp_route_refresh_sent', 'ROUTE-REFRESH messages sent', 'routeRefreshSent'],
  ['metallb_bgp_total_sent', 'BGP messages sent', 'totalSent'],
  ['metallb_bgp_total_received', 'BGP messages received', 'totalReceived'],
]

const GAUGES: readonly (readonly [name: string, help: string, value: (peer: PeerReading['state']) => number])[] = [
  ['metallb_bgp_session_up', '1 while the session is Established', peer => Number(peer?.state === 'Established')],
  // Gauges in spite of their names, which are MetalLB's.
  ['metallb_bgp_announced_prefixes_total', 'Prefixes advertised now', peer => peer?.counters.prefixesAnnounced ?? 0],
  ['metallb_bgp_pending_prefixes_total', 'Prefixes to be advertised', peer => peer?.counters.prefixesPending ?? 0],
]

const labelNames = ['peer', 'vrf'] as const

/** Registers the metrics. @param read the sessions as they are now; one that is gone has no series any more */
export function registerBGPMetrics(registry: Registry, read: () => readonly PeerReading[]): void {
  for (const [name, help, field] of COUNTERS) registry.registerMetric(counter(name, help, field, read))
  for (const [name, help, value] of GAUGES) registry.registerMetric(gauge(name, help, value, read))
}

function counter(
  name: string,
  help: string,
  field: keyof PeerCounters,
  read: () => readonly PeerReading[],
): Counter<'peer' | 'vrf'> {
  return new Counter({
    name,
    help,
    labelNames,
    registers: [],
    collect() {
      this.reset()
      for (const { peer, vrf, state } of read()) this.inc({ peer, vrf }, state?.counters[field] ?? 0)
    },
  })
}

function gauge(
  name: string,
  help: string,
  value: (peer: PeerReading['state']) => number,
  read: () => readonly PeerReading[],
): Gauge<'peer' | 'vrf'> {
  return new Gauge({
    name,
    help,
    labelNames,
    registers: [],
    collect() {
      this.reset()
      for (const { peer, vrf, state } of read()) this.set({ peer, vrf }, value(state))
    },
  })
}
