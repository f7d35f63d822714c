/** Which routers a Service's addresses are told, and what they are told. */
import { isInternal, peerLimits, sessionTarget } from '@typemetal/speaker'
import type { RememberingPlan, RoutePlan, SessionPlan } from '@typemetal/speaker'
import { parseCIDR } from '@typemetal/cluster'
import { step, type Step, type Subject } from './step.js'

/** Decision, sessions and routes of every node; nodes that say the same are told together. */
export function bgpSteps(subject: Subject): readonly Step[] {
  const { key, config, plans } = subject
  const [first] = plans.values()
  const pool = first?.services.get(key)?.pool
  const ads = pool === undefined ? [] : (config.pools.get(pool)?.bgpAdvertisements ?? [])
  if (pool === undefined) return []
  if (ads.length === 0) return [step('bgp', 'note', `no BGPAdvertisement applies to pool ${pool}`)]
  const announcing = [...plans.values()].filter(({ services }) => services.get(key)?.bgp.announce)
  const refused = grouped(
    [...plans.values()].filter(plan => !announcing.includes(plan)),
    plan => reasonOf(plan, key),
  )
  return [
    step(
      'bgp',
      announcing.length > 0 ? 'good' : 'bad',
      `advertised by ${ads.map(({ name }) => name).join(', ')} from ${nodes(announcing) || 'no node'}`,
    ),
    ...[...refused].map(([reason, list]) => step('bgp', 'bad', `not from ${nodes(list)}: ${reason}`)),
    ...sessionSteps(subject, announcing),
  ]
}

const nodes = (plans: readonly RememberingPlan[]): string => plans.map(({ node }) => node).join(', ')

function reasonOf({ services }: RememberingPlan, key: string): string {
  const decision = services.get(key)?.bgp
  if (!decision || decision.announce) return 'unknown'
  return decision.detail === undefined ? decision.reason : `${decision.reason}: ${decision.detail}`
}

function grouped<T>(items: readonly T[], keyOf: (item: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item])
  return groups
}

/** A session of one name is the same on all nodes that have it, and so is what it is told of this Service. */
function sessionSteps({ key, service }: Subject, announcing: readonly RememberingPlan[]): readonly Step[] {
  const names = [...new Set(announcing.flatMap(({ sessions }) => [...sessions.keys()]))].toSorted()
  if (announcing.length > 0 && names.length === 0) {
    return [step('session', 'bad', 'no BGPPeer selects these nodes: there is nobody to tell')]
  }
  return names.flatMap(name => {
    const having = announcing.filter(({ sessions }) => sessions.has(name))
    const [plan] = having
    const session = plan?.sessions.get(name)
    if (!plan || !session) return []
    const told = plan.peersOf.get(key)?.includes(name) ?? false
    const prefixes = prefixesOf(plan, key)
    const routes = (plan.routes.get(name) ?? []).filter(({ prefix }) => prefixes.has(prefix))
    return [
      sessionStep(session, having),
      told
        ? step(
            'frames',
            'good',
            `UPDATE to ${sessionTarget(session)} from ${nodes(having)}`,
            routes.map(route => routeText(route, session)),
          )
        : step('frames', 'bad', `nothing to ${name}: ${whyNothing(session, prefixes, service.metadata.name)}`),
    ]
  })
}

function sessionStep(session: SessionPlan, having: readonly RememberingPlan[]): Step {
  const { name, peerPort, peerASN, dynamicASN, myASN, localASN, families, holdTimeSeconds, keepaliveTimeSeconds } =
    session
  const limits = peerLimits(session)
  const kind = isInternal(session) ? 'iBGP' : 'eBGP'
  const details = [
    `${kind}, AS ${localASN ?? myASN} to AS ${peerASN ?? dynamicASN}, families ${families.join(' and ')}`,
    `hold time ${holdTimeSeconds} s, keepalive ${keepaliveTimeSeconds} s${session.password ? ', TCP-MD5' : ''}`,
    ...extras(session),
    ...limits.map(({ field, reason }) => `${field}: ${reason}`),
  ]
  const verdict = limits.some(({ notOpened }) => notOpened) ? 'bad' : limits.length > 0 ? 'note' : 'good'
  return step('session', verdict, `${name}: ${nodes(having)} to ${sessionTarget(session)} port ${peerPort}`, details)
}

/** What the session does beside plain BGP. */
function extras({ bfd, bfdProfile, gracefulRestart, ebgpMultiHop, vrf }: SessionPlan): readonly string[] {
  const detection = bfd && bfd.detectMultiplier * Math.max(bfd.receiveInterval, bfd.transmitInterval)
  const parts = [
    ...(bfdProfile === undefined
      ? []
      : [`BFD ${bfdProfile}${detection ? `, a dead peer is noticed after about ${detection} ms` : ''}`]),
    ...(gracefulRestart ? ['graceful restart'] : []),
    ...(ebgpMultiHop ? ['over several hops'] : []),
    ...(vrf === undefined ? [] : [`VRF ${vrf}`]),
  ]
  return parts.length > 0 ? [parts.join(', ')] : []
}

function prefixesOf({ services }: RememberingPlan, key: string): ReadonlySet<string> {
  const decision = services.get(key)?.bgp
  return new Set(decision?.announce ? decision.prefixes.map(({ prefix }) => prefix) : [])
}

function whyNothing({ families, name }: SessionPlan, prefixes: ReadonlySet<string>, service: string): string {
  const carried = [...prefixes].some(prefix => families.includes(parseCIDR(prefix).family === 'IPv6' ? 'ipv6' : 'ipv4'))
  if (!carried) return `the session carries ${families.join(' and ')} only (dualStackAddressFamily makes it carry both)`
  return `no advertisement of ${service} names ${name} in its peers`
}

function routeText({ prefix, localPref, communities }: RoutePlan, session: SessionPlan): string {
  const asPath = isInternal(session) ? 'empty' : String(session.localASN ?? session.myASN)
  const parts = [
    `NLRI ${prefix}`,
    'ORIGIN IGP',
    `AS_PATH ${asPath}`,
    "NEXT_HOP the node's own address on the session",
    ...(localPref === undefined ? [] : [`LOCAL_PREF ${localPref}`]),
    ...(communities.length > 0 ? [`communities ${communities.join(' ')}`] : []),
  ]
  return parts.join(', ')
}
