import { OrderedTree, type TreeNode } from './ordered-tree.js'
import type { Rank } from './rank.js'
import type { PortKey } from './request.js'

/** Some ports, to be asked one by one. */
interface PortSet {
  readonly size: number
  has(port: PortKey): boolean
  keys(): Iterable<PortKey>
}

/** An address whose Services allow sharing, and who is on it. */
export interface SharedAddress {
  readonly sharingKey: string
  readonly backendKey: string
  readonly services: Set<string>
  /** Port → the Service that has it. */
  readonly ports: Map<PortKey, string>
}

/**
 * The addresses of one pool and family that carry one sharing key and one backend key. Each subtree knows the ports that
 * all of its addresses have in use, so a search leaves out whole subtrees: with one port asked for it is O(log n).
 */
export class SharingGroup {
  readonly #tree = new OrderedTree<SharedAddress, PortSet>(inAll)

  get size(): number {
    return this.#tree.size
  }

  add(rank: Rank, address: SharedAddress): void {
    this.#tree.insert(rank, address)
  }

  delete(rank: Rank): void {
    this.#tree.delete(rank)
  }

  /** To be called after the ports of an address changed. */
  refresh(rank: Rank): void {
    this.#tree.refresh(rank)
  }

  /** Lowest rank whose address has none of these ports in use. */
  lowestWithout(ports: readonly PortKey[]): Rank | undefined {
    return search(this.#tree.root, ports)
  }
}

function search(node: TreeNode<SharedAddress, PortSet> | undefined, ports: readonly PortKey[]): Rank | undefined {
  if (!node || ports.some(port => node.summary.has(port))) return undefined
  const left = search(node.left, ports)
  if (left !== undefined) return left
  return ports.some(port => node.value.ports.has(port)) ? search(node.right, ports) : node.key
}

/** Ports in use on this address and on all addresses of both subtrees. */
function inAll(address: SharedAddress, left: PortSet | undefined, right: PortSet | undefined): PortSet {
  const sets = [address.ports, left, right].filter(set => set !== undefined)
  const [smallest = address.ports, ...others] = sets.toSorted((a, b) => a.size - b.size)
  // A leaf hands on its own map, uncopied: an address may carry thousands of ports.
  if (others.length === 0) return smallest
  return new Set([...smallest.keys()].filter(port => others.every(set => set.has(port))))
}
