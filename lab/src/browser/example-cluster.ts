/** A cluster of three nodes at three in the morning: most of it is fine, some is not. */
import type { PageFacts, ServiceFacts, Timestamp } from '@typemetal/cluster/page'

const NAMES = ['web', 'api', 'grafana', 'registry', 'ingress', 'mail', 'git', 'dns', 'vault', 'chat', 'wiki', 'search']
const NAMESPACES = ['default', 'shop', 'monitoring', 'platform', 'intranet']

/** @param now milliseconds since 1970: everything was so many minutes before */
export function exampleCluster(now: number): PageFacts {
  const ago = (minutes: number): Timestamp => new Date(now - minutes * 60_000).toISOString()
  return {
    server: {
      component: 'speaker',
      node: 'worker-1',
      namespace: 'metallb-system',
      version: '0.1.0',
      startedAt: ago(3 * 24 * 60 + 125),
      role: 'announcing',
      ready: true,
    },
    notices: [],
    services: exampleServices(34),
    sessions: [
      {
        node: 'worker-1',
        peer: 'tor-1',
        target: '10.0.0.1',
        verdict: 'good',
        state: 'Established',
        since: ago(4325),
        localAS: 64512,
        peerAS: 64513,
        families: ['ipv4', 'ipv6'],
        wanted: 31,
        announced: 31,
        bfd: { verdict: 'good', state: 'Up', profile: 'fast', since: ago(4325), detectionTime: 150 },
      },
      {
        node: 'worker-1',
        peer: 'tor-2',
        target: '10.0.0.2',
        verdict: 'bad',
        state: 'Connect',
        since: ago(7),
        localAS: 64512,
        peerAS: 64513,
        families: ['ipv4'],
        wanted: 31,
        announced: 0,
        bfd: {
          verdict: 'bad',
          state: 'Down',
          profile: 'fast',
          since: ago(7),
          detectionTime: 150,
          reason: 'Control Detection Time Expired',
        },
        reason: 'no answer to connecting',
      },
    ],
    nodes: [
      { node: 'worker-1', verdict: 'good', alive: true, self: true, layer2: 12, bgp: 31, notes: [] },
      { node: 'worker-2', verdict: 'good', alive: true, layer2: 11, notes: [] },
      { node: 'worker-3', verdict: 'note', alive: true, layer2: 8, notes: ['cordoned', 'drains: handing over'] },
    ],
    pools: [
      {
        pool: 'public',
        verdict: 'note',
        addresses: ['192.0.2.0/27'],
        assigned: '29',
        available: '3',
        percent: 91,
        announced: ['bgp', 'layer2'],
        notes: ['nearly full'],
      },
      {
        pool: 'internal',
        verdict: 'good',
        addresses: ['10.20.0.10-10.20.0.99', 'fd00:20::/64'],
        assigned: '5',
        available: '18446744073709551701',
        percent: 0,
        announced: ['layer2'],
        notes: ['only on request'],
      },
    ],
    layer2: [
      { address: '192.0.2.1', verdict: 'good', services: ['default/web'], interfaces: ['eth0'] },
      { address: '192.0.2.4', verdict: 'good', services: ['platform/registry', 'platform/git'], interfaces: ['eth0'] },
      { address: 'fd00:20::10', verdict: 'good', services: ['intranet/wiki'], interfaces: [] },
    ],
    members: [
      { node: 'worker-1', verdict: 'good', address: '10.0.0.11', state: 'alive', since: ago(4445) },
      { node: 'worker-2', verdict: 'good', address: '10.0.0.12', state: 'alive', since: ago(4440) },
      { node: 'worker-3', verdict: 'good', address: '10.0.0.13', state: 'alive', since: ago(4438) },
    ],
    transitions: [
      {
        id: 6,
        at: ago(2),
        verdict: 'note',
        object: 'Node worker-3',
        what: 'drain: handing over',
        why: 'the Node was cordoned',
      },
      {
        id: 5,
        at: ago(5),
        verdict: 'bad',
        object: 'Service shop/checkout',
        what: 'not announced by BGP',
        why: 'it has no ready endpoint',
      },
      {
        id: 4,
        at: ago(7),
        verdict: 'bad',
        object: 'BGPPeer tor-2',
        what: 'session down',
        why: 'BFD found the path down',
      },
      {
        id: 3,
        at: ago(7.02),
        verdict: 'bad',
        object: 'BFD tor-2',
        what: 'Down',
        why: 'Control Detection Time Expired',
      },
      { id: 2, at: ago(88), verdict: 'good', object: 'Service default/web', what: 'announced by layer 2' },
      { id: 1, at: ago(4325), verdict: 'good', object: 'BGPPeer tor-1', what: 'session established' },
    ],
  }
}

/** Services, of which two are in trouble: one has no address, one no endpoint. */
export function exampleServices(number: number): readonly ServiceFacts[] {
  const fine = Array.from({ length: Math.max(0, number - 2) }, (_, index): ServiceFacts => {
    const name = NAMES[index % NAMES.length] ?? 'web'
    const turn = Math.floor(index / NAMES.length)
    const namespace = NAMESPACES[(index + turn) % NAMESPACES.length] ?? 'default'
    const owner = `worker-${(index % 3) + 1}`
    return {
      service: `${namespace}/${name}${turn === 0 ? '' : `-${turn + 1}`}`,
      verdict: 'good',
      addresses: [`192.0.${2 + Math.floor(index / 254)}.${(index % 254) + 1}`],
      pool: 'public',
      layer2: { nodes: [owner], ...(owner === 'worker-1' && { to: ['eth0'] }) },
      bgp: { nodes: ['worker-1'], to: ['tor-1', 'tor-2'] },
    }
  })
  return [
    {
      service: 'shop/checkout',
      verdict: 'bad',
      addresses: ['192.0.2.30'],
      pool: 'public',
      layer2: { nodes: [], reason: 'no ready endpoint' },
      bgp: { nodes: [], reason: 'no ready endpoint' },
      reason: 'nobody announces it: none of its endpoints is ready',
    },
    {
      service: 'shop/search-canary',
      verdict: 'bad',
      addresses: [],
      reason: 'no address: pool internal gives addresses only on request, and pool public is for other namespaces',
    },
    ...fine,
  ].slice(0, number) as readonly ServiceFacts[]
}
