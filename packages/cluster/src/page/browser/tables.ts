import type {
  Layer2Facts,
  MemberFacts,
  NodeFacts,
  PoolFacts,
  ServiceFacts,
  SessionFacts,
  TransitionFacts,
} from '../facts.js'
import { ROW_NAMES } from '../row-names.js'
import { item, list, objectName, protocol, protocolWords, signColumn, stateSince, use, faint } from './cells.js'
import { ageOf } from './clock.js'
import { element } from './dom.js'
import type { TableOptions } from './table.js'
import { bigCount, count } from './words.js'

const none = '–'

/** Services of type LoadBalancer. */
export const SERVICES: TableOptions<ServiceFacts> = {
  id: 'services',
  title: 'Services',
  noun: 'Service',
  about: 'Services of type LoadBalancer: their addresses, who announces them, and why.',
  none: 'There is no Service of type LoadBalancer.',
  nameOf: ROW_NAMES.services,
  wordsOf: ({ service, addresses, pool, layer2, bgp, reason }) => [
    service,
    ...addresses,
    pool,
    ...protocolWords(layer2),
    ...protocolWords(bgp),
    reason,
  ],
  columns: [
    signColumn(),
    { title: 'Service', kind: 'name', key: ({ service }) => service, cell: ({ service }) => objectName(service) },
    {
      title: 'Addresses',
      kind: 'code',
      key: ({ addresses }) => addresses.join(' '),
      cell: ({ addresses }) => (addresses.length > 0 ? list(addresses) : [faint('none')]),
    },
    { title: 'Pool', key: ({ pool = '' }) => pool, cell: ({ pool }) => [pool ?? faint(none)] },
    {
      title: 'Layer 2',
      key: ({ layer2 }) => protocolWords(layer2).join(' '),
      cell: ({ layer2 }) => protocol(layer2, 'on'),
      isKnown: rows => rows.some(({ layer2 }) => layer2 !== undefined),
    },
    {
      title: 'BGP',
      key: ({ bgp }) => protocolWords(bgp).join(' '),
      cell: ({ bgp }) => protocol(bgp, 'to'),
      isKnown: rows => rows.some(({ bgp }) => bgp !== undefined),
    },
    { title: 'Reason', kind: 'wide', key: ({ reason = '' }) => reason, cell: ({ reason = '' }) => [reason] },
  ],
}

/** Sessions with routers. */
export const SESSIONS: TableOptions<SessionFacts> = {
  id: 'sessions',
  title: 'BGP and BFD sessions',
  noun: 'session',
  about: 'BGP sessions with routers, and the BFD sessions that watch their paths.',
  none: 'No BGPPeer is for here.',
  nameOf: ROW_NAMES.sessions,
  wordsOf: ({ node, peer, target, state, peerAS, bfd, reason }) => [
    node,
    peer,
    target,
    state,
    String(peerAS ?? ''),
    bfd?.state,
    bfd?.profile,
    bfd?.reason,
    reason,
  ],
  columns: [
    signColumn(),
    { title: 'Peer', kind: 'name', key: ({ peer }) => peer, cell: ({ peer }) => [element('b', {}, peer)] },
    { title: 'Node', key: ({ node }) => node, cell: ({ node }) => [item(node)] },
    { title: 'Address', kind: 'code', key: ({ target }) => target, cell: ({ target }) => [target] },
    {
      title: 'AS',
      key: ({ peerAS = 0 }) => peerAS,
      cell: ({ localAS, peerAS }) => [item(`${localAS ?? '?'} → ${peerAS ?? '?'}`)],
    },
    { title: 'BGP', key: ({ state }) => state, cell: ({ state, since }) => stateSince(state, since) },
    {
      title: 'BFD',
      key: ({ bfd }) => bfd?.state ?? '',
      cell: ({ bfd }) => {
        if (!bfd) return [faint(none)]
        const { state, since, detectionTime, reason } = bfd
        const within = detectionTime === undefined ? [] : [faint(`, ${count(detectionTime)} ms`)]
        return [...stateSince(state, since), ...within, ...(reason ? [faint(`: ${reason}`)] : [])]
      },
      isKnown: rows => rows.some(({ bfd }) => bfd !== undefined),
    },
    {
      title: 'Prefixes',
      kind: 'number',
      key: ({ announced, wanted }) => announced ?? wanted ?? 0,
      cell: ({ announced, wanted }) =>
        announced === undefined || announced === wanted
          ? [count(announced ?? wanted ?? 0)]
          : [count(announced), faint(` of ${count(wanted ?? 0)}`)],
      isKnown: rows => rows.some(({ announced, wanted }) => (announced ?? wanted) !== undefined),
    },
    { title: 'Reason', kind: 'wide', key: ({ reason = '' }) => reason, cell: ({ reason = '' }) => [reason] },
  ],
}

/** Nodes of the cluster. */
export const NODES: TableOptions<NodeFacts> = {
  id: 'nodes',
  title: 'Nodes',
  noun: 'node',
  about: 'Nodes, whether their speakers are heard, and how many Services they announce.',
  none: 'There is no node.',
  nameOf: ROW_NAMES.nodes,
  wordsOf: ({ node, notes }) => [node, ...notes],
  columns: [
    signColumn(),
    {
      title: 'Node',
      kind: 'name',
      key: ({ node }) => node,
      cell: ({ node, self }) => [element('b', {}, node), ...(self ? [faint(' (serves this page)')] : [])],
    },
    {
      title: 'Speaker',
      key: ({ alive }) => String(alive),
      cell: ({ alive }) => [alive === undefined ? faint(none) : alive ? 'alive' : 'not heard'],
      isKnown: rows => rows.some(({ alive }) => alive !== undefined),
    },
    {
      title: 'Layer 2',
      kind: 'number',
      key: ({ layer2 = -1 }) => layer2,
      cell: ({ layer2 }) => [layer2 === undefined ? faint(none) : count(layer2)],
      isKnown: rows => rows.some(({ layer2 }) => layer2 !== undefined),
    },
    {
      title: 'BGP',
      kind: 'number',
      key: ({ bgp = -1 }) => bgp,
      cell: ({ bgp }) => [bgp === undefined ? faint(none) : count(bgp)],
      isKnown: rows => rows.some(({ bgp }) => bgp !== undefined),
    },
    { title: 'Notes', kind: 'wide', key: ({ notes }) => notes.join(' '), cell: ({ notes }) => list(notes) },
  ],
}

/** Address pools. */
export const POOLS: TableOptions<PoolFacts> = {
  id: 'pools',
  title: 'Pools',
  noun: 'pool',
  about: 'Address pools, and how much of each is in use.',
  none: 'There is no IPAddressPool.',
  nameOf: ROW_NAMES.pools,
  wordsOf: ({ pool, addresses, announced = [], notes }) => [pool, ...addresses, ...announced, ...notes],
  columns: [
    signColumn(),
    { title: 'Pool', kind: 'name', key: ({ pool }) => pool, cell: ({ pool }) => [element('b', {}, pool)] },
    {
      title: 'Addresses',
      kind: 'code',
      key: ({ addresses }) => addresses.join(' '),
      cell: ({ addresses }) => list(addresses),
    },
    { title: 'In use', key: ({ percent }) => percent, cell: use },
    {
      title: 'Free',
      kind: 'number',
      key: ({ available }) => Number(available),
      cell: ({ available }) => [bigCount(available)],
    },
    {
      title: 'Announced by',
      key: ({ announced = [] }) => announced.join(' '),
      cell: ({ announced = [] }) =>
        announced.length > 0
          ? list(announced.map(name => ({ bgp: 'BGP', layer2: 'layer 2' })[name]))
          : [faint('nobody')],
      isKnown: rows => rows.some(({ announced }) => announced !== undefined),
    },
    { title: 'Notes', kind: 'wide', key: ({ notes }) => notes.join(' '), cell: ({ notes }) => list(notes) },
  ],
}

/** Addresses that this node answers for. */
export const LAYER2: TableOptions<Layer2Facts> = {
  id: 'layer2',
  title: 'Layer-2 addresses',
  noun: 'address',
  about: 'Addresses that this node answers for by ARP and Neighbor Discovery.',
  none: 'This node answers for no address.',
  nameOf: ROW_NAMES.layer2,
  wordsOf: ({ address, services, interfaces, reason }) => [address, ...services, ...interfaces, reason],
  columns: [
    signColumn(),
    {
      title: 'Address',
      kind: 'name',
      key: ({ address }) => address,
      cell: ({ address }) => [element('code', {}, address)],
    },
    { title: 'Services', key: ({ services }) => services.join(' '), cell: ({ services }) => list(services) },
    {
      title: 'Interfaces',
      key: ({ interfaces }) => interfaces.join(' '),
      cell: ({ interfaces }) => (interfaces.length > 0 ? list(interfaces) : ['all']),
    },
    { title: 'Reason', kind: 'wide', key: ({ reason = '' }) => reason, cell: ({ reason = '' }) => [reason] },
  ],
}

/** Members of the gossip ring. */
export const MEMBERS: TableOptions<MemberFacts> = {
  id: 'members',
  title: 'Gossip members',
  noun: 'member',
  about: 'Speakers as this one hears of them.',
  none: 'No other speaker is heard.',
  nameOf: ROW_NAMES.members,
  wordsOf: ({ node, address, state }) => [node, address, state],
  columns: [
    signColumn(),
    { title: 'Node', kind: 'name', key: ({ node }) => node, cell: ({ node }) => [element('b', {}, node)] },
    { title: 'Address', kind: 'code', key: ({ address }) => address, cell: ({ address }) => [address] },
    { title: 'Heard', kind: 'wide', key: ({ state }) => state, cell: ({ state, since }) => stateSince(state, since) },
  ],
}

/** What has happened. */
export const TRANSITIONS: TableOptions<TransitionFacts> = {
  id: 'transitions',
  title: 'Recent transitions',
  noun: 'transition',
  about: 'What has happened of late, as far as this process remembers.',
  none: 'Nothing has happened since this process started.',
  sortBy: { column: 'When', descending: true },
  nameOf: ROW_NAMES.transitions,
  wordsOf: ({ object, what, why }) => [object, what, why],
  columns: [
    signColumn(),
    { title: 'When', key: ({ id }) => id, cell: ({ at }) => [ageOf(at, ' ago')] },
    { title: 'Object', kind: 'name', key: ({ object }) => object, cell: ({ object }) => [element('b', {}, object)] },
    { title: 'What', key: ({ what }) => what, cell: ({ what }) => [what] },
    { title: 'Why', kind: 'wide', key: ({ why = '' }) => why, cell: ({ why = '' }) => [why] },
  ],
}
