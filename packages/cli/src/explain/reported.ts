/** What the speakers themselves say, beside what they should say. */
import type { ServiceBGPStatus, ServiceL2Status } from '@typemetal/cluster'
import { announcers, reachingPeers } from '../compare/compare.js'
import { step, type Step, type Subject } from './step.js'

/** ServiceL2Status and ServiceBGPStatus objects about the Service; none where there are no such objects at all. */
export function reportedSteps(subject: Subject): readonly Step[] {
  const { snapshot, key } = subject
  const l2 = [...snapshot.objects('ServiceL2Status').values()]
  const bgp = [...snapshot.objects('ServiceBGPStatus').values()]
  if (l2.length + bgp.length === 0) return []
  return [
    ...compared('layer 2', announcers(subject, key, 'layer2'), nodesOf(l2, key)),
    ...compared('BGP', reachingPeers(subject, key), nodesOf(bgp, key)),
  ]
}

/** Nodes named by the statuses about a Service, sorted. */
const nodesOf = (statuses: readonly (ServiceL2Status | ServiceBGPStatus)[], key: string): readonly string[] =>
  statuses
    .flatMap(({ status }) =>
      status && `${status.serviceNamespace}/${status.serviceName}` === key ? (status.node ?? []) : [],
    )
    .toSorted()

function compared(protocol: string, wanted: readonly string[], said: readonly string[]): readonly Step[] {
  if (wanted.length + said.length === 0) return []
  if (wanted.join() === said.join()) return [step('reported', 'good', `${protocol}: ${said.join(', ')} says so`)]
  const text = `${protocol}: ${said.join(', ') || 'no speaker'} says so, expected was ${wanted.join(', ') || 'nobody'}`
  return [
    step('reported', 'bad', text, [
      'a speaker may be down, run on another configuration, or not have heard of the change yet; see typemetal status',
    ]),
  ]
}
