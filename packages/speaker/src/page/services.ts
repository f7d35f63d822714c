/** What this node does with each Service, and why. Pure. */
import type { Config, ObjectKey, Pool } from '@typemetal/cluster'
import type { ProtocolFacts, ServiceFacts, Verdict } from '@typemetal/cluster/page'
import type { Conflict } from '../announcer/conflict-machine.js'
import type { BGPDecision, Layer2Decision, Plan, ServiceDecision } from '../plan/types.js'
import { inWords, verdictOf } from './reasons.js'

type Row = { readonly peers: readonly string[]; readonly facts: ServiceFacts }

const NO_PEERS: readonly string[] = []
const NO_PEER = 'no BGPPeer of this node is for it'
const NO_ADVERTISEMENT = 'no L2Advertisement and no BGPAdvertisement is for its pool'

/** Makes the rows of Services; a row whose Service nothing has touched stays the same object. */
export class ServiceRows {
  #config: Config | undefined
  #rows = new WeakMap<ServiceDecision, Row>()

  /**
   * One row for each Service that is ours to announce, in the order of the plan.
   * @param config what the plan was made on
   * @param conflicts about layer-2 addresses
   */
  of(plan: Plan, config: Config | undefined, conflicts: readonly Conflict[]): readonly ServiceFacts[] {
    if (config !== this.#config) this.#rows = new WeakMap()
    this.#config = config
    const contested = new Map(conflicts.map(conflict => [conflict.address, conflict]))
    const rows: ServiceFacts[] = []
    for (const [key, decision] of plan.services) {
      if (!isOurs(decision)) continue
      const facts = this.#row(plan, key, decision)
      const conflict = contested.size === 0 ? undefined : conflictOf(decision, contested)
      rows.push(conflict ? { ...facts, verdict: 'bad', reason: conflictText(conflict) } : facts)
    }
    return rows
  }

  #row({ node, peersOf }: Plan, key: ObjectKey, decision: ServiceDecision): ServiceFacts {
    const peers = peersOf.get(key) ?? NO_PEERS
    const known = this.#rows.get(decision)
    if (known?.peers === peers) return known.facts
    const pool = decision.pool === undefined ? undefined : this.#config?.pools.get(decision.pool)
    const facts = serviceFacts(node, key, decision, peers, pool)
    this.#rows.set(decision, { peers, facts })
    return facts
  }
}

/** Who else answers for an address, and what became of it. */
export function conflictText({ interface: on, mac, node: other, resolution }: Conflict): string {
  const who = other === undefined ? `host ${mac}` : `node ${other} (${mac})`
  const what = resolution === 'yield' ? 'that one comes first, and this node is silent' : 'this node keeps it'
  return `${who} answers for it too, on ${on}: ${what}`
}

/** Services of other types and classes are none of a speaker's business. */
const isOurs = ({ layer2 }: ServiceDecision): boolean =>
  layer2.announce || (layer2.reason !== 'notLoadBalancer' && layer2.reason !== 'loadBalancerClass')

function conflictOf(
  { layer2, addresses }: ServiceDecision,
  contested: ReadonlyMap<string, Conflict>,
): Conflict | undefined {
  const address = layer2.announce ? addresses.find(text => contested.has(text)) : undefined
  return address === undefined ? undefined : contested.get(address)
}

/** @param pool of its addresses; absent: they are of none */
function serviceFacts(
  node: string,
  service: ObjectKey,
  decision: ServiceDecision,
  peers: readonly string[],
  pool: Pool | undefined,
): ServiceFacts {
  const { addresses, layer2, bgp } = decision
  const onLan = pool?.l2Advertisements.length === 0 ? notAdvertised('L2Advertisement') : layer2Facts(node, layer2)
  const byBGP = pool?.bgpAdvertisements.length === 0 ? notAdvertised('BGPAdvertisement') : bgpFacts(node, bgp, peers)
  const ways = [pool?.l2Advertisements.length === 0, pool?.bgpAdvertisements.length === 0] as const
  const isAdvertised = !(ways[0] && ways[1])
  return {
    service,
    verdict: isAdvertised ? verdict(decision, peers) : 'bad',
    addresses,
    ...(pool && { pool: pool.name }),
    layer2: onLan,
    bgp: byBGP,
    reason: isAdvertised ? (whereItIs(decision, peers) ?? whyNot(onLan.reason, byBGP.reason, ways)) : NO_ADVERTISEMENT,
  }
}

const notAdvertised = (kind: string): ProtocolFacts => ({ nodes: [], reason: `no ${kind} is for its pool` })

function layer2Facts(node: string, decision: Layer2Decision): ProtocolFacts {
  if (decision.announce) return { nodes: [node], to: decision.interfaces === 'all' ? [] : decision.interfaces }
  const { reason, owner, missing } = decision
  if (owner !== undefined) return { nodes: [owner], reason: `node ${owner} was elected (notOwner)` }
  if (reason !== 'notOwner') return { nodes: [], reason: inWords(reason, missing?.join(', ')) }
  return { nodes: [], reason: 'no node can be elected: none with a ready endpoint is among those that may (notOwner)' }
}

function bgpFacts(node: string, decision: BGPDecision, peers: readonly string[]): ProtocolFacts {
  if (decision.announce) return { nodes: [node], to: peers, ...(peers.length === 0 && { reason: NO_PEER }) }
  const { reason, detail } = decision
  if (reason === 'notOwner')
    return { nodes: [], reason: 'no BGPAdvertisement of its pool selects this node (notOwner)' }
  return { nodes: [], reason: inWords(reason, detail) }
}

function verdict({ layer2, bgp }: ServiceDecision, peers: readonly string[]): Verdict {
  const refusals = [layer2, bgp].flatMap(decision => (decision.announce ? [] : verdictOf(decision.reason)))
  if (refusals.includes('bad')) return 'bad'
  if (layer2.announce || (bgp.announce && peers.length > 0)) return 'good'
  if (bgp.announce) return 'bad'
  if (layer2.owner !== undefined) return 'good'
  return refusals.includes('note') || layer2.reason === 'notOwner' ? 'note' : 'good'
}

/** Where it is, in one sentence; `undefined` when nothing here knows. */
function whereItIs({ layer2, bgp }: ServiceDecision, peers: readonly string[]): string | undefined {
  const parts = [
    ...(layer2.announce ? ['this node was elected to answer for it'] : []),
    ...(!layer2.announce && layer2.owner !== undefined ? [`node ${layer2.owner} was elected to answer for it`] : []),
    ...(bgp.announce
      ? [peers.length > 0 ? `told to ${peers.length === 1 ? peers[0] : `${peers.length} peers`}` : NO_PEER]
      : []),
  ]
  return parts.length > 0 ? parts.join('; ') : undefined
}

/** @param isUnwanted which of the two nobody wants it to be announced by */
function whyNot(
  notOnLan: string | undefined,
  notByBGP: string | undefined,
  [isLanUnwanted, isBGPUnwanted]: readonly [boolean, boolean],
): string {
  if (isLanUnwanted) return notByBGP ?? ''
  return isBGPUnwanted || notOnLan === notByBGP ? (notOnLan ?? '') : `layer 2: ${notOnLan}; BGP: ${notByBGP}`
}
