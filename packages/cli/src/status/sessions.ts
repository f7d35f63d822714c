/** BGP sessions, as they should be and as speakers say they are. */
import { sessionTarget } from '@typemetal/speaker'
import type { SessionPlan } from '@typemetal/speaker'
import type { View } from '../view.js'
import type { Sample, SpeakerReading } from './metrics.js'

/** A session of a node. */
export interface SessionStatus {
  readonly node: string
  readonly peer: string
  readonly target: string
  /** Of its speaker's metrics; `unknown` where it was not asked or does not answer. */
  readonly state: 'up' | 'down' | 'unknown'
  /** Absent: the peer has no BFD profile, or nobody says. */
  readonly bfd?: 'up' | 'down' | 'unknown'
  /** Prefixes that it should be told. */
  readonly routes: number
  /** Prefixes that it is told, by the metrics. */
  readonly announced?: number
}

/** Sessions in order of nodes and names. */
export function sessionStatuses(
  { plans }: View,
  readings: ReadonlyMap<string, SpeakerReading>,
): readonly SessionStatus[] {
  return [...plans.values()].flatMap(({ node, sessions, routes }) => {
    const reading = readings.get(node)
    const samples = reading && 'samples' in reading ? reading.samples : undefined
    return [...sessions.values()].map(session => {
      const announced = valueOf(samples, 'bgp_announced_prefixes_total', session)
      return {
        node,
        peer: session.name,
        target: sessionTarget(session),
        state: stateOf(valueOf(samples, 'bgp_session_up', session)),
        ...(session.bfdProfile !== undefined && { bfd: stateOf(valueOf(samples, 'bfd_session_up', session)) }),
        routes: routes.get(session.name)?.length ?? 0,
        ...(announced !== undefined && { announced }),
      }
    })
  })
}

const stateOf = (value: number | undefined): 'up' | 'down' | 'unknown' =>
  value === undefined ? 'unknown' : value > 0 ? 'up' : 'down'

/** MetalLB's prefixes: its own and that of frr-k8s. */
const PREFIXES = ['metallb_', 'frrk8s_']

/** A metric of one session; MetalLB names the peer with its port in some modes and without in others. */
function valueOf(samples: readonly Sample[] | undefined, name: string, session: SessionPlan): number | undefined {
  const target = sessionTarget(session)
  const peers = [target, `${target}:${session.peerPort}`, `[${target}]:${session.peerPort}`]
  return samples?.find(
    sample =>
      PREFIXES.some(prefix => sample.name === prefix + name) &&
      peers.includes(sample.labels['peer'] ?? '') &&
      (sample.labels['vrf'] ?? 'default') === (session.vrf ?? 'default'),
  )?.value
}
