/** What a change would do: two views in, the differences that people and routers notice out. Pure. */
import type { ObjectKey } from '@typemetal/cluster'
import { parseAddress, poolOf } from '@typemetal/cluster'
import type { Protocol } from '@typemetal/speaker'
import { addressesOf } from '../allocation.js'
import type { View } from '../view.js'
import { compareRoutes, type RouteChange } from './routes.js'
import { compareSessions, type SessionDifference } from './sessions.js'

/** A Service gets, loses or changes its addresses. */
export interface AddressChange {
  readonly service: ObjectKey
  readonly before: readonly string[]
  readonly after: readonly string[]
  /** What the controller says about it, if anything. */
  readonly why?: string
}

/** Other nodes than before announce a Service. */
export interface AnnouncementChange {
  readonly service: ObjectKey
  readonly protocol: Protocol
  readonly addresses: readonly string[]
  /** Nodes that announced it, sorted. */
  readonly before: readonly string[]
  readonly after: readonly string[]
  /** Why those that stop do so, by node. */
  readonly reasons: Readonly<Record<string, string>>
}

/** What follows from a change. Empty lists: nothing of the kind. */
export interface Difference {
  readonly addresses: readonly AddressChange[]
  readonly announcements: readonly AnnouncementChange[]
  readonly sessions: readonly SessionDifference[]
  readonly routes: readonly RouteChange[]
  /** Services whose addresses lie in no pool any more: speakers stay with the old configuration until the controller has moved them. */
  readonly stranded: readonly ObjectKey[]
}

/** Compares two views of one cluster. */
export function compare(before: View, after: View): Difference {
  return {
    addresses: compareAddresses(before, after),
    announcements: (['layer2', 'bgp'] as const).flatMap(protocol => compareAnnouncements(protocol, before, after)),
    sessions: compareSessions(before, after),
    routes: compareRoutes(before, after),
    stranded: strandedServices(before, after),
  }
}

/** Whether nothing would change. */
export const isEmpty = (difference: Difference): boolean => Object.values(difference).every(list => list.length === 0)

function compareAddresses(before: View, after: View): readonly AddressChange[] {
  return serviceKeys(before, after).flatMap(service => {
    const was = addressesOf(before.snapshot.objects('Service').get(service))
    const is = addressesOf(after.snapshot.objects('Service').get(service))
    if (was.join() === is.join()) return []
    const said = after.events.findLast(({ regarding }) => `${regarding.namespace}/${regarding.name}` === service)
    const why = after.snapshot.objects('Service').has(service)
      ? said && `${said.reason}: ${said.message}`
      : 'serviceDeleted'
    return [{ service, before: was, after: is, ...(why !== undefined && { why }) }]
  })
}

function compareAnnouncements(protocol: Protocol, before: View, after: View): readonly AnnouncementChange[] {
  return serviceKeys(before, after).flatMap(service => {
    const was = announcers(before, service, protocol)
    const is = announcers(after, service, protocol)
    if (was.join() === is.join()) return []
    const stopped = was.filter(node => !is.includes(node))
    const reasons = Object.fromEntries(stopped.map(node => [node, reasonOf(after, service, protocol, node)]))
    const now = addressesOf(after.snapshot.objects('Service').get(service))
    const addresses = now.length > 0 ? now : addressesOf(before.snapshot.objects('Service').get(service))
    return [{ service, protocol, addresses, before: was, after: is, reasons }]
  })
}

/** Nodes that announce a Service, sorted. */
export const announcers = ({ plans }: View, service: ObjectKey, protocol: Protocol): readonly string[] =>
  [...plans.values()]
    .filter(plan => plan.services.get(service)?.[protocol].announce)
    .map(({ node }) => node)
    .toSorted()

/** Nodes that tell at least one peer about a Service, sorted: those whose speakers write a ServiceBGPStatus. */
export const reachingPeers = ({ plans }: View, service: ObjectKey): readonly string[] =>
  [...plans.values()]
    .filter(({ peersOf }) => (peersOf.get(service)?.length ?? 0) > 0)
    .map(({ node }) => node)
    .toSorted()

function reasonOf({ plans }: View, service: ObjectKey, protocol: Protocol, node: string): string {
  const plan = plans.get(node)
  if (!plan) return 'nodeDeleted'
  const decision = plan.services.get(service)?.[protocol]
  if (!decision) return 'serviceDeleted'
  return decision.announce ? '' : decision.reason
}

const serviceKeys = (before: View, after: View): readonly ObjectKey[] =>
  [...new Set([...before.snapshot.objects('Service').keys(), ...after.snapshot.objects('Service').keys()])].toSorted()

function strandedServices(before: View, after: View): readonly ObjectKey[] {
  return serviceKeys(before, after).filter(service => {
    const addresses = addressesOf(before.snapshot.objects('Service').get(service)).flatMap(
      text => parseAddress(text) ?? [],
    )
    const announced = (['layer2', 'bgp'] as const).some(protocol => announcers(before, service, protocol).length > 0)
    const stays = after.snapshot.objects('Service').has(service)
    return announced && stays && addresses.length > 0 && !poolOf(after.config.pools, addresses)
  })
}
