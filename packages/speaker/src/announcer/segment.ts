/** Asks the segment who a MAC address belongs to, and whether it still answers for an address. */
import { resolve } from '@typemetal/arp-ndp'
import type { ResolveOptions } from '@typemetal/arp-ndp'
import { blockContains, blockOf, parseAddress } from '@typemetal/cluster'
import type { Node } from '@typemetal/cluster'
import { listLinks, listNeighbors } from '@typemetal/sockets'
import type { Link } from '@typemetal/sockets'
import type { Claim } from './conflict-machine.js'
import type { Segment } from './conflict-guard.js'

/** Options of {@link LanSegment}. */
export interface LanSegmentOptions {
  /** InternalIPs of the other nodes by node name, newest knowledge. */
  readonly nodes: () => ReadonlyMap<string, readonly string[]>
  /** The kernel's neighbour table; for tests. @default rtnetlink */
  readonly neighbors?: () => readonly { readonly address: string; readonly mac: string }[]
  /** The interfaces; for tests. @default rtnetlink */
  readonly links?: () => readonly Pick<Link, 'name' | 'addresses'>[]
  /** Asks who has an address; for tests. @default ARP and Neighbor Discovery */
  readonly ask?: (options: ResolveOptions) => Promise<readonly { readonly mac: string }[]>
}

/** Milliseconds that a neighbour on the same segment may take to answer; twice, in case a frame is lost. */
const PATIENCE = 100
const ATTEMPTS = 2
/** Questions to a host that may be off the network. */
const REACH_ATTEMPTS = 3
/** Nodes asked at the same time whether a MAC address is theirs. */
const AT_ONCE = 16
/** Nodes asked at most: of a larger cluster the neighbour table knows most that matter. */
const MOST_ASKED = 256

/** A {@link Segment} on the interfaces of this host. Needs CAP_NET_RAW to ask. */
export class LanSegment implements Segment {
  readonly #options: Required<LanSegmentOptions>

  constructor(options: LanSegmentOptions) {
    this.#options = { neighbors: listNeighbors, links: listLinks, ask: resolve, ...options }
  }

  /**
   * By the kernel's neighbour table; where it does not know, the host itself is asked for the address of each node. One that answers for
   * several nodes is none of them but a proxy (RFC 1027, RFC 4389).
   */
  async identify(mac: string, interfaceName: string): Promise<string | undefined> {
    const nodes = this.#options.nodes()
    const known = this.#fromTable(mac, nodes)
    if (known.length > 0) return known.length === 1 ? known[0] : undefined
    const questions = [...nodes].flatMap(([node, addresses]) => addresses.map(address => ({ node, address })))
    const rest = questions.slice(0, MOST_ASKED)
    while (rest.length > 0) {
      const asked = rest.splice(0, AT_ONCE)
      const answers = await Promise.all(
        asked.map(({ address }) => this.answers({ address, interface: interfaceName, mac })),
      )
      const found = new Set(asked.filter((_, i) => answers[i]).map(({ node }) => node))
      if (found.size > 0) return found.size === 1 ? [...found][0] : undefined
    }
    return undefined
  }

  async answers({ address, interface: on, mac }: Claim): Promise<boolean> {
    try {
      const answers = await this.#options.ask({
        interface: on, address, to: mac, attempts: ATTEMPTS, interval: PATIENCE, collect: 'first',
      }) // prettier-ignore
      return answers.some(answer => answer.mac === mac)
    } catch {
      return false // the interface is gone or down, so nobody is there to be in conflict with
    }
  }

  /**
   * Whether the host with an address answers, on whichever interface has it in its network; `undefined` when it is in none, or the
   * interface cannot ask.
   */
  async reaches(address: string): Promise<boolean | undefined> {
    try {
      const on = interfaceTowards(address, this.#options.links())
      if (on === undefined) return undefined
      const question = {
        interface: on,
        address,
        attempts: REACH_ATTEMPTS,
        interval: PATIENCE,
        collect: 'first',
      } as const
      return (await this.#options.ask(question)).length > 0
    } catch {
      return undefined // our own interface is down, without a carrier, or may not be used
    }
  }

  /** Names of the nodes that the kernel knows at a MAC address. */
  #fromTable(mac: string, nodes: ReadonlyMap<string, readonly string[]>): readonly string[] {
    const addresses = new Set<string>()
    try {
      for (const neighbor of this.#options.neighbors()) if (neighbor.mac === mac) addresses.add(neighbor.address)
    } catch {
      return [] // a dump that the kernel cut short; the host is asked instead
    }
    return [...nodes].filter(([, own]) => own.some(address => addresses.has(address))).map(([node]) => node)
  }
}

/** The interface that has an address in the network of one of its own; of several the one with the longest prefix. */
export function interfaceTowards(
  address: string,
  links: readonly Pick<Link, 'name' | 'addresses'>[],
): string | undefined {
  const wanted = parseAddress(address)
  if (!wanted) return undefined
  let found: { readonly name: string; readonly prefixLength: number } | undefined
  for (const { name, addresses } of links) {
    for (const { address: text, prefixLength } of addresses) {
      const own = parseAddress(text)
      if (!own || own.family !== wanted.family || own.value === wanted.value) continue
      const bits = BigInt((own.family === 'IPv4' ? 32 : 128) - prefixLength)
      const block = blockOf(own.family, (own.value >> bits) << bits, prefixLength)
      if (blockContains(block, wanted) && prefixLength > (found?.prefixLength ?? 0)) found = { name, prefixLength }
    }
  }
  return found?.name
}

/**
 * InternalIPs by node name.
 * @param except own node, left out
 */
export function addressesByNode(
  nodes: ReadonlyMap<string, Node>,
  except: string,
): ReadonlyMap<string, readonly string[]> {
  const entries = [...nodes.values()].filter(({ metadata }) => metadata.name !== except)
  return new Map(
    entries.map(({ metadata, status }) => [
      metadata.name,
      (status?.addresses ?? []).filter(({ type }) => type === 'InternalIP').map(({ address }) => address),
    ]),
  )
}
