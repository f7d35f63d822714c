/** Names, labels and values of the BGP and BFD families. */
import { Registry } from 'prom-client'
import t from 'tap'
import { SessionHistory, registerBFDMetrics, registerBGPMetrics } from '@typemetal/speaker'
import type { BfdReading, PeerReading } from '@typemetal/speaker'
import { FakePeer } from './support/fake-engine.js'
import { FakeBfdSession } from './support/fake-bfd.js'

/** metrics.md section 2 and 3 */
const METALLB_BGP = [
  'metallb_bgp_session_up', 'metallb_bgp_announced_prefixes_total', 'metallb_bgp_pending_prefixes_total',
  'metallb_bgp_opens_sent', 'metallb_bgp_opens_received', 'metallb_bgp_notifications_sent', 'metallb_bgp_updates_total',
  'metallb_bgp_updates_total_received', 'metallb_bgp_keepalives_sent', 'metallb_bgp_keepalives_received',
  'metallb_bgp_route_refresh_sent', 'metallb_bgp_total_sent', 'metallb_bgp_total_received',
] // prettier-ignore
const METALLB_BFD = [
  'metallb_bfd_session_up', 'metallb_bfd_control_packet_input', 'metallb_bfd_control_packet_output',
  'metallb_bfd_echo_packet_input', 'metallb_bfd_echo_packet_output', 'metallb_bfd_session_up_events',
  'metallb_bfd_session_down_events', 'metallb_bfd_zebra_notifications',
] // prettier-ignore

const reading = (changes: Partial<PeerReading> = {}): PeerReading => ({
  name: 'r',
  peer: '192.0.2.1:179',
  vrf: 'default',
  state: undefined,
  history: new SessionHistory(),
  uptime: 0,
  ...changes,
})

t.test('every family of MetalLB has the labels peer and vrf, also while the session is not opened', async t => {
  const registry = new Registry()
  registerBGPMetrics(registry, () => [reading(), reading({ peer: '2001:db8::1:1179', vrf: 'red' })])
  const down: readonly BfdReading[] = [{ peer: '192.0.2.1', vrf: 'default', snapshot: undefined, notifications: 0 }]
  registerBFDMetrics(registry, () => down)
  const text = await registry.metrics()
  for (const name of METALLB_BGP) t.match(text, `\n${name}{peer="192.0.2.1:179",vrf="default"} 0\n`, name)
  for (const name of METALLB_BGP) t.match(text, `${name}{peer="2001:db8::1:1179",vrf="red"} 0`)
  for (const name of METALLB_BFD) t.match(text, `\n${name}{peer="192.0.2.1",vrf="default"} 0\n`, name)
})

t.test('values come from the sessions when somebody asks; a peer that is gone has no series', async t => {
  const registry = new Registry()
  const peer = new FakePeer({ name: 'r' } as FakePeer['options'])
  peer.state = 'Established'
  peer.negotiated = { holdTime: 30, families: [] }
  const history = new SessionHistory()
  history.changed('Established', 'OpenConfirm', 'KeepAliveMsg', 0)
  history.changed('Idle', 'Established', 'NotifMsg 6/2', 1_000)
  history.changed('Established', 'OpenConfirm', 'KeepAliveMsg', 2_000)
  history.notified('received', { errorCode: 6, errorSubcode: 2, reason: 'Cease/Administrative Shutdown' })
  let readings: readonly PeerReading[] = [reading({ state: peer, history, uptime: history.uptime(5_000) })]
  registerBGPMetrics(registry, () => readings)
  const text = await registry.metrics()
  const at = 'peer="192.0.2.1:179",vrf="default"'
  for (const line of [
    `metallb_bgp_session_up{${at}} 1`,
    `metallb_bgp_updates_total{${at}} 2`,
    `metallb_bgp_announced_prefixes_total{${at}} 1`,
    `metallb_bgp_pending_prefixes_total{${at}} 2`,
    `typemetal_bgp_hold_time_seconds{${at}} 30`,
    `typemetal_bgp_session_uptime_seconds{${at}} 3`,
    `typemetal_bgp_session_ends_total{${at},reason="NotifMsg"} 1`,
    `typemetal_bgp_last_notification{${at},direction="received",code="6",subcode="2"} 1`,
  ]) {
    t.match(text, `\n${line}\n`, line)
  }
  readings = []
  t.notMatch(await registry.metrics(), 'peer=')
})

t.test('BFD: two sessions with one address are one series', async t => {
  const registry = new Registry()
  const snapshot = new FakeBfdSession({ address: '192.0.2.1' }).snapshot()
  const common = { peer: '192.0.2.1', vrf: 'default', notifications: 2 }
  const up = { ...snapshot, state: 'Up' } as typeof snapshot
  registerBFDMetrics(registry, () => [{ ...common, snapshot: up }, { ...common, snapshot: up }]) // prettier-ignore
  const text = await registry.metrics()
  const at = '{peer="192.0.2.1",vrf="default"}'
  t.match(text, `metallb_bfd_control_packet_input${at} 14`)
  t.match(text, `metallb_bfd_zebra_notifications${at} 4`)
  t.match(text, `metallb_bfd_session_up${at} 1\n`)
  t.match(text, `typemetal_bfd_detection_time_seconds${at} 0.9`)
})
