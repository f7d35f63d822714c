/** What this node does with each Service, and why. Pure. */
import type { Config, ObjectKey } from '@typemetal/cluster'
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
    const isAdvertised = !pool || pool.l2Advertisements.length + pool.bgpAdvertisements.length > 0
    const facts = serviceFacts(node, key, decision, peers, isAdvertised)
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

/** @param isAdvertised whether there is any advertisement for its pool */
function serviceFacts(
  node: string,
  service: ObjectKey,
  decision: ServiceDecision,
  peers: readonly string[],
  isAdvertised: boolean,
): ServiceFacts {
  const { addresses, pool, layer2, bgp } = decision
  const [onLan, byBGP] = [layer2Facts(node, layer2), bgpFacts(node, bgp, peers)]
  return {
    service,
    verdict: isAdvertised ? verdict(decision, peers) : 'bad',
    addresses,
    ...(pool !== undefined && { pool }),
    layer2: onLan,
    bgp: byBGP,
    reason: isAdvertised ? summary(decision, peers, onLan.reason, byBGP.reason) : NO_ADVERTISEMENT,
  }
}

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

/** Why it is where it is, in one sentence. */
function summary(
  { layer2, bgp }: ServiceDecision,
  peers: readonly string[],
  notOnLan: string | undefined,
  notByBGP: string | undefined,
): string {
  const told = peers.length === 1 ? `told to ${peers[0]}` : `told to ${peers.length} BGP peers`
  if (layer2.announce) return `this node was elected to answer for it${bgp.announce ? `; ${told}` : ''}`
  if (bgp.announce) return notByBGP ?? told
  if (layer2.owner !== undefined || layer2.reason === bgp.reason) return notOnLan ?? ''
  return `layer 2: ${notOnLan}; BGP: ${notByBGP}`
}
