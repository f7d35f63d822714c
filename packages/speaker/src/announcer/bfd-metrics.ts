/** BFD metrics under the names of MetalLB's FRR exporter; read from the sessions when somebody asks. */
import { Counter, Gauge } from 'prom-client'
import type { Registry } from 'prom-client'
import type { BfdReading } from './bfd.js'

type Value = (reading: BfdReading) => number

const COUNTERS: readonly (readonly [name: string, help: string, value: Value])[] = [
  ['metallb_bfd_control_packet_input', 'BFD control packets received', r => r.snapshot?.packetsReceived ?? 0],
  ['metallb_bfd_control_packet_output', 'BFD control packets sent', r => r.snapshot?.packetsSent ?? 0],
  ['metallb_bfd_echo_packet_input', 'BFD echo packets received', r => r.snapshot?.echoPacketsReceived ?? 0],
  ['metallb_bfd_echo_packet_output', 'BFD echo packets sent', r => r.snapshot?.echoPacketsSent ?? 0],
  ['metallb_bfd_session_up_events', 'Times a BFD session has come up', r => r.snapshot?.upTransitions ?? 0],
  ['metallb_bfd_session_down_events', 'Times a BFD session has gone down', r => r.snapshot?.downTransitions ?? 0],
  ['metallb_bfd_zebra_notifications', 'Changes of BFD sessions that BGP was told of', r => r.notifications],
]

const GAUGES: readonly (readonly [name: string, help: string, value: Value])[] = [
  ['metallb_bfd_session_up', '1 while the BFD session is Up', r => Number(r.snapshot?.state === 'Up')],
  [
    'typemetal_bfd_detection_time_seconds',
    'Silence after which the path counts as failed, as agreed with the peer',
    r => (r.snapshot?.detectionTime ?? 0) / MICROSECONDS,
  ],
  [
    'typemetal_bfd_transmit_interval_seconds',
    'Interval between our control packets, as agreed with the peer',
    r => (r.snapshot?.transmitInterval ?? 0) / MICROSECONDS,
  ],
]

const MICROSECONDS = 1e6
const labelNames = ['peer', 'vrf'] as const

/** Registers the metrics. @param read the sessions as they are now; one that is gone has no series any more */
export function registerBFDMetrics(registry: Registry, read: () => readonly BfdReading[]): void {
  for (const [name, help, value] of COUNTERS) {
    registry.registerMetric(
      new Counter({
        name,
        help,
        labelNames,
        registers: [],
        collect() {
          this.reset()
          // Two sessions with one address, such as over one hop and over many, are one series.
          for (const reading of read()) this.inc({ peer: reading.peer, vrf: reading.vrf }, value(reading))
        },
      }),
    )
  }
  for (const [name, help, value] of GAUGES) {
    registry.registerMetric(
      new Gauge({
        name,
        help,
        labelNames,
        registers: [],
        collect() {
          this.reset()
          for (const reading of read()) this.set({ peer: reading.peer, vrf: reading.vrf }, value(reading))
        },
      }),
    )
  }
}
