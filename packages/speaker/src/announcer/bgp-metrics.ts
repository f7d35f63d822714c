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
  ['typemetal_bgp_notifications_received_total', 'NOTIFICATION messages received', 'notificationsReceived'],
  ['typemetal_bgp_route_refresh_received_total', 'ROUTE-REFRESH messages received', 'routeRefreshReceived'],
]

const GAUGES: readonly (readonly [name: string, help: string, value: (reading: PeerReading) => number])[] = [
  [
    'metallb_bgp_session_up',
    '1 while the session is Established',
    ({ state }) => Number(state?.state === 'Established'),
  ],
  // Gauges in spite of their names, which are MetalLB's.
  ['metallb_bgp_announced_prefixes_total', 'Prefixes advertised now', r => r.state?.counters.prefixesAnnounced ?? 0],
  ['metallb_bgp_pending_prefixes_total', 'Prefixes to be advertised', r => r.state?.counters.prefixesPending ?? 0],
  [
    'typemetal_bgp_hold_time_seconds',
    'Hold Time that the two ends agreed on; 0 without a session, and where they agreed on none',
    ({ state }) => (state?.state === 'Established' ? (state.negotiated?.holdTime ?? 0) : 0),
  ],
  ['typemetal_bgp_session_uptime_seconds', 'Time that the session has stood', ({ uptime }) => uptime / 1000],
]

const labelNames = ['peer', 'vrf'] as const

/** Registers the metrics. @param read the sessions as they are now; one that is gone has no series any more */
export function registerBGPMetrics(registry: Registry, read: () => readonly PeerReading[]): void {
  for (const [name, help, field] of COUNTERS) registry.registerMetric(counter(name, help, field, read))
  for (const [name, help, value] of GAUGES) registry.registerMetric(gauge(name, help, value, read))
  registry.registerMetric(endsCounter(read))
  registry.registerMetric(failuresCounter(read))
  registry.registerMetric(notificationGauge(read))
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
  value: (reading: PeerReading) => number,
  read: () => readonly PeerReading[],
): Gauge<'peer' | 'vrf'> {
  return new Gauge({
    name,
    help,
    labelNames,
    registers: [],
    collect() {
      this.reset()
      for (const reading of read()) this.set({ peer: reading.peer, vrf: reading.vrf }, value(reading))
    },
  })
}

function endsCounter(read: () => readonly PeerReading[]): Counter<'peer' | 'vrf' | 'reason'> {
  return new Counter({
    name: 'typemetal_bgp_session_ends_total',
    help: 'Established sessions that ended, by the event of RFC 4271 section 8.1',
    labelNames: ['peer', 'vrf', 'reason'],
    registers: [],
    collect() {
      this.reset()
      for (const { peer, vrf, history } of read()) {
        for (const [reason, count] of history.ends) this.inc({ peer, vrf, reason }, count)
      }
    },
  })
}

function failuresCounter(read: () => readonly PeerReading[]): Counter<'peer' | 'vrf'> {
  return new Counter({
    name: 'typemetal_bgp_connect_failures_total',
    help: 'Attempts at a session that came to nothing',
    labelNames,
    registers: [],
    collect() {
      this.reset()
      for (const { peer, vrf, history } of read()) this.inc({ peer, vrf }, history.failures)
    },
  })
}

function notificationGauge(
  read: () => readonly PeerReading[],
): Gauge<'peer' | 'vrf' | 'direction' | 'code' | 'subcode'> {
  return new Gauge({
    name: 'typemetal_bgp_last_notification',
    help: '1 for the last NOTIFICATION sent or received: error code and subcode of RFC 4271 section 4.5',
    labelNames: ['peer', 'vrf', 'direction', 'code', 'subcode'],
    registers: [],
    collect() {
      this.reset()
      for (const { peer, vrf, history } of read()) {
        const { lastNotification: last } = history
        if (!last) continue
        this.set({ peer, vrf, direction: last.direction, code: last.errorCode, subcode: last.errorSubcode }, 1)
      }
    },
  })
}
